package inbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// What has gone wrong with Shiprocket's pushes elsewhere, and what is to come
// of it here.
func TestTraps(t *testing.T) {
	t.Parallel()
	const a, b = "77001", "77002"
	// at is a push about one parcel of order 501.
	at := func(status, date string, more ...any) []byte { return body(a, 501, status, date, more...) }
	tests := []struct {
		name      string
		pushes    [][]byte
		milestone tracking.Milestone
		order     tracking.OrderStatus
		check     func(*testing.T, tracking.Snapshot)
	}{
		{
			name:      "UNDELIVERED contains DELIVERED",
			pushes:    [][]byte{at("OUT FOR DELIVERY", "2026-11-22 09:00:00"), at("UNDELIVERED", "2026-11-22 18:00:00")},
			milestone: tracking.DeliveryFailed, order: tracking.OrderShipped,
			check: func(t *testing.T, s tracking.Snapshot) {
				if s.DeliveredAt != nil || s.Shipments[0].DeliveryAttempts != 1 {
					t.Errorf("delivered at %v, %d attempts", s.DeliveredAt, s.Shipments[0].DeliveryAttempts)
				}
			},
		},
		{
			name:      "RTO DELIVERED contains DELIVERED",
			pushes:    [][]byte{at("RTO INITIATED", "2026-11-20 09:00:00"), at("RTO DELIVERED", "2026-11-22 18:00:00")},
			milestone: tracking.RTODelivered, order: tracking.OrderCancelled,
			check: func(t *testing.T, s tracking.Snapshot) {
				if s.DeliveredAt != nil {
					t.Errorf("delivered at %v", s.DeliveredAt)
				}
			},
		},
		{
			name: "the two numberings: 17 is RTO acknowledged in one, out for delivery in the other",
			pushes: [][]byte{
				at("", "2026-11-22 09:00:00", "current_status", nil, "shipment_status_id", 17),
			},
			milestone: tracking.OutForDelivery, order: tracking.OrderShipped,
		},
		{
			name:      "times without a zone are India's",
			pushes:    [][]byte{at("DELIVERED", "2026-11-22 18:00:00")},
			milestone: tracking.Delivered, order: tracking.OrderDelivered,
			check: func(t *testing.T, s tracking.Snapshot) {
				if want := time.Date(2026, 11, 22, 12, 30, 0, 0, time.UTC); s.DeliveredAt == nil || !s.DeliveredAt.Equal(want) {
					t.Errorf("delivered at %v, want %s", s.DeliveredAt, want)
				}
			},
		},
		{
			name:      "the next attempt is no step back",
			pushes:    [][]byte{at("UNDELIVERED", "2026-11-21 18:00:00"), at("OUT FOR DELIVERY", "2026-11-22 09:00:00")},
			milestone: tracking.OutForDelivery, order: tracking.OrderShipped,
		},
		{
			name: "a parcel at the last hub may move on",
			pushes: [][]byte{
				at("REACHED AT DESTINATION HUB", "2026-11-15 09:00:00"), at("IN TRANSIT", "2026-11-21 09:00:00"),
			},
			milestone: tracking.InTransit, order: tracking.OrderShipped,
		},
		{
			name:      "the courier takes a delivery back",
			pushes:    [][]byte{at("DELIVERED", "2026-11-21 18:00:00"), at("RTO INITIATED", "2026-11-22 09:00:00")},
			milestone: tracking.RTOInitiated, order: tracking.OrderCancelled,
			check: func(t *testing.T, s tracking.Snapshot) {
				if !s.Shipments[0].Corrected || s.DeliveredAt != nil {
					t.Errorf("corrected %v, delivered at %v", s.Shipments[0].Corrected, s.DeliveredAt)
				}
			},
		},
		{
			name: "several scans in one second, one text many times",
			pushes: [][]byte{at("IN TRANSIT", "", "scans", []any{
				scan("2026-11-22 10:00:00", "Bag added"),
				map[string]any{"date": "2026-11-22 10:00:00", "status": "X-2", "activity": "Bag added", "location": "Pune"},
				scan("2026-11-22 10:05:00", "Bag added"), scan("2026-11-22 10:05:00", "Bag added"),
			})},
			milestone: tracking.InTransit, order: tracking.OrderShipped,
			check: func(t *testing.T, s tracking.Snapshot) {
				if n := len(s.Shipments[0].TrackingHistory); n != 3 {
					t.Errorf("%d entries, want 3: identical lines of one body are one scan", n)
				}
			},
		},
		{
			name: "a sparse push blanks nothing",
			pushes: [][]byte{
				at("IN TRANSIT", "2026-11-21 18:00:00", "courier_name", "Delhivery Surface", "etd", "2026-11-25 10:00:00"),
				at("OUT FOR DELIVERY", "2026-11-22 09:00:00", "courier_name", nil, "etd", " ", "order_id", "", "sr_order_id", "NA"),
			},
			milestone: tracking.OutForDelivery, order: tracking.OrderShipped,
			check: func(t *testing.T, s tracking.Snapshot) {
				if s.CourierName != "Delhivery Surface" || s.EstimatedDelivery != "2026-11-25" || s.OrderNumber != "N-"+a {
					t.Errorf("courier %s, ETA %s, number %s", s.CourierName, s.EstimatedDelivery, s.OrderNumber)
				}
			},
		},
		{
			name: "failed pickups, NEW, and another AWB",
			pushes: [][]byte{
				at("PICKUP EXCEPTION", "2026-11-20 18:00:00"),
				body("", 501, "NEW", "", "scans", nil, "order_id", "N-"+a, "awb_assigned_date", nil, "current_timestamp", "21 11 2026 10:00:00"),
				body(b, 501, "PICKED UP", "2026-11-22 10:00:00", "order_id", "N-"+a),
				at("PICKUP EXCEPTION", "2026-11-22 18:00:00"), // late for the old one
			},
			milestone: tracking.PickedUp, order: tracking.OrderProcessing,
			check: func(t *testing.T, s tracking.Snapshot) {
				if legs := s.Shipments[0].Legs; len(s.Shipments) != 1 || s.AWBCode != b || len(legs) != 2 || legs[0].Kind != tracking.LegReplaced {
					t.Errorf("%d shipments, AWB %s, legs %+v", len(s.Shipments), s.AWBCode, legs)
				}
			},
		},
		{
			name: "two parcels, one delivered",
			pushes: [][]byte{
				at("DELIVERED", "2026-11-21 18:00:00"), body(b, 502, "IN TRANSIT", "2026-11-22 09:00:00", "order_id", "N-"+a),
			},
			milestone: tracking.InTransit, order: tracking.OrderShipped,
			check: func(t *testing.T, s tracking.Snapshot) {
				if len(s.Shipments) != 2 || s.AWBCode != b {
					t.Errorf("%d shipments, AWB %s", len(s.Shipments), s.AWBCode)
				}
			},
		},
		{
			name: "a return that is delivered leaves the order as it was",
			pushes: [][]byte{
				at("OUT FOR DELIVERY", "2026-11-20 09:00:00"),
				body("R1", 901, "RETURN DELIVERED", "2026-11-22 18:00:00", "order_id", "N-"+a, "is_return", 1),
			},
			milestone: tracking.OutForDelivery, order: tracking.OrderShipped,
			check: func(t *testing.T, s tracking.Snapshot) {
				if len(s.Shipments) != 2 || s.DeliveredAt != nil || s.Shipments[1].Direction != tracking.Return {
					t.Errorf("delivered at %v, %+v", s.DeliveredAt, s.Shipments)
				}
			},
		},
		{
			name: "delivered again later: the first time stands",
			pushes: [][]byte{
				at("DELIVERED", "2026-11-21 18:00:00"), at("DELIVERED", "2026-11-22 09:00:00"), at("DELIVERED", "2026-11-20 18:30:00"),
			},
			milestone: tracking.Delivered, order: tracking.OrderDelivered,
			check: func(t *testing.T, s tracking.Snapshot) {
				if want := time.Date(2026, 11, 20, 13, 0, 0, 0, time.UTC); !s.DeliveredAt.Equal(want) {
					t.Errorf("delivered at %s, want the earliest evidence %s", s.DeliveredAt, want)
				}
			},
		},
		{
			name:      "no AWB is made up",
			pushes:    [][]byte{body("", 501, "PICKUP SCHEDULED", "2026-11-22 09:00:00", "order_id", "N-"+a)},
			milestone: tracking.PickupScheduled, order: tracking.OrderProcessing,
			check: func(t *testing.T, s tracking.Snapshot) {
				if s.AWBCode != "" || len(s.Shipments[0].Legs) != 0 {
					t.Errorf("AWB %s, legs %+v", s.AWBCode, s.Shipments[0].Legs)
				}
			},
		},
		{
			name:      "a number with Shiprocket's prefix is the one the shop registered",
			pushes:    [][]byte{at("IN TRANSIT", "2026-11-22 09:00:00", "order_id", "1373900_150876814")},
			milestone: tracking.InTransit, order: tracking.OrderShipped,
			check: func(t *testing.T, s tracking.Snapshot) {
				if s.OrderNumber != "1373900_150876814" {
					t.Errorf("number %s", s.OrderNumber)
				}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			w := r.apply(tt.pushes...)
			if w.Status != inbox.Processed {
				t.Fatalf("%s (%s): %s", w.Status, w.Reason, w.Result)
			}
			s := r.snapshot(w.OrderID)
			if s.Milestone != tt.milestone || s.OrderStatus != tt.order {
				t.Errorf("%s, %s; want %s, %s", s.Milestone, s.OrderStatus, tt.milestone, tt.order)
			}
			if tt.check != nil {
				tt.check(t, s)
			}
		})
	}
}

