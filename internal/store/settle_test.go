package store

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// Whoever needs that nothing is in flight gets his turn though decisions are
// made on top of each other without a pause, as they are under a flood.
func TestAFloodDoesNotShutOutTheShop(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	const most, shops = 300, 10
	var (
		made       atomic.Int64
		registered atomic.Bool
		flooding   sync.WaitGroup
		flowing    = make(chan struct{})
	)
	for range 2 {
		flooding.Go(func() {
			for made.Load() < most && !registered.Load() {
				err := s.decideAhead(ctx, func(ctx context.Context, t *tx) (*changeset, error) {
					d, err := t.newDesk(ctx, at, nil)
					return &changeset{now: at, desk: d}, err
				})
				if err != nil {
					t.Error(err)
					return
				}
				if made.Add(1) == 10 {
					close(flowing)
				}
			}
		})
	}
	<-flowing
	for range shops {
		if _, _, err := s.Register(ctx, at, tracking.Registration{Number: "1001"}); err != nil {
			t.Fatal(err)
		}
	}
	n := made.Load()
	registered.Store(true)
	flooding.Wait()
	if n >= most {
		t.Errorf("the shop's calls were answered when the flood of %d decisions was over", n)
	}
}

// What could not be written is no ground to decide on, not even before its
// caller has heard of it.
func TestNothingIsDecidedOnTopOfWhatFailed(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	push := func(awb string, m tracking.Milestone) inbox.Applied {
		w := inbox.Webhook{EventID: awb + string(m), ReceivedAt: at, Body: []byte("{}"), Status: inbox.Pending}
		if _, err := s.Append(ctx, w); err != nil {
			t.Error(err)
		}
		e := tracking.Evidence{Reading: tracking.Reading{
			Identity:  tracking.Identity{AWB: awb, Direction: tracking.Forward},
			Milestone: m, Label: string(m), EventTime: at, TimeSource: tracking.FromScan,
		}}
		app := inbox.Application{WebhookID: s.backlog.take(1)[0].ID, Evidence: e}
		applied, err := s.Apply(ctx, at, []inbox.Application{app}, inbox.ApplyOptions{AutoCreate: true})
		if err != nil || applied[0].Err != nil {
			t.Error(err, applied)
			return inbox.Applied{}
		}
		return applied[0]
	}
	first := push("A", tracking.InTransit)
	push("B", tracking.InTransit)
	failed := &changeset{absorbed: map[int64]int64{1: 2}} // the orders would be one
	_, settled := s.flight.begin(failed)
	s.flight.void()
	s.hot.clear()
	done := make(chan inbox.Applied, 1)
	go func() { done <- push("A", tracking.Delivered) }()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		if _, last, _ := s.flight.state(); last != (<-chan struct{})(settled) {
			break // it is decided
		}
	}
	s.flight.end(failed, settled)
	if again := <-done; again.OrderID != first.OrderID {
		t.Errorf("the parcel's next push went to order %q, not to %q", again.OrderID, first.OrderID)
	}
}
