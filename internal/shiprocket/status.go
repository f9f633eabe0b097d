package shiprocket

import (
	"strings"

	"github.com/webazaar/waybill/internal/tracking"
)

// verdict is what a push says its parcel's status is.
type verdict struct {
	Status
	direction tracking.Direction
	known     bool
	told      bool // a status word or number was sent, known or not
	strange   []Fault
}

// unknown reports whether a status was told and nothing of it is in any table.
func (v *verdict) unknown() bool { return v.told && !v.known }

// A statement is one word and one number that say the same thing in two ways.
type statement struct {
	word, id field
	// byID looks a number up in the statement's table.
	byID func(n int) (Status, bool)
}

// statements in the order in which they are believed. The status words stand
// above the scans, always: a live push said RTO INITIATED while its newest
// scan said "Added to Bag".
var statements = [...]statement{
	{fCurrentStatus, fCurrentStatusID, func(n int) (Status, bool) { return OrderStatusID(n).Status() }},
	{fShipmentStatus, fShipmentStatusID, func(n int) (Status, bool) { return ShipmentStatusID(n).Status() }},
	{fStatus, fieldCount, func(int) (Status, bool) { return Status{}, false }},
}

// status decides between all that the push says of its status: the first that
// is known of current_status, current_status_id, shipment_status,
// shipment_status_id. The caller falls back to the scans.
func (f *fields) status() verdict {
	v := verdict{direction: tracking.Forward}
	if f[fIsReturn].yes() || firstWord(f[fCurrentStatus].word()) == "RETURN" {
		v.direction = tracking.Return
	}
	for _, st := range statements {
		if s, ok := f.read(st, &v); ok && !v.known {
			v.Status, v.known = s, true
		}
	}
	return v
}

// read is what a statement says. Where its word and its number disagree, the
// word wins.
func (f *fields) read(st statement, v *verdict) (Status, bool) {
	word := f[st.word].id()
	byWord, worded := Lookup(word)
	if n, ok := f[st.word].count(); ok && !worded {
		byWord, worded = st.byID(n)
	}
	if word != "" && !worded {
		v.note(UnknownLabel, st.word, word)
	}
	v.told = v.told || word != ""
	if st.id == fieldCount {
		return byWord, worded
	}
	sent := f[st.id].id()
	n, isID := f[st.id].count()
	byID, numbered := st.byID(n)
	numbered = numbered && isID
	v.told = v.told || sent != ""
	switch {
	case sent != "" && !numbered:
		v.note(UnknownID, st.id, sent)
	case worded && numbered && !agree(byWord, byID, v.direction):
		v.note(LabelDisagrees, st.id, sent)
	}
	if worded {
		return byWord, true
	}
	return byID, numbered
}

func (v *verdict) note(code FaultCode, slot field, sent string) {
	v.strange = append(v.strange, Fault{Code: code, Field: fieldNames[slot], Value: sent})
}

// report notes what was strange about the status. A word that is in no table is
// one finding where something else gave the status, and another where nothing
// did.
func (v *verdict) report(fs *faults) {
	for _, s := range v.strange {
		if s.Code == UnknownLabel && !v.known {
			s.Code = UnknownStatus
		}
		fs.add(s.Code, s.Field, s.Value)
	}
}

// agree reports whether two statuses say the same of a parcel that travels in
// direction d: on returns one of them is often the general word (live push:
// RETURN CANCELLED beside CANCELLED).
func agree(a, b Status, d tracking.Direction) bool {
	if d == tracking.Return {
		return tracking.ReturnWord(a.Milestone) == tracking.ReturnWord(b.Milestone)
	}
	return a.Milestone == b.Milestone
}

// settle falls back to the newest scan that has a status, and carries a general
// word over to the return track.
func (v *verdict) settle(scans []tracking.Scan) {
	for i := len(scans) - 1; i >= 0 && !v.known; i-- {
		if s := scans[i]; s.Milestone != "" {
			v.Status, v.known = Status{Label: s.Label, Milestone: s.Milestone}, true
		}
	}
	if v.Milestone.Return() {
		v.direction = tracking.Return
	}
	if v.direction != tracking.Return {
		return
	}
	if m := tracking.ReturnWord(v.Milestone); m != v.Milestone {
		v.Status = Status{Label: tracking.LabelOf(m), Milestone: m}
	}
}

func firstWord(s string) string {
	first, _, _ := strings.Cut(normal(s), " ")
	return first
}
