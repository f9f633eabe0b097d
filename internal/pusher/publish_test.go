package pusher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws/wsutil"
)

func (b *bundle) publish(t testing.TB, channel, event, data string) {
	t.Helper()
	if err := b.Publish(t.Context(), []string{channel}, event, []byte(data), ""); err != nil {
		t.Fatal(err)
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two, other := b.connect(t), b.connect(t), b.connect(t)
	one.subscribe("orders")
	two.subscribe("orders")
	two.subscribe("more")
	other.subscribe("else")

	data := `{"text":"\"quoted\" <b>&amp;</b>\n","hindi":"रास्ते में"}`
	b.publish(t, "orders", "update", data)
	for _, c := range []*client{one, two} {
		if f := c.want("update"); f.Channel != "orders" || f.text(t) != data {
			t.Errorf("got %q: %s", f.Channel, f.Data)
		}
	}
	if err := b.Publish(t.Context(), []string{"orders", "more"}, "both", []byte("1"), one.id); err != nil {
		t.Fatal(err)
	}
	if f := two.want("both"); f.Channel != "orders" {
		t.Error("order of channels")
	}
	if f := two.want("both"); f.Channel != "more" {
		t.Error("order of channels")
	}
	one.alive() // was excepted
	other.alive()

	two.send(`{"event":"pusher:unsubscribe","data":{"channel":"orders"}}`)
	two.alive()
	b.publish(t, "orders", "update", "1")
	one.want("update")
	two.alive()
	two.subscribe("orders") // may come back
	if want := (Stats{Connections: 3, Channels: 3, Subscriptions: 4}); b.Stats() != want {
		t.Errorf("%+v", b.Stats())
	}
	if b.observer.delivered != 2+2+1 {
		t.Errorf("delivered %d", b.observer.delivered)
	}
}

// The three lengths of a frame's header.
func TestPublishSizes(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.MaxEventBytes = 100 << 10 })
	c := b.connect(t)
	c.subscribe("x")
	for _, n := range []int{0, 1, 82, 83, 84, 85, 86, 87, 88, 89, 90, 65490, 65500, 65510, 100 << 10} {
		data := strings.Repeat("a", n)
		b.publish(t, "x", "e", data)
		if f := c.want("e"); f.text(t) != data {
			t.Errorf("%d bytes came back as %d", n, len(f.text(t)))
		}
	}
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	c.subscribe("x")
	for _, tt := range []struct {
		name, channel, event, data, except string
		want                               error
	}{
		{"no channel", "", "e", "", "", ErrInvalidChannel},
		{"channel's letters", "a b", "e", "", "", ErrInvalidChannel},
		{"long channel", strings.Repeat("c", 201), "e", "", "", ErrInvalidChannel},
		{"no event", "x", "", "", "", ErrInvalidEvent},
		{"long event", "x", strings.Repeat("e", 201), "", "", ErrInvalidEvent},
		{"reserved event", "x", "pusher:error", "", "", ErrInvalidEvent},
		{"internal event", "x", "pusher_internal:member_added", "", "", ErrInvalidEvent},
		{"socket id", "x", "e", "", "12", ErrInvalidSocketID},
		{"too large", "x", "e", strings.Repeat("d", 10<<10+1), "", ErrTooLarge},
		{"termination", "#server-to-user-1", eventTerminate, "", "", ErrInvalidEvent},
		{"watchlist", "#watchlist-1", "e", "", "", ErrInvalidChannel},
		{"member", "#member-presence-x#1", "e", "", "", ErrInvalidChannel},
		{"encrypted with another", "private-encrypted-x", "e", "", "", ErrInvalidChannel},
	} {
		// Together with a good channel: nothing is sent when one is bad.
		err := b.Publish(t.Context(), []string{"x", tt.channel}, tt.event, []byte(tt.data), tt.except)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	c.alive()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Publish(gone, []string{"x"}, "e", nil, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), []string{"x"}, "e", nil, ""); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Watchers come and go while several publish: each sees the success first, every
