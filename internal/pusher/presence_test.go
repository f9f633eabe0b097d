package pusher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func wantMembers(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
}

// A member is told of once, however many connections he has and wherever.
func TestMembersComeAndGoOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2)
		a := nodes[0].watcher(t)
		wantMembers(t, a.enter("presence-x", "a"), "a")
		b := nodes[1].watcher(t)
		wantMembers(t, b.enter("presence-x", "b"), "a", "b")
		a.wantText(eventMemberAdded, `{"user_id":"b","user_info":{"name":"b"}}`)
		again := nodes[0].watcher(t)
		wantMembers(t, again.enter("presence-x", "b"), "a", "b")
		a.alive() // knows already
		b.alive() // and he himself is told nothing
		b.unsubscribe("presence-x")
		b.alive()
		a.alive() // he is still there
		again.leave()
		a.wantText(eventMemberRemoved, `{"user_id":"b"}`)
	})
}

func TestPresenceChannelData(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.MaxMemberBytes = 20 })
	for _, tt := range []struct {
		name, data string
		want       string // the hash, or the type of the error
		status     int
	}{
		{"a number", `{"user_id":10,"user_info":{"a":1}}`, `"hash":{"10":{"a":1}}`, 0},
		{"text", `{"user_id":"ten"}`, `"hash":{"ten":{}}`, 0},
		{"no info", `{"user_id":"ten","user_info":null}`, `"hash":{"ten":{}}`, 0},
		{"info of any kind", `{"user_id":"ten","user_info":[1]}`, `"hash":{"ten":[1]}`, 0},
		{"quotes", `{"user_id":"\"<é>\""}`, `"hash":{"\"<é>\"":{}}`, 0},
		{"no user", `{"user_info":{}}`, "InvalidData", 400},
		{"empty user", `{"user_id":""}`, "InvalidData", 400},
		{"an object for a user", `{"user_id":{}}`, "InvalidData", 400},
		{"null for a user", `{"user_id":null}`, "InvalidData", 400},
		{"no object", `7`, "InvalidData", 400},
		{"not JSON", `{`, "InvalidData", 400},
		{"long user", `{"user_id":"` + strings.Repeat("u", 129) + `"}`, "LimitReached", 4100},
		{"longest user", `{"user_id":"` + strings.Repeat("u", 128) + `"}`, `"hash":{"u`, 0},
		{"long info", `{"user_id":"a","user_info":"` + strings.Repeat("i", 19) + `"}`, "LimitReached", 4100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := b.connect(t)
			c.ask("presence-x", testApp.Key+":"+testApp.sign(c.id+":presence-x:"+tt.data), tt.data)
			if tt.status != 0 {
				c.wantRefusal("presence-x", tt.want, tt.status)
			} else if got := c.want(eventSubscribed).text(t); !strings.Contains(got, tt.want) || !strings.Contains(got, `"count":1`) {
				t.Errorf("got %s", got)
			}
			c.alive()
			c.unsubscribe("presence-x")
			if tt.status != 0 {
				c.wantError(0, "No current subscription")
			}
			c.alive()
		})
	}
}

func TestPresenceSignature(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	good, err := testApp.AuthorizePresence(c.id, "presence-x", Member{User: "1"})
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string][3]string{
		"other channel":         {"presence-y", good.Auth, good.ChannelData},
		"other user":            {"presence-x", good.Auth, `{"user_id":"2"}`},
		"other spelling":        {"presence-x", good.Auth, good.ChannelData + " "},
		"no user, not signed":   {"presence-x", good.Auth, ""},
		"no user, not signedin": {"presence-x", testApp.Key + ":" + testApp.sign(c.id+":presence-x"), ""},
		"nothing":               {"presence-x", "", ""},
	} {
		c.ask(ask[0], ask[1], ask[2])
		c.wantRefusal(ask[0], "AuthError", 401)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	c.ask("presence-x", good.Auth, good.ChannelData)
	wantMembers(t, c.members("presence-x"), "1")
}

