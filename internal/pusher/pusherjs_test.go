package pusher

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const pusherJS = "testdata/pusherjs"

// install makes pusher-js ready, once for all tests. Where node is missing the
// test is left out, but not where the project is checked.
var install = sync.OnceValue(func() error {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(pusherJS, "node_modules", "pusher-js", "package.json")); err == nil {
		return nil
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = pusherJS
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
})

func needPusherJS(t *testing.T) {
	t.Helper()
	if err := install(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("pusher-js: %v", err)
		}
		t.Skipf("pusher-js is not here: %v", err)
	}
}

// told is a line of watch.mjs.
type told struct {
	State    string
	SocketID string
	Error    *int
	Channel  string
	Event    string
	Data     json.RawMessage
}

type jsWatcher struct {
	t     *testing.T
	stdin io.Writer
	lines chan told
}

// watch runs pusher-js until the test ends.
func (b *bundle) watch(t *testing.T, build, key string, user ...string) *jsWatcher {
	t.Helper()
	auth := httptest.NewServer(http.HandlerFunc(authEndpoint))
	t.Cleanup(auth.Close)
	server, err := url.Parse(b.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", append([]string{"watch.mjs", build, server.Port(), key, auth.URL}, user...)...)
	cmd.Dir = pusherJS
	cmd.Stderr = testLog{t}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := &jsWatcher{t: t, stdin: stdin, lines: make(chan told, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(w.lines)
		for in := bufio.NewScanner(stdout); in.Scan(); {
			var line told
			if err := json.Unmarshal(in.Bytes(), &line); err == nil {
				w.lines <- line
			}
		}
	}()
	t.Cleanup(func() {
		_ = stdin.Close()
		<-done
		_ = cmd.Wait()
	})
	return w
}

// keyedApp can have encrypted channels.
var keyedApp = func() App {
	a := testApp
	a.EncryptionMasterKey = []byte("a key of exactly 32 bytes, as is")
	return a
}()

// authEndpoint allows private-mine, encrypted channels and presence channels, but
// is tricked about presence-x.
func authEndpoint(w http.ResponseWriter, r *http.Request) {
	socketID, channel, user := r.FormValue("socket_id"), r.FormValue("channel_name"), r.FormValue("user")
	var answer any
	var err error
	switch {
	case r.URL.Path == "/user":
		answer, err = testApp.AuthenticateUser(socketID, User{ID: user, Info: []byte(`{"name":"` + user + `"}`), Watchlist: []string{"alice", "bob"}})
	case channel == "presence-x":
		answer = Authorization{Auth: "a:b", ChannelData: `{"user_id":"1"}`}
	case channel == "presence-signed-in":
		answer = Authorization{Auth: testApp.Key + ":" + testApp.sign(socketID+":"+channel)}
	case strings.HasPrefix(channel, "presence-"):
		answer, err = testApp.AuthorizePresence(socketID, channel, Member{User: user, Info: []byte(`{"name":"` + user + `"}`)})
	case strings.HasPrefix(channel, "private-encrypted-"):
		answer, err = keyedApp.AuthorizeEncrypted(socketID, channel)
	default:
		var auth string
		auth, err = testApp.AuthorizeChannel(socketID, channel)
		if channel == "private-forged" {
			auth = auth[:len(auth)-1] + "x"
		} else if err == nil && channel != "private-mine" && channel != "private-cache-mine" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		answer = Authorization{Auth: auth}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (w *jsWatcher) do(command, channel string) {
	w.t.Helper()
	if _, err := fmt.Fprintf(w.stdin, "{%q:%q}\n", command, channel); err != nil {
		w.t.Fatal(err)
	}
}

// await reads until a line is as wanted; what comes before is other news.
func (w *jsWatcher) await(what string, ok func(told) bool) told {
	w.t.Helper()
	timeout := time.After(3 * patience)
	for {
		select {
		case line, open := <-w.lines:
			if !open {
				w.t.Fatalf("pusher-js ended before %s", what)
			}
			if ok(line) {
				return line
			}
		case <-timeout:
			w.t.Fatalf("pusher-js never saw %s", what)
		}
	}
}

func (w *jsWatcher) connected() string {
	w.t.Helper()
	return w.await("connected", func(l told) bool { return l.State == "connected" }).SocketID
}

func (w *jsWatcher) event(channel, event string) told {
	w.t.Helper()
	return w.await(event+" on "+channel, func(l told) bool { return l.Channel == channel && l.Event == event })
}

// The channel of any of its events, in the order they come.
func (w *jsWatcher) next() told {
	w.t.Helper()
	return w.await("an event", func(l told) bool { return l.Channel != "" })
}

func TestPusherJS(t *testing.T) {
	t.Parallel()
	needPusherJS(t)
	for _, build := range []string{"node", "worker"} {
		t.Run(build, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			w := b.watch(t, build, testApp.Key)
			id := w.connected()

			w.do("subscribe", "orders")
			w.event("orders", "pusher:subscription_succeeded")
			b.publish(t, "orders", "update", `{"text":"रास्ते में \"x\"","n":[1,2]}`)
			if got := string(w.event("orders", "update").Data); got != `{"text":"रास्ते में \"x\"","n":[1,2]}` {
				t.Errorf("data %s", got)
			}
			b.publish(t, "orders", "update", `not JSON`)
			if got := string(w.event("orders", "update").Data); got != `"not JSON"` {
				t.Errorf("data %s", got)
			}

			w.do("subscribe", "private-mine")
			w.event("private-mine", "pusher:subscription_succeeded")
			for channel, want := range map[string]string{
				"private-forged": `"status":401`,
				"private-other":  `"status":403`, // from the endpoint itself
				"presence-x":     `"status":401`, // is tricked
			} {
				w.do("subscribe", channel)
				if got := string(w.event(channel, "pusher:subscription_error").Data); !strings.Contains(got, want) {
					t.Errorf("%s: %s", channel, got)
				}
			}

			// Left out by its socket id, and after it unsubscribed.
			if err := b.Publish(t.Context(), []string{"orders"}, "not-for-me", []byte("1"), id); err != nil {
				t.Fatal(err)
			}
			w.do("unsubscribe", "orders")
			b.awaitWatchers(t, "orders", 0)
			b.publish(t, "orders", "too-late", "1")
			b.publish(t, "private-mine", "next", "1")
			if l := w.next(); l.Event != "next" {
				t.Errorf("got %+v", l)
			}

			// Sent away, it comes back and subscribes by itself: at once, or after a second.
			for _, code := range []Code{CodeReconnect, CodeOverCapacity, CodePongMissing} {
				b.endAll(code)
				if again := w.connected(); again == id {
					t.Error("the same socket id again")
				}
				w.event("private-mine", "pusher:subscription_succeeded")
				b.publish(t, "private-mine", "after", "1")
				w.event("private-mine", "after")
			}
		})
	}
}

// A refused client gives up and does not knock again.
func TestPusherJSRefused(t *testing.T) {
	t.Parallel()
	needPusherJS(t)
	for _, build := range []string{"node", "worker"} {
		t.Run(build, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			w := b.watch(t, build, "nokey")
			w.await("error 4001", func(l told) bool { return l.Error != nil && *l.Error == int(CodeUnknownApp) })
			w.await("the end", func(l told) bool { return l.State == "disconnected" || l.State == "failed" })
		})
	}
}

// One that is sent to all the time never pings by itself: it lives by answering
// our pings. One that hears nothing pings.
func TestPusherJSStaysAlive(t *testing.T) {
	t.Parallel()
	needPusherJS(t)
	b := setup(t, func(o *Options) { o.ActivityTimeout, o.PongTimeout = time.Second, time.Second })
	busy, quiet := b.watch(t, "node", testApp.Key), b.watch(t, "worker", testApp.Key)
	busy.connected()
	quiet.connected()
	busy.do("subscribe", "orders")
	busy.event("orders", "pusher:subscription_succeeded")
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for range 20 { // twice as long as either would live unheard
		<-tick.C
		b.publish(t, "orders", "update", "1")
		busy.event("orders", "update")
	}
	if n := b.Stats().Connections; n != 2 {
		t.Errorf("%d of 2 connections left", n)
	}
	b.observer.mu.Lock()
	defer b.observer.mu.Unlock()
	if len(b.observer.closed) != 0 {
		t.Errorf("closed: %v", b.observer.closed)
	}
}

func (b *bundle) endAll(code Code) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		c.end(code, "", false)
	}
}

func (b *bundle) awaitWatchers(t *testing.T, channel string, n int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for b.hub.count(channel) != n {
		if time.Now().After(deadline) {
			t.Fatalf("%d watch %s, want %d", b.hub.count(channel), channel, n)
		}
		<-tick.C
	}
}
