package pusher

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// unhurried lets clients read and say nothing for a while.
func unhurried(o *Options) { o.WriteTimeout, o.ActivityTimeout = time.Hour, time.Hour }

// inPresence are who is in the channel by the census, once all is settled.
func (b *bundle) inPresence(t *testing.T, channel string) []string {
	t.Helper()
	time.Sleep(10 * time.Second)
	members, err := b.opts.Cluster.Members(t.Context(), channel)
	if err != nil {
		t.Fatal(err)
	}
	var users []string
	for _, m := range members {
		users = append(users, m.User)
	}
	return users
}

// A second page that could not get in leaves the first where it is.
func TestRefusedPageTakesNobodyOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster := &fakeCluster{Cluster: NewMemoryCluster()}
		b := setupPipe(t, unhurried, func(o *Options) { o.Cluster = cluster })
		a, page := b.watcher(t), b.watcher(t)
		a.enter("presence-x", "a")
		page.enter("presence-x", "b")
		a.want(eventMemberAdded)

		second := b.watcher(t)
		auth, err := testApp.AuthorizePresence(second.id, "presence-x", Member{User: "b"})
		if err != nil {
			t.Fatal(err)
		}
		cluster.fail(errors.New("away"), nil)
		second.ask("presence-x", auth.Auth, auth.ChannelData)
		second.wantRefusal("presence-x", "ServerError", 503)
		second.leave()
		time.Sleep(time.Second)
		cluster.fail(nil, nil)
		wantMembers(t, b.inPresence(t, "presence-x"), "a", "b")
		for _, f := range a.sofar() {
			if f.Event == eventMemberRemoved {
				t.Errorf("told that he is gone: %s", f.text(t))
			}
		}
		page.leave()
		wantMembers(t, b.inPresence(t, "presence-x"), "a")
	})
}

// losing is a cluster that does what it is asked, of which some answers are lost.
type losing struct {
	Cluster
	enter, exit atomic.Int32 // how many answers are still lost
}

func (l *losing) Enter(ctx context.Context, channel string, m Member, limit int) ([]Member, bool, error) {
	members, first, err := l.Cluster.Enter(ctx, channel, m, limit)
	if l.enter.Add(-1) >= 0 {
		return nil, false, errors.New("no answer")
	}
	return members, first, err
}

func (l *losing) Exit(ctx context.Context, channel, user string) (bool, error) {
	last, err := l.Cluster.Exit(ctx, channel, user)
	if l.exit.Add(-1) >= 0 {
		return false, errors.New("no answer")
	}
	return last, err
}

// What was done and could not be answered is not done twice.
func TestLostAnswersOfTheCensus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clusters := NewMemoryClusters(2)
		l := &losing{Cluster: clusters[1]}
		other := setupPipe(t, unhurried, func(o *Options) { o.Cluster = clusters[0] })
		b := setupPipe(t, unhurried, func(o *Options) { o.Cluster = l })
		a := other.watcher(t)
		a.enter("presence-x", "a")

		// One of two pages leaves.
		one, two := b.watcher(t), b.watcher(t)
		one.enter("presence-x", "b")
		two.enter("presence-x", "b")
		l.exit.Store(2)
		one.leave()
		wantMembers(t, other.inPresence(t, "presence-x"), "a", "b")

		// The node is forgotten, and puts the other in again.
		clusters[1].(*memoryNode).depart()
		l.enter.Store(2)
		receiver{b.Server}.Forgotten()
		wantMembers(t, other.inPresence(t, "presence-x"), "a", "b")
		two.leave()
		wantMembers(t, other.inPresence(t, "presence-x"), "a")
		toldLast := func(want string) {
			t.Helper()
			var last string
			for _, f := range a.sofar() {
				last = f.Event + f.text(t)
			}
			if last != want {
				t.Errorf("told last: %s", last)
			}
		}
		toldLast(eventMemberRemoved + `{"user_id":"b"}`)

		// That he was the last is what was lost.
		three := b.watcher(t)
		three.enter("presence-x", "c")
		l.exit.Store(1)
		three.leave()
		wantMembers(t, other.inPresence(t, "presence-x"), "a")
		toldLast(eventMemberRemoved + `{"user_id":"c"}`)
	})
}

// Who enters after the cluster has forgotten the node, and before it has put in
// again those who were there, is in once.
func TestEnteringAForgottenNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2, unhurried)
		a := nodes[0].watcher(t)
		a.enter("presence-x", "a")
		before := nodes[1].watcher(t)
		before.enter("presence-x", "b")
		nodes[1].lapse()
		late, same := nodes[1].watcher(t), nodes[1].watcher(t)
		late.enter("presence-x", "c")
		same.enter("presence-x", "b")
		wantMembers(t, nodes[0].inPresence(t, "presence-x"), "a", "b", "c")
		late.leave()
		same.leave()
		wantMembers(t, nodes[0].inPresence(t, "presence-x"), "a", "b")
		before.leave()
		wantMembers(t, nodes[0].inPresence(t, "presence-x"), "a")
	})
}

// As long as members cannot be put in again nobody waits for it: pings are
// answered, and who leaves has left.
func TestForgottenNodeGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster := &fakeCluster{Cluster: NewMemoryCluster()}
		b := setupPipe(t, unhurried, func(o *Options) { o.Cluster = cluster })
		stays, leaves := b.watcher(t), b.watcher(t)
		stays.enter("presence-x", "a")
		leaves.enter("presence-x", "b")
		stays.want(eventMemberAdded)
		cluster.fail(errors.New("away"), nil)
		cluster.Cluster.(*memoryNode).depart()
		receiver{b.Server}.Forgotten()
		time.Sleep(time.Second)
		answered := make(chan struct{})
		go func() {
			leaves.unsubscribe("presence-x")
			leaves.sofar()
			close(answered)
		}()
		select {
		case <-answered:
		case <-time.After(clusterTimeout):
			t.Error("no answer to a ping")
		}
		cluster.fail(nil, nil)
		<-answered
		wantMembers(t, b.inPresence(t, "presence-x"), "a")
	})
}
