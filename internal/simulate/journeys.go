package simulate

import (
	"slices"
	"time"
)

// Kind names what happens to a parcel.
type Kind string

// Kinds of journeys.
const (
	Happy       Kind = "happy"
	NDR         Kind = "ndr"
	RTO         Kind = "rto"
	Return      Kind = "return"
	Lost        Kind = "lost"
	Rebooked    Kind = "rebooked"
	TwoParcels  Kind = "two_parcels"
	Delayed     Kind = "delayed"
	Damaged     Kind = "damaged"
	SelfCollect Kind = "self_collect"
	Cancelled   Kind = "cancelled"
	Hyperlocal  Kind = "hyperlocal"
)

// Kinds are all kinds of journeys, in the order in which a plan or a demo
// begins them.
func Kinds() []Kind {
	kinds := make([]Kind, len(journeys))
	for i := range journeys {
		kinds[i] = journeys[i].kind
	}
	return kinds
}

// Title says in a few words what happens.
func (k Kind) Title() string {
	if j := journeyOf(k); j != nil {
		return j.title
	}
	return string(k)
}

// A journey is one row of the table: the AWBs it goes through and what is
// pushed about each, in order of time.
type journey struct {
	kind   Kind
	title  string
	weight int // how often it is drawn, once every kind has had its parcel
	legs   []leg
	steps  []step
	// plain journeys read the same in every family of bodies: no RTO, return or
	// second AWB, of which the older families have no word.
	plain bool
}

// A leg is one AWB's part.
type leg struct {
	sr       int  // which of the order's Shiprocket orders it belongs to
	reverse  bool // a customer's return: from the buyer to the seller
	byHand   bool // hyperlocal: a rider, no hubs
	etaDays  int  // estimate given with the first push, in days from then
	otherOne bool // another courier than the leg before it
}

// A step is one push: the status in its header and the scans that are new.
type step struct {
	status status
	gap    time.Duration // since the step before it
	leg    int
	scans  []line // oldest first; the last one is the event itself; none for the panel's own words
	fact   fact
}

// A line is one scan as the journey means it; the courier words it.
type line struct {
	act act
	at  place
}

// fact is what a header tells beside the status from this step on.
type fact struct {
	reason, reasonCode string // of a failed delivery
	pickupReason       string
	slipDays           int  // the estimate moves by so many days
	picture            bool // the proof of delivery is told again, now as a picture
	returnAWB          bool // the RTO leg has its own AWB
	unbooked           bool // no AWB any more, or not yet
	bare               bool // a hyperlocal push: rider, no time, no scans
}

// A status is one pair of the two tables of statuses (Shiprocket docs).
type status struct {
	label      string // current_status
	orderID    int    // current_status_id; 0 for what the ORDER table lacks
	shipment   string // shipment_status
	shipmentID int    // shipment_status_id; 0 when none is pushed
}

var (
	unbooked          = status{"NEW", 1, "NEW", 0}
	pickupScheduled   = status{"PICKUP SCHEDULED", 4, "PICKUP SCHEDULED", 3}
	manifested        = status{"PICKUP SCHEDULED", 4, "MANIFEST GENERATED", 5}
	outForPickup      = status{"OUT FOR PICKUP", 34, "OUT FOR PICKUP", 19}
	pickupException   = status{"PICKUP EXCEPTION", 35, "PICKUP EXCEPTION", 20}
	pickedUp          = status{"PICKED UP", 51, "PICKED UP", 42}
	shipped           = status{"SHIPPED", 6, "SHIPPED", 6}
	inTransit         = status{"IN TRANSIT", 20, "IN TRANSIT", 18}
	reachedHub        = status{"REACHED AT DESTINATION HUB", 43, "REACHED AT DESTINATION HUB", 38}
	outForDelivery    = status{"OUT FOR DELIVERY", 19, "OUT FOR DELIVERY", 17}
	undelivered       = status{"UNDELIVERED", 36, "UNDELIVERED", 21}
	delivered         = status{"DELIVERED", 7, "DELIVERED", 7}
	delayed           = status{"DELIVERY DELAYED", 37, "DELAYED", 22}
	misrouted         = status{"MISROUTED", 44, "MISROUTED", 39}
	untraceable       = status{"UNTRACEABLE", 88, "UNTRACEABLE", 76}
	lost              = status{"LOST", 33, "LOST", 12}
	damaged           = status{"DAMAGED", 40, "DAMAGED", 25}
	disposedOff       = status{"DISPOSED OFF", 53, "DISPOSED OFF", 44}
	cancelRequested   = status{"CANCELLATION REQUESTED", 18, "CANCELLATION REQUESTED", 16}
	cancelled         = status{"CANCELED", 5, "CANCELLED", 8}
	rtoInitiated      = status{"RTO INITIATED", 15, "RTO INITIATED", 9}
	rtoInTransit      = status{"RTO IN TRANSIT", 55, "RTO IN TRANSIT", 46}
	rtoOut            = status{"RTO_OFD", 45, "RTO_OFD", 41}
	rtoFailed         = status{"RTO_NDR", 46, "RTO_NDR", 40}
	rtoDelivered      = status{"RTO DELIVERED", 16, "RTO DELIVERED", 10}
	rtoAcknowledged   = status{"RTO ACKNOWLEDGED", 17, "RTO ACKNOWLEDGED", 14}
	returnPending     = status{"RETURN PENDING", 21, "NEW", 0}
	returnInitiated   = status{"RETURN INITIATED", 22, "AWB ASSIGNED", 1}
	returnScheduled   = status{"RETURN PICKUP GENERATED", 28, "PICKUP GENERATED", 3}
	returnOutFor      = status{"RETURN OUT FOR PICKUP", 47, "OUT FOR PICKUP", 19}
	returnException   = status{"RETURN PICKUP EXCEPTION", 49, "PICKUP EXCEPTION", 20}
	returnPickedUp    = status{"RETURN PICKED UP", 32, "PICKED UP", 42}
	returnInTransit   = status{"RETURN IN TRANSIT", 25, "IN TRANSIT", 18}
	returnOut         = status{"RETURN OUT FOR DELIVERY", 48, "OUT FOR DELIVERY", 17}
	returnDelivered   = status{"RETURN DELIVERED", 26, "DELIVERED", 7}
	returnAcknowleged = status{"RETURN ACKNOWLEGED", 68, "", 0} // so it stands in Shiprocket's table
	riderAssigned     = status{"RIDER ASSIGNED", 0, "RIDER ASSIGNED", 81}
	riderAtDrop       = status{"RIDER REACHED AT DROP", 0, "RIDER REACHED AT DROP", 82}
)

