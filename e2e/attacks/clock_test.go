package attacks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
)

// A clock goes on as the machine's does, from where it was set.
type clock struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

func (c *clock) jump(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += by
}

// A clock that jumps, either way and far, loses no push, applies none twice and
// keeps none waiting.
func TestClockJumps(t *testing.T) {
	if testing.Short() {
		t.Skip("attacks take their time; run without -short")
	}
	jumps := []time.Duration{
		time.Hour, -2 * time.Hour, 24 * time.Hour, -48 * time.Hour, 90 * 24 * time.Hour, -365 * 24 * time.Hour, 365 * 24 * time.Hour, -time.Second, 50 * time.Millisecond,
	}
	for _, b := range []func(testing.TB) *storetest.Backend{storetest.SQLite, storetest.Postgres} {
		backend := b(t)
		s := backend.Open(t)
		c := &clock{}
		in := inbox.New(inbox.Options{
			Log: s, Verifier: shiprocket.NewVerifier([]string{webhookToken}, nil, ""), Logger: slog.New(slog.DiscardHandler),
			Apply: inbox.ApplyOptions{AutoCreate: true}, Now: c.now, Sweep: 50 * time.Millisecond,
		})
		ctx, cancel := context.WithCancel(t.Context())
		running := make(chan error, 1)
		go func() { running <- in.Run(ctx) }()

		var (
			ids       = map[string]bool{}
			latencies []time.Duration
			repeats   int
		)
		receive := func(n int) inbox.Receipt {
			began := time.Now()
			at := time.Date(2026, 1, 22, 10, 0, n, 0, time.UTC)
			receipt, err := in.Receive(t.Context(), inbox.Push{
				Body: event(fmt.Sprintf("CLOCK%04d", n), 4000+n, "IN TRANSIT", at), Header: http.Header{"X-Api-Key": {webhookToken}},
				Peer: netip.MustParseAddr("127.0.0.1"),
			})
			if err != nil {
				t.Fatalf("push %d: %v", n, err)
			}
			latencies = append(latencies, time.Since(began))
			return receipt
		}
		const each = 10
		for j, by := range jumps {
			for n := range each {
				ids[receive(j*each+n).EventID] = true
			}
			c.jump(by)
			for n := range each { // the same again, at quite another time
				if r := receive(j*each + n); r.Duplicate {
					repeats++
				}
			}
		}
		depth := drained(t, s)
		cancel()
		if err := <-running; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if repeats != each*len(jumps) || len(ids) != each*len(jumps) {
			t.Errorf("%s: %d of %d repeats were known", backend.Name, repeats, each*len(jumps))
		}
		if depth[inbox.Failed]+depth[inbox.Parked]+depth[inbox.Rejected] > 0 {
			t.Errorf("%s: %v", backend.Name, depth)
		}
		lost := each*len(jumps) - depth[inbox.Processed]
		report(t, "clock jumps, "+backend.Name, fmt.Sprintf("%d jumps of 50 ms to a year, either way", len(jumps)),
			fmt.Sprintf("%d repeats from before the jumps known, %d applied", repeats, each*len(jumps)-lost),
			meanwhile{acknowledged: len(ids), lost: lost, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99)})
	}
}

// drained waits until nothing is pending.
func drained(t *testing.T, s *store.Store) map[inbox.Status]int {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var depth map[inbox.Status]int
	for range 2000 {
		var err error
		if depth, err = s.Depth(t.Context()); err != nil {
			t.Fatal(err)
		}
		if depth[inbox.Pending] == 0 {
			return depth
		}
		<-tick.C
	}
	t.Fatalf("webhooks keep waiting: %v", depth)
	return nil
}
