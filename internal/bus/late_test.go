package bus_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/webazaar/waybill/internal/bus"
	"github.com/webazaar/waybill/internal/bus/bustest"
	"github.com/webazaar/waybill/internal/pusher"
)

// unreachable is a cluster that cannot be opened until it can.
type unreachable struct {
	pusher.Cluster
	there  atomic.Bool
	opened atomic.Int32
	closed atomic.Int32
}

func (u *unreachable) Open(ctx context.Context, node string, r pusher.Receiver) error {
	if !u.there.Load() {
		return errors.New("nothing answers")
	}
	u.opened.Add(1)
	return u.Cluster.Open(ctx, node, r)
}

func (u *unreachable) Close() error {
	u.closed.Add(1)
	return u.Cluster.Close()
}

func TestLateIsReachedWhenItAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := &unreachable{Cluster: pusher.NewMemoryCluster()}
		c := bus.Late(u, slog.New(slog.DiscardHandler))
		told := bustest.NewRecorder()
		if err := c.Open(t.Context(), "n", told); err != nil {
			t.Fatalf("open while nothing answers: %v", err)
		}
		time.Sleep(10 * time.Second)
		if told.Forgets() != 0 {
			t.Error("forgotten before it was reached")
		}
		if err := c.Publish(t.Context(), []pusher.Message{{Channel: "x", Event: "e"}}); err == nil {
			t.Error("published into nothing")
		}
		u.there.Store(true)
		time.Sleep(3 * time.Second)
		if told.Forgets() != 1 || u.opened.Load() != 1 {
			t.Errorf("opened %d times, forgotten %d times; want 1 of each", u.opened.Load(), told.Forgets())
		}
		if err := c.Close(); err != nil || u.closed.Load() != 1 {
			t.Errorf("close: %v, %d times", err, u.closed.Load())
		}
	})
}

func TestLateEndsItsAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := &unreachable{Cluster: pusher.NewMemoryCluster()}
		c := bus.Late(u, slog.New(slog.DiscardHandler))
		if err := c.Open(t.Context(), "n", bustest.NewRecorder()); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil || u.closed.Load() != 0 {
			t.Errorf("close: %v, %d times", err, u.closed.Load())
		}
		u.there.Store(true)
		time.Sleep(time.Minute)
		if u.opened.Load() != 0 {
			t.Error("opened after it was closed")
		}
	})
}
