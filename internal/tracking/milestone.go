package tracking

// Milestone is our canonical status of a shipment: one word for what the
// hundred and more status words of the carrier mean to a buyer. The zero value
// means "not known".
type Milestone string

// The milestones in the order of their rank: a parcel's usual way first, the
// ways it goes wrong after it, returns last.
const (
	Created               Milestone = "created"
	PickupScheduled       Milestone = "pickup_scheduled"
	PickupProblem         Milestone = "pickup_problem"
	CancellationRequested Milestone = "cancellation_requested"
	PickedUp              Milestone = "picked_up"
	InTransit             Milestone = "in_transit"
	InTransitProblem      Milestone = "in_transit_problem"
	ReachedDestination    Milestone = "reached_destination"
	OutForDelivery        Milestone = "out_for_delivery"
	DeliveryFailed        Milestone = "delivery_failed"
	OnHold                Milestone = "on_hold"
	PartiallyDelivered    Milestone = "partially_delivered"
	Delivered             Milestone = "delivered"
	RTOInitiated          Milestone = "rto_initiated"
	RTOInTransit          Milestone = "rto_in_transit"
	RTOOutForDelivery     Milestone = "rto_out_for_delivery"
	RTODeliveryFailed     Milestone = "rto_delivery_failed"
	RTODelivered          Milestone = "rto_delivered"
	Lost                  Milestone = "lost"
	Damaged               Milestone = "damaged"
	Disposed              Milestone = "disposed"
	Cancelled             Milestone = "cancelled"
	ReturnCreated         Milestone = "return_created"
	ReturnPickup          Milestone = "return_pickup"
	ReturnPickedUp        Milestone = "return_picked_up"
	ReturnInTransit       Milestone = "return_in_transit"
	ReturnDelivered       Milestone = "return_delivered"
	ReturnCancelled       Milestone = "return_cancelled"
	// Other is the panel's bookkeeping (archived, unmapped, …): it says nothing
	// about where a parcel is and never moves a shipment.
	Other Milestone = "other"
)

// Milestones lists every milestone in the order of rank, Other last.
var Milestones = []Milestone{
	Created, PickupScheduled, PickupProblem, CancellationRequested, PickedUp,
	InTransit, InTransitProblem, ReachedDestination, OutForDelivery, DeliveryFailed, OnHold, PartiallyDelivered,
	Delivered,
	RTOInitiated, RTOInTransit, RTOOutForDelivery, RTODeliveryFailed, RTODelivered, Lost, Damaged, Disposed, Cancelled,
	ReturnCreated, ReturnPickup, ReturnPickedUp, ReturnInTransit, ReturnDelivered, ReturnCancelled,
	Other,
}

var ranks = func() map[Milestone]int {
	m := make(map[Milestone]int, len(Milestones))
	for i, milestone := range Milestones {
		m[milestone] = i + 1
	}
	m[Other] = 0
	return m
}()

// Valid reports whether m is a milestone of this package's table.
func (m Milestone) Valid() bool {
	_, ok := ranks[m]
	return ok
}

// Rank orders milestones for ties and for evidence that has no time of its
// own. It is 0 for Other and for an unknown milestone.
func (m Milestone) Rank() int { return ranks[m] }

// Terminal reports whether a parcel at m is at an end: only strictly newer
// evidence leads away from it, and that is a correction.
func (m Milestone) Terminal() bool {
	switch m {
	case Delivered, RTODelivered, Lost, Damaged, Disposed, Cancelled, ReturnDelivered, ReturnCancelled:
		return true
	}
	return false
}

// RTO reports whether m is on the way back to the seller without having
// reached the buyer.
func (m Milestone) RTO() bool {
	return m.between(RTOInitiated, RTODelivered)
}

// Return reports whether m belongs to a customer's return.
func (m Milestone) Return() bool {
	return m.between(ReturnCreated, ReturnCancelled)
}

