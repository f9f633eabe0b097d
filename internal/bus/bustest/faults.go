package bustest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

// departures waits for the one departure among the nodes, and makes sure that it is
// the only one.
func departures(t *testing.T, settled time.Duration, nodes ...*joined) pusher.Departure {
	t.Helper()
	var all []pusher.Departure
	gather := func() bool {
		all = nil
		for _, n := range nodes {
			all = append(all, n.Departures()...)
		}
		return len(all) > 0
	}
	eventually(t, "somebody departed", gather)
	stays(t, settled)
	if gather(); len(all) != 1 {
		t.Fatalf("%d departures of one node: %v", len(all), all)
	}
	return all[0]
}

func checkDeparture(t *testing.T, d pusher.Departure, emptied string, members map[string]string) {
	t.Helper()
	if got := list(d.Emptied); got != emptied {
		t.Errorf("emptied %q, want %q", got, emptied)
	}
	if len(d.Members) != len(members) {
		t.Errorf("members are gone from %d channels, want %d", len(d.Members), len(members))
	}
	for channel, want := range members {
		gone := slices.SortedFunc(slices.Values(d.Members[channel]), func(a, b pusher.Member) int { return len(a.User) - len(b.User) })
		if got := who(gone); got != want {
			t.Errorf("gone from %s: %q, want %q", channel, got, want)
		}
	}
}

// furnish puts into the census what the node's end is seen by, and what it is not.
func furnish(t *testing.T, dying, other *joined) {
	t.Helper()
	dying.sit(t, map[string]int{"shared": 2, "own": 1, "left": 1}, "left own shared", "")
	other.sit(t, map[string]int{"shared": 1, "others": 1}, "others", "")
	dying.sit(t, map[string]int{"left": 0}, "", "left")
	dying.enter(t, "p", "a", "-info", 0)
	dying.enter(t, "p", "a", "-later", 0)
	dying.enter(t, "p", "bb", "", 0)
	dying.enter(t, "q", "a", "", 0)
	other.enter(t, "p", "bb", "", 0)
	other.enter(t, "p", "ccc", "", 0)
}

func furnished(t *testing.T, d pusher.Departure, others ...*joined) {
	t.Helper()
	checkDeparture(t, d, "left own", map[string]string{"p": "a-info", "q": "a"})
	for _, n := range others {
		if got := n.members(t, "p"); got != "bb ccc" {
			t.Errorf("members %q", got)
		}
		counts, err := n.Counts(t.Context(), []string{"shared", "own", "others"})
		if want := []int{1, 0, 1}; err != nil || !slices.Equal(counts, want) {
			t.Errorf("counts %v, %v; want %v", counts, err, want)
		}
	}
	others[0].settle(t, "left own", "shared", "own", "left", "others")
}

func closeDeparts(t *testing.T, c Cluster) {
	a, b, other := c.join(t), c.join(t), c.join(t)
	furnish(t, a, b)
	a.leave(t)
	began := time.Now()
	d := departures(t, 500*time.Millisecond, b, other)
	if took := time.Since(began); took > c.Lease {
		t.Errorf("it took %v, as if it had died", took)
	}
	furnished(t, d, b, other)
}

// heir is a receiver that publishes what it has to say of a departure, and goes on
// for a while after its node began to close.
type heir struct {
	*Recorder
	node              pusher.Cluster
	departed, closing chan struct{}
	err               error
}

func (h *heir) Departed(d pusher.Departure) {
	close(h.departed)
	<-h.closing
	for until := time.Now().Add(200 * time.Millisecond); h.err == nil && time.Now().Before(until); {
		h.err = h.node.Publish(context.Background(), []pusher.Message{message("news", "gone")})
	}
	h.Recorder.Departed(d)
}

func tellsWhileClosing(t *testing.T, c Cluster) {
	node, _ := c.New(t)
	h := &heir{Recorder: NewRecorder(), node: node, departed: make(chan struct{}), closing: make(chan struct{})}
	if err := node.Open(t.Context(), "heir", h); err != nil {
		t.Fatal(err)
	}
	dying := c.join(t)
	furnish(t, dying, &joined{Cluster: node, Recorder: h.Recorder})
	left := make(chan struct{})
	go func() {
		defer close(left)
		dying.leave(t)
	}()
	<-h.departed
	close(h.closing)
	if err := node.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	<-left
	if n := len(h.Departures()); n != 1 || h.err != nil {
		t.Errorf("%d departures worked off, %v", n, h.err)
	}
}

