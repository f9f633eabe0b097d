package pusher

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeCluster is a real cluster that can be made to fail.
type fakeCluster struct {
	Cluster
	receiver Receiver

	mu      sync.Mutex
	err     error                 // of every call, if any
	publish func([]Message) error // instead of the cluster's, if any
	follow  func(channel string) error
}

func (f *fakeCluster) fail(err error, publish func([]Message) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.publish = err, publish
}

func (f *fakeCluster) failing() (func([]Message) error, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.publish, f.err
}

func (f *fakeCluster) Open(ctx context.Context, node string, r Receiver) error {
	if _, err := f.failing(); err != nil {
		return err
	}
	f.receiver = r
	return f.Cluster.Open(ctx, node, r)
}

func (f *fakeCluster) Follow(ctx context.Context, channel string) error {
	if _, err := f.failing(); err != nil {
		return err
	}
	if f.follow != nil {
		if err := f.follow(channel); err != nil {
			return err
		}
	}
	return f.Cluster.Follow(ctx, channel)
}

func (f *fakeCluster) Publish(ctx context.Context, m []Message) error {
	publish, err := f.failing()
	switch {
	case err != nil:
		return err
	case publish != nil:
		return publish(m)
	}
	return f.Cluster.Publish(ctx, m)
}

func (f *fakeCluster) Seats(ctx context.Context, seats map[string]int) (occupied, emptied []string, err error) {
	if _, err := f.failing(); err != nil {
		return nil, nil, err
	}
	return f.Cluster.Seats(ctx, seats)
}

func (f *fakeCluster) Counts(ctx context.Context, channels []string) ([]int, error) {
	if _, err := f.failing(); err != nil {
		return nil, err
	}
	return f.Cluster.Counts(ctx, channels)
}

func (f *fakeCluster) Channels(ctx context.Context, prefix string) (map[string]int, error) {
	if _, err := f.failing(); err != nil {
		return nil, err
	}
	return f.Cluster.Channels(ctx, prefix)
}

func (f *fakeCluster) Enter(ctx context.Context, channel string, m Member, limit int) (members []Member, first bool, err error) {
	if _, err := f.failing(); err != nil {
		return nil, false, err
	}
	return f.Cluster.Enter(ctx, channel, m, limit)
}

func (f *fakeCluster) Exit(ctx context.Context, channel, user string) (last bool, err error) {
	if _, err := f.failing(); err != nil {
		return false, err
	}
	return f.Cluster.Exit(ctx, channel, user)
}

func (f *fakeCluster) Members(ctx context.Context, channel string) ([]Member, error) {
	if _, err := f.failing(); err != nil {
		return nil, err
	}
	return f.Cluster.Members(ctx, channel)
}

func (f *fakeCluster) Remember(ctx context.Context, m Message, ttl time.Duration) error {
	if _, err := f.failing(); err != nil {
		return err
	}
	return f.Cluster.Remember(ctx, m, ttl)
}

func (f *fakeCluster) Recall(ctx context.Context, channel string) (m Message, ttl time.Duration, ok bool, err error) {
	if _, err := f.failing(); err != nil {
		return m, 0, false, err
	}
	return f.Cluster.Recall(ctx, channel)
}

// ear is a Receiver that keeps what it is told.
type ear struct {
	delivered []Message
	departed  []Departure
	forgotten int
}

func (e *ear) Deliver(m Message)    { e.delivered = append(e.delivered, m) }
func (e *ear) Gap()                 {}
func (e *ear) Forgotten()           { e.forgotten++ }
func (e *ear) Departed(d Departure) { e.departed = append(e.departed, d) }

func openMemory(t *testing.T, n int) ([]Cluster, []*ear) {
	t.Helper()
	clusters, ears := NewMemoryClusters(n), make([]*ear, n)
	for i, c := range clusters {
		ears[i] = new(ear)
		if err := c.Open(t.Context(), "node", ears[i]); err != nil {
			t.Fatal(err)
		}
	}
	return clusters, ears
}

func TestMemoryBusReachesThoseThatFollow(t *testing.T) {
	t.Parallel()
	nodes, ears := openMemory(t, 3)
	ctx := t.Context()
	for _, i := range []int{0, 1} {
		if err := nodes[i].Follow(ctx, "x"); err != nil {
			t.Fatal(err)
		}
	}
	send := func(event string) {
		t.Helper()
		if err := nodes[2].Publish(ctx, []Message{{Channel: "x", Event: event}, {Channel: "y", Event: event}}); err != nil {
			t.Fatal(err)
		}
	}
	send("one")
	nodes[0].Unfollow("x")
	send("two")
	if err := nodes[1].Close(); err != nil {
		t.Fatal(err)
	}
	send("three")
	if n := []int{len(ears[0].delivered), len(ears[1].delivered), len(ears[2].delivered)}; !slices.Equal(n, []int{1, 2, 0}) {
		t.Errorf("delivered %v", n)
	}
	if err := nodes[1].Publish(ctx, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("publish after close: %v", err)
	}
}

