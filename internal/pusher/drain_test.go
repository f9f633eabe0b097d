package pusher

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws/wsutil"
)

func TestClose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	c.subscribe("x")
	b.publish(t, "x", "last", "1")
	closed := make(chan error)
	go func() { closed <- b.Close() }()
	c.want("last")
	c.wantClose(CodeReconnect)
	_ = c.nc.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if s := b.Stats(); s != (Stats{}) {
		t.Errorf("left behind: %+v", s)
	}
}

// A client that does not react is cut off; Close does not wait for it.
func TestCloseCutsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t)
		b.pipe(t) // reads nothing, not even its handshake
		start := time.Now()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d != closeGrace {
			t.Errorf("took %v", d)
		}
	})
}

func TestDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const watchers = 400
		b := setupPipe(t)
		start := time.Now()
		gone := make(chan time.Duration, watchers)
		for range watchers {
			c := b.pipe(t)
			c.establish()
			go func() {
				_, err := c.read()
				var closed wsutil.ClosedError
				if !errors.As(err, &closed) || Code(closed.Code) != CodeReconnect {
					t.Errorf("got %v", err)
				}
				_ = c.nc.Close()
				gone <- time.Since(start)
			}()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		drained := make(chan error, 1)
		go func() { drained <- b.Drain(ctx) }()

		synctest.Wait()
		late := b.pipe(t)
		late.wantError(CodeOverCapacity, "shutting down")
		late.wantClose(CodeOverCapacity)

		if err := <-drained; err != nil {
			t.Error(err)
		}
		slices := map[time.Duration]int{}
		for range watchers {
			slices[<-gone]++
		}
		if len(slices) < 5 {
			t.Errorf("closed in %d slices: %v", len(slices), slices)
		}
		for at := range slices {
			if at > 800*time.Millisecond {
				t.Errorf("closed at %v", at)
			}
		}
	})
}

func TestDrainEmpty(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if err := b.Drain(t.Context()); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestDrainOutOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t)
		b.pipe(t) // reads nothing
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if n := b.Stats().Connections; n != 0 {
			t.Errorf("%d left", n)
		}
	})
}
