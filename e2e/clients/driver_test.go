package clients

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/node"
)

// A driver is the process that holds all clients of one kind, for all tests.
type driver struct {
	kind    string
	start   sync.Once
	err     error
	program *node.Program
	ended   chan struct{}

	mu      sync.Mutex
	clients map[string]*client
}

var drivers = map[string]*driver{
	"pusher-js": {kind: "pusher-js"},
	"chromium":  {kind: "chromium"},
	"echo":      {kind: "echo"},
}

func (d *driver) run() {
	d.clients, d.ended = map[string]*client{}, make(chan struct{})
	settings := []string{"CHROMIUM=" + node.Chromium(), "NODE_TLS_REJECT_UNAUTHORIZED=0", "NODE_NO_WARNINGS=1"}
	if d.program, d.err = node.Start(os.Stderr, settings, "drive.mjs", d.kind); d.err == nil {
		go d.read()
	}
}

func (d *driver) read() {
	defer close(d.ended)
	for {
		n, ok := node.Next[news](d.program)
		if !ok {
			return
		}
		d.mu.Lock()
		c := d.clients[n.Client]
		d.mu.Unlock()
		if c != nil {
			c.news <- n
		}
	}
}

func (d *driver) stop() {
	if d.program != nil {
		d.program.Stop()
		<-d.ended
	}
}

func (d *driver) send(id, command string, args map[string]any) error {
	line := map[string]any{"client": id, "command": command}
	for name, value := range args {
		line[name] = value
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.program.Write(line)
}

// A client is pusher-js or laravel-echo with one connection.
type client struct {
	t      *testing.T
	id     string
	driver *driver
	news   chan news
}

// news is one thing that happened to a client.
type news struct {
	Client   string          `json:",omitempty"`
	At       float64         `json:",omitempty"` // milliseconds, by the client's own clock
	State    string          `json:",omitempty"`
	SocketID string          `json:",omitempty"`
	Error    *int            `json:",omitempty"`
	Liveness string          `json:",omitempty"` // a ping or a pong that came
	SignedIn string          `json:",omitempty"`
	Marked   bool            `json:",omitempty"`
	Channel  string          `json:",omitempty"`
	Event    string          `json:",omitempty"`
	Data     json.RawMessage `json:",omitempty"`
	Failed   string          `json:",omitempty"`
}

func (n news) String() string {
	b, err := json.Marshal(n)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// has checks that each part is in the data.
func (n news) has(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(string(n.Data), part) {
			t.Errorf("%s on %s: %s has no %s", n.Event, n.Channel, n.Data, part)
		}
	}
}

type args = map[string]any

// open makes a client of the kind, which is not connected yet. It is gone when
// the test ends.
func open(t *testing.T, kind string, a args) *client {
	t.Helper()
	node.Need(t, ".")
	if kind == "chromium" {
		node.NeedChromium(t)
	}
	d := drivers[kind]
	if d.start.Do(d.run); d.err != nil {
		t.Fatal(d.err)
	}
	c := &client{t: t, driver: d, news: make(chan news, 10_000)}
	d.mu.Lock()
	c.id = strconv.Itoa(len(d.clients))
	d.clients[c.id] = c
	d.mu.Unlock()
	c.do("open", a)
	t.Cleanup(func() {
		_ = d.send(c.id, "disconnect", nil)
		if kind == "chromium" {
			_ = d.send(c.id, "close", nil)
		}
		if t.Failed() {
			for len(c.news) > 0 {
				t.Logf("client %s, not read: %s", c.id, <-c.news)
			}
		}
	})
	return c
}

func (c *client) do(command string, a args) {
	c.t.Helper()
	if err := c.driver.send(c.id, command, a); err != nil {
		c.t.Fatal(err)
	}
}

// await reads until something is as wanted; what comes before is other news.
func (c *client) await(what string, ok func(news) bool) news {
	c.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case n := <-c.news:
			if n.Failed != "" {
				c.t.Fatal(n.Failed)
			}
			if ok(n) {
				return n
			}
		case <-c.driver.ended:
			c.t.Fatalf("the clients ended before %s", what)
		case <-limit:
			c.t.Fatalf("never saw %s", what)
		}
	}
}

// connected waits for the connection and returns its socket id.
func (c *client) connected() string {
	c.t.Helper()
	return c.await("connected", func(n news) bool { return n.State == "connected" }).SocketID
}

func (c *client) event(channel, event string) news {
	c.t.Helper()
	return c.await(fmt.Sprintf("%s on %s", event, channel), func(n news) bool { return n.Channel == channel && n.Event == event })
}

// next is the next event on any channel.
func (c *client) next() news {
	c.t.Helper()
	return c.await("an event", func(n news) bool { return n.Channel != "" })
}

func (c *client) error(code int) news {
	c.t.Helper()
	return c.await(fmt.Sprintf("error %d", code), func(n news) bool { return n.Error != nil && *n.Error == code })
}

// subscribe waits until the client may listen to the channel.
func (c *client) subscribe(channel string) news {
	c.t.Helper()
	c.do("subscribe", args{"channel": channel})
	return c.event(channel, "pusher:subscription_succeeded")
}

// stays checks that the client does not leave its state for a while.
func (c *client) stays(while time.Duration) {
	c.t.Helper()
	for limit := time.After(while); ; {
		select {
		case n := <-c.news:
			if n.State != "" || n.Failed != "" {
				c.t.Fatalf("it does not stay: %s", n)
			}
		case <-limit:
			return
		}
	}
}

// has says whether the data holds the text.
func has(n news, text string) bool { return strings.Contains(string(n.Data), text) }
