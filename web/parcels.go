package web

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// shownLines is how much of a timeline is open at first.
const shownLines = 3

type trackingView struct {
	frameView
	Heading, Label, Updated string
	Settings                map[string]any
	Parcels                 []parcelView
}

type parcelView struct {
	Name          string
	Story         story
	Details, Next string
	Latest        []partView
	Ago           string
	Icon, Pin     []string
	StepIcons     [][]string
	At            int
	Step, Caption string
	Facts         []factView
	Days, Older   []dayView
	ShowAll, Zone string
	Labels        map[string]string
}

// partView is a part of the newest line: ours, or the courier's own English.
type partView struct {
	Said     string
	Couriers bool
}

type factView struct{ Name, Value string }

type dayView struct {
	Name    string
	Entries []entryView
}

type entryView struct {
	Tone, DateTime, Time, Title, Place, Words string
	// Couriers says that the title is the courier's, not ours; Translated, that
	// the words are ours, not the courier's.
	Couriers, Translated bool
}

// parcelViews draws every shipment, the one that matters most first; an order
// that has none yet is drawn as waiting.
func parcelViews(shipments []shipment, words *messages, now time.Time) []parcelView {
	if len(shipments) == 0 {
		return []parcelView{newParcelView(&shipment{}, "", words, now)}
	}
	var views []parcelView
	for _, s := range byImportance(shipments) {
		views = append(views, newParcelView(s, nameOf(s, shipments, words), words, now))
	}
	return views
}

func newParcelView(s *shipment, name string, words *messages, now time.Time) parcelView {
	told := tell(s, words, now)
	view := parcelView{
		Name:    name,
		Story:   told,
		Details: strings.Join(told.Details, " "),
		Next:    strings.Join(told.Next, " "),
		Icon:    icons[told.Icon],
		Pin:     icons["pin"],
		Facts:   factViews(s, words),
		Labels:  words.Labels,
		Zone:    fill(words.Labels["zone"], "zone", words.Labels["indianTime"]),
		ShowAll: fill(words.Labels["showAll"], "n", strconv.Itoa(len(s.TrackingHistory))),
	}
	if len(told.Steps) > 0 {
		view.At = slices.IndexFunc(told.Steps, func(s step) bool { return s.State == "current" })
		if view.At < 0 {
			view.At = len(told.Steps) - 1
		}
		view.Step = told.Steps[view.At].Label
		view.Caption = fill(words.Labels["step"], "n", strconv.Itoa(view.At+1), "total", strconv.Itoa(len(told.Steps)))
		for _, step := range told.Steps {
			view.StepIcons = append(view.StepIcons, icons[step.Icon])
		}
	}
	history := s.TrackingHistory
	if len(history) > 0 {
		newest := &history[len(history)-1]
		view.Latest = latestParts(newest, words)
		view.Ago = agoInWords(newest.Timestamp, now, words)
	}
	shown := max(0, len(history)-shownLines)
	view.Days = dayViews(history[shown:], words, now)
	view.Older = dayViews(history[:shown], words, now)
	return view
}

// latestParts are where and what, each where it is told and is not the other.
func latestParts(newest *entry, words *messages) []partView {
	place, title := placeOf(newest), titleOf(newest, words)
	_, known := table.Milestones[newest.Milestone]
	parts := []partView{{place, true}}
	if title != place {
		parts = append(parts, partView{title, !known})
	}
	return slices.DeleteFunc(parts, func(part partView) bool { return part.Said == "" })
}

func factViews(s *shipment, words *messages) []factView {
	facts := []factView{{words.Labels["courier"], s.CourierName}, {words.Labels["trackingNumber"], s.AWBCode}}
	for _, leg := range s.Legs {
		if leg.Kind == "rto" && leg.AWBCode != s.AWBCode {
			facts = append(facts, factView{words.Labels["returnNumber"], leg.AWBCode})
			break
		}
	}
	return slices.DeleteFunc(facts, func(fact factView) bool { return fact.Value == "" })
}

// dayViews groups lines that are oldest first by their day in India, newest first.
func dayViews(lines []entry, words *messages, now time.Time) []dayView {
	today := dayIn(now, india)
	var days []dayView
	var last time.Time
	for _, line := range slices.Backward(lines) {
		day := dayIn(line.Timestamp, india)
		if len(days) == 0 || !day.Equal(last) {
			days = append(days, dayView{Name: dayName(day, today, words)})
			last = day
		}
		current := &days[len(days)-1]
		current.Entries = append(current.Entries, newEntryView(&line, words))
	}
	return days
}

func dayName(day, today time.Time, words *messages) string {
	switch daysBetween(day, today) {
	case 0:
		return words.Dates.Today
	case 1:
		return words.Dates.Yesterday
	}
	return dayInWords(day, words, today)
}

func newEntryView(line *entry, words *messages) entryView {
	view := entryView{
		Tone:     "neutral",
		Couriers: true,
		DateTime: line.Timestamp.UTC().Format(time.RFC3339),
		Time:     timeInWords(line.Timestamp.In(india), words),
		Title:    titleOf(line, words),
		Place:    placeOf(line),
		Words:    line.Description,
	}
	if look, known := table.Milestones[line.Milestone]; known {
		view.Tone, view.Couriers = look.Tone, false
	}
	if ours, ok := sentenceOf[view.Words]; ok {
		view.Words, view.Translated = words.Sentences[ours], true
	}
	if strings.TrimRight(titleCase(view.Words), ".।") == view.Title {
		view.Words = ""
	}
	return view
}

// byImportance orders shipments as the tracker does: deliveries before returns,
// unless only a return is still moving; open ones first, then by the newest line.
func byImportance(shipments []shipment) []*shipment {
	sorted := make([]*shipment, len(shipments))
	open, returning := 0, 0
	for i := range shipments {
		sorted[i] = &shipments[i]
		if sorted[i].open() {
			open++
			if sorted[i].Direction == "return" {
				returning++
			}
		}
	}
	lead := "forward"
	if open > 0 && open == returning {
		lead = "return"
	}
	rank := func(s *shipment) int {
		rank := 0
		if s.Direction != lead {
			rank += 2
		}
		if !s.open() {
			rank++
		}
		return rank
	}
	slices.SortStableFunc(sorted, func(a, b *shipment) int {
		if byRank := rank(a) - rank(b); byRank != 0 {
			return byRank
		}
		return b.newest().Compare(a.newest())
	})
	return sorted
}

func (s *shipment) open() bool { return !table.Milestones[s.Milestone].End }

func (s *shipment) newest() time.Time {
	if len(s.TrackingHistory) == 0 {
		return time.Time{}
	}
	return s.TrackingHistory[len(s.TrackingHistory)-1].Timestamp
}

// nameOf is "Parcel 1 of 2", "Delivery" or "Return"; "" for the only parcel of an order,
// which needs no name.
func nameOf(s *shipment, shipments []shipment, words *messages) string {
	n, total := 0, 0
	for i := range shipments {
		if shipments[i].Direction != s.Direction {
			continue
		}
		total++
		if &shipments[i] == s {
			n = total
		}
	}
	template := words.Labels["parcel"]
	switch {
	case s.Direction == "return" && total == 1:
		return words.Labels["return"]
	case s.Direction == "return":
		template = words.Labels["returnOf"]
	case len(shipments) == 1:
		return ""
	case total == 1:
		return words.Labels["delivery"]
	}
	return fill(template, "n", strconv.Itoa(n), "total", strconv.Itoa(total))
}
