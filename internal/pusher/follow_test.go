package pusher

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// following is a cluster that notes what is followed, and takes its time.
type following struct {
	Cluster
	mu    sync.Mutex
	calls []string
	takes time.Duration
	err   error
	under map[string]bool // a call for the channel is under way
	twice bool            // there were two at once
}

func (f *following) Follow(ctx context.Context, channel string) error {
	f.mu.Lock()
	f.calls = append(f.calls, "+"+channel)
	f.twice = f.twice || f.under[channel]
	f.under[channel] = true
	takes, err := f.takes, f.err
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.under[channel] = false
		f.mu.Unlock()
	}()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	return f.Cluster.Follow(ctx, channel)
}

func (f *following) Unfollow(channel string) {
	f.mu.Lock()
	f.calls = append(f.calls, "-"+channel)
	f.twice = f.twice || f.under[channel]
	f.mu.Unlock()
	f.Cluster.Unfollow(channel)
}

func (f *following) set(takes time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.takes, f.err = takes, err
}

func (f *following) since() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

func setupFollowing(t *testing.T) (*bundle, *following) {
	t.Helper()
	// A second node, so that the cluster does need to know.
	f := &following{Cluster: NewMemoryClusters(2)[0], under: map[string]bool{}}
	return setupPipe(t, func(o *Options) { o.Cluster = f }), f
}

func (f *following) want(t *testing.T, calls ...string) {
	t.Helper()
	if diff := cmp.Diff(calls, f.since()); diff != "" {
		t.Error(diff)
	}
}

// A node follows what is watched on it, from before the first hears of his success
// until some time after the last left.
func TestFollowsWhatIsWatched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, f := setupFollowing(t)
		f.set(time.Second, nil)
		one, two, three := b.watcher(t), b.watcher(t), b.watcher(t)
		start := time.Now()
		for _, c := range []*client{one, two, three} {
			c.ask("x", "", "")
		}
		for _, c := range []*client{one, two, three} {
			c.want(eventSubscribed)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("told after %v", d)
		}
		f.want(t, "+x") // one for all
		b.publish(t, "x", "e", "1")
		one.want("e")
		two.want("e")
		three.want("e")

		one.leave()
		two.leave()
		time.Sleep(time.Minute)
		f.want(t)
		three.unsubscribe("x")
		time.Sleep(time.Second)
		f.want(t) // not at once
		three.subscribe("x")
		time.Sleep(time.Minute)
		f.want(t)
		three.unsubscribe("x")
		three.alive()
		if n := b.Stats().Channels; n != 0 {
			t.Errorf("%d channels are watched", n)
		}
		time.Sleep(time.Minute)
		f.want(t, "-x")
		synctest.Wait()
		if n := len(b.hub.shard("x").channels); n != 0 {
			t.Errorf("%d channels left", n)
		}
		three.subscribe("x")
		f.want(t, "+x")
		if f.twice {
			t.Error("two calls at once for one channel")
		}
	})
}

// A cluster that does not answer keeps nobody for longer than five seconds, and
// all that wait for the same hear the same.
func TestFollowFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, f := setupFollowing(t)
		f.set(time.Hour, nil)
		start := time.Now()
		one, two := b.watcher(t), b.watcher(t)
		for _, c := range []*client{one, two} {
			c.ask("x", "", "")
		}
		for _, c := range []*client{one, two} {
			c.wantRefusal("x", "ServerError", 503)
		}
		if d := time.Since(start); d != clusterTimeout {
			t.Errorf("told after %v", d)
		}
		f.want(t, "+x")
		f.set(0, errors.New("away"))
		one.ask("x", "", "")
		one.wantRefusal("x", "ServerError", 503)
		f.set(0, nil)
		one.subscribe("x")
		two.subscribe("x")
		f.want(t, "+x", "+x")
	})
}

// Whoever was refused because the cluster was away is sent to subscribe anew when
// it is back: pusher-js does not by itself.
func TestWhoWasRefusedIsSentAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, f := setupFollowing(t)
		f.set(0, errors.New("away"))
		refused, other := b.watcher(t), b.watcher(t)
		for _, channel := range []string{"x", "y"} {
			refused.ask(channel, "", "")
			refused.wantRefusal(channel, "ServerError", 503)
		}
		time.Sleep(time.Minute)
		refused.alive()
		f.set(0, nil)
		time.Sleep(2 * time.Second)
		refused.wantClose(CodeReconnect)
		other.alive()
		other.subscribe("x")
		time.Sleep(time.Minute)
		if calls := f.since(); len(calls) > 130 || calls[len(calls)-1] != "+x" {
			t.Errorf("%d calls, the last %v", len(calls), calls[len(calls)-1:])
		}
	})
}

