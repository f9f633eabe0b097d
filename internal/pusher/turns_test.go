package pusher

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a cluster some of whose answers come a second after what they say was so.
type slow struct {
	Cluster
	settle, counts atomic.Bool
}

func (s *slow) Settle(ctx context.Context, channels []string) ([]string, error) {
	vacated, err := s.Cluster.Settle(ctx, channels)
	if s.settle.Load() {
		time.Sleep(time.Second)
	}
	return vacated, err
}

func (s *slow) Counts(ctx context.Context, channels []string) ([]int, error) {
	counts, err := s.Cluster.Counts(ctx, channels)
	if s.counts.Swap(false) {
		time.Sleep(time.Second)
	}
	return counts, err
}

// settled is a cluster that says a little later what it has settled.
type settled struct {
	Cluster
	now chan struct{} // closed when it has
}

func (s *settled) Settle(ctx context.Context, channels []string) ([]string, error) {
	vacated, err := s.Cluster.Settle(ctx, channels)
	if len(vacated) > 0 {
		close(s.now)
		<-time.After(200 * time.Millisecond)
	}
	return vacated, err
}

// A channel that is entered in the moment in which it is vacated is told of in
// that order: whoever keeps the last that he was told is right.
func TestOccupationIsToldInOrder(t *testing.T) {
	t.Parallel()
	now := make(chan struct{})
	b := setup(t, func(o *Options) {
		o.Cluster = &settled{Cluster: NewMemoryCluster(), now: now}
		o.Webhooks = []WebhookTarget{{URL: "http://shop.example/hook"}}
	})
	w := new(taker)
	b.webhooks.senders[0].client.Transport = w
	c := b.connect(t)
	c.subscribe("x")
	if _, err := b.counts(t.Context(), []string{"x"}); err != nil { // and so reports
		t.Fatal(err)
	}
	c.unsubscribe("x")
	<-now
	c.subscribe("x")
	if _, err := b.counts(t.Context(), []string{"x"}); err != nil {
		t.Fatal(err)
	}
	b.observer.await(t, "three events were sent", func() bool { return b.observer.sent == 3 })
	w.mu.Lock()
	defer w.mu.Unlock()
	if want := []string{"channel_occupied x", "channel_vacated x", "channel_occupied x"}; !slices.Equal(w.events, want) {
		t.Errorf("told %v", w.events)
	}
}

// A user who comes to another node while this one is about to tell that he is gone
// is online.
func TestOnlineIsToldLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clusters := NewMemoryClusters(2)
		s := &slow{Cluster: clusters[0]}
		one := setupPipe(t, unhurried, func(o *Options) { o.Cluster = s })
		two := setupPipe(t, unhurried, func(o *Options) { o.Cluster = clusters[1] })
		watching, user := two.watcher(t), one.watcher(t)
		user.signIn(User{ID: "7"})
		time.Sleep(time.Second)
		watching.signIn(User{ID: "8", Watchlist: []string{"7"}})
		watching.want(eventWatchlist)
		s.settle.Store(true)
		user.leave()
		time.Sleep(settleAfter + reportEvery + 500*time.Millisecond)
		two.watcher(t).signIn(User{ID: "7"})
		time.Sleep(10 * time.Second)
		frames := watching.sofar()
		if last := frames[len(frames)-1].text(t); last != `{"events":[{"name":"online","user_ids":["7"]}]}` {
			t.Errorf("told last: %s", last)
		}
	})
}

// Of two nodes that tell how many watch a channel, the one that asked first may
// tell last.
func TestNewestCountIsToldLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clusters := NewMemoryClusters(2)
		s := &slow{Cluster: clusters[0]}
		counting := func(o *Options) { o.SubscriptionCount = true }
		one := setupPipe(t, unhurried, counting, func(o *Options) { o.Cluster = s })
		two := setupPipe(t, unhurried, counting, func(o *Options) { o.Cluster = clusters[1] })
		s.counts.Store(true)
		c := one.watcher(t)
		c.subscribe("x")
		time.Sleep(500 * time.Millisecond) // one has asked
		two.watcher(t).subscribe("x")
		time.Sleep(10 * time.Second)
		frames := c.sofar()
		if last := frames[len(frames)-1].text(t); last != `{"subscription_count":2}` {
			t.Errorf("told last: %s", last)
		}
	})
}
