package tracking

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// timeline is the public history, oldest first: every scan, and every dated
// status that no scan stands for.
func (p *parcel) timeline(turned, unturned time.Time) []Entry {
	entries := make([]Entry, 0, len(p.scans)+2)
	scanned := make(map[int64]bool, len(p.scans))
	for _, s := range p.scans {
		scanned[s.At.Unix()] = true
		m := p.scanMeaning(s, turned, unturned)
		label := s.Label
		if m != s.Milestone {
			label = cmp.Or(LabelOf(m), s.Label)
		}
		description := describe(m, label, s.Activity)
		entries = append(entries, Entry{
			Status:    Text(cmp.Or(label, description, Scrub(s.Code))),
			Milestone: m, Timestamp: s.At.UTC(), Location: Text(Scrub(s.Location)),
			Description: Text(description), ScanType: ScanEntry,
		})
	}
	seen := map[Entry]bool{}
	for _, r := range p.readings {
		m := p.meaning(r)
		if r.Registered || !r.TimeSource.Dated() || scanned[r.EventTime.Unix()] || m == Other || m == "" && r.Raw == "" {
			continue
		}
		label := r.Label
		if m != r.Milestone {
			label = cmp.Or(LabelOf(m), r.Label)
		}
		e := Entry{
			Status: Text(cmp.Or(label, Scrub(r.Raw))), Milestone: m,
			Timestamp: r.EventTime.UTC(), ScanType: StatusEntry,
		}
		if !seen[e] {
			seen[e] = true
			entries = append(entries, e)
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return a.Timestamp.Compare(b.Timestamp)
	})
	return entries
}

// scanMeaning is the milestone a scan stands for on this parcel: its own
// sr-status, the return word on a return, and movement after the turn as
// movement back.
func (p *parcel) scanMeaning(s *Scan, turned, unturned time.Time) Milestone {
	m := s.Milestone
	if m == "" || m == Other {
		return ""
	}
	if p.direction == Return {
		return m.onReturn()
	}
	if l := p.leg(s.AWB); l != nil && l.kind == LegRTO {
		return m.onRTOLeg()
	}
	if !turned.IsZero() && s.At.After(turned) && (unturned.IsZero() || s.At.Before(unturned)) {
		return m.afterTurn()
	}
	return m
}

// describe is the courier's sentence, scrubbed; where riders are about, our
// own sentence only, because theirs hold names and phone numbers.
func describe(m Milestone, label, activity string) string {
	words := ""
	if hasFold(activity, "out") || hasFold(activity, "ofd") || hasFold(activity, "rider") {
		words = " " + strings.Join(strings.FieldsFunc(strings.ToLower(activity), notLetter), " ") + " "
	}
	switch {
	case m == OutForDelivery, strings.Contains(words, " out for delivery "), strings.Contains(words, " ofd "):
		if m == RTOOutForDelivery || m == ReturnInTransit || m.RTO() {
			return "Out for delivery to the seller."
		}
		return "Out for delivery."
	case m == RTOOutForDelivery, strings.HasPrefix(label, "RETURN OUT FOR DELIVERY"):
		return "Out for delivery to the seller."
	case strings.Contains(label, "OUT FOR PICKUP"), strings.Contains(words, " out for pickup "), strings.Contains(words, " out for pick up "):
		return "A courier is on the way to collect the parcel."
	case strings.Contains(label, "RIDER"), strings.Contains(words, " rider "):
		return "A rider is handling the parcel."
	}
	return Scrub(activity)
}

// hasFold reports whether s contains the lower-case ASCII word part, in any
// case.
func hasFold(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i]|0x20 == part[0] && strings.EqualFold(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

func notLetter(r rune) bool { return (r < 'a' || r > 'z') && r < 0x80 }
