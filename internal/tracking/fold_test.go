package tracking_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/webazaar/waybill/internal/tracking"
)

var noon = time.Date(2026, 11, 20, 6, 30, 0, 0, time.UTC)

// said is a reading n hours after noon, dated by a scan unless changed.
func said(m Milestone, n int, change ...func(*Reading)) Evidence {
	at := noon.Add(time.Duration(n) * time.Hour)
	r := Reading{
		Identity: Identity{AWB: "A", SR: "5", Number: "N", Direction: Forward}, Milestone: m, Label: strings.ToUpper(string(m)),
		EventTime: at, TimeSource: FromScan, ProcessedAt: at, ReceivedAt: at,
	}
	for _, c := range change {
		c(&r)
	}
	return Evidence{Reading: r}
}

func undated(r *Reading)   { r.TimeSource, r.ProcessedAt = FromReceipt, time.Time{} }
func timestamp(r *Reading) { r.TimeSource = FromTimestamp }
func on(awb string) func(*Reading) {
	return func(r *Reading) { r.AWB = awb }
}

func TestFold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		pushes    []Evidence
		milestone Milestone
		order     OrderStatus
		corrected bool
	}{
		{"a late push moves nothing", []Evidence{said(Delivered, 5), said(InTransit, 2)}, Delivered, OrderDelivered, false},
		{"delivery after a failed attempt", []Evidence{said(DeliveryFailed, 1), said(OutForDelivery, 2)}, OutForDelivery, OrderShipped, false},
		{"delivered without out for delivery", []Evidence{said(PickedUp, 1), said(Delivered, 2)}, Delivered, OrderDelivered, false},
		{"an end taken back by a newer scan", []Evidence{said(Delivered, 1), said(RTOInitiated, 2)}, RTOInitiated, OrderCancelled, true},
		{"an end is not left at the same time", []Evidence{said(Delivered, 1), said(InTransit, 1)}, Delivered, OrderDelivered, false},
		{"an end is not left for a time of handling", []Evidence{said(Delivered, 1), said(InTransit, 2, timestamp)}, Delivered, OrderDelivered, false},
		{"an end is not left for a time of receipt", []Evidence{said(Delivered, 1), said(InTransit, 2, undated)}, Delivered, OrderDelivered, false},
		{"lost and found", []Evidence{said(Lost, 1), said(InTransit, 2)}, InTransit, OrderShipped, true},
		{"undated moves forward in rank", []Evidence{said(PickedUp, 1), said(InTransit, 2, undated)}, InTransit, OrderShipped, false},
		{"undated does not move back", []Evidence{said(OutForDelivery, 1), said(InTransit, 2, undated)}, OutForDelivery, OrderShipped, false},
		{"an RTO lock revoked", []Evidence{said(OnHold, 1), said(InTransit, 2)}, InTransit, OrderShipped, false},
		{"NEW after a pick-up is the panel's word", []Evidence{said(InTransit, 1), said(Created, 2)}, InTransit, OrderShipped, false},
		{"NEW after failed pick-ups", []Evidence{said(PickupProblem, 1), said(Created, 2)}, Created, OrderProcessing, false},
		{"bookkeeping moves nothing", []Evidence{said(InTransit, 1), said(Other, 2)}, InTransit, OrderShipped, false},
		{"an unknown status moves nothing", []Evidence{said(InTransit, 1), said("", 2, func(r *Reading) { r.Raw, r.Label = "DRONE", "" })}, InTransit, OrderShipped, false},
		{"cancellation requested in transit stays shipped", []Evidence{said(InTransit, 1), said(CancellationRequested, 2)}, CancellationRequested, OrderShipped, false},
		{"a new AWB after a cancelled one is no correction", []Evidence{said(Cancelled, 1), said(PickedUp, 3, on("B"))}, PickedUp, OrderProcessing, false},
		{
			"at one time the later handled wins",
			[]Evidence{
				said(ReachedDestination, 1),
				said(InTransit, 1, func(r *Reading) { r.ProcessedAt = r.ProcessedAt.Add(time.Minute) }),
			},
			InTransit, OrderShipped, false,
		},
		{"at one time, handled at one time, the further wins", []Evidence{said(ReachedDestination, 1), said(InTransit, 1)}, ReachedDestination, OrderShipped, false},
		{
			"two parcels, one delivered",
			[]Evidence{said(Delivered, 1), said(InTransit, 2, on("B"))},
			InTransit, OrderShipped, false,
		},
		{
			"two parcels, one delivered and one cancelled",
			[]Evidence{said(Delivered, 1), said(Cancelled, 2, func(r *Reading) { r.SR, r.AWB = "6", "B" })},
			Cancelled, OrderDelivered, false,
		},
		{
			"two parcels, one delivered and one turned back",
			[]Evidence{said(Delivered, 1), said(RTODelivered, 2, func(r *Reading) { r.SR, r.AWB = "6", "B" })},
			RTODelivered, OrderProcessing, false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, pushes := range [][]Evidence{tt.pushes, reversed(tt.pushes)} {
				s := fold(pushes)
				if s.Milestone != tt.milestone || s.OrderStatus != tt.order || s.Shipments[len(s.Shipments)-1].Corrected != tt.corrected {
					t.Errorf("%s, order %s, corrected %v; want %s, %s, %v", s.Milestone, s.OrderStatus,
						s.Shipments[len(s.Shipments)-1].Corrected, tt.milestone, tt.order, tt.corrected)
				}
			}
		})
	}
}

