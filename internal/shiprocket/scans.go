package shiprocket

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/webazaar/waybill/internal/tracking"
)

// maxScans is how many scans of one push are kept, the newest. Live pushes
// repeat the whole history, up to 25 scans.
const maxScans = 200

// scanField is a key of one scan that we read.
type scanField uint8

const (
	sDate scanField = iota
	sStatus
	sActivity
	sLocation
	sSRStatus
	sSRLabel
	scanFieldCount
)

func scanFieldOf(key []byte) (scanField, bool) {
	switch string(key) {
	case "date":
		return sDate, true
	case "status":
		return sStatus, true
	case "activity":
		return sActivity, true
	case "location":
		return sLocation, true
	case "sr-status":
		return sSRStatus, true
	case "sr-status-label":
		return sSRLabel, true
	}
	return 0, false
}

// scanFields are the values of one scan, each still undecoded.
type scanFields [scanFieldCount]value

func (s *scanFields) take(key, v value) {
	name, exact := spelling(key)
	slot, ok := scanFieldOf(name)
	if !ok {
		if slot, ok = scanFieldOf(loosely(name, '-')); !ok {
			return
		}
		exact = false
	}
	s[slot].put(v, exact)
}

// scanList is where the push keeps its scans: `scans`, or `activities` where
// that is a list.
func (f *fields) scanList() value {
	if v := f[fScans]; v.told() && !v.hollow() {
		return v
	}
	if v := f[fActivities]; v.kind == array || v.kind == object {
		return v
	}
	return f[fScans]
}

// eachScan visits every element of a list of scans in the order it is meant: an
// array, an object keyed by numbers, or one bare scan (integrators' tests). An
// element's own members come before it.
func (v value) eachScan(member func(key, v value), visit func(v value)) {
	switch v.kind {
	case array:
		v.eachElement(member, visit)
	case object:
		if v.bareScan() {
			v.eachMember(member)
			visit(v)
			return
		}
		var list []keyedScan
		v.eachMember(func(key, v value) {
			name, _ := spelling(key)
			k := keyedScan{v: v}
			if k.numbered = allDigits(string(name)); k.numbered {
				k.number = strings.TrimLeft(string(name), "0")
			}
			if k.numbered || v.kind == object {
				list = append(list, k)
			}
		})
		slices.SortStableFunc(list, keyedScan.compare)
		for _, k := range list {
			if k.v.kind == object {
				k.v.eachMember(member)
			}
			visit(k.v)
		}
	}
}

// bareScan reports whether an object is a scan itself and not a list of them.
func (v value) bareScan() bool {
	bare := false
	v.eachMember(func(key, v value) {
		name, _ := spelling(key)
		_, ok := scanFieldOf(name)
		bare = bare || ok && v.kind != object
	})
	return bare
}

// keyedScan is a member of an object that stands for a list of scans.
type keyedScan struct {
	v        value
	numbered bool
	number   string // without leading zeros
}

// compare puts numbers in their order, and other keys as sent after them.
func (k keyedScan) compare(other keyedScan) int {
	switch {
	case k.numbered != other.numbered && k.numbered:
		return -1
	case k.numbered != other.numbered:
		return 1
	}
	return cmp.Or(cmp.Compare(len(k.number), len(other.number)), strings.Compare(k.number, other.number))
}

// datedScan is a scan of which only the date was read yet.
type datedScan struct {
	at time.Time
	v  value
}