// publisher's events in order and without a gap, and nothing after it left.
func TestOrderUnderRaces(t *testing.T) {
	t.Parallel()
	const publishers, watchers, rounds = 3, 8, 15
	// Falling behind has its own test.
	b := setup(t, func(o *Options) { o.QueueBytes, o.QueueMessages = 1<<30, 1<<30 })
	stop := make(chan struct{})
	var publishing sync.WaitGroup
	for p := range publishers {
		publishing.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := b.Publish(context.Background(), []string{"busy"}, "n", fmt.Appendf(nil, "[%d,%d]", p, n), ""); err != nil {
					t.Error(err)
					return
				}
				runtime.Gosched() // the watchers have the same processors
			}
		})
	}
	var watching sync.WaitGroup
	for range watchers {
		c := b.connect(t)
		watching.Go(func() {
			for range rounds {
				if err := watchRound(c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	watching.Wait()
	close(stop)
	publishing.Wait()
}

// watchRound subscribes, reads some events, unsubscribes, and reads up to the pong
// that follows: an event after that would be the next round's first frame.
func watchRound(c *client) error {
	send := func(s string) error { return wsutil.WriteClientText(c.nc, []byte(s)) }
	if err := send(`{"event":"pusher:subscribe","data":{"channel":"busy"}}`); err != nil {
		return err
	}
	f, err := c.read()
	if err != nil {
		return err
	}
	if f.Event != eventSubscribed {
		return fmt.Errorf("%s before the success", f.Event)
	}
	last := map[int]int{}
	for read := 0; ; read++ {
		if read == 20 {
			if err := send(`{"event":"pusher:unsubscribe","data":{"channel":"busy"}}`); err != nil {
				return err
			}
			if err := send(`{"event":"pusher:ping"}`); err != nil {
				return err
			}
		}
		f, err := c.read()
		if err != nil {
			return err
		}
		if f.Event == eventPong {
			return nil
		}
		var text string
		var n [2]int
		if err := errors.Join(json.Unmarshal(f.Data, &text), json.Unmarshal([]byte(text), &n)); err != nil {
			return err
		}
		if before, ok := last[n[0]]; ok && n[1] != before+1 {
			return fmt.Errorf("publisher %d: %d after %d", n[0], n[1], before)
		}
		last[n[0]] = n[1]
	}
}

// A cluster may be anything: what it is given and what it delivers is all there is.
func TestPublishGoesThroughTheCluster(t *testing.T) {
	t.Parallel()
	cluster := &fakeCluster{Cluster: NewMemoryCluster()}
	b := setup(t, func(o *Options) { o.Cluster = cluster })
	c := b.connect(t)
	c.subscribe("x")
	cluster.fail(nil, func(m []Message) error {
		if len(m) != 1 || m[0].Channel != "x" {
			t.Errorf("published %+v", m)
		}
		return nil
	})
	b.publish(t, "x", "mine", "1")
	c.alive() // nothing is delivered past the cluster
	cluster.receiver.Deliver(Message{Channel: "x", Event: "from-another-node", Data: []byte("2")})
	c.want("from-another-node")
	cluster.receiver.Deliver(Message{Channel: "x", Event: "excepted-here", Data: []byte("2"), Except: c.id})
	c.alive()
	down := errors.New("bus is down")
	cluster.fail(down, nil)
	if err := b.Publish(t.Context(), []string{"x"}, "e", nil, ""); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
}

func TestClusterThatDoesNotOpen(t *testing.T) {
	t.Parallel()
	broken := &fakeCluster{Cluster: NewMemoryCluster()}
	broken.fail(errors.New("no bus"), nil)
	if _, err := New(Options{App: testApp, Cluster: broken}); !errors.Is(err, broken.err) {
		t.Errorf("got %v", err)
	}
}