func TestMemoryCensusSeats(t *testing.T) {
	t.Parallel()
	nodes, ears := openMemory(t, 2)
	ctx := t.Context()
	seats := func(node int, count int, occupied, emptied bool) {
		t.Helper()
		o, e, err := nodes[node].Seats(ctx, map[string]int{"x": count})
		if err != nil || (len(o) == 1) != occupied || (len(e) == 1) != emptied {
			t.Errorf("%d on node %d: occupied %v, emptied %v, %v", count, node, o, e, err)
		}
	}
	settle := func(node int, vacated bool) {
		t.Helper()
		if v, err := nodes[node].Settle(ctx, []string{"x", "never"}); err != nil || (len(v) == 1) != vacated {
			t.Errorf("vacated %v, %v", v, err)
		}
	}
	seats(0, 0, false, false)
	seats(0, 2, true, false)
	seats(1, 3, false, false)
	if n, err := nodes[0].Counts(ctx, []string{"none", "x"}); err != nil || !slices.Equal(n, []int{0, 5}) {
		t.Errorf("counts %v, %v", n, err)
	}
	seats(0, 0, false, false)
	settle(0, false)
	seats(1, 0, false, true)
	seats(0, 1, false, false) // back before Settle: it was occupied all the time
	settle(1, false)
	seats(0, 0, false, true)
	settle(1, true)
	settle(0, false) // once
	seats(0, 1, true, false)
	all, err := nodes[1].Channels(ctx, "x")
	if diff := cmp.Diff(map[string]int{"x": 1}, all); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := nodes[0].Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Departure{{Emptied: []string{"x"}, Members: map[string][]Member{}}}, ears[1].departed); diff != "" {
		t.Error(diff)
	}
	settle(1, true)
}

func TestMemoryCensusMembers(t *testing.T) {
	t.Parallel()
	nodes, ears := openMemory(t, 2)
	ctx := t.Context()
	enter := func(node int, user, info string, first bool, members int) {
		t.Helper()
		in, f, err := nodes[node].Enter(ctx, "presence-x", Member{User: user, Info: []byte(info)}, 2)
		if err != nil || f != first || len(in) != members {
			t.Errorf("%s entered: %v, first %v, %v", user, in, f, err)
		}
	}
	exit := func(node int, user string, last bool) {
		t.Helper()
		if l, err := nodes[node].Exit(ctx, "presence-x", user); err != nil || l != last {
			t.Errorf("%s left: last %v, %v", user, l, err)
		}
	}
	enter(0, "a", "1", true, 1)
	enter(1, "a", "2", false, 1)
	enter(1, "b", "3", true, 2)
	if _, _, err := nodes[0].Enter(ctx, "presence-x", Member{User: "c"}, 2); !errors.Is(err, ErrFull) {
		t.Errorf("over the limit: %v", err)
	}
	enter(0, "b", "4", false, 2) // is there already: not over the limit
	exit(0, "a", false)
	exit(0, "a", false) // none of his here
	exit(1, "a", true)
	enter(1, "a", "5", true, 2)
	members, err := nodes[0].Members(ctx, "presence-x")
	if diff := cmp.Diff([]Member{{"a", []byte("5")}, {"b", []byte("3")}}, members); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := nodes[1].Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]Member{"presence-x": {{"a", []byte("5")}}}, ears[0].departed[0].Members); diff != "" {
		t.Error(diff)
	}
	exit(0, "b", true)
}

func TestMemoryCensusRemembers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := openMemory(t, 2)
		ctx := t.Context()
		for _, event := range []string{"one", "two"} {
			if err := nodes[0].Remember(ctx, Message{Channel: "cache-x", Event: event}, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Second)
		if m, ttl, ok, err := nodes[1].Recall(ctx, "cache-x"); m.Event != "two" || ttl != 40*time.Second || !ok || err != nil {
			t.Errorf("%+v for %v, %v, %v", m, ttl, ok, err)
		}
		time.Sleep(40 * time.Second)
		if m, _, ok, err := nodes[1].Recall(ctx, "cache-x"); ok || err != nil {
			t.Errorf("expired, and still %+v, %v", m, err)
		}
		// Those that nobody asks for go too.
		for i := range 5000 {
			if err := nodes[0].Remember(ctx, Message{Channel: string(rune('a'+i%26)) + time.Now().String()}, time.Second); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n := len(nodes[0].(*memoryNode).memory.census.last); n > 1001 {
			t.Errorf("%d kept", n)
		}
	})
}
