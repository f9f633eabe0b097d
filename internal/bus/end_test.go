package bus

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

// silent is an outside that takes every question and answers none.
type silent struct{ asked int }

func (s *silent) dial(context.Context, func([]byte)) (link, error) { return deaf{}, nil }
func (s *silent) join(context.Context, string) error               { return nil }

func (s *silent) renew(ctx context.Context, _ string) error {
	s.asked++
	<-ctx.Done()
	return ctx.Err()
}

func (s *silent) leave(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s *silent) reap(context.Context, string, bool) (*pusher.Departure, error) { return nil, nil }

type deaf struct{}

func (deaf) change(context.Context, []string, []string) error { return nil }
func (deaf) lost() <-chan error                               { return nil }
func (deaf) close()                                           {}

type nobody struct{}

func (nobody) Deliver(pusher.Message)    {}
func (nobody) Gap()                      {}
func (nobody) Forgotten()                {}
func (nobody) Departed(pusher.Departure) {}

// A short lease has the next renewal due whenever one is given up: closing must
// not begin it.
func TestEndWaitsForNoMoreThanWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	for range 20 { // select takes any of what is ready
		synctest.Test(t, func(t *testing.T) {
			s := &silent{}
			n := newNode(s, nil, time.Second)
			if err := n.begin(t.Context(), "n", nobody{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(patience / 2) // the first renewal waits for its answer
			began := time.Now()
			if err := n.end(); err == nil {
				t.Error("left though nobody answered")
			}
			if took, most := time.Since(began), patience/2+patience/2; took > most || s.asked != 1 {
				t.Errorf("closing took %v and the lease was asked for %d times; want %v at most, and once", took, s.asked, most)
			}
		})
	}
}

func TestOutboxSendsNothingOnceItIsClosed(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			o, sent := newOutbox(), 0
			for range 3 {
				go func() { _ = o.send(t.Context(), []pusher.Message{{Channel: "c"}}) }()
			}
			synctest.Wait()
			o.close()
			o.run(func(context.Context, uint64, []pusher.Message) error { sent++; return nil })
			if sent != 0 {
				t.Error("sent after it was closed")
			}
		})
	}
}
