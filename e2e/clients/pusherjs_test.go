package clients

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/node"
	"github.com/webazaar/waybill/internal/pusher"
)

// eachPusherJS runs the test with pusher-js in Node and in Chromium.
func eachPusherJS(t *testing.T, test func(t *testing.T, kind string)) {
	t.Parallel()
	node.Need(t, ".")
	for _, kind := range []string{"pusher-js", "chromium"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if kind == "chromium" {
				node.NeedChromium(t)
			}
			test(t, kind)
		})
	}
}

// visit opens a client on the site and has it connect to the server on that port.
func visit(t *testing.T, kind string, port int, user string, more ...args) *client {
	t.Helper()
	endpoint := site(t)
	opening := args{"site": endpoint}
	connecting := args{"key": app.Key, "port": port, "endpoint": endpoint, "user": user, "namespace": "Shop.Events"}
	for _, m := range more {
		for name, value := range m {
			opening[name], connecting[name] = value, value
		}
	}
	c := open(t, kind, opening)
	c.do("connect", connecting)
	return c
}

func TestPusherJSChannels(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t)
		c := visit(t, kind, s.port, "alice")
		c.connected()
		for _, channel := range []string{"orders", "private-orders"} {
			c.subscribe(channel)
			s.publish(t, channel, "update", `{"text":"रास्ते में \"x\"","n":[1,2]}`)
			c.event(channel, "update").has(t, `{"text":"रास्ते में \"x\"","n":[1,2]}`)
			s.publish(t, channel, "update", "not JSON")
			c.event(channel, "update").has(t, `"not JSON"`)
		}
		c.do("subscribe", args{"channel": "private-forbidden"})
		c.event("private-forbidden", "pusher:subscription_error").has(t, `"status":403`)

		c.do("unsubscribe", args{"channel": "orders"})
		c.subscribe("later") // the server has read what was before
		s.publish(t, "orders", "too-late", "1")
		s.publish(t, "private-orders", "last", "1")
		if n := c.next(); n.Event != "last" {
			t.Errorf("got %s", n)
		}
	})
}

func TestPusherJSPresence(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t)
		alice, bob := visit(t, kind, s.port, "alice"), visit(t, kind, s.port, "bob")
		alice.connected()
		bob.connected()
		alice.subscribe("presence-room").has(t, `"count":1`, `"me":{"id":"alice","info":{"name":"alice"}}`)
		bob.subscribe("presence-room").has(t, `"count":2`, `"alice":{"name":"alice"}`, `"myID":"bob"`)
		alice.event("presence-room", "pusher:member_added").has(t, `{"id":"bob","info":{"name":"bob"}}`)
		bob.do("unsubscribe", args{"channel": "presence-room"})
		alice.event("presence-room", "pusher:member_removed").has(t, `"id":"bob"`)
	})
}

func TestPusherJSCache(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t)
		c := visit(t, kind, s.port, "alice")
		c.connected()
		c.subscribe("cache-empty")
		c.event("cache-empty", "pusher:cache_miss")
		for _, channel := range []string{"cache-orders", "private-cache-orders", "presence-cache-orders"} {
			s.publish(t, channel, "update", `{"n":1}`)
			s.publish(t, channel, "update", `{"n":2}`)
			c.subscribe(channel)
			c.event(channel, "update").has(t, `{"n":2}`)
		}
	})
}

// The build with encryption reads what an SDK encrypted, and the server cannot.
func TestPusherJSEncrypted(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t)
		b := &backend{t: t, name: "go", url: startGo(t, s.port, app.Secret)}
		c := visit(t, kind, s.port, "alice", args{"encryption": true})
		c.connected()
		const channel = "private-encrypted-orders"
		c.subscribe(channel)
		b.do("trigger", args{"channels": []string{channel}, "event": "update", "data": args{"secret": "shipped"}})
		c.event(channel, "update").has(t, `{"secret":"shipped"}`)
	})
}

// Two tabs speak to each other; in a presence channel it is said who speaks. The
// one who speaks does not hear himself.
func TestPusherJSClientEvents(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t)
		alice, bob := visit(t, kind, s.port, "alice"), visit(t, kind, s.port, "bob")
		alice.connected()
		bob.connected()
		for _, channel := range []string{"private-room", "presence-room"} {
			alice.subscribe(channel)
			bob.subscribe(channel)
			alice.do("trigger", args{"channel": channel, "event": "client-hello", "data": args{"n": 1}})
			var got []string
			for range 2 {
				got = append(got, string(bob.await("hello", func(n news) bool { return n.Event == "client-hello" || n.Event == "from" }).Data))
			}
			from := map[string]string{"private-room": "null", "presence-room": `"alice"`}[channel]
			if !slices.Contains(got, `{"n":1}`) || !slices.Contains(got, from) {
				t.Errorf("%s: got %s", channel, got)
			}
			s.publish(t, channel, "after", "1")
			alice.await("after", func(n news) bool {
				if n.Event == "client-hello" {
					t.Error("alice hears herself")
				}
				return n.Event == "after"
			})
		}
	})
}

// Too many client events are dropped, and their sender is told and stays.
func TestPusherJSClientEventsTooMany(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t, func(o *pusher.Options) { o.ClientEventRate = 1 })
		c := visit(t, kind, s.port, "alice")
		c.connected()
		c.subscribe("private-room")
		for range 10 {
			c.do("trigger", args{"channel": "private-room", "event": "client-hello", "data": 1})
		}
		c.error(4301)
		s.publish(t, "private-room", "after", "1")
		c.event("private-room", "after")
	})
}

