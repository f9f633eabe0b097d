package bustest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/webazaar/waybill/internal/pusher"
)

// sit tells the census, and checks what it says to that.
func (n *joined) sit(t testing.TB, seats map[string]int, wantOccupied, wantEmptied string) {
	t.Helper()
	occupied, emptied, err := n.Seats(t.Context(), seats)
	if err != nil {
		t.Fatalf("seats: %v", err)
	}
	if got := list(occupied); got != wantOccupied {
		t.Errorf("occupied %q, want %q", got, wantOccupied)
	}
	if got := list(emptied); got != wantEmptied {
		t.Errorf("emptied %q, want %q", got, wantEmptied)
	}
}

func (n *joined) settle(t testing.TB, want string, channels ...string) {
	t.Helper()
	vacated, err := n.Settle(t.Context(), channels)
	if err != nil {
		t.Fatalf("settle: %v", err)
	}
	if got := list(vacated); got != want {
		t.Errorf("vacated %q, want %q", got, want)
	}
}

func list(names []string) string {
	return strings.Join(slices.Sorted(slices.Values(names)), " ")
}

func seats(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	a.sit(t, map[string]int{"x": 2, "y": 1}, "x y", "")
	b.sit(t, map[string]int{"x": 1, "z": 1}, "z", "")
	a.sit(t, map[string]int{"x": 1}, "", "")
	a.sit(t, map[string]int{"x": 0, "y": 0}, "", "y")
	a.settle(t, "y", "x", "y", "z", "never")
	b.settle(t, "", "x", "y", "z")
	b.sit(t, map[string]int{"x": 0, "y": 1}, "y", "x")
	var vacated atomic.Int64
	var all sync.WaitGroup
	for range 4 { // all at once: it is one's
		for _, n := range []*joined{a, b} {
			all.Go(func() {
				got, err := n.Settle(t.Context(), []string{"x"})
				if err != nil {
					t.Errorf("settle: %v", err)
				}
				vacated.Add(int64(len(got)))
			})
		}
	}
	all.Wait()
	if vacated.Load() != 1 {
		t.Errorf("vacated %d times, want once", vacated.Load())
	}
}

func staysOccupied(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	a.sit(t, map[string]int{"x": 1}, "x", "")
	a.sit(t, map[string]int{"x": 0}, "", "x")
	b.sit(t, map[string]int{"x": 1}, "", "")
	a.settle(t, "", "x")
	b.sit(t, map[string]int{"x": 0}, "", "x")
	a.settle(t, "x", "x")
	b.sit(t, map[string]int{"x": 1}, "x", "")
}

func emptiedAgain(t *testing.T, c Cluster) {
	a := c.join(t)
	a.sit(t, map[string]int{"x": 0}, "", "")
	a.sit(t, map[string]int{"x": 1}, "x", "")
	a.sit(t, map[string]int{"x": 0}, "", "x")
	a.sit(t, map[string]int{"x": 0}, "", "x")
	a.settle(t, "x", "x")
	a.sit(t, map[string]int{"x": 0}, "", "")
}

func counts(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	a.sit(t, map[string]int{"x": 2, "y": 1}, "x y", "")
	b.sit(t, map[string]int{"x": 3}, "", "")
	for _, n := range []*joined{a, b} {
		got, err := n.Counts(t.Context(), []string{"y", "none", "x", "y"})
		if want := []int{1, 0, 5, 1}; err != nil || !slices.Equal(got, want) {
			t.Errorf("counts %v, %v; want %v", got, err, want)
		}
	}
	if got, err := a.Counts(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("no counts: %v, %v", got, err)
	}
}

