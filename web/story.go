package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// snapshot is what the page reads of the public snapshot.
type snapshot struct {
	OrderID     string     `json:"orderId"`
	OrderNumber string     `json:"orderNumber"`
	UpdatedAt   *time.Time `json:"updatedAt"`
	Shipments   []shipment `json:"shipments"`
}

type shipment struct {
	ID                     string     `json:"id"`
	Direction              string     `json:"direction"`
	AWBCode                string     `json:"awbCode"`
	CourierName            string     `json:"courierName"`
	Milestone              string     `json:"milestone"`
	CurrentStatus          string     `json:"currentStatus"`
	EstimatedDelivery      string     `json:"estimatedDelivery"`
	FirstEstimatedDelivery string     `json:"firstEstimatedDelivery"`
	DeliveredAt            *time.Time `json:"deliveredAt"`
	DeliveryAttempts       int        `json:"deliveryAttempts"`
	UndeliveredReason      string     `json:"undeliveredReason"`
	Corrected              bool       `json:"corrected"`
	Legs                   []leg      `json:"legs"`
	TrackingHistory        []entry    `json:"trackingHistory"`
}

type leg struct {
	AWBCode string `json:"awbCode"`
	Kind    string `json:"kind"`
}

type entry struct {
	Status      string    `json:"status"`
	Milestone   string    `json:"milestone"`
	Timestamp   time.Time `json:"timestamp"`
	Location    string    `json:"location"`
	Description string    `json:"description"`
	ScanType    string    `json:"scanType"`
}

// story is what a buyer is told about one parcel: the server's twin of the
// tracker's story.ts.
type story struct {
	Headline string `json:"headline"`
	// Couriers says that the headline is the courier's own English.
	Couriers bool     `json:"couriers"`
	Notes    []string `json:"notes"`
	Details  []string `json:"details"`
	Next     []string `json:"next"`
	Tone     string   `json:"tone"`
	Icon     string   `json:"icon"`
	Steps    []step   `json:"steps"`
}

type step struct {
	Milestone string `json:"milestone"`
	Label     string `json:"label"`
	Icon      string `json:"icon"`
	State     string `json:"state"`
}

const silentAfter = 48 * time.Hour

// Couriers try about three times; after that a parcel is mostly sent back.
const usualAttempts = 3

// tell is the story of one shipment at a moment, its days those of India.
func tell(s *shipment, words *messages, now time.Time) story {
	look, known := table.Milestones[s.Milestone]
	if !known {
		return unknownStory(s, words)
	}
	today := dayIn(now, india)
	a := arrivalOf(s, today)
	tone := look.Tone
	if look.Arriving && a.known && !a.ahead && tone == "moving" {
		tone = "attention"
	}
	return story{
		Headline: headlineOf(s, look, a, words, today),
		Notes:    notesOf(s, look, a, words, now),
		Details:  detailsOf(s, look, words),
		Next:     nextOf(s, a, words, today),
		Tone:     tone,
		Icon:     look.Icon,
		Steps:    stepsOf(s, look, words),
	}
}

func unknownStory(s *shipment, words *messages) story {
	told := story{
		Headline: words.Labels["waiting"],
		Notes:    []string{},
		Details:  []string{words.Labels["waitingDetail"]},
		Next:     []string{},
		Tone:     "neutral",
		Icon:     "box",
		Steps:    []step{},
	}
	if s.CurrentStatus != "" {
		told.Headline, told.Couriers, told.Details = titleCase(s.CurrentStatus), true, []string{}
	}
	return told
}

// arrival is the day a parcel is expected: whether one is known, whether it is
// today or to come, and by how many days it moved since the first promise.
type arrival struct {
	day, first   time.Time
	known, ahead bool
	slip         int
}

func arrivalOf(s *shipment, today time.Time) arrival {
	var a arrival
	a.day, a.known = parseDay(s.EstimatedDelivery)
	if s.Milestone == "out_for_delivery" && lastDay(s, "out_for_delivery").Equal(today) {
		a.day, a.known = today, true // whatever the courier still estimates
	}
	a.ahead = a.known && !a.day.Before(today)
	if first, ok := parseDay(s.FirstEstimatedDelivery); ok && a.known {
		a.first, a.slip = first, daysBetween(first, a.day)
	}
	return a
}

func headlineOf(s *shipment, look look, a arrival, words *messages, today time.Time) string {
	plain := words.Milestones[s.Milestone].Headline
	if s.Milestone == "delivered" && s.DeliveredAt != nil {
		return fill(words.Story["deliveredOn"], "day", dayInWords(dayIn(*s.DeliveredAt, india), words, today))
	}
	if !look.Arriving {
		return plain
	}
	if !a.known {
		return plain
	}
	day := dayInWords(a.day, words, today)
	if !a.ahead {
		return fill(words.Story["late"], "day", day)
	}
	if s.Milestone == "in_transit_problem" {
		return fill(words.Story["delayedUntil"], "day", day)
	}
	switch daysBetween(today, a.day) {
	case 0:
		return words.Story["arrivingToday"]
	case 1:
		return fill(words.Story["arrivingTomorrow"], "day", day)
	}
	return fill(words.Story["arrivingOn"], "day", day)
}