// Who has signed in may come without channel_data, as the one he is.
func TestPresenceOfSignedInUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.connect(t)
	c.signIn(User{ID: "7", Info: []byte(`{"name":"Seven"}`)})
	c.ask("presence-x", testApp.Key+":"+testApp.sign(c.id+":presence-x"), "")
	if got := c.want(eventSubscribed).text(t); !strings.Contains(got, `"hash":{"7":{"name":"Seven"}}`) {
		t.Errorf("got %s", got)
	}
}

func TestPresenceChannelIsFull(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.MaxMembers = 2 })
	first := b.connect(t)
	first.enter("presence-x", "a")
	second := b.connect(t)
	second.enter("presence-x", "b")
	first.want(eventMemberAdded)
	over := b.connect(t)
	a, err := testApp.AuthorizePresence(over.id, "presence-x", Member{User: "c"})
	if err != nil {
		t.Fatal(err)
	}
	over.ask("presence-x", a.Auth, a.ChannelData)
	over.wantRefusal("presence-x", "LimitReached", 4100)
	// Who is in may be in twice, and a place that is left can be taken.
	b.connect(t).enter("presence-x", "b")
	first.unsubscribe("presence-x")
	second.wantText(eventMemberRemoved, `{"user_id":"a"}`)
	over.ask("presence-x", a.Auth, a.ChannelData)
	wantMembers(t, over.members("presence-x"), "b", "c")
}

// What happens in the channel while a watcher is on his way in comes after his
// success, and none of it is lost.
func TestEventsWaitForTheSuccess(t *testing.T) {
	t.Parallel()
	cluster := &entering{Cluster: NewMemoryCluster()}
	b := setup(t, func(o *Options) { o.Cluster = cluster })
	c := b.connect(t)
	cluster.meanwhile = func() {
		for i := range 3 {
			b.publish(t, "presence-x", "e", fmt.Sprint(i))
		}
	}
	wantMembers(t, c.enter("presence-x", "a"), "a")
	for i := range 3 {
		c.wantText("e", fmt.Sprint(i))
	}
	c.alive()
}

// A watcher for whom too much waits before his success is closed like any other.
func TestTooMuchBeforeTheSuccess(t *testing.T) {
	t.Parallel()
	cluster := &entering{Cluster: NewMemoryCluster()}
	b := setup(t, func(o *Options) { o.Cluster, o.QueueMessages = cluster, 10 })
	c := b.connect(t)
	cluster.meanwhile = func() {
		for range 11 {
			b.publish(t, "presence-x", "e", "1")
		}
	}
	a, err := testApp.AuthorizePresence(c.id, "presence-x", Member{User: "a"})
	if err != nil {
		t.Fatal(err)
	}
	c.ask("presence-x", a.Auth, a.ChannelData)
	c.wantClose(CodeOverCapacity)
}

// entering is a cluster in which something happens just before someone is in.
type entering struct {
	Cluster
	meanwhile func()
	err       error
}

func (c *entering) Enter(ctx context.Context, channel string, m Member, limit int) ([]Member, bool, error) {
	if c.meanwhile != nil {
		c.meanwhile()
	}
	if c.err != nil {
		return nil, false, c.err
	}
	return c.Cluster.Enter(ctx, channel, m, limit)
}

func (c *entering) Recall(ctx context.Context, channel string) (Message, time.Duration, bool, error) {
	m, ttl, ok, err := c.Cluster.Recall(ctx, channel)
	if c.meanwhile != nil {
		c.meanwhile()
	}
	return m, ttl, ok, errors.Join(err, c.err)
}

// A node whose lease ran out puts its members in again; those of the others are
// told what they have to know, and no more.
func TestMembersOfForgottenNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2)
		a := nodes[0].watcher(t)
		a.enter("presence-x", "a")
		b := nodes[1].watcher(t)
		b.enter("presence-x", "b")
		again := nodes[1].watcher(t)
		again.enter("presence-x", "b")
		a.want(eventMemberAdded)
		nodes[1].lapse()
		time.Sleep(time.Second)
		// Who of the two nodes is first is open; that he is there comes last.
		var last string
		for _, f := range a.sofar() {
			last = f.Event + f.text(t)
		}
		if last != eventMemberAdded+`{"user_id":"b","user_info":{"name":"b"}}` {
			t.Errorf("told last: %s", last)
		}
		again.leave()
		a.alive() // still one connection of his
		b.unsubscribe("presence-x")
		a.wantText(eventMemberRemoved, `{"user_id":"b"}`)
		time.Sleep(time.Second)
		if n, err := nodes[0].counts(t.Context(), []string{"presence-x"}); err != nil || n[0] != 1 {
			t.Errorf("%v connections, %v", n, err)
		}
	})
}

func TestMembersOfDeadNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 3)
		a := nodes[0].watcher(t)
		a.enter("presence-x", "a")
		for _, user := range []string{"b", "b", "a"} {
			nodes[1].watcher(t).enter("presence-x", user)
		}
		a.want(eventMemberAdded)
		nodes[1].crash()
		a.wantText(eventMemberRemoved, `{"user_id":"b"}`)
		a.alive()
	})
}

// A node that is closed in good order leaves with all its members.
func TestMembersOfClosedNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2)
		a, b := nodes[0].watcher(t), nodes[1].watcher(t)
		a.enter("presence-x", "a")
		b.enter("presence-x", "b")
		a.want(eventMemberAdded)
		go func() {
			b.wantClose(CodeReconnect)
			b.leave()
		}()
		if err := nodes[1].Close(); err != nil {
			t.Error(err)
		}
		a.wantText(eventMemberRemoved, `{"user_id":"b"}`)
		a.alive()
	})
}

// Whom the success shows to be there is not told of as coming, however long it takes
// to tell of him.
func TestWhoIsThereDoesNotCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster := &fakeCluster{Cluster: NewMemoryCluster()}
		b := setupPipe(t, unhurried, func(o *Options) { o.Cluster = cluster })
		cluster.fail(nil, func(m []Message) error {
			time.Sleep(time.Second)
			return cluster.Cluster.Publish(context.Background(), m)
		})
		one, two := b.watcher(t), b.watcher(t)
		one.enter("presence-x", "a")
		wantMembers(t, two.enter("presence-x", "b"), "a", "b")
		time.Sleep(5 * time.Second)
		if told := two.sofar(); len(told) > 0 {
			t.Errorf("told %s %s", told[0].Event, told[0].Data)
		}
		one.want(eventMemberAdded)
	})
}

// A member whose going the census could not be told of is taken out later.
func TestExitIsMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster := &fakeCluster{Cluster: NewMemoryCluster()}
		b := setupPipe(t, func(o *Options) { o.Cluster = cluster })
		a, other := b.watcher(t), b.watcher(t)
		a.enter("presence-x", "a")
		other.enter("presence-x", "b")
		a.want(eventMemberAdded)
		cluster.fail(errors.New("away"), nil)
		other.leave()
		time.Sleep(10 * time.Second)
		a.alive()
		cluster.fail(nil, nil)
		a.wantText(eventMemberRemoved, `{"user_id":"b"}`)
	})
}

// Users come and go on two nodes at once, as fast as they can. What an observer was
// told last of each is true.
func TestMembersUnderRaces(t *testing.T) {
	t.Parallel()
	const users, pages, rounds = 3, 3, 40
	clusters := NewMemoryClusters(2)
	var nodes []*bundle
	for _, cluster := range clusters {
		nodes = append(nodes, setup(t, func(o *Options) { o.Cluster, o.QueueMessages = cluster, 1<<20 }))
	}
	observer := nodes[0].connect(t)
	observer.enter("presence-x", "observer")
	var coming sync.WaitGroup
	for i := range users * pages {
		c := nodes[i%2].connect(t)
		user := fmt.Sprint("u", i%users)
		a, err := testApp.AuthorizePresence(c.id, "presence-x", Member{User: user})
		if err != nil {
			t.Fatal(err)
		}
		coming.Go(func() {
			for range rounds {
				c.ask("presence-x", a.Auth, a.ChannelData)
				c.unsubscribe("presence-x")
				c.sofar() // done
			}
		})
	}
	coming.Wait()
	in := map[string]bool{}
	for _, f := range observer.sofar() {
		in[strings.Split(f.text(t), `"`)[3]] = f.Event == eventMemberAdded
	}
	for user, still := range in {
		if still {
			t.Errorf("%s is told to be there", user)
		}
	}
	if len(in) != users {
		t.Errorf("told of %v", in)
	}
}
