package tracking

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A parcel is the evidence of one shipment, sorted as the fold wants it.
type parcel struct {
	key       string
	sr        string
	direction Direction
	legs      []leg
	readings  []*Reading
	scans     []*Scan
	begun     time.Time
}

// A leg is one AWB's part of a parcel.
type leg struct {
	awb     string
	kind    LegKind
	courier string
	// until is when another AWB took this one's place: what it says from then
	// on stays on the timeline and moves nothing. Zero for legs that live.
	until time.Time
	span
}

// A span is what the evidence of one AWB shows about it.
type span struct {
	first, last time.Time
	dated       bool
	pickedUp    bool
	onlyRTO     bool // it was only ever read as on its way back
	read        bool // there is a reading with a status
}

func (s *span) see(at time.Time, dated bool, m Milestone) {
	switch {
	case s.first.IsZero(), dated && !s.dated:
		s.first, s.last, s.dated = at, at, dated
	case dated == s.dated:
		s.first, s.last = earliest(s.first, at), latest(s.last, at)
	}
	s.pickedUp = s.pickedUp || m.pickedUp()
}

// groupKey names the evidence that one Shiprocket order holds together.
type groupKey struct {
	direction Direction
	sr        string
}

type group struct {
	groupKey
	readings []*Reading
	scans    []*Scan
}

// parcels splits an order's evidence, sorted, into its shipments. Which shipment a
// piece of evidence belongs to follows from all evidence, never from the order
// of arrival.
func parcels(readings []*Reading, scans []*Scan) []*parcel {
	p := newPlacement(readings, scans)
	groups := map[groupKey]*group{}
	at := func(k groupKey) *group {
		if groups[k] == nil {
			groups[k] = &group{groupKey: k}
		}
		return groups[k]
	}
	var loose []*Reading
	for _, r := range readings {
		k, placed := p.group(r.Direction, r.SR, r.AWB, r.MaybeSR)
		if !placed && r.AWB == "" {
			loose = append(loose, r)
			continue
		}
		at(k).readings = append(at(k).readings, r)
	}
	for _, s := range scans {
		k, _ := p.group(Forward, s.SR, s.AWB, s.MaybeSR)
		at(k).scans = append(at(k).scans, s)
	}
	var all []*parcel
	for _, g := range groups {
		all = append(all, g.split()...)
	}
	all = placeLoose(all, loose)
	slices.SortFunc(all, func(a, b *parcel) int {
		return cmp.Or(
			strings.Compare(string(a.direction), string(b.direction)), // forward before return
			a.begun.Compare(b.begun), strings.Compare(a.key, b.key),
		)
	})
	return all
}

// A placement knows which Shiprocket order an AWB belongs to, and which
// Shiprocket orders and AWBs are returns.
type placement struct {
	srOfAWB map[string]string
	srs     map[string]bool
	returns map[string]bool // "sr:…" and "awb:…"
	only    map[Direction]string
}

func newPlacement(readings []*Reading, scans []*Scan) placement {
	p := placement{
		srOfAWB: map[string]string{}, srs: map[string]bool{},
		returns: map[string]bool{}, only: map[Direction]string{},
	}
	own := func(awb, sr string) {
		if awb != "" && sr != "" {
			p.srOfAWB[awb] = sr
		}
	}
	for _, s := range scans {
		own(s.AWB, s.SR)
	}
	for _, r := range readings { // the newest telling wins
		if r.SR != "" {
			p.srs[r.SR] = true
		}
		own(r.AWB, r.SR)
		own(r.ReturnAWB, r.SR)
	}
	for _, r := range readings {
		if r.Direction == Return {
			sr := cmp.Or(r.SR, p.srOfAWB[r.AWB])
			p.returns["sr:"+sr] = sr != ""
			p.returns["awb:"+r.AWB] = r.AWB != ""
		}
	}
	counts := map[Direction]int{}
	for sr := range p.srs {
		d := Forward
		if p.returns["sr:"+sr] {
			d = Return
		}
		counts[d]++
		p.only[d] = sr
	}
	for d, n := range counts {
		if n > 1 {
			delete(p.only, d)
		}
	}
	return p
}

// group says where evidence that names itself so belongs; placed is false when
// it names no Shiprocket order and the order has none or several.
func (p placement) group(d Direction, sr, awb, maybeSR string) (k groupKey, placed bool) {
	if sr == "" {
		sr = p.srOfAWB[awb]
	}
	if sr == "" && p.srs[maybeSR] {
		sr = maybeSR
	}
	if p.returns["sr:"+sr] || p.returns["awb:"+awb] {
		d = Return
	}
	if d == "" {
		d = Forward
	}
	if sr == "" {
		sr = p.only[d]
	}
	return groupKey{direction: d, sr: sr}, sr != ""
}

// placeLoose gives readings that name only the order to the parcel that had
// begun last by then, those at an end left aside while any other is open.
func placeLoose(all []*parcel, loose []*Reading) []*parcel {
	ended := map[*parcel]bool{}
	for _, p := range all {
		ended[p] = p.fold().milestone.Terminal()
	}
	for _, r := range loose {
		d := cmp.Or(r.Direction, Forward)
		var home *parcel
		for _, p := range all {
			if p.direction == d && (home == nil || better(p, home, ended, r.EventTime)) {
				home = p
			}
		}
		if home == nil {
			home = &parcel{key: parcelKey(d, "", "", true), direction: d, begun: r.EventTime}
			all = append(all, home)
		}
		home.readings = append(home.readings, r)
	}
	return all
}

// better reports whether p is a likelier home than q for something that
// happened at the given time.
func better(p, q *parcel, ended map[*parcel]bool, at time.Time) bool {
	if ended[p] != ended[q] {
		return !ended[p]
	}
	pBegun, qBegun := !p.begun.After(at), !q.begun.After(at)
	if pBegun != qBegun {
		return pBegun
	}
	if c := p.begun.Compare(q.begun); c != 0 {
		return (c > 0) == pBegun
	}
	return p.key < q.key
}

func parcelKey(d Direction, sr, awb string, first bool) string {
	key := "order"
	switch {
	case sr != "" && first:
		key = "sr:" + sr
	case sr != "":
		key = "sr:" + sr + "/awb:" + awb
	case awb != "":
		key = "awb:" + awb
	}
	if d == Return {
		key = "return/" + key
	}
	return key
}