func lastLeaves(t *testing.T, c Cluster) {
	if n, cable := c.New(t); cable == nil {
		_ = n.Close()
		t.Skip("a cluster in memory ends with its last node")
	}
	a := c.join(t)
	a.sit(t, map[string]int{"x": 1}, "x", "")
	a.enter(t, "p", "u", "", 0)
	a.leave(t)
	b := c.join(t)
	d := departures(t, 200*time.Millisecond, b)
	checkDeparture(t, d, "x", map[string]string{"p": "u"})
	b.settle(t, "x", "x")
}

func dies(t *testing.T, c Cluster) {
	a, b, other := c.join(t), c.join(t), c.join(t)
	a.needsCable(t)
	furnish(t, a, b)
	a.cable.Cut()
	d := departures(t, 2*c.Lease, b, other)
	furnished(t, d, b, other)
	if n := b.Forgets() + other.Forgets(); n != 0 {
		t.Errorf("those who live were forgotten %d times", n)
	}
}

func owes(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	a.needsCable(t)
	a.sit(t, map[string]int{"x": 1, "settled": 1}, "settled x", "")
	a.sit(t, map[string]int{"x": 0, "settled": 0}, "", "settled x")
	a.settle(t, "settled", "settled")
	a.cable.Cut()
	d := departures(t, 0, b)
	checkDeparture(t, d, "x", nil)
	heir := c.join(t)
	b.cable.Cut() // before it has settled
	d = departures(t, 0, heir)
	checkDeparture(t, d, "x", nil)
	heir.settle(t, "x", "x")
}

func forgotten(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	a.needsCable(t)
	a.sit(t, map[string]int{"x": 1}, "x", "")
	a.enter(t, "p", "u", "", 0)
	a.follow(t, "orders")
	a.cable.Cut()
	departures(t, 0, b)
	a.cable.Mend()
	a.AwaitForgotten(t, 1)
	a.AwaitGaps(t, 1)
	if got := b.members(t, "p"); got != "" {
		t.Errorf("it was not forgotten: %q", got)
	}
	// What it puts in again stays.
	a.sit(t, map[string]int{"x": 1}, "", "")
	a.enter(t, "p", "u", "", 0)
	stays(t, 2*c.Lease)
	if got := b.members(t, "p"); got != "u" || a.Forgets() != 1 || len(b.Departures()) != 1 {
		t.Errorf("members %q, forgotten %d times, %d departures", got, a.Forgets(), len(b.Departures()))
	}
	b.publish(t, message("orders", "1"))
	a.AwaitMessages(t, "orders", 1)
}

// outage is one of Redis, say: all are away for longer than their leases last, and
// whoever is back first must not bury the others.
func outage(t *testing.T, c Cluster) {
	nodes := []*joined{c.join(t), c.join(t), c.join(t)}
	nodes[0].needsCable(t)
	for i, n := range nodes {
		n.sit(t, map[string]int{fmt.Sprint("x", i): 1}, fmt.Sprint("x", i), "")
		n.enter(t, "p", fmt.Sprint("u", i), "", 0)
	}
	for _, n := range nodes {
		n.cable.Cut()
	}
	stays(t, c.Lease*3/2)
	for _, n := range nodes {
		n.cable.Mend()
	}
	for _, n := range nodes {
		n.AwaitGaps(t, 1)
	}
	stays(t, 2*c.Lease)
	for _, n := range nodes {
		if n.Forgets() != 0 || len(n.Departures()) != 0 {
			t.Errorf("forgotten %d times, %d departures", n.Forgets(), len(n.Departures()))
		}
		if got := n.members(t, "p"); got != "u0 u1 u2" {
			t.Errorf("members %q", got)
		}
	}
}

