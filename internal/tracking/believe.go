package tracking

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Belief is everything derived from an order's evidence.
type Belief struct {
	OrderStatus OrderStatus
	Number      string
	Shipments   []Shipment // forward ones first, oldest first

	main int // index of the shipment that matters most, -1 if there is none
}

// Believe derives the order's shipments, their status and the order's status
// from all evidence. It is pure: the same evidence gives the same belief,
// whatever the order of arrival. The ids of shipments are empty.
func (o *Order) Believe() Belief {
	readings := o.sortedReadings()
	b := Belief{Number: o.displayNumber(readings), main: -1}
	for _, p := range parcels(readings, o.sortedScans()) {
		b.Shipments = append(b.Shipments, p.shipment())
	}
	b.OrderStatus = orderStatus(o, b.Shipments)
	b.main = mainShipment(b.Shipments)
	return b
}

// shipment renders what the parcel's evidence adds up to.
func (p *parcel) shipment() Shipment {
	slices.SortFunc(p.readings, (*Reading).compare) // those that name only the order came last
	st := p.fold()
	s := Shipment{
		Direction: p.direction, Milestone: st.milestone, Corrected: st.corrected,
		CurrentStatus: Text(cmp.Or(st.label, p.unknownWord())),
		Legs:          []Leg{},
		key:           p.key, sr: p.sr, begunAt: p.begun, shipped: st.shipped,
	}
	if !st.deliveredAt.IsZero() {
		at := st.deliveredAt.UTC()
		s.DeliveredAt = &at
	}
	for _, l := range p.legs {
		awb, courier := clean(l.awb, 100), Text(publicName(l.courier))
		s.Legs = append(s.Legs, Leg{AWBCode: awb, Kind: l.kind, CourierName: courier})
		if l.kind == LegForward || l.kind == LegReturn {
			s.AWBCode, s.CourierName = Text(awb), courier
		}
	}
	p.gatherFacts(&s, st)
	s.TrackingHistory = p.timeline(p.turn(st))
	for _, r := range p.readings {
		if !r.Registered {
			s.newest = latest(s.newest, r.EventTime)
		}
	}
	for _, scan := range p.scans {
		s.newest = latest(s.newest, scan.At)
	}
	return s
}

// gatherFacts merges what readings told beside the status: the newest telling
// wins, and what was not told never overwrites what was.
func (p *parcel) gatherFacts(s *Shipment, st state) {
	byTelling := slices.Clone(p.readings)
	slices.SortStableFunc(byTelling, func(a, b *Reading) int {
		return cmp.Or(a.EventTime.Compare(b.EventTime), a.RetoldAt.Compare(b.RetoldAt), strings.Compare(a.key, b.key))
	})
	attempts := max(st.failures, p.failedScans())
	for _, r := range byTelling {
		if p.outlived(r) {
			continue
		}
		if r.ETA != "" {
			s.EstimatedDelivery = Text(r.ETA)
			s.FirstEstimatedDelivery = Text(cmp.Or(string(s.FirstEstimatedDelivery), r.ETA))
		}
		if r.UndeliveredReason != "" {
			s.UndeliveredReason = Text(Scrub(r.UndeliveredReason))
		}
		if r.ProofOfDelivery != "" {
			s.ProofOfDelivery = Text(r.ProofOfDelivery)
		}
		if r.Courier != "" && len(p.legs) == 0 {
			s.CourierName = Text(publicName(r.Courier))
		}
		attempts = max(attempts, r.Attempts)
	}
	s.DeliveryAttempts = attempts
}

// failedScans counts the failed delivery attempts that scans tell of: couriers
// scan one failure more than once.
func (p *parcel) failedScans() int {
	failures := 0
	var last Milestone
	for _, s := range p.scans {
		if s.Milestone == "" || s.Milestone == Other {
			continue
		}
		if s.Milestone == DeliveryFailed && last != DeliveryFailed {
			failures++
		}
		last = s.Milestone
	}
	return failures
}

