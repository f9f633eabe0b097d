package inbox_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// sample is a push of the shapes that Shiprocket sends (docs, panel, live).
func sample(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile("../shiprocket/testdata/golden/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	push, _, found := bytes.Cut(file, []byte("\n---\n"))
	if !found {
		t.Fatalf("%s has no separator", name)
	}
	return push
}

// Every sample, from the request to what anyone who knows the order may see.
func TestSamplesEndToEnd(t *testing.T) {
	t.Parallel()
	type want struct {
		status    inbox.Status
		reason    inbox.Reason
		order     tracking.OrderStatus
		milestone tracking.Milestone
		label     tracking.Text
		awb       tracking.Text
		number    tracking.Text
		courier   tracking.Text
		eta       tracking.Text
		delivered string
		history   int
	}
	tests := map[string]want{
		"01-in-transit-17-scans": {
			order: tracking.OrderShipped, milestone: tracking.InTransit, label: "IN TRANSIT", awb: "19041424751540", number: "1373900_150876814",
			courier: "Delhivery Surface", eta: "2023-05-23", history: 17,
		},
		"02-panel-sample-numeric-awb": {status: inbox.Parked, reason: inbox.Placeholder},
		"03-validate-ping":            {status: inbox.Ignored, reason: inbox.Ping},
		"04-empty-object-ping":        {status: inbox.Ignored, reason: inbox.Ping},
		"05-rto-initiated-25-scans": {
			order: tracking.OrderCancelled, milestone: tracking.RTOInitiated, label: "RTO INITIATED", awb: "19041323362066", number: "SY-WA-2223-4022",
			courier: "Delhivery Surface", eta: "2022-05-28", history: 25,
		},
		"07-return-cancelled-no-awb": {milestone: tracking.ReturnCancelled, label: "RETURN CANCELLED", number: "1554644142", history: 1},
		"08-sparse-alphanumeric-awb": {
			order: tracking.OrderShipped, milestone: tracking.InTransit, label: "IN TRANSIT", awb: "SF3897621360KR", number: "AWL91738", courier: "Shree Maruti",
		},
		"10-sparse-picked-up": {
			order: tracking.OrderProcessing, milestone: tracking.PickedUp, label: "PICKED UP", awb: "1319460818628", number: "ORD-1787673804350",
		},
		"11-hyperlocal-rider-assigned": {
			order: tracking.OrderProcessing, milestone: tracking.PickupScheduled, label: "RIDER ASSIGNED", awb: "6a6f833c48b1e92840e8271d", number: "1491464067",
			courier: "Quick-Rapido",
		},
		"12-label-and-id-disagree": {
			order: tracking.OrderProcessing, milestone: tracking.PickupScheduled, label: "PICKUP SCHEDULED", awb: "59629792084", number: "ORD-000019-P1",
			courier: "Delhivery Surface", eta: "2021-07-03", history: 1,
		},
		"13-cancelled-lone-order-id": {order: tracking.OrderCancelled, milestone: tracking.Cancelled, label: "CANCELLED", number: "13905399"},
		"15-scan-without-seconds":    {order: tracking.OrderShipped, milestone: tracking.InTransit, label: "IN TRANSIT", awb: "STUBAWB123", history: 1},
		"16-day-first-scan-date": {
			order: tracking.OrderProcessing, milestone: tracking.PickedUp, label: "PICKED UP", awb: "TEST123456789", number: "ORD-T9JBEW-873A",
			courier: "Xpressbees Surface", eta: "2026-02-05", history: 1,
		},
		"18-header-beats-scan": {
			order: tracking.OrderShipped, milestone: tracking.InTransit, label: "IN TRANSIT", awb: "TEST123456789", number: "YOUR_ORDER_123",
			courier: "Delhivery Surface", history: 1,
		},
		"20-delivered-date-only-etd": {
			order: tracking.OrderDelivered, milestone: tracking.Delivered, label: "DELIVERED", awb: "12345678901", number: "ORD-12345",
			courier: "Bluedart", eta: "2024-01-14", delivered: "2024-01-14T09:00:00Z", history: 1,
		},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			w := r.apply(sample(t, name))
			if want.status == "" {
				want.status = inbox.Processed
			}
			if w.Status != want.status || w.Reason != want.reason {
				t.Fatalf("%s (%s), want %s (%s): %s", w.Status, w.Reason, want.status, want.reason, w.Result)
			}
			if want.status != inbox.Processed {
				return
			}
			s := r.snapshot(w.OrderID)
			got := want
			got.order, got.milestone, got.label, got.awb, got.number = s.OrderStatus, s.Milestone, s.CurrentStatus, s.AWBCode, s.OrderNumber
			got.courier, got.eta, got.delivered, got.history = s.CourierName, s.EstimatedDelivery, "", len(s.Shipments[0].TrackingHistory)
			if s.DeliveredAt != nil {
				got.delivered = s.DeliveredAt.Format(time.RFC3339)
			}
			if got != want {
				t.Errorf("snapshot\n got %+v\nwant %+v", got, want)
			}
			direction := tracking.Forward
			if name == "07-return-cancelled-no-awb" {
				direction = tracking.Return
			}
			if len(s.Shipments) != 1 || s.Shipments[0].Direction != direction || s.Version != 1 {
				t.Errorf("%d shipments, version %d", len(s.Shipments), s.Version)
			}
			// Told again in other bytes, it brings nothing new.
			again := r.apply(append(bytes.TrimSuffix(bytes.TrimSpace(sample(t, name)), []byte("}")), []byte(`,"more":1}`)...))
			if after := r.snapshot(w.OrderID); again.Status != inbox.Processed || again.Reason != inbox.NothingNew || after.Version != 1 {
				t.Errorf("again: %s (%s), version %d: %s", again.Status, again.Reason, after.Version, again.Result)
			}
		})
	}
}

// The late push of the samples: in transit, a day before the delivery that was
// already known.
func TestLateInTransitAfterDelivered(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply([]byte(`{"awb":"STUBAWB123","current_status":"DELIVERED","current_status_id":7,"shipment_status_id":7,
		"scans":[{"date":"2026-07-06 14:00","status":"Delivered","location":"Ahmedabad"}]}`))
	w := r.apply(sample(t, "15-scan-without-seconds"))
	if w.Status != inbox.Processed || w.Reason != inbox.Late {
		t.Errorf("%s (%s): %s", w.Status, w.Reason, w.Result)
	}
	s := r.snapshot(w.OrderID)
	if s.Milestone != tracking.Delivered || s.OrderStatus != tracking.OrderDelivered || s.DeliveredAt == nil ||
		!s.DeliveredAt.Equal(time.Date(2026, 7, 6, 8, 30, 0, 0, time.UTC)) || s.Shipments[0].Corrected {
		t.Errorf("%s, %s, delivered at %v", s.Milestone, s.OrderStatus, s.DeliveredAt)
	}
	history := s.Shipments[0].TrackingHistory
	if len(history) != 2 || history[0].Description != "In transit" || history[0].Location != "Ahmedabad" || s.Version != 2 {
		t.Errorf("version %d, history %+v", s.Version, history)
	}
}