// notesOf is what is not as it was promised.
func notesOf(s *shipment, look look, a arrival, words *messages, now time.Time) []string {
	today := dayIn(now, india)
	notes := []string{}
	if !look.Arriving {
		return notes
	}
	if a.slip > 0 {
		template := words.Story["slip"]
		if a.slip == 1 {
			template = words.Story["slipOne"]
		}
		notes = append(notes, fill(template, "n", strconv.Itoa(a.slip), "day", dayInWords(a.first, words, today)))
	}
	if last := len(s.TrackingHistory) - 1; last >= 0 {
		if newest := s.TrackingHistory[last].Timestamp; now.Sub(newest) > silentAfter {
			notes = append(notes, fill(words.Story["silent"], "day", dayInWords(dayIn(newest, india), words, today)))
		}
	}
	return notes
}

// detailsOf explains the headline.
func detailsOf(s *shipment, look look, words *messages) []string {
	failed := s.Milestone == "delivery_failed"
	details := []string{}
	if failed && s.DeliveryAttempts > 0 {
		details = append(details, fill(words.Story["attempt"], "n", strconv.Itoa(s.DeliveryAttempts)))
	}
	if detail := words.Milestones[s.Milestone].Detail; detail != "" {
		details = append(details, detail)
	}
	if reason := reasonOf(s); reason != "" && (failed || look.Path == "rto") {
		details = append(details, fill(words.Story["reason"], "reason", reason))
	}
	if look.Arriving && look.Step == 0 && !s.scanned() {
		key := "noScan"
		if s.AWBCode == "" {
			key = "notShipped"
		}
		details = append(details, words.Story[key])
	}
	if s.Corrected {
		details = append(details, words.Story["corrected"])
	}
	return details
}

// nextOf is what happens now and what the buyer can do.
func nextOf(s *shipment, a arrival, words *messages, today time.Time) []string {
	next := []string{}
	plain := words.Milestones[s.Milestone].Next
	if s.Milestone == "delivery_failed" {
		// A day that the attempt itself used up is no promise any more.
		if a.ahead && a.day.After(lastDay(s, s.Milestone)) {
			next = append(next, fill(words.Story["nowExpected"], "day", dayInWords(a.day, words, today)))
		}
		if s.DeliveryAttempts >= usualAttempts {
			plain = fill(words.Story["lastAttempt"], "n", strconv.Itoa(s.DeliveryAttempts))
		}
	}
	if plain != "" {
		next = append(next, plain)
	}
	return next
}

// scanned reports whether a courier had the parcel in hand.
func (s *shipment) scanned() bool {
	return slices.ContainsFunc(s.TrackingHistory, func(e entry) bool { return e.ScanType == "scan" })
}

// lastDay is the Indian day on which the parcel was last said to be at a
// milestone; zero when it never was.
func lastDay(s *shipment, milestone string) time.Time {
	if told := s.last(milestone); told != nil {
		return dayIn(told.Timestamp, india)
	}
	return time.Time{}
}

// reasonOf is why the last attempt failed, without a full stop.
func reasonOf(s *shipment) string {
	reason := s.UndeliveredReason
	if told := s.last("delivery_failed"); reason == "" && told != nil {
		reason = told.Description
	}
	return strings.TrimRight(strings.TrimSpace(reason), ".")
}

func (s *shipment) last(milestone string) *entry {
	for i := len(s.TrackingHistory) - 1; i >= 0; i-- {
		if s.TrackingHistory[i].Milestone == milestone {
			return &s.TrackingHistory[i]
		}
	}
	return nil
}

func stepsOf(s *shipment, look look, words *messages) []step {
	path, at := table.Paths[look.Path], look.Step
	if s.Direction == "return" && !strings.HasPrefix(look.Path, "return") {
		// A return that is lost or damaged ends its own row of steps, not that
		// of a delivery.
		path = []string{"return_created", "return_picked_up", "return_in_transit", s.Milestone}
		at = len(path) - 1
	}
	steps := make([]step, len(path))
	for i, milestone := range path {
		ahead := table.Milestones[milestone]
		steps[i] = step{
			Milestone: milestone, Label: words.Milestones[milestone].Label,
			Icon: cmp.Or(ahead.Ahead, ahead.Icon), State: "next",
		}
		switch {
		case i < at:
			steps[i].Icon, steps[i].State = "check", "done"
		case i == at:
			steps[i].Label, steps[i].Icon, steps[i].State = words.Milestones[s.Milestone].Label, look.Icon, "current"
			if at == len(path)-1 {
				steps[i].State = "done"
			}
		}
	}
	return steps
}

// placeOf is where a line happened, as people write places: couriers send
// "Surat_Mega_GW (Gujarat)".
func placeOf(e *entry) string {
	return strings.Join(strings.FieldsFunc(e.Location, func(r rune) bool {
		return r == '_' || unicode.IsSpace(r)
	}), " ")
}

// titleOf is the line's own title: our word for a milestone, else the courier's,
// made readable.
func titleOf(e *entry, words *messages) string {
	if said, ok := words.Milestones[e.Milestone]; ok {
		return said.Label
	}
	if e.Status == "" {
		return titleCase(e.Description)
	}
	return titleCase(e.Status)
}