const day = 24 * time.Hour

// Parts that several journeys have in common.
var (
	collected = []step{
		{status: manifested, scans: []line{{saidManifested, sender}}},
		{status: outForPickup, gap: 3 * time.Hour, scans: []line{{saidPickupBooked, sender}, {saidOutForPickup, sender}}},
		{status: pickedUp, gap: 2 * time.Hour, scans: []line{{saidPickedUp, sender}}},
		{status: shipped, gap: 3 * time.Hour, scans: []line{{saidInscanned, originHub}, {saidBagged, originHub}}},
	}
	hauled = []step{
		{status: inTransit, gap: 4 * time.Hour, scans: []line{{saidLoaded, originHub}, {saidDeparted, originHub}}},
		{status: inTransit, gap: 18 * time.Hour, scans: []line{{saidArrived, transitHub}, {saidReceived, transitHub}, {saidWeighed, transitHub}}},
		{status: inTransit, gap: 6 * time.Hour, scans: []line{{saidBagged, transitHub}, {saidDeparted, transitHub}}},
		{status: reachedHub, gap: 14 * time.Hour, scans: []line{{saidArrived, destinationHub}, {saidReached, branch}}},
	}
	handedOver = []step{
		{status: outForDelivery, gap: 3 * time.Hour, scans: []line{{saidOutForDelivery, branch}}},
		{status: delivered, gap: 4 * time.Hour, scans: []line{{saidDelivered, branch}}},
	}
)