// A full presence channel refuses the next user, whose other channels go on.
func TestPusherJSPresenceIsFull(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t, func(o *pusher.Options) { o.MaxMembers = 1 })
		alice, bob := visit(t, kind, s.port, "alice"), visit(t, kind, s.port, "bob")
		alice.connected()
		bob.connected()
		alice.subscribe("presence-room")
		bob.do("subscribe", args{"channel": "presence-room"})
		bob.event("presence-room", "pusher:subscription_error").has(t, `"type":"LimitReached"`)
		bob.subscribe("presence-other")
	})
}

func TestPusherJSSubscriptionCount(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t, func(o *pusher.Options) { o.SubscriptionCount = true })
		alice, bob := visit(t, kind, s.port, "alice"), visit(t, kind, s.port, "bob")
		alice.connected()
		bob.connected()
		alice.do("subscribe", args{"channel": "orders"})
		alice.event("orders", "pusher:subscription_count").has(t, `{"subscription_count":1}`)
		bob.do("subscribe", args{"channel": "orders"})
		alice.event("orders", "pusher:subscription_count").has(t, `{"subscription_count":2}`)
		bob.do("disconnect", nil)
		alice.event("orders", "pusher:subscription_count").has(t, `{"subscription_count":1}`)
	})
}

func TestPusherJSSignIn(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t)
		alice, bob := visit(t, kind, s.port, "alice"), visit(t, kind, s.port, "bob")
		alice.connected()
		bob.connected()
		alice.do("signin", nil)
		alice.await("signed in", func(n news) bool { return n.SignedIn == "alice" })
		alice.subscribe("after") // the channel of her own, to which she subscribes by herself
		s.publish(t, "#server-to-user-alice", "hello", `{"n":1}`)
		alice.event("user", "hello").has(t, `{"n":1}`)
		bob.do("signin", nil)
		alice.await("bob online", func(n news) bool { return n.Channel == "watchlist" && n.Event == "online" && has(n, "bob") })
		bob.await("alice online", func(n news) bool { return n.Channel == "watchlist" && n.Event == "online" && has(n, "alice") })
		bob.do("disconnect", nil)
		alice.await("bob offline", func(n news) bool { return n.Channel == "watchlist" && n.Event == "offline" && has(n, "bob") })
	})
}

// The server goes without a word and comes back: the client is there again, with
// another socket id and a new signature for each of its channels.
func TestPusherJSComesBackAfterARestart(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		server := serve(t)
		b := &backend{t: t, name: "go", url: startGo(t, server.port, app.Secret)}
		c := visit(t, kind, server.port, "alice")
		id := c.connected()
		channels := []string{"orders", "private-orders", "presence-orders"}
		for _, channel := range channels {
			c.subscribe(channel)
		}
		server.run.Kill()
		c.await("the loss", func(n news) bool { return n.State == "connecting" })
		if err := server.start(); err != nil {
			t.Fatalf("%v\n%s", err, &server.out)
		}
		if again := c.connected(); again == id {
			t.Error("the same socket id again")
		}
		back := map[string]bool{}
		for len(back) < len(channels) {
			back[c.await("the channels", func(n news) bool { return n.Event == "pusher:subscription_succeeded" }).Channel] = true
		}
		b.do("trigger", args{"channels": channels, "event": "update", "data": 1})
		for _, channel := range channels {
			c.event(channel, "update")
		}
	})
}

// A server that stands still, its sockets open, is found out by its missing pong.
func TestPusherJSLeavesAServerThatStandsStill(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		server := serve(t)
		c := visit(t, kind, server.port, "alice", args{"options": args{"activityTimeout": 1000, "pongTimeout": 1000}})
		id := c.connected()
		c.subscribe("private-orders")
		if err := syscall.Kill(server.run.Pid(), syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		c.await("the loss", func(n news) bool { return n.State == "connecting" })
		if err := syscall.Kill(server.run.Pid(), syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if again := c.connected(); again == id {
			t.Error("the same socket id again")
		}
		c.event("private-orders", "pusher:subscription_succeeded")
	})
}

// One that hears nothing pings and is answered; one that is sent to all the time
// is pinged and answers. Both live.
func TestPusherJSStaysAlive(t *testing.T) {
	eachPusherJS(t, func(t *testing.T, kind string) {
		s := setup(t, func(o *pusher.Options) { o.ActivityTimeout, o.PongTimeout = time.Second, 2*time.Second })
		quiet, busy := visit(t, kind, s.port, "alice"), visit(t, kind, s.port, "bob")
		quiet.connected()
		busy.connected()
		busy.subscribe("orders")
		for range 3 {
			quiet.await("a pong", func(n news) bool {
				if n.State != "" {
					t.Errorf("the quiet one is %s", n.State)
				}
				return n.Liveness == "pusher:pong"
			})
		}
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for pings := 0; pings < 3; {
			<-tick.C
			s.publish(t, "orders", "update", "1")
			busy.await("the update", func(n news) bool {
				if n.State != "" {
					t.Errorf("the busy one is %s", n.State)
				}
				if n.Liveness == "pusher:ping" {
					pings++
				}
				return n.Event == "update"
			})
		}
		if n := s.Stats().Connections; n != 2 {
			t.Errorf("%d of 2 connections are left", n)
		}
	})
}