func reversed(pushes []Evidence) []Evidence {
	back := make([]Evidence, 0, len(pushes))
	for i := len(pushes) - 1; i >= 0; i-- {
		back = append(back, pushes[i])
	}
	return back
}

func TestFacts(t *testing.T) {
	t.Parallel()
	s := fold([]Evidence{
		said(InTransit, 1, func(r *Reading) { r.ETA, r.Courier = "2026-11-23", "Delhivery Surface" }),
		said(InTransit, 2, func(r *Reading) { r.ETA = "2026-11-25" }),
		said(DeliveryFailed, 3, func(r *Reading) {
			r.UndeliveredReason, r.Attempts = "COD not ready, call 9876543210", 1
		}),
		said(Delivered, 8, func(r *Reading) {
			r.DeliveredAt, r.ProofOfDelivery = noon.Add(7*time.Hour), "otp"
		}),
		said(Delivered, 9, func(r *Reading) { r.ProofOfDelivery = "image" }),
	}).Shipments[0]
	if s.EstimatedDelivery != "2026-11-25" || s.FirstEstimatedDelivery != "2026-11-23" || s.CourierName != "Delhivery Surface" {
		t.Errorf("ETA %s, first %s, courier %s", s.EstimatedDelivery, s.FirstEstimatedDelivery, s.CourierName)
	}
	if s.UndeliveredReason != "COD not ready" || s.DeliveryAttempts != 1 || s.ProofOfDelivery != "image" {
		t.Errorf("reason %q, attempts %d, proof %q", s.UndeliveredReason, s.DeliveryAttempts, s.ProofOfDelivery)
	}
	if !s.DeliveredAt.Equal(noon.Add(7 * time.Hour)) {
		t.Errorf("delivered at %v: the first evidence stands", s.DeliveredAt)
	}
}

// Once a parcel is turned round, the couriers' IN TRANSIT leads back.
func TestMovementAfterTheTurn(t *testing.T) {
	t.Parallel()
	scan := func(m Milestone, n int, awb string) Scan {
		return Scan{AWB: awb, SR: "5", At: noon.Add(time.Duration(n) * time.Hour), Code: string(m), Activity: "x", Milestone: m, Label: strings.ToUpper(string(m))}
	}
	rto := said(RTOInitiated, 3)
	rto.Scans = []Scan{scan(InTransit, 1, "A"), scan(InTransit, 4, "A"), scan(OutForDelivery, 5, "B")}
	rto.Reading.ReturnAWB = "B"
	s := fold([]Evidence{said(InTransit, 1), rto}).Shipments[0]
	want := []Milestone{InTransit, RTOInitiated, RTOInTransit, RTOOutForDelivery}
	if len(s.TrackingHistory) != len(want) {
		t.Fatalf("%d entries, want %d", len(s.TrackingHistory), len(want))
	}
	for i, e := range s.TrackingHistory {
		if e.Milestone != want[i] {
			t.Errorf("entry %d is %s, want %s", i, e.Milestone, want[i])
		}
	}
	if s.TrackingHistory[1].ScanType != StatusEntry || s.TrackingHistory[3].Description != "Out for delivery to the seller." {
		t.Errorf("%+v", s.TrackingHistory)
	}
}

func TestIDsOfShipmentsStay(t *testing.T) {
	t.Parallel()
	o := NewOrder(noon)
	o.Add(said(InTransit, 1, func(r *Reading) { r.SR, r.Number = "", "" }))
	o.Revise(noon)
	id := o.Snapshot.Shipments[0].ID
	o.Add(said(OutForDelivery, 2)) // now its Shiprocket order is known
	o.Revise(noon)
	if got := o.Snapshot.Shipments[0].ID; got != id || len(o.Snapshot.Shipments) != 1 {
		t.Errorf("id %s became %s", id, got)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	o := NewOrder(noon)
	o.Register(Registration{Number: "N", AWBs: []string{"A"}, SR: "5"}, noon)
	if updates := o.Revise(noon); len(updates) != 1 || o.Snapshot.AWBCode != "A" || o.Snapshot.Milestone != "" || o.Snapshot.OrderStatus != OrderProcessing {
		t.Errorf("%d updates, %+v", len(updates), o.Snapshot)
	}
	if n := len(o.Snapshot.Shipments[0].TrackingHistory); n != 0 {
		t.Errorf("a registration made %d entries", n)
	}
	o.Add(said(Delivered, 1))
	o.Revise(noon)
	if len(o.Snapshot.Shipments) != 1 || o.Snapshot.OrderStatus != OrderDelivered {
		t.Errorf("%+v", o.Snapshot)
	}
	old := o.ID
	o.Register(Registration{ID: "shop-made-unguessable-id", Number: "N"}, noon)
	if o.ID != "shop-made-unguessable-id" || len(o.Aliases) != 1 || o.Aliases[0] != old {
		t.Errorf("id %s, aliases %v", o.ID, o.Aliases)
	}
}
