package inbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// Whatever becomes of a webhook, its row says so and why.
func TestResultsInPlainWords(t *testing.T) {
	t.Parallel()
	const awb = "77001"
	transit := body(awb, 501, "IN TRANSIT", "2026-11-22 10:00:00")
	tests := []struct {
		name   string
		pushes [][]byte // the last is the one looked at
		status inbox.Status
		reason inbox.Reason
		says   []string
	}{
		{"a new order", [][]byte{transit}, inbox.Processed, "", []string{"a new order", "status is now IN TRANSIT", "1 new scan"}},
		{
			"the next status",
			[][]byte{transit, body(awb, 501, "OUT FOR DELIVERY", "2026-11-23 09:00:00")},
			inbox.Processed, "",
			[]string{"status is now OUT FOR DELIVERY"},
		},
		{
			"the same status, a new scan",
			[][]byte{transit, body(awb, 501, "IN TRANSIT", "2026-11-22 18:00:00")},
			inbox.Processed, "",
			[]string{"1 new scan"},
		},
		{
			"details",
			[][]byte{transit, body(awb, 501, "IN TRANSIT", "2026-11-22 10:00:00", "etd", "2026-11-25 18:00:00")},
			inbox.Processed, "",
			[]string{"details changed", "IN TRANSIT"},
		},
		{
			"told again later",
			[][]byte{
				body(awb, 501, "IN TRANSIT", "2026-11-22 10:00:00", "current_timestamp", "22 11 2026 10:00:05"),
				body(awb, 501, "IN TRANSIT", "2026-11-22 10:00:00", "current_timestamp", "22 11 2026 11:30:00"),
			},
			inbox.Processed, inbox.NothingNew,
			[]string{"nothing new"},
		},
		{
			"late",
			[][]byte{body(awb, 501, "DELIVERED", "2026-11-23 09:00:00"), transit},
			inbox.Processed, inbox.Late,
			[]string{"late", "status stays DELIVERED"},
		},
		{
			"an unknown status",
			[][]byte{transit, body(awb, 501, "CARRIED BY DRONE", "2026-11-23 09:00:00")},
			inbox.Processed, inbox.UnknownStatus,
			[]string{`"CARRIED BY DRONE"`, "no table", "status stays IN TRANSIT"},
		},
		{
			"the panel's sample, blanks not filled in",
			[][]byte{[]byte(`{"awb":59629792084,"order_id":"13905312","channel_order_id":"enter your channel order id","current_status":"Delivered"}`)},
			inbox.Parked, inbox.Placeholder,
			[]string{"placeholders"},
		},
		{
			"an AWB under another open shipment",
			[][]byte{transit, body(awb, 502, "IN TRANSIT", "2026-11-23 09:00:00", "order_id", "N-other")},
			inbox.Parked, inbox.Conflict,
			[]string{"not applied", awb, "501"},
		},
		{
			"ids that point at different orders",
			[][]byte{transit, body("77002", 502, "IN TRANSIT", "2026-11-22 10:00:00"), body("", 501, "DELIVERED", "2026-11-23 09:00:00", "order_id", "N-77002")},
			inbox.Parked, inbox.Conflict,
			[]string{"different orders"},
		},
		{
			"names nothing",
			[][]byte{[]byte(`{"current_status":"DELIVERED"}`)},
			inbox.Parked, inbox.UnknownOrder,
			[]string{"names no parcel"},
		},
		{"a ping", [][]byte{[]byte(`{}`)}, inbox.Ignored, inbox.Ping, []string{"test push"}},
		{"a repeat", [][]byte{transit, transit}, inbox.Duplicate, inbox.SameEvent, []string{"already received", "processed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			w := r.apply(tt.pushes...)
			if w.Status != tt.status || w.Reason != tt.reason {
				t.Errorf("%s (%s), want %s (%s): %s", w.Status, w.Reason, tt.status, tt.reason, w.Result)
			}
			contains(t, "result", w.Result, tt.says...)
			if w.ProcessedAt.IsZero() != (tt.status == inbox.Parked) || (w.OrderID == "") != (tt.status != inbox.Processed) {
				t.Errorf("processed at %v, order %q", w.ProcessedAt, w.OrderID)
			}
			if tt.reason == inbox.UnknownStatus {
				if s := r.snapshot(w.OrderID); s.Milestone != tracking.InTransit {
					t.Errorf("an unknown status moved the milestone to %s", s.Milestone)
				}
			}
		})
	}
}

// What names no known order waits for its registration, and is applied then.
func TestUnknownOrdersWaitForTheirRegistration(t *testing.T) {
	t.Parallel()
	r := setup(t, parkUnknown)
	for i, status := range []string{"PICKED UP", "IN TRANSIT", "OUT FOR DELIVERY"} {
		r.push(body("77001", 501, status, fmt.Sprintf("2026-11-22 1%d:00:00", i)))
	}
	r.push(body("77009", 509, "IN TRANSIT", "2026-11-22 10:00:00"))
	r.work()
	for _, w := range r.rows() {
		if w.Status != inbox.Parked || w.Reason != inbox.UnknownOrder || !w.ProcessedAt.IsZero() {
			t.Errorf("%s: %s (%s)", w.EventID, w.Status, w.Reason)
		}
		contains(t, "result", w.Result, "no order is known")
	}
	if again := r.push(body("77001", 501, "PICKED UP", "2026-11-22 10:00:00")); !again.Duplicate || again.Status != inbox.Parked {
		t.Errorf("the repeat of a parked one: %+v", again)
	}
	o, created, err := r.store.Register(t.Context(), noon, tracking.Registration{Number: "N-77001"})
	if err != nil || !created {
		t.Fatal(created, err)
	}
	r.work()
	if s := r.snapshot(o.ID); s.Milestone != tracking.OutForDelivery || s.AWBCode != "77001" || len(s.Shipments[0].TrackingHistory) != 3 {
		t.Errorf("after registration: %s, AWB %s, %+v", s.Milestone, s.AWBCode, s.Shipments)
	}
	depth, err := r.store.Depth(t.Context())
	if err != nil || depth[inbox.Parked] != 1 || depth[inbox.Processed] != 3 {
		t.Errorf("%v, %v; want the stranger alone parked", depth, err)
	}
	// From now on its pushes go through.
	if w := r.apply(body("77001", 501, "DELIVERED", "2026-11-23 09:00:00")); w.Status != inbox.Processed || w.OrderID != o.ID {
		t.Errorf("%s for order %q", w.Status, w.OrderID)
	}
}