// To close the server does not wait for the cluster.
func TestCloseWhileFollowing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, f := setupFollowing(t)
		f.set(time.Hour, nil)
		c := b.watcher(t)
		c.ask("x", "", "")
		synctest.Wait()
		start := time.Now()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d > closeGrace {
			t.Errorf("took %v", d)
		}
	})
}

// However channels are entered and left, by many at once and while following is
// ended as early as can be: who has a seat, his channel is followed.
func TestFollowingUnderRaces(t *testing.T) {
	t.Parallel()
	f := &following{Cluster: NewMemoryClusters(2)[0], under: map[string]bool{}}
	b := setup(t, func(o *Options) { o.Cluster = f })
	node := f.Cluster.(*memoryNode)
	stop := make(chan struct{})
	var unfollowing, coming sync.WaitGroup
	unfollowing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				b.hub.unfollow(time.Now().Add(time.Hour), f.Unfollow)
				runtime.Gosched()
			}
		}
	})
	for i := range 8 {
		c := &conn{server: b.Server, id: "1.1"}
		channel := string(rune('a' + i%2))
		coming.Go(func() {
			for range 500 {
				st := &seat{conn: c}
				if err := b.sit(st, channel, nil); err != nil {
					t.Error(err)
					return
				}
				node.memory.mu.RLock()
				_, followed := node.follows[channel]
				node.memory.mu.RUnlock()
				if !followed {
					t.Errorf("%s is not followed", channel)
				}
				b.hub.leave(st)
			}
		})
	}
	coming.Wait()
	close(stop)
	unfollowing.Wait()
	b.hub.unfollow(time.Now().Add(time.Hour), f.Unfollow)
	if f.twice {
		t.Error("two calls at once for one channel")
	}
	if n := len(node.follows); n != 0 {
		t.Errorf("%d channels are still followed", n)
	}
}

// No event is left out silently: whoever may have missed one is sent away, in
// slices, and only he.
func TestGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const watchers = 400
		cluster := &fakeCluster{Cluster: NewMemoryCluster()}
		b := setupPipe(t, func(o *Options) { o.Cluster = cluster })
		idle := b.watcher(t)
		start := time.Now()
		gone := make(chan time.Duration, watchers)
		for range watchers {
			c := b.watcher(t)
			c.subscribe("x")
			go func() {
				c.wantClose(CodeReconnect)
				gone <- time.Since(start)
				c.leave()
			}()
		}
		synctest.Wait()
		cluster.receiver.Gap()
		slices := map[time.Duration]int{}
		for range watchers {
			slices[<-gone]++
		}
		if len(slices) < 5 {
			t.Errorf("closed in %d slices: %v", len(slices), slices)
		}
		idle.alive()
		b.observer.await(t, "the gap is counted", func() bool { return cmp.Equal(b.observer.gaps, []int{watchers}) })
	})
}

// What the census forgot of a node it is told again.
func TestSeatsOfForgottenNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2)
		nodes[1].watcher(t).subscribe("x")
		time.Sleep(time.Second)
		nodes[1].lapse()
		if n, err := nodes[0].counts(t.Context(), []string{"x"}); err != nil || n[0] != 0 {
			t.Errorf("%v, %v", n, err)
		}
		time.Sleep(time.Second)
		if n, err := nodes[0].counts(t.Context(), []string{"x"}); err != nil || n[0] != 1 {
			t.Errorf("%v, %v", n, err)
		}
	})
}

// Seats are reported together, and again until the cluster has heard.
func TestSeatsAreReportedInBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster := &reports{Cluster: NewMemoryCluster()}
		b := setupPipe(t, func(o *Options) { o.Cluster = cluster })
		cluster.fail = true
		for range 50 {
			b.watcher(t).subscribe("x")
		}
		time.Sleep(10 * time.Second)
		cluster.mu.Lock()
		cluster.fail = false
		cluster.heard = nil
		cluster.mu.Unlock()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]map[string]int{{"x": 50}}, cluster.heard); diff != "" {
			t.Error(diff)
		}
	})
}

type reports struct {
	Cluster
	mu    sync.Mutex
	heard []map[string]int
	fail  bool
}

func (r *reports) Seats(ctx context.Context, seats map[string]int) (occupied, emptied []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, seats)
	if r.fail {
		return nil, nil, errors.New("away")
	}
	return r.Cluster.Seats(ctx, seats)
}
