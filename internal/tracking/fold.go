package tracking

import (
	"time"
)

// state is where a fold has got to.
type state struct {
	milestone Milestone
	label     string
	at        time.Time
	awb       string // whose word it is; "" for a reading of the whole parcel
	released  bool

	corrected   bool
	deliveredAt time.Time
	shipped     bool
	failures    int // delivery attempts that were read as failed, runs of them
}

// fold walks the parcel's readings by event time and takes from each what it
// may change. It is recomputed whenever evidence comes, never incremented.
func (p *parcel) fold() state {
	var st state
	pickedUp := p.pickUps()
	for _, r := range p.readings {
		m := p.meaning(r)
		if m == "" || m == Other || r.Registered || p.outlived(r) {
			continue
		}
		if !p.moves(st, r, m, pickedUp(r.EventTime)) {
			continue
		}
		p.take(&st, r, m)
	}
	for _, s := range p.scans {
		st.shipped = st.shipped || s.Milestone.shipped() && p.direction == Forward
	}
	return st
}

// moves reports whether a reading that means m leads on from st.
func (p *parcel) moves(st state, r *Reading, m Milestone, pickedUp bool) bool {
	switch {
	case m == Created && pickedUp:
		return false // NEW, after the courier has had it, is the panel's word, not the parcel's
	case st.milestone == "":
		return true
	case r.Released, st.released, p.replaced(st.awb) && r.AWB != st.awb:
		return true // another AWB begins anew
	case m == st.milestone:
		return true
	case !r.TimeSource.Dated():
		return m.Rank() > st.milestone.Rank() && !st.milestone.Terminal()
	case st.milestone.Terminal():
		return r.TimeSource.firm() && r.EventTime.After(st.at)
	}
	return true
}

// take moves st to what the reading says.
func (p *parcel) take(st *state, r *Reading, m Milestone) {
	moved := m != st.milestone
	anew := r.Released || st.released || p.replaced(st.awb) && r.AWB != st.awb
	if moved && st.milestone.Terminal() && !anew {
		st.corrected = true
	}
	if m == DeliveryFailed && moved {
		st.failures++
	}
	if m == Delivered {
		when := r.EventTime
		if !r.DeliveredAt.IsZero() {
			when = r.DeliveredAt
		}
		if moved {
			st.deliveredAt = when
		}
		st.deliveredAt = earliest(st.deliveredAt, when)
	} else {
		st.deliveredAt = time.Time{}
	}
	label := r.Label
	if m != r.Milestone {
		label = LabelOf(m)
	}
	st.shipped = st.shipped || m.shipped()
	st.milestone, st.label, st.at, st.released = m, label, r.EventTime, r.Released
	st.awb = p.speaker(r)
}

// speaker is the AWB whose word a reading is: its own, or that of the leg the
// parcel was on when it was said.
func (p *parcel) speaker(r *Reading) string {
	if r.Released {
		return ""
	}
	if r.AWB != "" {
		return r.AWB
	}
	awb := ""
	for _, l := range p.legs {
		if l.kind != LegRTO && (awb == "" || !l.first.After(r.EventTime)) {
			awb = l.awb
		}
	}
	return awb
}

// meaning is the milestone a reading stands for on this parcel.
func (p *parcel) meaning(r *Reading) Milestone {
	m := r.Milestone
	if p.direction == Return {
		return m.onReturn()
	}
	if l := p.leg(r.AWB); l != nil && l.kind == LegRTO {
		return m.onRTOLeg()
	}
	return m
}

// outlived reports whether the reading was made by an AWB after another one
// had taken its place.
func (p *parcel) outlived(r *Reading) bool {
	l := p.leg(r.AWB)
	return l != nil && !r.Released && l.kind == LegReplaced && !r.EventTime.Before(l.until)
}

func (p *parcel) replaced(awb string) bool {
	l := p.leg(awb)
	return l != nil && l.kind == LegReplaced
}

// pickUps answers whether the courier had the parcel by a given time, from
// readings and scans alike.
func (p *parcel) pickUps() func(time.Time) bool {
	var first time.Time
	for _, r := range p.readings {
		if r.Milestone.pickedUp() {
			first = earliest(first, r.EventTime)
		}
	}
	for _, s := range p.scans {
		if s.Milestone.pickedUp() {
			first = earliest(first, s.At)
		}
	}
	return func(at time.Time) bool { return !first.IsZero() && !first.After(at) }
}