// A body that was refused for its sender's address and is no JSON either stays
// refused when the address is allowed; it is not tried over and over.
func TestReleasedBodiesThatAreNoJSON(t *testing.T) {
	t.Parallel()
	r := setup(t, func(o *inbox.Options) { o.Addresses = allow("198.51.100.0/24") })
	if _, err := r.Receive(t.Context(), from([]byte(`{"awb":`))); err == nil {
		t.Fatal("taken")
	}
	if err := r.store.Retry(t.Context(), r.newest().ID, false); err != nil {
		t.Fatal(err)
	}
	r.work()
	if w := r.newest(); w.Status != inbox.Rejected || w.Reason != inbox.NotJSON || w.Result == "" || len(w.Tries) != 0 {
		t.Errorf("%s (%s), %q, %d tries", w.Status, w.Reason, w.Result, len(w.Tries))
	}
}

// Updates are kept as effects, once each, with versions that have no gaps; what
// changes nothing tells nobody.
func TestAppliedLeavesEffects(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.apply(
		body("77001", 501, "IN TRANSIT", "2026-11-22 10:00:00"),
		body("77001", 501, "IN TRANSIT", "2026-11-22 10:00:00"),
		[]byte(`{}`),
		body("77001", 501, "IN TRANSIT", "2026-11-22 10:00:00", "current_timestamp", "23 11 2026 11:30:00"),
		body("77001", 501, "DELIVERED", "2026-11-23 10:00:00"),
	)
	effects, err := r.store.Effects(t.Context(), tracking.LiveUpdate, 10)
	if err != nil {
		t.Fatal(err)
	}
	var versions []int64
	for i := range effects {
		versions = append(versions, effects[i].Update.Version)
	}
	if fmt.Sprint(versions) != "[1 2]" {
		t.Errorf("versions told: %v, want 1 and 2", versions)
	}
}

// Seventeen new scans in one push are one update.
func TestOnePushIsOneUpdate(t *testing.T) {
	t.Parallel()
	r := setup(t)
	var scans []any
	for i := range 17 {
		scans = append(scans, scan(fmt.Sprintf("2026-11-22 10:%02d:00", i), fmt.Sprintf("Bag %d", i)))
	}
	w := r.apply(body("77001", 501, "IN TRANSIT", "", "scans", scans))
	contains(t, "result", w.Result, "17 new scans")
	if s := r.snapshot(w.OrderID); s.Version != 1 || len(s.Shipments[0].TrackingHistory) != 17 {
		t.Errorf("version %d, %d entries", s.Version, len(s.Shipments[0].TrackingHistory))
	}
}

// Couriers' texts hold riders' names and phones, and sometimes markup. None of
// it is in the public view or in a log line.
func TestPersonalDataStaysInside(t *testing.T) {
	t.Parallel()
	r := setup(t)
	const dirt = `Out for delivery, FE Name: Ramesh Kumar Mob: 9876543210 <script>alert(1)</script>`
	s := scan("2026-11-23 09:00:00", dirt)
	s["location"], s["status"] = "Pune, call Ramesh Kumar 98765 43210", dirt
	w := r.apply(body("77001", 501, "OUT FOR DELIVERY", "", "scans", []any{s, scan("2026-11-23 09:30:00", "Delivered to Sunita Devi")},
		"undelivered_reason", dirt, "rider_name", "Ramesh Kumar", "rider_phone", "9876543210", "pod_status", "https://pod.example/ramesh.jpg"))
	view, err := r.store.Snapshot(t.Context(), w.OrderID)
	if err != nil {
		t.Fatal(err)
	}
	effects, err := r.store.Effects(t.Context(), tracking.LiveUpdate, 10)
	if err != nil {
		t.Fatal(err)
	}
	updates, err := json.Marshal(effects)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"snapshot": string(view.JSON), "updates": string(updates), "log": r.lines.String(), "result": w.Result} {
		for _, person := range []string{"Ramesh", "Kumar", "98765", "43210", "Sunita", "alert", "pod.example"} {
			if strings.Contains(text, person) {
				t.Errorf("%q is in the %s: %s", person, where, text)
			}
		}
	}
}

// A body is interpreted with the time of its receipt, however long it waited.
func TestWaitingDoesNotAge(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.push([]byte(`{"awb":"77001","current_status":"IN TRANSIT"}`))
	r.clock.add(48 * time.Hour)
	r.work()
	o := r.snapshot(r.newest().OrderID)
	if o.Milestone != tracking.InTransit {
		t.Fatalf("milestone %s", o.Milestone)
	}
	// Dated between receipt and now: newer evidence than the undated one.
	w := r.apply(body("77001", 0, "OUT FOR DELIVERY", "2026-11-24 09:00:00"))
	if s := r.snapshot(w.OrderID); s.Milestone != tracking.OutForDelivery {
		t.Errorf("milestone %s, %s", s.Milestone, w.Result)
	}
}
