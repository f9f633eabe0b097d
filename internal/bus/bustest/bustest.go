package bustest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

// Cluster makes the nodes of one cluster.
type Cluster struct {
	// New returns another node that is not open yet, and the cable through which it
	// reaches the outside: nil if there is none, and then nothing can be cut.
	New   func(t testing.TB) (pusher.Cluster, *Proxy)
	Lease time.Duration
}

// Setup makes a cluster of its own for a test, whose nodes have this lease.
type Setup func(t testing.TB, lease time.Duration) Cluster

const (
	calm  = 10 * time.Second        // nobody dies
	brief = 2500 * time.Millisecond // somebody is to die
)

// Run holds what setup makes to what pusher.Cluster says.
func Run(t *testing.T, setup Setup) {
	for _, one := range tests {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			lease := calm
			if one.faults {
				lease = brief
			}
			one.test(t, setup(t, lease))
		})
	}
}

type suiteTest struct {
	name   string
	faults bool
	test   func(t *testing.T, c Cluster)
}

var tests = []suiteTest{
	{"open fails where nothing answers", true, openFails},
	{"what is not open, or closed, answers with an error", false, closedAnswers},

	{"a message reaches those who follow its channel, once", false, delivers},
	{"a publisher's messages keep their order", false, keepsOrder},
	{"two publishers' messages keep their orders", false, keepsOrders},
	{"equal messages are each delivered", false, keepsEqual},
	{"a message is delivered as it was", false, keepsBytes},
	{"what is published after follow returned is delivered", false, followHasBegun},
	{"thousands of channels are followed at once", false, followsMany},
	{"nothing is delivered after unfollow", false, unfollows},
	{"a channel can be followed again", false, followsAgain},
	{"nothing is delivered after close", false, closeEnds},

	{"the first seat occupies, the last empties, and settling is once", false, seats},
	{"a channel that is entered again before settle stays occupied", false, staysOccupied},
	{"emptied is said again when it is asked again", false, emptiedAgain},
	{"counts are those of all nodes", false, counts},
	{"channels are found by their prefix, whatever it holds", false, prefixes},
	{"the first connection enters, the last exits", false, entersAndExits},
	{"a full channel takes nobody new", false, full},
	{"many enter at once, and not more than may", false, fullAtOnce},
	{"info is kept from the first connection", false, keepsInfo},
	{"names may be any text", false, anyNames},
	{"the last event is recalled until it ends", false, recalls},
	{"three nodes agree with a simple one", false, agrees},

	{"a node that closes departs at once", false, closeDeparts},
	{"a node that closes can tell of a departure", false, tellsWhileClosing},
	{"what the last node left departs when another comes", false, lastLeaves},
	{"a node that dies departs once", true, dies},
	{"what a node was to settle is passed on", true, owes},
	{"a node that was away is forgotten", true, forgotten},
	{"an outage of all is no departure", true, outage},
	{"a broken link is mended, with a gap", true, gap},
	{"a silent link is found out", true, silence},
	{"publishing fails while nothing answers, and works again", true, publishFails},
	{"following fails while nothing answers, and works again", true, followFails},
	{"the census fails while nothing answers", true, censusFails},
	{"close does not hang while nothing answers", true, closesWithout},
}

// joined is an open node with what it was told.
type joined struct {
	pusher.Cluster
	*Recorder
	cable *Proxy
	left  bool
}

var names atomic.Int64

// join opens a node, and closes it when the test ends.
func (c Cluster) join(t testing.TB) *joined {
	t.Helper()
	cluster, cable := c.New(t)
	n := &joined{Cluster: cluster, Recorder: NewRecorder(), cable: cable}
	if err := n.Open(t.Context(), fmt.Sprintf("node-%d", names.Add(1)), n.Recorder); err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { n.leave(t) })
	return n
}

// leave closes the node, after which it must not be told anything.
func (n *joined) leave(t testing.TB) {
	t.Helper()
	if n.left {
		return
	}
	n.left = true
	if err := n.Close(); err != nil && !n.isCut() {
		t.Errorf("close: %v", err)
	}
	n.Recorder.mu.Lock()
	n.closed = true
	n.Recorder.mu.Unlock()
	t.Cleanup(func() {
		if late := n.count(func() int { return n.late }); late > 0 {
			t.Errorf("called %d times after close", late)
		}
	})
}

func (n *joined) isCut() bool {
	if n.cable == nil {
		return false
	}
	n.cable.mu.Lock()
	defer n.cable.mu.Unlock()
	select {
	case <-n.cable.frozen:
		return n.cable.cut
	default:
		return true
	}
}

// needsCable skips what cannot be shown without one.
func (n *joined) needsCable(t testing.TB) {
	t.Helper()
	if n.cable == nil {
		t.Skip("there is nothing between these nodes that could break")
	}
}

func (n *joined) follow(t testing.TB, channels ...string) {
	t.Helper()
	for _, channel := range channels {
		if err := n.Follow(t.Context(), channel); err != nil {
			t.Fatalf("follow: %v", err)
		}
	}
}

func (n *joined) publish(t testing.TB, messages ...pusher.Message) {
	t.Helper()
	if err := n.Publish(t.Context(), messages); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

func message(channel, data string) pusher.Message {
	return pusher.Message{Channel: channel, Event: "updated", Data: []byte(data)}
}

// eventually asks until it holds.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// within fails the test if do takes longer.
func within(t testing.TB, most time.Duration, what string, do func()) {
	t.Helper()
	began := time.Now()
	do()
	if took := time.Since(began); took > most {
		t.Errorf("%s took %v, at most %v is allowed", what, took, most)
	}
}

// stays passes time in which nothing is to happen.
func stays(t testing.TB, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	<-ctx.Done()
}
