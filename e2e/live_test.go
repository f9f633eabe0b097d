package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/node"
)

// A watcher is pusher-js, listening on a channel.
type watcher struct {
	t     *testing.T
	lines chan watched
}

type watched struct {
	State      string
	Subscribed string
	Refused    json.RawMessage
	Event      string
	Data       map[string]any
}

func (s *server) watch(t *testing.T, channel string) *watcher {
	t.Helper()
	node.Need(t, ".")
	p, err := node.Start(os.Stderr, []string{
		"NEXT_PUBLIC_SOKETI_KEY=" + appKey, "NEXT_PUBLIC_SOKETI_HOST=127.0.0.1", fmt.Sprintf("NEXT_PUBLIC_SOKETI_PORT=%d", s.port),
	}, "watch.mjs", channel)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	w := &watcher{t: t, lines: make(chan watched, 1000)}
	go func() {
		defer close(w.lines)
		for {
			line, ok := node.Next[watched](p)
			if !ok {
				return
			}
			w.lines <- line
		}
	}()
	w.next(func(l watched) bool { return l.Subscribed == channel || l.Refused != nil })
	return w
}

// next waits for the first line that matches.
func (w *watcher) next(match func(watched) bool) watched {
	w.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.t.Fatal("pusher-js ended")
			}
			if match(line) {
				return line
			}
		case <-limit:
			w.t.Fatal("nothing like it came within 20 s")
		}
	}
}

// until collects events up to the first that matches, which is the last.
func (w *watcher) until(match func(map[string]any) bool) []watched {
	w.t.Helper()
	var events []watched
	w.next(func(l watched) bool {
		if l.Event == "" {
			return false
		}
		events = append(events, l)
		return match(l.Data)
	})
	return events
}

var trackingUpdateFields = []string{
	"awbCode", "courierName", "currentStatus", "description", "direction", "estimatedDelivery", "location", "milestone",
	"orderId", "orderNumber", "orderStatus", "shipmentId", "statusChanged", "timestamp", "trackingHistory", "version",
}

// Real pusher-js gets one event for each push that changed anything, none for
// repeats and pings, versions without a gap, and exactly the fields that front
// ends rely on.
func TestPusherJS(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "PUBLIC_SHIPMENTS_CHANNEL=true")
	var made struct{ Data shopOrder }
	s.admin("POST", "/api/orders", `{"number":"LIVE-1"}`).json(t, &made)
	w := s.watch(t, "order-"+made.Data.ID)
	operators := s.watch(t, "shipments")

	at := time.Now().Add(-10 * time.Hour).Truncate(time.Second)
	pushes := []struct {
		status string
		hours  int
		change bool
	}{
		{"PICKED UP", 0, true},
		{"PICKED UP", 0, false}, // the same again
		{"SHIPPED", 1, true},
		{"OUT FOR DELIVERY", 5, true},
		{"IN TRANSIT", 3, true}, // late: into the timeline
		{"DELIVERED", 6, true},
		{"IN TRANSIT", 3, false},
	}
	changes := 0
	for _, p := range pushes {
		if a := s.push(event("AWB-LIVE-1", 777, "LIVE-1", p.status, at.Add(time.Duration(p.hours)*time.Hour))); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		s.settled()
		if p.change {
			changes++
		}
	}
	if a := s.push(`{}`); a.status != 200 {
		t.Fatalf("ping: %d", a.status)
	}
	// A last change, so that nothing that came before it can be missed.
	s.push(event("AWB-LIVE-1", 777, "LIVE-1", "RTO INITIATED", at.Add(8*time.Hour)))
	changes++

	events := w.until(func(d map[string]any) bool { return d["milestone"] == "rto_initiated" })
	if len(events) != changes {
		t.Errorf("%d events for %d changes", len(events), changes)
	}
	for i, e := range events {
		if e.Event != "tracking-update" {
			t.Errorf("event %q", e.Event)
		}
		if got := slices.Sorted(maps.Keys(e.Data)); !slices.Equal(got, trackingUpdateFields) {
			t.Errorf("fields %v, want %v", got, trackingUpdateFields)
		}
		if e.Data["version"] != float64(i+1) {
			t.Errorf("event %d has version %v", i+1, e.Data["version"])
		}
		if e.Data["orderId"] != made.Data.ID || e.Data["orderNumber"] != "LIVE-1" || e.Data["awbCode"] != "AWB-LIVE-1" {
			t.Errorf("%v %v %v", e.Data["orderId"], e.Data["orderNumber"], e.Data["awbCode"])
		}
	}
	late := events[3].Data
	if late["milestone"] != "out_for_delivery" || late["statusChanged"] != false || len(late["trackingHistory"].([]any)) != 4 {
		t.Errorf("the late push told %v, changed %v", late["milestone"], late["statusChanged"])
	}
	seen := operators.until(func(d map[string]any) bool { return d["milestone"] == "rto_initiated" })
	if len(seen) != changes || seen[0].Event != "shipment-update" {
		t.Errorf("operators saw %d events, the first %q", len(seen), seen[0].Event)
	}
	want := []string{"awbCode", "courierName", "currentStatus", "milestone", "orderId", "orderNumber", "orderStatus", "timestamp", "version"}
	if got := slices.Sorted(maps.Keys(seen[0].Data)); !slices.Equal(got, want) {
		t.Errorf("fields %v, want %v", got, want)
	}
}
