package pusher

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// step is one thing that happens to a cluster of three nodes.
type step struct {
	what    string // enter, leave (the channel), close (the page), crash, lapse, wait
	node    int
	user    int
	watcher int // which of those that are there
	pause   time.Duration
}

// Whatever happens, in whatever order: a member is told of when his first
// connection comes and when his last is gone, and occupation begins and ends by
// turns. An observer on a node that never fails sees it all; what he sees is held
// against a model that knows nothing of nodes.
func TestMembersAndOccupationUnderAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{
				what:    rapid.SampledFrom([]string{"enter", "enter", "enter", "enter", "leave", "leave", "close", "crash", "lapse", "wait"}).Draw(r, "what"),
				node:    rapid.IntRange(1, 2).Draw(r, "node"),
				user:    rapid.IntRange(0, 2).Draw(r, "user"),
				watcher: rapid.IntRange(0, 100).Draw(r, "watcher"),
				pause:   time.Duration(rapid.SampledFrom([]int{0, 0, 50, 150, 2000, 4000}).Draw(r, "pause")) * time.Millisecond,
			}
		}), 1, 30).Draw(r, "steps")
		wrong := ""
		synctest.Test(t, func(t *testing.T) { wrong = newTrial(t).run(steps) })
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// trial is a cluster in which steps happen, and the model of it.
type trial struct {
	t        *testing.T
	nodes    []*bundle
	taken    *taker
	observer *client
	present  []present // who is in, by the model
	seen     map[string]bool
}

type present struct {
	c    *client
	node int
	user string
}

func newTrial(t *testing.T) *trial {
	nodes, w := setupTaken(t, 3)
	tr := &trial{t: t, nodes: nodes, taken: w, observer: nodes[0].watcher(t), seen: map[string]bool{}}
	tr.observer.enter("presence-x", "observer")
	return tr
}

func (tr *trial) users() map[string]bool {
	users := map[string]bool{}
	for _, p := range tr.present {
		users[p.user] = true
	}
	return users
}

func (tr *trial) run(steps []step) string {
	for _, s := range steps {
		if wrong := tr.do(s); wrong != "" {
			return wrong
		}
		time.Sleep(s.pause)
	}
	// All go, and all is settled.
	for _, p := range tr.present {
		p.c.leave()
	}
	tr.present = nil
	if wrong := tr.look("the end"); wrong != "" {
		return wrong
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	tr.taken.mu.Lock()
	defer tr.taken.mu.Unlock()
	return alternate(tr.taken.events, tr.taken.at)
}

// do takes one step and compares what is told of it.
func (tr *trial) do(s step) string {
	crashed := func() { // the node itself is new, under the same name here
		var rest []present
		for _, p := range tr.present {
			if p.node != s.node {
				rest = append(rest, p)
			}
		}
		tr.present = rest
	}
	again := false
	switch s.what {
	case "enter":
		user := fmt.Sprint("u", s.user)
		c := tr.nodes[s.node].watcher(tr.t)
		c.enter("presence-x", user)
		tr.present = append(tr.present, present{c, s.node, user})
	case "leave", "close":
		if len(tr.present) == 0 {
			return ""
		}
		i := s.watcher % len(tr.present)
		if p := tr.present[i]; s.what == "close" {
			p.c.leave()
		} else {
			p.c.unsubscribe("presence-x")
			p.c.sofar()
		}
		tr.present = slices.Delete(tr.present, i, i+1)
	case "crash":
		// Its watchers go when the cluster has been told already that it is dead.
		synctest.Wait()
		b := tr.nodes[s.node]
		b.crash()
		_ = b.Close()
		crashed()
		cluster := &memoryNode{memory: b.opts.Cluster.(*memoryNode).memory}
		tr.nodes[s.node] = setupPipe(tr.t, func(o *Options) {
			o.Cluster, o.WriteTimeout, o.ActivityTimeout = cluster, time.Hour, time.Hour
			o.Webhooks = b.opts.Webhooks
		})
		for _, sender := range tr.nodes[s.node].webhooks.senders {
			sender.client.Transport = tr.taken
		}
	case "lapse":
		time.Sleep(time.Second) // what was under way is in the census
		tr.nodes[s.node].lapse()
		again = true
	}
	time.Sleep(500 * time.Millisecond)
	if again {
		return tr.lookAgain()
	}
	return tr.look(s.what)
}

// look reads what the observer was told since: exactly who came or went.
func (tr *trial) look(what string) string {
	time.Sleep(500 * time.Millisecond)
	want := tr.users()
	for _, f := range tr.observer.sofar() {
		user, _, _ := strings.Cut(strings.TrimPrefix(f.text(tr.t), `{"user_id":"`), `"`)
		switch added := f.Event == eventMemberAdded; {
		case added == tr.seen[user]:
			return fmt.Sprintf("%s: told twice of %s: %s", what, user, f.Event)
		case added != want[user]:
			return fmt.Sprintf("%s: %s of %s, which is not so", what, f.Event, user)
		case added:
			tr.seen[user] = true
		default:
			delete(tr.seen, user)
		}
	}
	if !maps.Equal(want, tr.seen) {
		return fmt.Sprintf("%s: there are %v, told of %v", what, want, tr.seen)
	}
	return ""
}

// lookAgain is for a node that was taken for dead: those who only sat there may be
// told gone, and must be told back.
func (tr *trial) lookAgain() string {
	time.Sleep(2 * time.Second)
	for _, f := range tr.observer.sofar() {
		user, _, _ := strings.Cut(strings.TrimPrefix(f.text(tr.t), `{"user_id":"`), `"`)
		if f.Event == eventMemberAdded {
			tr.seen[user] = true
		} else {
			delete(tr.seen, user)
		}
	}
	if want := tr.users(); !maps.Equal(want, tr.seen) {
		return fmt.Sprintf("lapse: there are %v, told of %v", want, tr.seen)
	}
	return ""
}

// alternate says whether, of each channel and each member, the webhooks that begin
// and those that end come by turns, beginning with one that begins. Those of one
// moment, which two nodes sent, may have overtaken each other.
func alternate(events []string, at []time.Time) string {
	on := map[string]bool{}
	early := map[string]time.Time{} // began in the moment in which it also ended
	for i, e := range events {
		name, about, _ := strings.Cut(e, " ")
		begins := name == webhookOccupied || name == webhookMemberAdded
		moment, pending := early[about]
		switch {
		case pending && (begins || !moment.Equal(at[i])):
			return fmt.Sprintf("%s twice in %v", about, events)
		case pending:
			delete(early, about) // it goes on
		case begins && on[about]:
			early[about] = at[i]
		case begins == on[about]:
			return fmt.Sprintf("%s out of turn in %v", e, events)
		default:
			on[about] = begins
		}
	}
	for about, still := range on {
		if still && about != "presence-x" && about != "presence-x observer" {
			return fmt.Sprintf("%s never ended in %v", about, events)
		}
	}
	if len(early) > 0 {
		return fmt.Sprintf("%v twice in %v", early, events)
	}
	return ""
}
