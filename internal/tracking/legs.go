package tracking

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// split sorts a group's AWBs into parcels and their legs. An AWB that never
// was picked up is replaced by the next one; one that was is a parcel of its
// own; AWBs on their way back belong to the parcel they came from.
func (g *group) split() []*parcel {
	spans, namedBy, released := g.survey()
	var outward, back []string
	for awb, s := range spans {
		if _, named := namedBy[awb]; named || s.onlyRTO && g.direction == Forward && olderThan(spans, namedBy, awb) {
			back = append(back, awb)
		} else {
			outward = append(outward, awb)
		}
	}
	byBeginning := func(a, b string) int {
		return cmp.Or(spans[a].first.Compare(spans[b].first), strings.Compare(a, b))
	}
	slices.SortFunc(outward, byBeginning)
	slices.SortFunc(back, byBeginning)

	kind := LegForward
	if g.direction == Return {
		kind = LegReturn
	}
	var parcels []*parcel
	current := &parcel{}
	for i, awb := range outward {
		l := leg{awb: awb, kind: kind, span: *spans[awb]}
		if !l.pickedUp {
			if at, ok := deadSince(released, l.span); ok {
				l.kind, l.until = LegReplaced, at
			}
			if i < len(outward)-1 {
				next := spans[outward[i+1]].first
				l.kind, l.until = LegReplaced, earliest(l.until, next)
			}
		}
		current.legs = append(current.legs, l)
		if l.kind != LegReplaced || i == len(outward)-1 {
			parcels = append(parcels, current)
			current = &parcel{}
		}
	}
	if len(parcels) == 0 {
		parcels = append(parcels, current)
	}
	for i, p := range parcels {
		awb := ""
		if len(p.legs) > 0 {
			awb = p.legs[len(p.legs)-1].awb
			p.begun = p.legs[0].first
		}
		p.key, p.sr, p.direction = parcelKey(g.direction, g.sr, awb, i == 0), g.sr, g.direction
	}
	for _, awb := range back {
		p := parcels[0]
		for _, q := range parcels {
			if q.has(namedBy[awb]) || namedBy[awb] == "" && !q.begun.After(spans[awb].first) {
				p = q
			}
		}
		p.legs = append(p.legs, leg{awb: awb, kind: LegRTO, span: *spans[awb]})
	}
	g.deal(parcels)
	return parcels
}

// survey looks at every AWB of the group: when it began, whether it was ever
// picked up, which AWB named it as the way back, and when AWBs were released.
func (g *group) survey() (spans map[string]*span, namedBy map[string]string, released []time.Time) {
	spans, namedBy = map[string]*span{}, map[string]string{}
	at := func(awb string) *span {
		if spans[awb] == nil {
			spans[awb] = &span{onlyRTO: true}
		}
		return spans[awb]
	}
	for _, s := range g.scans {
		if s.AWB != "" {
			at(s.AWB).see(s.At, true, s.Milestone)
		}
	}
	for _, r := range g.readings {
		if r.Released {
			released = append(released, r.EventTime)
			continue
		}
		if r.AWB != "" {
			s := at(r.AWB)
			s.see(r.EventTime, r.TimeSource.Dated(), r.Milestone)
			s.read = s.read || r.Milestone != ""
			s.onlyRTO = s.onlyRTO && (r.Milestone.RTO() || r.Milestone == "")
		}
	}
	for _, r := range g.readings { // sorted: the first to name it stands
		if r.ReturnAWB != "" && r.ReturnAWB != r.AWB && g.direction == Forward {
			if _, known := namedBy[r.ReturnAWB]; !known {
				namedBy[r.ReturnAWB] = r.AWB
				at(r.ReturnAWB).see(r.EventTime, r.TimeSource.Dated(), "")
			}
		}
	}
	for _, s := range spans {
		s.onlyRTO = s.onlyRTO && s.read
	}
	return spans, namedBy, released
}

// olderThan reports whether any outward AWB began before awb did.
func olderThan(spans map[string]*span, namedBy map[string]string, awb string) bool {
	for other, s := range spans {
		if _, named := namedBy[other]; !named && other != awb && s.first.Before(spans[awb].first) {
			return true
		}
	}
	return false
}

// deadSince says when an AWB with this span was taken back.
func deadSince(released []time.Time, s span) (time.Time, bool) {
	for _, at := range released { // sorted
		if !at.Before(s.first) {
			return at, true
		}
	}
	return time.Time{}, false
}

func (p *parcel) has(awb string) bool { return p.leg(awb) != nil }

func (p *parcel) leg(awb string) *leg {
	if awb == "" {
		return nil
	}
	for i := range p.legs {
		if p.legs[i].awb == awb {
			return &p.legs[i]
		}
	}
	return nil
}

// deal hands the group's evidence to its parcels: by AWB, and what names none
// to the parcel that had begun last by then.
func (g *group) deal(parcels []*parcel) {
	home := func(awb string, at time.Time) *parcel {
		best := parcels[0]
		for _, p := range parcels {
			if p.has(awb) {
				return p
			}
			if !p.begun.After(at) {
				best = p
			}
		}
		return best
	}
	for _, r := range g.readings {
		awb := r.AWB
		if r.Released {
			awb = ""
		}
		p := home(awb, r.EventTime)
		p.readings = append(p.readings, r)
		if l := p.leg(awb); l != nil && r.Courier != "" {
			l.courier = r.Courier
		}
		if p.begun.IsZero() {
			p.begun = r.EventTime
		}
	}
	for _, s := range g.scans {
		p := home(s.AWB, s.At)
		p.scans = append(p.scans, s)
		if p.begun.IsZero() {
			p.begun = s.At
		}
	}
}
