package store

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
