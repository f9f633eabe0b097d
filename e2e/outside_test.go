package e2e

import (
	"fmt"
	"testing"
	"time"
)

// LIVE=both tells the watchers of this process and those of an outside server;
// one that is away holds up nobody else and gets everything later.
func TestOutsideServer(t *testing.T) {
	t.Parallel()
	outside := serve(t, t.TempDir()) // speaks the same protocol as Soketi does
	s := serve(t, t.TempDir(), "LIVE=both", "SOKETI_HOST=127.0.0.1", fmt.Sprintf("SOKETI_PORT=%d", outside.port))
	var made struct{ Data shopOrder }
	s.admin("POST", "/api/orders", `{"number":"OUT-1"}`).json(t, &made)
	channel := "order-" + made.Data.ID
	here, there := s.watch(t, channel), outside.watch(t, channel)

	at := time.Now().Add(-10 * time.Hour).Truncate(time.Second)
	is := func(milestone string) func(map[string]any) bool {
		return func(d map[string]any) bool { return d["milestone"] == milestone }
	}
	s.push(event("OUT1", 1, "OUT-1", "PICKED UP", at))
	here.until(is("picked_up"))
	there.until(is("picked_up"))

	outside.kill()
	s.push(event("OUT1", 1, "OUT-1", "IN TRANSIT", at.Add(time.Hour)))
	s.push(event("OUT1", 1, "OUT-1", "OUT FOR DELIVERY", at.Add(2*time.Hour)))
	here.until(is("out_for_delivery"))
	outside.start(nil)
	there.next(func(l watched) bool { return l.Subscribed == channel })
	s.push(event("OUT1", 1, "OUT-1", "DELIVERED", at.Add(3*time.Hour)))
	here.until(is("delivered"))
	if events := there.until(is("delivered")); events[len(events)-1].Data["version"] != float64(4) {
		t.Errorf("the last event outside has version %v, want 4", events[len(events)-1].Data["version"])
	}
}