func gap(t *testing.T, c Cluster) {
	const n = 300
	a, b := c.join(t), c.join(t)
	b.needsCable(t)
	names := make([]string, n)
	for i := range names {
		names[i] = "orders-" + strconv.Itoa(i)
	}
	b.follow(t, names...)
	a.follow(t, names[0])
	if b.Gaps() != 0 {
		t.Error("a gap at the start")
	}
	all := func(data string) (messages []pusher.Message) {
		for _, name := range names {
			messages = append(messages, message(name, data))
		}
		return messages
	}
	b.cable.Break()
	b.AwaitGaps(t, 1)
	a.publish(t, all("0")...) // at once: all is followed again
	for _, name := range names {
		b.AwaitMessages(t, name, 1)
	}
	b.cable.Cut()
	a.publish(t, all("lost")...)
	b.Unfollow(names[1])
	b.cable.Mend()
	b.AwaitGaps(t, 2)
	a.publish(t, all("1")...)
	for i, name := range names {
		if i != 1 {
			inOrder(t, b.AwaitMessages(t, name, 2), 2)
		}
	}
	if got := len(b.Messages(names[1])); got != 1 {
		t.Errorf("%d messages on a channel that was unfollowed meanwhile, want the one from before", got)
	}
	if a.Gaps() != 0 {
		t.Error("a gap where no link was down")
	}
}

func silence(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	b.needsCable(t)
	b.follow(t, "orders")
	b.cable.Freeze()
	stays(t, 5*time.Second) // to find out; what is held back goes nowhere then
	b.cable.Mend()
	b.AwaitGaps(t, 1)
	a.publish(t, message("orders", "0"))
	inOrder(t, b.AwaitMessages(t, "orders", 1), 1)
}

var troubles = map[string]func(*Proxy){"cut": (*Proxy).Cut, "frozen": (*Proxy).Freeze}

func publishFails(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	a.needsCable(t)
	b.follow(t, "orders")
	n := 0
	for what, trouble := range troubles {
		trouble(a.cable)
		for range 2 {
			within(t, 3*time.Second, "publishing while "+what, func() {
				if err := a.Publish(t.Context(), []pusher.Message{message("orders", "lost, or late")}); err == nil {
					t.Errorf("published though the cable is %s", what)
				}
			})
		}
		a.cable.Mend()
		data := fmt.Sprint("after ", n)
		eventually(t, "publishing works again", func() bool {
			return a.Publish(t.Context(), []pusher.Message{message("orders", data)}) == nil
		})
		b.await(t, "what was published then", func() bool {
			return slices.ContainsFunc(b.messages, func(m pusher.Message) bool { return string(m.Data) == data })
		})
		n++
	}
}

func followFails(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	b.needsCable(t)
	for what, trouble := range troubles {
		trouble(b.cable)
		given := "given up " + what
		within(t, 3*time.Second, "following while "+what, func() {
			if err := b.Follow(t.Context(), given); err == nil {
				t.Errorf("followed though the cable is %s", what)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		within(t, time.Second, "following for a moment", func() {
			if err := b.Follow(ctx, given); err == nil {
				t.Errorf("followed though the cable is %s", what)
			}
		})
		cancel()
		b.cable.Mend()
		eventually(t, "following works again", func() bool { return b.Follow(t.Context(), "orders "+what) == nil })
		a.publish(t, message(given, "1"), message("orders "+what, "1"))
		b.AwaitMessages(t, "orders "+what, 1)
		if got := len(b.Messages(given)); got != 0 {
			t.Errorf("%d messages on a channel that could not be followed", got)
		}
	}
}

func censusFails(t *testing.T, c Cluster) {
	n := c.join(t)
	n.needsCable(t)
	for what, trouble := range troubles {
		trouble(n.cable)
		for step, do := range map[string]func() error{
			"seats":  func() error { _, _, err := n.Seats(t.Context(), map[string]int{"x": 1}); return err },
			"enter":  func() error { _, _, err := n.Enter(t.Context(), "p", pusher.Member{User: "u"}, 0); return err },
			"recall": func() error { _, _, _, err := n.Recall(t.Context(), "x"); return err },
		} {
			within(t, 3*time.Second, step+" while "+what, func() {
				if err := do(); err == nil {
					t.Errorf("%s though the cable is %s", step, what)
				}
			})
		}
		n.cable.Mend()
		eventually(t, "it answers again", func() bool { _, err := n.Counts(t.Context(), []string{"x"}); return err == nil })
	}
}

func closesWithout(t *testing.T, c Cluster) {
	for what, trouble := range troubles {
		n := c.join(t)
		n.needsCable(t)
		n.follow(t, "orders")
		trouble(n.cable)
		within(t, 8*time.Second, "closing while "+what, func() { n.leave(t) })
	}
}