// journeys is the table. A plan's first parcels go through it from the top.
var journeys = []journey{
	{
		kind: Happy, title: "delivered at the first attempt", weight: 50, plain: true,
		legs:  []leg{{etaDays: 4}},
		steps: slices.Concat(collected, hauled, handedOver),
	},
	{
		kind: NDR, title: "delivered at the third attempt", weight: 12, plain: true,
		legs: []leg{{etaDays: 4}},
		steps: slices.Concat(collected, hauled, []step{
			{status: outForDelivery, gap: 2 * time.Hour, scans: []line{{saidOutForDelivery, branch}}},
			{
				status: undelivered, gap: 6 * time.Hour, scans: []line{{saidNobodyHome, branch}},
				fact: fact{reason: "Customer Not Available", reasonCode: "SRNDR1", slipDays: 1},
			},
			{status: outForDelivery, gap: 16 * time.Hour, scans: []line{{saidReattempt, branch}, {saidOutForDelivery, branch}}},
			{
				status: undelivered, gap: 8 * time.Hour, scans: []line{{saidLaterPlease, branch}},
				fact: fact{reason: "Customer Asked For Future Delivery", reasonCode: "SRNDR5", slipDays: 1},
			},
			{status: outForDelivery, gap: 15 * time.Hour, scans: []line{{saidOutForDelivery, branch}}},
			{status: delivered, gap: 3 * time.Hour, scans: []line{{saidDelivered, branch}}},
			{status: delivered, gap: 40 * time.Minute, fact: fact{picture: true}},
		}),
	},
	{
		kind: RTO, title: "nobody paid: turned round, back at the seller", weight: 7,
		legs: []leg{{etaDays: 4}},
		steps: slices.Concat(collected, hauled[:2], []step{
			{status: reachedHub, gap: 20 * time.Hour, scans: []line{{saidArrived, destinationHub}, {saidReached, branch}}},
			{status: outForDelivery, gap: 3 * time.Hour, scans: []line{{saidOutForDelivery, branch}}},
			{
				status: undelivered, gap: 5 * time.Hour, scans: []line{{saidNoCash, branch}},
				fact: fact{reason: "COD Not Ready", reasonCode: "SRNDR3", slipDays: 2},
			},
			{status: outForDelivery, gap: day, scans: []line{{saidOutForDelivery, branch}}},
			{
				status: undelivered, gap: 6 * time.Hour, scans: []line{{saidNoCash, branch}},
				fact: fact{reason: "COD Not Ready", reasonCode: "SRNDR3"},
			},
			// The newest scan speaks of a bag only; the header tells the turn (live push 2022).
			{status: rtoInitiated, gap: 2 * day, scans: []line{{saidBagged, branch}}},
			{status: rtoInTransit, gap: 20 * time.Hour, scans: []line{{saidDeparted, destinationHub}, {saidArrived, transitHub}}, fact: fact{returnAWB: true}},
			{status: rtoInTransit, gap: 30 * time.Hour, scans: []line{{saidArrived, originHub}}},
			{status: rtoOut, gap: 20 * time.Hour, scans: []line{{saidRTOOut, sender}}},
			{status: rtoFailed, gap: 7 * time.Hour, scans: []line{{saidSellerShut, sender}}},
			{status: rtoDelivered, gap: 18 * time.Hour, scans: []line{{saidRTOOut, sender}, {saidRTOAccepted, sender}}},
			{status: rtoAcknowledged, gap: day},
		}),
	},
	{
		kind: Return, title: "delivered, then sent back by the buyer", weight: 5,
		legs: []leg{{etaDays: 4}, {sr: 1, reverse: true, etaDays: 6, otherOne: true}},
		steps: slices.Concat(collected, hauled[1:2], hauled[3:], handedOver, []step{
			{status: returnPending, gap: 2 * day, leg: 1, fact: fact{unbooked: true}},
			{status: returnInitiated, gap: 30 * time.Minute, leg: 1},
			{status: returnScheduled, gap: 30 * time.Minute, leg: 1},
			{status: returnOutFor, gap: 18 * time.Hour, leg: 1, scans: []line{{saidPickupBooked, sender}, {saidOutForPickup, sender}}},
			{status: returnException, gap: 3 * time.Hour, leg: 1, scans: []line{{saidNotReady, sender}}, fact: fact{pickupReason: "Customer Not Available"}},
			{status: returnPickedUp, gap: 22 * time.Hour, leg: 1, scans: []line{{saidOutForPickup, sender}, {saidPickedUp, sender}}},
			{status: returnInTransit, gap: 20 * time.Hour, leg: 1, scans: []line{{saidInscanned, originHub}, {saidDeparted, originHub}, {saidArrived, transitHub}}},
			{status: returnOut, gap: 2 * day, leg: 1, scans: []line{{saidArrived, destinationHub}, {saidOutForDelivery, branch}}},
			{status: returnDelivered, gap: 3 * time.Hour, leg: 1, scans: []line{{saidDelivered, branch}}},
			{status: returnAcknowleged, gap: 22 * time.Hour, leg: 1},
		}),
	},
	{
		kind: Lost, title: "went astray, given up as lost", weight: 2,
		legs: []leg{{etaDays: 4}},
		steps: slices.Concat(collected, hauled[:2], []step{
			{status: delayed, gap: 4 * day, fact: fact{slipDays: 4}},
			{status: misrouted, gap: 5 * day, scans: []line{{saidMisrouted, wrongHub}}, fact: fact{slipDays: 3}},
			{status: untraceable, gap: 5 * day, scans: []line{{saidUntraceable, wrongHub}}},
			{status: lost, gap: 7 * day, scans: []line{{saidLost, wrongHub}}},
		}),
	},
	{
		kind: Rebooked, title: "three failed pickups, then another courier", weight: 4,
		legs: []leg{{etaDays: 4}, {etaDays: 4, otherOne: true}},
		steps: slices.Concat([]step{
			{status: pickupScheduled, scans: []line{{saidManifested, sender}}},
			{status: outForPickup, gap: 3 * time.Hour, scans: []line{{saidOutForPickup, sender}}},
			{status: pickupException, gap: 5 * time.Hour, scans: []line{{saidNotReady, sender}}, fact: fact{pickupReason: "Shipment Not Ready"}},
			{status: pickupException, gap: day, scans: []line{{saidOutForPickup, sender}, {saidNotReady, sender}}, fact: fact{pickupReason: "Shipment Not Ready"}},
			{status: pickupException, gap: day, scans: []line{{saidOutForPickup, sender}, {saidNotReady, sender}}, fact: fact{pickupReason: "Shipment Not Ready"}},
			{status: unbooked, gap: 8 * time.Hour, fact: fact{pickupReason: "No Pickup / Shipment Not Ready", unbooked: true}},
			{status: manifested, gap: 30 * time.Hour, leg: 1, scans: []line{{saidManifested, sender}}},
			{status: pickedUp, gap: 5 * time.Hour, leg: 1, scans: []line{{saidOutForPickup, sender}, {saidPickedUp, sender}}},
		}, onSecondLeg(collected[3:], hauled[1:2], hauled[3:], handedOver)),
	},
	{
		kind: TwoParcels, title: "one order in two parcels", weight: 5,
		legs: []leg{{etaDays: 3}, {sr: 1, etaDays: 5, otherOne: true}},
		steps: slices.Concat(
			collected[:1], onSecondLeg(after(time.Hour, collected[:1])),
			collected[2:3], onSecondLeg(collected[2:3]),
			hauled[1:2], onSecondLeg(hauled[1:2]),
			hauled[3:], handedOver, onSecondLeg(hauled[3:], handedOver),
		),
	},
	{
		kind: Delayed, title: "delivered, days after the first estimate", weight: 8, plain: true,
		legs: []leg{{etaDays: 3}},
		steps: slices.Concat(collected, hauled[:2], []step{
			{status: delayed, gap: 30 * time.Hour, fact: fact{slipDays: 2}},
			{status: misrouted, gap: 20 * time.Hour, scans: []line{{saidMisrouted, wrongHub}}, fact: fact{slipDays: 2}},
			{status: inTransit, gap: 26 * time.Hour, scans: []line{{saidDeparted, wrongHub}, {saidArrived, transitHub}}},
			{status: reachedHub, gap: 15 * time.Hour, scans: []line{{saidArrived, destinationHub}, {saidReached, branch}}},
		}, handedOver),
	},
	{
		kind: Damaged, title: "damaged on the way, disposed of", weight: 2,
		legs: []leg{{etaDays: 4}},
		steps: slices.Concat(collected, hauled[:2], []step{
			{status: damaged, gap: 13 * time.Hour, scans: []line{{saidDamaged, transitHub}}},
			{status: disposedOff, gap: 5 * day, scans: []line{{saidDisposed, transitHub}}},
		}),
	},
	{
		kind: SelfCollect, title: "collected from the courier's branch", weight: 3, plain: true,
		legs: []leg{{etaDays: 4}},
		steps: slices.Concat(collected, hauled[1:2], hauled[3:], []step{
			{
				status: undelivered, gap: 3 * time.Hour, scans: []line{{saidToCollect, branch}},
				fact: fact{reason: "Self Collect", reasonCode: "SRNDR8", slipDays: 1},
			},
			{status: delivered, gap: day, scans: []line{{saidDelivered, branch}}},
		}),
	},
	{
		kind: Cancelled, title: "cancelled before the pickup", weight: 4,
		legs: []leg{{etaDays: 4}},
		steps: []step{
			{status: pickupScheduled},
			{status: cancelRequested, gap: 45 * time.Minute},
			{status: cancelled, gap: 40 * time.Minute},
		},
	},
	{
		kind: Hyperlocal, title: "brought across town within the hour", weight: 3,
		legs: []leg{{byHand: true}},
		steps: []step{
			{status: pickupScheduled, scans: []line{{saidManifested, sender}}},
			{status: riderAssigned, gap: 4 * time.Minute, fact: fact{bare: true}},
			{status: pickedUp, gap: 12 * time.Minute, scans: []line{{saidPickedUp, sender}}},
			{status: outForDelivery, gap: 3 * time.Minute, scans: []line{{saidOutForDelivery, sender}}},
			{status: riderAtDrop, gap: 20 * time.Minute, fact: fact{bare: true}},
			{status: delivered, gap: 4 * time.Minute, scans: []line{{saidDelivered, branch}}},
		},
	},
}

// onSecondLeg is the parts as they happen to the journey's second AWB.
func onSecondLeg(parts ...[]step) []step {
	steps := slices.Concat(parts...)
	for i := range steps {
		steps[i].leg = 1
	}
	return steps
}

// after is the part with so much time before its first step.
func after(gap time.Duration, part []step) []step {
	steps := slices.Clone(part)
	steps[0].gap = gap
	return steps
}

func journeyOf(k Kind) *journey {
	for i := range journeys {
		if journeys[i].kind == k {
			return &journeys[i]
		}
	}
	return nil
}
