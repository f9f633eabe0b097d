package pusher

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestClientEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2, func(o *Options) { o.ClientEvents = true })
		from, near, far := nodes[0].watcher(t), nodes[0].watcher(t), nodes[1].watcher(t)
		for _, c := range []*client{from, near, far} {
			c.ask("private-x", testApp.Key+":"+testApp.sign(c.id+":private-x"), "")
			c.want(eventSubscribed)
		}
		for sent, want := range map[string]string{
			`{"a": 1}`: `{"a":1}`,
			`"text"`:   `text`,
			`null`:     `null`,
		} {
			from.send(`{"event":"client-typing","channel":"private-x","data":` + sent + `}`)
			near.wantText("client-typing", want)
			far.wantText("client-typing", want)
		}
		from.send(`{"event":"client-nothing","channel":"private-x"}`)
		near.wantText("client-nothing", "null")
		far.want("client-nothing")
		from.alive() // hears nothing of its own
		if n := nodes[0].observer.events; n != 4 {
			t.Errorf("%d counted", n)
		}
	})
}

// In a presence channel it is said who sent it, whoever he says he is.
func TestClientEventSaysWhoSentIt(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *Options) { o.ClientEvents = true })
	a, again, other := b.connect(t), b.connect(t), b.connect(t)
	a.enter("presence-x", "a")
	again.enter("presence-x", "a")
	other.enter("presence-x", "b")
	a.want(eventMemberAdded)
	again.want(eventMemberAdded)
	a.send(`{"event":"client-e","channel":"presence-x","data":{},"user_id":"b"}`)
	for _, c := range []*client{other, again} { // his other page too
		raw, err := c.next()
		if want := `{"event":"client-e","channel":"presence-x","data":"{}","user_id":"a"}`; err != nil || string(raw.Payload) != want {
			t.Errorf("got %s, %v", raw.Payload, err)
		}
	}
	a.alive()
}

func TestRefusedClientEvents(t *testing.T) {
	t.Parallel()
	cluster := &fakeCluster{Cluster: NewMemoryCluster()}
	b := setup(t, func(o *Options) { o.ClientEvents, o.ClientEventRate, o.Cluster = true, 1000, cluster })
	c, other := b.connect(t), b.connect(t)
	for _, w := range []*client{c, other} {
		w.subscribe("x")
		for _, channel := range []string{"private-x", "private-encrypted-x"} {
			w.ask(channel, testApp.Key+":"+testApp.sign(w.id+":"+channel), "")
			w.want(eventSubscribed)
		}
	}
	for _, tt := range []struct{ event, channel, data, want string }{
		{"client-e", "x", "1", "only private and presence"},
		{"client-e", "private-encrypted-x", "1", "only private and presence"},
		{"client-e", "", "1", "only private and presence"},
		{"client-e", "private-y", "1", "connection not subscribed to channel private-y"},
		{"client-" + strings.Repeat("e", 194), "private-x", "1", "200 characters"},
		{"client-e", "private-x", `"` + strings.Repeat("d", 10<<10+1) + `"`, "10241 bytes"},
	} {
		c.send(`{"event":"` + tt.event + `","channel":"` + tt.channel + `","data":` + tt.data + `}`)
		c.wantError(0, tt.want)
	}
	cluster.fail(errors.New("away"), nil)
	c.send(`{"event":"client-e","channel":"private-x","data":1}`)
	c.wantError(0, "not possible at the moment")
	other.alive()
}

func TestClientEventsOff(t *testing.T) {
	t.Parallel()
	c := setup(t).connect(t)
	c.send(`{"event":"client-e","channel":"private-x","data":1}`)
	c.wantError(codeClientEvent, "does not have client messaging enabled")
	c.alive()
}

// Ten a second; what is over is left out and said so, and nothing is closed.
func TestClientEventRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setupPipe(t, func(o *Options) { o.ClientEvents = true })
		c, other := b.watcher(t), b.watcher(t)
		for _, w := range []*client{c, other} {
			w.ask("private-x", testApp.Key+":"+testApp.sign(w.id+":private-x"), "")
			w.want(eventSubscribed)
		}
		send := func() { c.send(`{"event":"client-e","channel":"private-x","data":1}`) }
		for range 10 {
			send()
			other.want("client-e")
		}
		send()
		c.wantError(codeClientEvent, "10 a second")
		other.alive()
		time.Sleep(100 * time.Millisecond)
		send()
		other.want("client-e")
		c.alive()
	})
}