// scans reads the push's scans, oldest first, the newest maxScans of them.
// Scans with one date keep the courier's own order; a list whose first date is
// later than its last is newest first.
func (f *fields) scans(id *tracking.Identity, receivedAt time.Time, fs *faults) []tracking.Scan {
	list := f.scanList()
	if list.told() && list.kind != array && list.kind != object {
		fs.add(OddType, "scans", list.line())
		return nil
	}
	var dated []datedScan
	var s scanFields
	list.eachScan(s.take, func(v value) {
		if at := s.readable(v, receivedAt, fs); !at.IsZero() {
			dated = append(dated, datedScan{at, v})
		}
		s = scanFields{}
	})
	if n := len(dated); n > 1 && dated[0].at.After(dated[n-1].at) {
		slices.Reverse(dated)
	}
	slices.SortStableFunc(dated, func(a, b datedScan) int { return a.at.Compare(b.at) })

	over := max(0, len(dated)-maxScans)
	if over > 0 {
		fs.add(ScansCapped, "scans", "")
		(*fs)[len(*fs)-1].Count = over
	}
	scans := make([]tracking.Scan, 0, len(dated)-over)
	for i, d := range dated[over:] {
		s := readScan(d.v, id.Direction, fs)
		s.AWB, s.SR, s.MaybeSR, s.Number = id.AWB, id.SR, id.MaybeSR, id.Number
		s.At, s.Position = d.at, over+i
		scans = append(scans, s)
	}
	return scans
}

// readable is the date of a scan that can be read, else zero, with a finding.
func (s *scanFields) readable(v value, receivedAt time.Time, fs *faults) time.Time {
	if v.kind != object || s.empty() {
		fs.add(ScanUnreadable, "scans", "")
		return time.Time{}
	}
	if !s[sDate].told() {
		fs.add(ScanUnreadable, "scans.date", "")
	}
	return s[sDate].eventTime("scans.date", receivedAt, fs)
}

// empty reports whether the scan says nothing beside its date.
func (s *scanFields) empty() bool {
	for _, v := range s[sStatus:] {
		if v.told() {
			return false
		}
	}
	return true
}

func readScan(v value, d tracking.Direction, fs *faults) tracking.Scan {
	var s scanFields
	v.eachMember(s.take)
	scan := tracking.Scan{Code: s[sStatus].word(), Activity: s[sActivity].line(), Location: s[sLocation].line()}
	if scan.Activity == "" && inWords(scan.Code) {
		scan.Activity = s[sStatus].line()
	}
	if status, ok := s.status(d, fs); ok && status.Milestone != tracking.Other {
		scan.Milestone, scan.Label = status.Milestone, status.Label
	}
	for slot, name := range []string{sStatus: "status", sActivity: "activity", sLocation: "location"} {
		if s[slot].odd() {
			fs.add(OddType, "scans."+name, "")
		}
	}
	return scan
}

// status is the scan's own: its sr-status, a number of the SHIPMENT table or a
// word. "NA" or nothing there makes it an information scan, whatever the label
// beside it says; only for a number that is in no table the label stands in.
func (s *scanFields) status(d tracking.Direction, fs *faults) (Status, bool) {
	sent, label := s[sSRStatus].word(), s[sSRLabel].word()
	if sent == "" {
		if s[sSRStatus].odd() {
			fs.add(OddType, "scans.sr-status", "")
		}
		return Status{}, false
	}
	byLabel, labelled := Lookup(label)
	n, isID := s[sSRStatus].count()
	if !isID {
		status, ok := Lookup(sent)
		if !ok {
			fs.add(UnknownLabel, "scans.sr-status", sent)
		}
		return status, ok
	}
	status, ok := ShipmentStatusID(n).Status()
	switch {
	case !ok && n == 0: // live API answer: an untracked parcel's zeros
		return Status{}, false
	case !ok:
		fs.add(UnknownID, "scans.sr-status", sent)
		return byLabel, labelled
	case labelled && !agree(status, byLabel, d):
		fs.add(LabelDisagrees, "scans.sr-status", sent)
	}
	return status, true
}

// inWords reports whether a scan's status is a sentence ("In transit") and not
// a courier's code ("X-UCI", "DLVD").
func inWords(s string) bool {
	return strings.Contains(s, " ") || strings.ContainsFunc(s, unicode.IsLower)
}