func prefixes(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	here := map[string]int{"": 1, "a": 1, "ab": 1, "aB": 1, "a%": 1, "a%b": 1, "a_": 1, "a*": 1, "a*c": 1, "a?": 1, "a[b]": 1, `a\`: 1, `a\b`: 1, "a'": 1, "b": 1, "%": 1, "\xff\xff": 1, "a\x00b": 1, "#server-to-user-1": 1}
	if _, _, err := a.Seats(t.Context(), here); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Seats(t.Context(), map[string]int{"a%": 2, "ab": 1}); err != nil {
		t.Fatal(err)
	}
	sum := maps.Clone(here)
	sum["a%"] += 2
	sum["ab"]++
	for _, prefix := range []string{"", "a", "a%", "a_", "a*", "a?", "a[", "a[b]", `a\`, "a'", "%", "A", "\xff", "a\x00", "#server", "zzz"} {
		want := make(map[string]int)
		for channel, n := range sum {
			if strings.HasPrefix(channel, prefix) {
				want[channel] = n
			}
		}
		got, err := b.Channels(t.Context(), prefix)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("prefix %q: %v, %v; want %v", prefix, got, err, want)
		}
	}
}

func (n *joined) enter(t testing.TB, channel, user, info string, limit int) (members string, first bool) {
	t.Helper()
	m := pusher.Member{User: user}
	if info != "" {
		m.Info = []byte(info)
	}
	all, first, err := n.Enter(t.Context(), channel, m, limit)
	if err != nil {
		t.Fatalf("enter: %v", err)
	}
	return who(all), first
}

func who(members []pusher.Member) string {
	var all []string
	for _, m := range members {
		all = append(all, m.User+string(m.Info))
	}
	return strings.Join(all, " ")
}

func (n *joined) exit(t testing.TB, channel, user string) bool {
	t.Helper()
	last, err := n.Exit(t.Context(), channel, user)
	if err != nil {
		t.Fatalf("exit: %v", err)
	}
	return last
}

func (n *joined) members(t testing.TB, channel string) string {
	t.Helper()
	all, err := n.Members(t.Context(), channel)
	if err != nil {
		t.Fatalf("members: %v", err)
	}
	return who(all)
}

func entersAndExits(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	check := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	members, first := a.enter(t, "p", "zoe", `{"z":1}`, 0)
	check("alone", members, `zoe{"z":1}`)
	check("first", first, true)
	members, first = b.enter(t, "p", "amy", "", 0)
	check("two", members, `amy zoe{"z":1}`)
	check("first of amy", first, true)
	_, first = b.enter(t, "p", "zoe", "", 0)
	check("zoe's second", first, false)
	_, first = a.enter(t, "q", "zoe", "", 0)
	check("zoe elsewhere", first, true)
	check("amy is not on a", a.exit(t, "p", "amy"), false)
	check("zoe's last on a", a.exit(t, "p", "zoe"), false)
	check("zoe again on a", a.exit(t, "p", "zoe"), false)
	check("members", a.members(t, "p"), `amy zoe{"z":1}`)
	check("zoe's last", b.exit(t, "p", "zoe"), true)
	check("left", a.members(t, "p"), "amy")
	check("elsewhere", b.members(t, "q"), "zoe")
	check("nobody", b.members(t, "r"), "")
}

func full(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	a.enter(t, "p", "u1", "", 2)
	b.enter(t, "p", "u2", "", 2)
	if _, _, err := a.Enter(t.Context(), "p", pusher.Member{User: "u3"}, 2); !errors.Is(err, pusher.ErrFull) {
		t.Errorf("a third of two: %v", err)
	}
	if members, first := a.enter(t, "p", "u2", "", 2); first || members != "u1 u2" {
		t.Errorf("one who is in may come again: %v, %v", members, first)
	}
	if got := b.members(t, "p"); got != "u1 u2" {
		t.Errorf("members %q", got)
	}
	if a.exit(t, "p", "u3") {
		t.Error("who was refused left")
	}
	b.exit(t, "p", "u2")
	if !a.exit(t, "p", "u2") {
		t.Error("u2 is still in")
	}
	if members, first := a.enter(t, "p", "u3", "", 2); !first || members != "u1 u3" {
		t.Errorf("there is room again: %v, %v", members, first)
	}
}

func fullAtOnce(t *testing.T, c Cluster) {
	const limit = 7
	nodes := []*joined{c.join(t), c.join(t), c.join(t)}
	var in, out atomic.Int64
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			_, _, err := nodes[i%3].Enter(t.Context(), "p", pusher.Member{User: strconv.Itoa(i)}, limit)
			switch {
			case err == nil:
				in.Add(1)
			case errors.Is(err, pusher.ErrFull):
				out.Add(1)
			default:
				t.Errorf("enter: %v", err)
			}
		})
	}
	all.Wait()
	if in.Load() != limit || out.Load() != 30-limit {
		t.Errorf("%d are in and %d are not, want %d in", in.Load(), out.Load(), limit)
	}
	if members := strings.Fields(nodes[0].members(t, "p")); len(members) != limit {
		t.Errorf("%d members, want %d", len(members), limit)
	}
}

func keepsInfo(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	a.enter(t, "p", "amy", "-one", 0)
	if members, _ := b.enter(t, "p", "amy", "-two", 0); members != "amy-one" {
		t.Errorf("members %q", members)
	}
	a.exit(t, "p", "amy")
	if got := a.members(t, "p"); got != "amy-one" {
		t.Errorf("without the first connection: %q", got)
	}
	b.exit(t, "p", "amy")
	if members, _ := b.enter(t, "p", "amy", "", 0); members != "amy" {
		t.Errorf("anew: %q", members)
	}
}

func anyNames(t *testing.T, c Cluster) {
	a := c.join(t)
	odd := []string{"", "a", "\x00", "\xff\xfe", "'\"\\", "12:34", ":", "3:abc", "☃", strings.Repeat("long", 300)}
	for _, channel := range odd {
		for _, user := range odd {
			if _, first := a.enter(t, channel, user, "", 0); !first {
				t.Errorf("%q in %q was there before", user, channel)
			}
		}
		members, err := a.Members(t.Context(), channel)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range members {
			got = append(got, m.User)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(odd)), got); diff != "" {
			t.Errorf("members of %q (-want +got):\n%s", channel, diff)
		}
	}
	for _, channel := range odd {
		for _, user := range odd {
			if !a.exit(t, channel, user) {
				t.Errorf("%q in %q is still there", user, channel)
			}
		}
	}
}

func recalls(t *testing.T, c Cluster) {
	a, b := c.join(t), c.join(t)
	if _, _, ok, err := a.Recall(t.Context(), "cache-x"); ok || err != nil {
		t.Errorf("nothing was kept: %v, %v", ok, err)
	}
	for i, m := range []pusher.Message{message("cache-x", "old"), {Channel: "cache-x", Event: "\x00", Data: []byte("\x00\xff"), Except: "1.1"}} {
		fill(&m)
		if err := a.Remember(t.Context(), m, time.Minute); err != nil {
			t.Fatal(err)
		}
		got, ttl, ok, err := b.Recall(t.Context(), "cache-x")
		if err != nil || !ok || cmp.Diff(m, got) != "" {
			t.Errorf("recalled %d: %v, %v, %s", i, ok, err, cmp.Diff(m, got))
		}
		if ttl > time.Minute || ttl < 40*time.Second {
			t.Errorf("it is kept for %v more", ttl)
		}
	}
	if _, _, ok, err := b.Recall(t.Context(), "cache-y"); ok || err != nil {
		t.Errorf("another channel has one: %v, %v", ok, err)
	}
	if err := b.Remember(t.Context(), message("cache-x", "short"), 30*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has ended", func() bool {
		m, _, ok, err := a.Recall(t.Context(), "cache-x")
		if err != nil {
			t.Fatal(err)
		}
		if ok && string(m.Data) != "short" {
			t.Errorf("an earlier one came back: %q", m.Data)
		}
		return !ok
	})
}

func closedAnswers(t *testing.T, c Cluster) {
	never, _ := c.New(t)
	n := c.join(t)
	n.leave(t)
	for state, n := range map[string]pusher.Cluster{"never opened": never, "closed": n} {
		_, _, seats := n.Seats(t.Context(), map[string]int{"x": 1})
		_, settle := n.Settle(t.Context(), []string{"x"})
		_, counts := n.Counts(t.Context(), []string{"x"})
		_, channels := n.Channels(t.Context(), "")
		_, _, enter := n.Enter(t.Context(), "x", pusher.Member{User: "u"}, 0)
		_, exit := n.Exit(t.Context(), "x", "u")
		_, members := n.Members(t.Context(), "x")
		_, _, _, recall := n.Recall(t.Context(), "x")
		for what, err := range map[string]error{
			"follow": n.Follow(t.Context(), "x"), "publish": n.Publish(t.Context(), []pusher.Message{message("x", "1")}),
			"remember": n.Remember(t.Context(), message("x", "1"), time.Minute),
			"seats":    seats, "settle": settle, "counts": counts, "channels": channels, "enter": enter, "exit": exit, "members": members, "recall": recall,
		} {
			if err == nil {
				t.Errorf("%s on one that is %s", what, state)
			}
		}
		n.Unfollow("x")
		if err := n.Close(); err != nil {
			t.Errorf("close on one that is %s: %v", state, err)
		}
	}
}

func openFails(t *testing.T, c Cluster) {
	for what, trouble := range map[string]func(*Proxy){"nothing is there": (*Proxy).Cut, "nothing answers": (*Proxy).Freeze} {
		n, cable := c.New(t)
		if cable == nil {
			t.Skip("there is nothing between these nodes that could break")
		}
		trouble(cable)
		within(t, 6*time.Second, "opening where "+what, func() {
			if err := n.Open(t.Context(), fmt.Sprintf("node-%d", names.Add(1)), NewRecorder()); err == nil {
				t.Errorf("opened though %s", what)
			}
		})
	}
}
