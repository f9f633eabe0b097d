package clients

import (
	"testing"
)

func meet(t *testing.T, s *stand, users ...string) []*client {
	t.Helper()
	var clients []*client
	for _, user := range users {
		c := visit(t, "echo", s.port, user)
		c.connected()
		clients = append(clients, c)
	}
	return clients
}

// listen subscribes and waits until that is done. On is the method of laravel-echo.
func (c *client) listen(on, channel string, more args) {
	c.t.Helper()
	a := args{"channel": channel}
	for name, value := range more {
		a[name] = value
	}
	c.do(on, a)
	c.event(channel, "subscribed")
}

// An event without a dot at its front is in the namespace, as the broadcaster of
// Laravel names it.
func TestEchoChannels(t *testing.T) {
	t.Parallel()
	s := setup(t)
	c := meet(t, s, "alice")[0]
	events := args{"events": []string{"OrderShipped", ".update"}}
	c.listen("channel", "orders", events)
	c.listen("private", "orders.7", events)
	for channel, name := range map[string]string{"orders": "orders", "private-orders.7": "orders.7"} {
		s.publish(t, channel, `Shop\Events\OrderShipped`, `{"n":1}`)
		c.event(name, "OrderShipped").has(t, `{"n":1}`)
		s.publish(t, channel, "update", `{"n":2}`)
		c.event(name, ".update").has(t, `{"n":2}`)
	}
	s.publish(t, "private-orders.7", `Illuminate\Notifications\Events\BroadcastNotificationCreated`, `{"id":"1","type":"shipped"}`)
	c.event("orders.7", "notification").has(t, `"type":"shipped"`)

	c.do("private", args{"channel": "forbidden"})
	c.event("forbidden", "error").has(t, `"status":403`)
}

func TestEchoEncrypted(t *testing.T) {
	t.Parallel()
	s := setup(t)
	b := &backend{t: t, name: "go", url: startGo(t, s.port, app.Secret)}
	c := meet(t, s, "alice")[0]
	c.listen("private", "orders", args{"encrypted": true, "events": []string{"OrderShipped"}})
	b.do("trigger", args{"channels": []string{"private-encrypted-orders"}, "event": `Shop\Events\OrderShipped`, "data": args{"n": 1}})
	c.event("orders", "OrderShipped").has(t, `{"n":1}`)
}

func TestEchoPresence(t *testing.T) {
	t.Parallel()
	s := setup(t)
	both := meet(t, s, "alice", "bob")
	alice, bob := both[0], both[1]
	alice.do("join", args{"channel": "room", "whispers": []string{"typing"}})
	alice.event("room", "here").has(t, `[{"name":"alice"}]`)
	bob.do("join", args{"channel": "room", "whispers": []string{"typing"}})
	bob.event("room", "here").has(t, `{"name":"alice"}`, `{"name":"bob"}`)
	alice.event("room", "joining").has(t, `{"name":"bob"}`)
	alice.do("whisper", args{"channel": "room", "presence": true, "event": "typing", "data": args{"n": 1}})
	bob.event("room", "whisper typing").has(t, `{"n":1}`)
	bob.do("leave", args{"channel": "room"})
	alice.event("room", "leaving").has(t, `{"name":"bob"}`)
}

func TestEchoWhispers(t *testing.T) {
	t.Parallel()
	s := setup(t)
	both := meet(t, s, "alice", "bob")
	for _, c := range both {
		c.listen("private", "room", args{"whispers": []string{"typing"}})
	}
	both[0].do("whisper", args{"channel": "room", "event": "typing", "data": args{"n": 1}})
	both[1].event("room", "whisper typing").has(t, `{"n":1}`)
}

// Leave is for a name with all its kinds, leaveChannel for one channel.
func TestEchoLeaves(t *testing.T) {
	t.Parallel()
	s := setup(t)
	c := meet(t, s, "alice")[0]
	update := args{"events": []string{".update"}}
	c.listen("channel", "left", update)
	c.listen("private", "left", update)
	c.listen("channel", "one", update)
	c.listen("private", "kept", update)
	c.do("leave", args{"channel": "left"})
	c.do("leaveChannel", args{"channel": "one"})
	c.listen("channel", "later", nil) // the server has read what was before
	for _, channel := range []string{"left", "private-left", "one", "private-kept"} {
		s.publish(t, channel, "update", "1")
	}
	if n := c.next(); n.Channel != "kept" || n.Event != ".update" {
		t.Errorf("got %s", n)
	}
	if n := s.Stats().Subscriptions; n != 2 {
		t.Errorf("%d subscriptions are left, want kept and later", n)
	}
}