// unknownWord is the courier's own word for a parcel of which nothing else is
// known.
func (p *parcel) unknownWord() string {
	word := ""
	for _, r := range p.readings {
		if r.Milestone == "" && r.Raw != "" {
			word = strings.ToUpper(Scrub(r.Raw))
		}
	}
	return word
}

// orderStatus is the shop-facing status that follows from the shipments.
func orderStatus(o *Order, shipments []Shipment) OrderStatus {
	var forward, cancelled, given, delivered int
	shipped := false
	for i := range shipments {
		s := &shipments[i]
		if s.Direction != Forward {
			continue
		}
		forward++
		shipped = shipped || s.shipped
		switch {
		case s.Milestone == Cancelled:
			cancelled++
			given++
		case s.Milestone.OrderStatus() == OrderCancelled:
			given++
		case s.Milestone == Delivered:
			delivered++
		}
	}
	switch {
	case forward == 0 && len(shipments) > 0 && !o.Registered:
		return ""
	case delivered > 0 && delivered == forward-cancelled:
		return OrderDelivered
	case forward > 0 && given == forward:
		return OrderCancelled
	case shipped:
		return OrderShipped
	}
	return OrderProcessing
}

// mainShipment is the one whose fields head the snapshot: the open forward one
// with the newest event, else an open return, else the newest forward one.
func mainShipment(shipments []Shipment) int {
	best, bestClass := -1, 0
	for i := range shipments {
		s := &shipments[i]
		class := 1
		switch open := !s.Milestone.Terminal(); {
		case open && s.Direction == Forward:
			class = 4
		case open:
			class = 3
		case s.Direction == Forward:
			class = 2
		}
		if class > bestClass || class == bestClass && s.newest.After(shipments[best].newest) {
			best, bestClass = i, class
		}
	}
	return best
}

// DisplayNumber is the shop's number of the order: as registered, else as the
// earliest forward push told it, else as a return did.
func (o *Order) DisplayNumber() string { return o.displayNumber(o.sortedReadings()) }

func (o *Order) displayNumber(sorted []*Reading) string {
	if o.Number != "" {
		return o.Number
	}
	var number string
	weakness := 4
	for _, r := range sorted {
		weak := 0
		switch {
		case r.Number == "":
			continue
		case r.Number == r.SR:
			weak = 3
		case r.Direction == Return:
			weak = 2
		case r.Number == r.MaybeSR:
			weak = 1
		}
		if weak < weakness {
			number, weakness = r.Number, weak
		}
	}
	return clean(number, 100)
}

func (b *Belief) snapshot(o *Order) *Snapshot {
	s := &Snapshot{
		OrderID: o.ID, OrderNumber: Text(b.Number), OrderStatus: b.OrderStatus,
		Shipments: b.Shipments,
	}
	if s.Shipments == nil {
		s.Shipments = []Shipment{}
	}
	if b.main >= 0 {
		m := &b.Shipments[b.main]
		s.Milestone, s.CurrentStatus, s.AWBCode, s.CourierName = m.Milestone, m.CurrentStatus, m.AWBCode, m.CourierName
		s.EstimatedDelivery, s.DeliveredAt = m.EstimatedDelivery, m.DeliveredAt
	}
	return s
}

// turn is the time span in which the parcel's movement leads back to the
// seller. Both are zero for a parcel that never turned.
func (p *parcel) turn(st state) (from, to time.Time) {
	for _, r := range p.readings {
		m := p.meaning(r)
		switch {
		case from.IsZero() && m.RTO():
			from = r.EventTime
		case !from.IsZero() && to.IsZero() && (m.shipped() || m == Delivered) && r.EventTime.After(from):
			to = r.EventTime
		}
	}
	if st.milestone.RTO() || st.milestone.OrderStatus() == OrderCancelled {
		to = time.Time{} // still, or finally, on the way back
	}
	return from, to
}

// DisplayChannel is the sales channel the order's number belongs to: as
// registered, else as the earliest forward push told it.
func (o *Order) DisplayChannel() string {
	if o.ChannelID != "" {
		return o.ChannelID
	}
	for _, r := range o.sortedReadings() {
		if r.ChannelID != "" && r.Direction != Return {
			return r.ChannelID
		}
	}
	return ""
}
