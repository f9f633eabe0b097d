package pusher

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// setupNodes are servers of one cluster, in a bubble of synthetic time.
func setupNodes(t *testing.T, n int, change ...func(*Options)) []*bundle {
	t.Helper()
	nodes := make([]*bundle, n)
	for i, cluster := range NewMemoryClusters(n) {
		nodes[i] = setupPipe(t, append(change, func(o *Options) { o.Cluster = cluster })...)
	}
	return nodes
}

// watcher is a client past its handshake.
func (b *bundle) watcher(t *testing.T) *client {
	t.Helper()
	c := b.pipe(t)
	c.establish()
	return c
}

// ask sends a subscription as pusher-js does.
func (c *client) ask(channel, auth, channelData string) {
	c.t.Helper()
	data := map[string]string{"channel": channel, "auth": auth}
	if channelData != "" {
		data["channel_data"] = channelData
	}
	c.say("pusher:subscribe", "", data)
}

func (c *client) say(event, channel string, data any) {
	c.t.Helper()
	m := map[string]any{"event": event, "data": data}
	if channel != "" {
		m["channel"] = channel
	}
	text, err := json.Marshal(m)
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(string(text))
}

// enter subscribes to the presence channel as the user and returns who is there.
func (c *client) enter(channel, user string) []string {
	c.t.Helper()
	a, err := testApp.AuthorizePresence(c.id, channel, Member{User: user, Info: []byte(`{"name":"` + user + `"}`)})
	if err != nil {
		c.t.Fatal(err)
	}
	c.ask(channel, a.Auth, a.ChannelData)
	return c.members(channel)
}

func (c *client) members(channel string) []string {
	c.t.Helper()
	f := c.want(eventSubscribed)
	var data struct {
		Presence struct {
			Count int
			IDs   []string
			Hash  map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(f.text(c.t)), &data); err != nil || f.Channel != channel {
		c.t.Fatalf("subscribed to %q: %s, %v", f.Channel, f.Data, err)
	}
	p := data.Presence
	if p.Count != len(p.IDs) || p.Count != len(p.Hash) {
		c.t.Errorf("count, ids and hash disagree: %s", f.Data)
	}
	for _, id := range p.IDs {
		if p.Hash[id] == nil {
			c.t.Errorf("%s is not in the hash: %s", id, f.Data)
		}
	}
	return p.IDs
}

func (c *client) unsubscribe(channel string) {
	c.t.Helper()
	c.say("pusher:unsubscribe", "", map[string]string{"channel": channel})
}

// wantText reads the next event, whose data must be this.
func (c *client) wantText(event, data string) {
	c.t.Helper()
	if got := c.want(event).text(c.t); got != data {
		c.t.Fatalf("%s: %s, want %s", event, got, data)
	}
}

// wantRefusal reads why the channel was refused.
func (c *client) wantRefusal(channel, kind string, status int) {
	c.t.Helper()
	f := c.want(eventSubscribeFail)
	var e struct {
		Type, Error string
		Status      int
	}
	if err := json.Unmarshal(f.Data, &e); err != nil || f.Channel != channel || e.Type != kind || e.Status != status || e.Error == "" {
		c.t.Fatalf("%s refused: %s, want %s %d", f.Channel, f.Data, kind, status)
	}
}

// signIn signs in as the user.
func (c *client) signIn(u User) {
	c.t.Helper()
	a, err := testApp.AuthenticateUser(c.id, u)
	if err != nil {
		c.t.Fatal(err)
	}
	c.say("pusher:signin", "", a)
	f := c.want(eventSignedIn)
	var data struct {
		UserData string `json:"user_data"`
	}
	if err := json.Unmarshal([]byte(f.text(c.t)), &data); err != nil || data.UserData != a.UserData {
		c.t.Fatalf("signed in: %s, %v", f.Data, err)
	}
}

// sofar reads all that has come up to now.
func (c *client) sofar() []frame {
	c.t.Helper()
	c.send(`{"event":"pusher:ping","data":{}}`)
	var frames []frame
	for {
		f, err := c.read()
		if err != nil {
			c.t.Fatal(err)
		}
		if f.Event == eventPong {
			return frames
		}
		frames = append(frames, f)
	}
}

func (c *client) leave() { _ = c.nc.Close() }

// crash is a node's sudden death: its watchers are gone with it, and the others
// find out later, all at once. Nothing else of it is heard.
func (b *bundle) crash() {
	n := b.opts.Cluster.(*memoryNode)
	n.memory.mu.Lock()
	n.memory.nodes = without(n.memory.nodes, n)
	n.memory.mu.Unlock()
	n.depart()
}

// lapse is the end of a node's lease though it lives.
func (b *bundle) lapse() {
	n := b.opts.Cluster.(*memoryNode)
	n.depart()
	n.receiver.Forgotten()
}

func without(nodes []*memoryNode, n *memoryNode) []*memoryNode {
	var rest []*memoryNode
	for _, other := range nodes {
		if other != n {
			rest = append(rest, other)
		}
	}
	return rest
}

func TestPublishReachesAllNodes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 3)
		var watchers []*client
		for _, b := range nodes {
			c := b.watcher(t)
			c.subscribe("x")
			watchers = append(watchers, c)
		}
		other := nodes[1].watcher(t)
		other.subscribe("y")
		// The excepted socket is on another node than the publisher.
		if err := nodes[0].Publish(t.Context(), []string{"x"}, "e", []byte("1"), watchers[2].id); err != nil {
			t.Fatal(err)
		}
		watchers[0].want("e")
		watchers[1].want("e")
		watchers[2].alive()
		other.alive()
	})
}

func TestCountsAreTheWholeClusters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes := setupNodes(t, 2)
		for i, b := range nodes {
			for range i + 1 {
				b.watcher(t).subscribe("x")
			}
			b.watcher(t).enter("presence-x", string(rune('a'+i)))
			b.watcher(t).enter("presence-x", "same")
		}
		nodes[1].watcher(t).subscribe("y")
		time.Sleep(2 * reportEvery)
		for target, want := range map[string]string{
			"/apps/3/channels?info=subscription_count":                             `{"channels":{"presence-x":{"subscription_count":4},"x":{"subscription_count":3},"y":{"subscription_count":1}}}`,
			"/apps/3/channels?filter_by_prefix=presence-&info=user_count":          `{"channels":{"presence-x":{"user_count":3}}}`,
			"/apps/3/channels/x?info=subscription_count":                           `{"occupied":true,"subscription_count":3}`,
			"/apps/3/channels/presence-x?info=user_count,subscription_count,cache": `cache is for`,
			"/apps/3/channels/presence-x?info=user_count,subscription_count":       `{"occupied":true,"subscription_count":4,"user_count":3}`,
			"/apps/3/channels/presence-x/users":                                    `{"users":[{"id":"a"},{"id":"b"},{"id":"same"}]}`,
		} {
			if _, body := nodes[0].call(signed("GET", target, "")); !strings.Contains(body, want) {
				t.Errorf("%s: %s", target, body)
			}
		}
		_, body := nodes[0].call(signed("POST", "/apps/3/events", `{"name":"e","data":"d","channels":["presence-x","x"],"info":"user_count,subscription_count"}`))
		if want := `{"channels":{"presence-x":{"user_count":3,"subscription_count":4},"x":{"subscription_count":3}}}`; body != want {
			t.Errorf("answer to a publish: %s", body)
		}
	})
}
