package pusher

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestCacheChannel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2, func(o *Options) { o.CacheTTL, o.ClientEvents = time.Minute, true })
		first := nodes[0].watcher(t)
		first.subscribe("cache-x")
		if f := first.want(eventCacheMiss); f.Channel != "cache-x" || f.Data != nil {
			t.Errorf("miss on %q: %s", f.Channel, f.Data)
		}
		nodes[1].publish(t, "cache-x", "e", "1")
		nodes[1].publish(t, "cache-x", "e", "2")
		first.wantText("e", "1")
		first.wantText("e", "2")

		// Whoever comes later starts with the last, wherever he comes.
		later := nodes[1].watcher(t)
		later.subscribe("cache-x")
		later.wantText("e", "2")
		later.alive()
		if _, body := nodes[0].call(signed("GET", "/apps/3/channels/cache-x?info=cache", "")); body != `{"cache":{"data":"2","ttl":60},"occupied":true}` {
			t.Errorf("cache: %s", body)
		}
		time.Sleep(time.Minute)
		last := nodes[0].watcher(t)
		last.subscribe("cache-x")
		last.want(eventCacheMiss)
	})
}

// Events of members and of clients are not what a channel is about.
func TestCacheKeepsPublishedEventsOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.ClientEvents = true })
	a, other := b.connect(t), b.connect(t)
	a.enter("presence-cache-x", "a")
	a.want(eventCacheMiss)
	b.publish(t, "presence-cache-x", "published", "1")
	a.want("published")
	other.enter("presence-cache-x", "b")
	other.wantText("published", "1")
	a.want(eventMemberAdded)
	a.say("client-typing", "presence-cache-x", "2")
	other.want("client-typing")
	late := b.connect(t)
	late.enter("presence-cache-x", "c")
	late.wantText("published", "1")
	late.alive()
}

// Every kind of cache channel, behind the guard of its kind.
func TestKindsOfCacheChannels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, channel := range []string{"private-cache-x", "private-encrypted-cache-x"} {
		b.publish(t, channel, "e", "1")
		c := b.connect(t)
		c.ask(channel, "", "")
		c.wantRefusal(channel, "AuthError", 401)
		c.ask(channel, testApp.Key+":"+testApp.sign(c.id+":"+channel), "")
		c.want(eventSubscribed)
		c.wantText("e", "1")
	}
	c := b.connect(t)
	c.subscribe("my-cache-x")
	c.alive()
}

// An event that comes while the last one is looked up is newer than that.
func TestCacheDoesNotGoBack(t *testing.T) {
	t.Parallel()
	cluster := &entering{Cluster: NewMemoryCluster()}
	b := setup(t, func(o *Options) { o.Cluster = cluster })
	b.publish(t, "cache-x", "e", "1")
	cluster.meanwhile = func() { b.publish(t, "cache-x", "e", "2") }
	c := b.connect(t)
	c.subscribe("cache-x")
	c.wantText("e", "2")
	c.alive()
}

// Where the cluster cannot be asked the watcher hears so, and may try again.
func TestSubscriptionWithoutTheCluster(t *testing.T) {
	t.Parallel()
	cluster := &fakeCluster{Cluster: NewMemoryCluster()}
	b := setup(t, func(o *Options) { o.Cluster = cluster })
	c := b.connect(t)
	presenceAuth, err := testApp.AuthorizePresence(c.id, "presence-x", Member{User: "a"})
	if err != nil {
		t.Fatal(err)
	}
	cluster.fail(errors.New("away"), nil)
	c.ask("x", "", "")
	c.wantRefusal("x", "ServerError", 503)
	c.ask("presence-x", presenceAuth.Auth, presenceAuth.ChannelData)
	c.wantRefusal("presence-x", "ServerError", 503)
	c.alive()
	cluster.fail(nil, nil)
	c.subscribe("x")
	c.subscribe("cache-x")
	c.want(eventCacheMiss)
	c.enter("presence-x", "a")

	// Followed already, but the census is away.
	other := b.connect(t)
	otherAuth, err := testApp.AuthorizePresence(other.id, "presence-x", Member{User: "b"})
	if err != nil {
		t.Fatal(err)
	}
	cluster.fail(errors.New("away"), nil)
	other.subscribe("x")
	other.ask("cache-x", "", "")
	other.wantRefusal("cache-x", "ServerError", 503)
	other.ask("presence-x", otherAuth.Auth, otherAuth.ChannelData)
	other.wantRefusal("presence-x", "ServerError", 503)
	if n := b.hub.count("presence-x"); n != 1 {
		t.Errorf("%d seats", n)
	}
	cluster.fail(nil, nil)
	other.enter("presence-x", "b")
}