// pickedUp reports whether m proves that the courier has had the parcel.
func (m Milestone) pickedUp() bool {
	return m.between(PickedUp, Disposed) || m.between(ReturnPickedUp, ReturnDelivered)
}

// shipped reports whether m proves that the parcel has left the seller's city
// hub, which is when the shop's order counts as shipped.
func (m Milestone) shipped() bool {
	return m.between(InTransit, PartiallyDelivered)
}

func (m Milestone) between(first, last Milestone) bool {
	r := m.Rank()
	return r >= first.Rank() && r <= last.Rank()
}

// onReturn carries a general word over to the return track: couriers say
// DELIVERED of a return that has reached the seller.
func (m Milestone) onReturn() Milestone {
	switch {
	case m == "" || m == Other || m.Return() || m == Lost || m == Damaged || m == Disposed:
		return m
	case m == Created:
		return ReturnCreated
	case m == PickupScheduled || m == PickupProblem || m == CancellationRequested:
		return ReturnPickup
	case m == PickedUp:
		return ReturnPickedUp
	case m == Delivered || m == RTODelivered:
		return ReturnDelivered
	case m == Cancelled:
		return ReturnCancelled
	}
	return ReturnInTransit
}

// ReturnWord is the milestone a general word stands for on a customer's
// return (DELIVERED there means that the seller has it). Lost, damaged and
// disposed parcels stay what they are.
func ReturnWord(m Milestone) Milestone { return m.onReturn() }

// afterTurn is what movement means once a parcel has been turned round: the
// couriers' scans go on saying IN TRANSIT.
func (m Milestone) afterTurn() Milestone {
	switch m {
	case PickedUp, InTransit, ReachedDestination:
		return RTOInTransit
	}
	return m
}

// onRTOLeg is what a word means on the AWB that carries a parcel back to the
// seller.
func (m Milestone) onRTOLeg() Milestone {
	switch m {
	case Created, PickupScheduled, PickupProblem:
		return RTOInitiated
	case InTransitProblem:
		return RTOInTransit
	case OutForDelivery:
		return RTOOutForDelivery
	case DeliveryFailed, OnHold:
		return RTODeliveryFailed
	case Delivered:
		return RTODelivered
	}
	return m.afterTurn()
}

// labels are the words shown for milestones that were carried over, where the
// carrier's own label would say something else. Spelt as in the carrier's
// status tables.
var labels = map[Milestone]string{
	RTOInitiated:      "RTO INITIATED",
	RTOInTransit:      "RTO IN-TRANSIT",
	RTOOutForDelivery: "RTO_OFD",
	RTODeliveryFailed: "RTO_NDR",
	RTODelivered:      "RTO DELIVERED",
	ReturnCreated:     "RETURN INITIATED",
	ReturnPickup:      "RETURN PICKUP GENERATED",
	ReturnPickedUp:    "RETURN PICKED UP",
	ReturnInTransit:   "RETURN IN TRANSIT",
	ReturnDelivered:   "RETURN DELIVERED",
	ReturnCancelled:   "RETURN CANCELLED",
}

// LabelOf is the canonical label of a milestone that was carried over to the
// RTO or return track, or "" when the milestone keeps the label it came with.
func LabelOf(m Milestone) string { return labels[m] }

// OrderStatus is the shop-facing status of an order. The zero value stands for
// "none": an order that is only a return has no status.
type OrderStatus string

// The shop-facing four.
const (
	OrderProcessing OrderStatus = "processing"
	OrderShipped    OrderStatus = "shipped"
	OrderDelivered  OrderStatus = "delivered"
	OrderCancelled  OrderStatus = "cancelled"
)

// OrderStatus is what m alone says about the order, "" for returns and for
// bookkeeping, which leave the order as it is.
func (m Milestone) OrderStatus() OrderStatus {
	switch {
	case m.between(Created, PickedUp):
		return OrderProcessing
	case m.shipped():
		return OrderShipped
	case m == Delivered:
		return OrderDelivered
	case m.between(RTOInitiated, Cancelled):
		return OrderCancelled
	}
	return ""
}
