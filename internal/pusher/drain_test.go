package pusher

import (
	"context"
	"errors"
	"net/http"
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

// A node that is being closed may be the one that is told what another left behind:
// then it tells the rest before it goes.
func TestMembersOfDeadNodeWhoseHeirCloses(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"at once": 0, "its keeper gone": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				nodes := setupNodes(t, 3, unhurried)
				heir, dead, other := nodes[0], nodes[1], nodes[2]
				a := other.watcher(t)
				a.enter("presence-x", "a")
				dead.watcher(t).enter("presence-x", "b")
				a.want(eventMemberAdded)
				// Webhooks that are not taken keep it closing for a while.
				w := &waiting{}
				heir.webhooks = newWebhooks(heir.Server, []WebhookTarget{{URL: "http://shop.example/hook"}})
				heir.webhooks.senders[0].client.Transport = w
				heir.webhooks.add(webhookEvent{Name: webhookOccupied, Channel: "x"})
				closed := make(chan error)
				if after == 0 {
					dead.crash()
				}
				go func() { closed <- heir.Close() }()
				if after > 0 {
					time.Sleep(after)
					dead.crash()
				}
				if err := <-closed; err != nil {
					t.Error(err)
				}
				told := a.sofar()
				if len(told) == 0 || told[len(told)-1].text(t) != `{"user_id":"b"}` {
					t.Errorf("told %v", told)
				}
			})
		})
	}
}

// waiting is a webhook's target that does not answer.
type waiting struct{}

func (*waiting) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