// A push of a thousand scans costs what two hundred do.
func TestEndlessScanLists(t *testing.T) {
	t.Parallel()
	r := setup(t)
	var scans []any
	for i := range 1000 {
		scans = append(scans, scan(fmt.Sprintf("2026-11-20 %02d:%02d:00", i/60, i%60), "Bag added"))
	}
	w := r.apply(body("77001", 501, "IN TRANSIT", "", "scans", scans))
	s := r.snapshot(w.OrderID)
	history := s.Shipments[0].TrackingHistory
	if n := len(history); n != 200 || history[n-1].Timestamp.Format("15:04") != "11:09" {
		t.Errorf("%d entries, the newest of %s; want the newest 200", n, history[n-1].Timestamp)
	}
}

// A prefixed number is looked up whole first, then without its prefix, among
// what the shop registered.
func TestPrefixedNumbersFindRegisteredOrders(t *testing.T) {
	t.Parallel()
	r := setup(t, parkUnknown)
	o, _, err := r.store.Register(t.Context(), noon, tracking.Registration{Number: "150876814"})
	if err != nil {
		t.Fatal(err)
	}
	if w := r.apply(sample(t, "01-in-transit-17-scans")); w.Status != inbox.Processed || w.OrderID != o.ID {
		t.Errorf("%s (%s), order %q: %s", w.Status, w.Reason, w.OrderID, w.Result)
	}
}
