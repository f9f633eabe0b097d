package pusher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// taker is a webhook's target without a network. It answers as told.
type taker struct {
	mu       sync.Mutex
	events   []string    // "name channel ..." of all that it took
	at       []time.Time // and when
	requests int
	tries    []time.Time
	answer   func(try int) (int, error) // nil: 200
	bad      []string                   // what is wrong with requests
}

func (w *taker) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("X-Pusher-Key") != testApp.Key || r.Header.Get("X-Pusher-Signature") != testApp.sign(string(body)) || r.Header.Get("Content-Type") != "application/json" {
		w.bad = append(w.bad, fmt.Sprint(r.Header))
	}
	w.tries = append(w.tries, time.Now())
	status := 200
	if w.answer != nil {
		var err error
		if status, err = w.answer(len(w.tries)); err != nil {
			return nil, err
		}
	}
	if status == 200 {
		var posted struct {
			Time   int64 `json:"time_ms"`
			Events []struct {
				Name, Channel, Event, Data string
				UserID                     string `json:"user_id"`
				Count                      *int   `json:"subscription_count"`
			}
		}
		if err := json.Unmarshal(body, &posted); err != nil || posted.Time == 0 {
			w.bad = append(w.bad, string(body))
		}
		w.requests++
		for _, e := range posted.Events {
			text := e.Name + " " + e.Channel
			for _, more := range []string{e.UserID, e.Event, e.Data} {
				if more != "" {
					text += " " + more
				}
			}
			if e.Count != nil {
				text += fmt.Sprint(" ", *e.Count)
			}
			w.events, w.at = append(w.events, text), append(w.at, time.Now())
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// want says what was taken since it was last asked, in any order of channels.
func (w *taker) want(t *testing.T, events ...string) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(events)
	slices.Sort(w.events)
	if diff := cmp.Diff(events, w.events); diff != "" {
		t.Error(diff)
	}
	for _, bad := range w.bad {
		t.Errorf("request: %s", bad)
	}
	w.events, w.at = nil, nil
}

// setupTaken are nodes of a cluster that all tell one taker.
func setupTaken(t *testing.T, n int, change ...func(*Options)) ([]*bundle, *taker) {
	t.Helper()
	w := new(taker)
	change = append(change, func(o *Options) { o.Webhooks = append(o.Webhooks, WebhookTarget{URL: "http://shop.example/hook"}) })
	// Clients that read nothing for a while, and say nothing, are not what this is about.
	change = append(change, func(o *Options) { o.WriteTimeout, o.ActivityTimeout = time.Hour, time.Hour })
	nodes := setupNodes(t, n, change...)
	for _, b := range nodes {
		for _, s := range b.webhooks.senders {
			s.client.Transport = w
		}
	}
	return nodes, w
}

func TestWebhooksOfOccupation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes, w := setupTaken(t, 2)
		one, two := nodes[0].watcher(t), nodes[1].watcher(t)
		one.subscribe("x")
		time.Sleep(time.Second)
		w.want(t, "channel_occupied x")
		two.subscribe("x")
		one.leave()
		time.Sleep(time.Minute)
		w.want(t) // somebody is there all the time

		// Gone for a moment, as a page that is loaded anew.
		two.leave()
		time.Sleep(2 * time.Second)
		three := nodes[0].watcher(t)
		three.subscribe("x")
		time.Sleep(time.Minute)
		w.want(t)
		start := time.Now()
		three.leave()
		time.Sleep(5 * time.Second)
		w.want(t, "channel_vacated x")
		if d := w.tries[len(w.tries)-1].Sub(start); d < settleAfter || d > settleAfter+time.Second {
			t.Errorf("told after %v", d)
		}
		// The node died, and another tells.
		nodes[1].watcher(t).subscribe("y")
		time.Sleep(time.Second)
		nodes[1].crash()
		time.Sleep(10 * time.Second)
		w.want(t, "channel_occupied y", "channel_vacated y")
	})
}

func TestWebhooksOfMembers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes, w := setupTaken(t, 2)
		one, two := nodes[0].watcher(t), nodes[1].watcher(t)
		one.enter("presence-x", "a#b c")
		time.Sleep(time.Second)
		w.want(t, "channel_occupied presence-x", "member_added presence-x a#b c")
		two.enter("presence-x", "a#b c")
		one.leave()
		time.Sleep(time.Minute)
		w.want(t)
		// On another page, and another node: he never went.
		two.unsubscribe("presence-x")
		time.Sleep(time.Second)
		one = nodes[0].watcher(t)
		one.enter("presence-x", "a#b c")
		time.Sleep(time.Minute)
		w.want(t)
		one.unsubscribe("presence-x")
		time.Sleep(time.Minute)
		w.want(t, "member_removed presence-x a#b c", "channel_vacated presence-x")
		two.enter("presence-x", "d")
		time.Sleep(time.Second)
		nodes[1].crash()
		time.Sleep(time.Minute)
		w.want(t, "channel_occupied presence-x", "member_added presence-x d", "member_removed presence-x d", "channel_vacated presence-x")
	})
}

func TestWebhooksOfEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes, w := setupTaken(t, 1, func(o *Options) { o.ClientEvents, o.SubscriptionCount = true, true })
		b := nodes[0]
		a := b.watcher(t)
		a.enter("presence-x", "a")
		a.say("client-typing", "presence-x", map[string]int{"n": 1})
		a.alive()
		// However many miss it, it is said once in a while.
		for range 3 {
			c := b.watcher(t)
			c.subscribe("cache-x")
			c.want(eventCacheMiss)
		}
		time.Sleep(time.Second)
		w.want(
			t, "channel_occupied presence-x", "member_added presence-x a", `client_event presence-x a client-typing {"n":1}`,
			"channel_occupied cache-x", "cache_miss cache-x", "subscription_count cache-x 3",
		)
		time.Sleep(cacheMissEvery)
		c := b.watcher(t)
		c.subscribe("cache-x")
		c.want(eventCacheMiss)
		time.Sleep(time.Second)
		w.want(t, "cache_miss cache-x", "subscription_count cache-x 4")
	})
}

func TestWebhookTargetsGetWhatTheyWant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes, w := setupTaken(t, 1, func(o *Options) {
			o.Webhooks = []WebhookTarget{
				{URL: "http://a.example", Events: []string{"channel_vacated"}},
				{URL: "http://b.example", ChannelPrefix: "order-"},
			}
		})
		c := nodes[0].watcher(t)
		c.subscribe("x")
		c.subscribe("order-1")
		time.Sleep(time.Second)
		// The third target is setupTaken's, which wants everything.
		w.want(t, "channel_occupied order-1", "channel_occupied order-1", "channel_occupied x")
	})
}

// What is not taken is sent again, later and later, for five minutes; what comes
// meanwhile waits, in order, and is sent together.
func TestWebhookRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes, w := setupTaken(t, 1)
		w.answer = func(try int) (int, error) {
			switch try {
			case 1:
				return 0, errors.New("connection refused")
			case 2:
				return 500, nil
			case 3:
				return 302, nil
			}
			return 200, nil
		}
		c := nodes[0].watcher(t)
		for _, channel := range []string{"a", "b", "c"} {
			c.subscribe(channel)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		w.want(t, "channel_occupied a", "channel_occupied b", "channel_occupied c")
		if w.requests != 2 {
			t.Errorf("taken in %d requests", w.requests)
		}
		var pauses []time.Duration
		for i := range w.tries[1:] {
			pauses = append(pauses, w.tries[i+1].Sub(w.tries[i]))
		}
		if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 0}, pauses); diff != "" {
			t.Error(diff)
		}
		w.answer = func(int) (int, error) { return 503, nil }
		w.tries = nil
		c.subscribe("d")
		time.Sleep(10 * time.Minute)
		w.want(t)
		if d := w.tries[len(w.tries)-1].Sub(w.tries[0]); d < 2*time.Minute || d > webhookFor {
			t.Errorf("tried for %v", d)
		}
		o := nodes[0].observer
		o.await(t, "the loss is counted", func() bool { return o.sent == 3 && o.lost == 1 })
	})
}

func TestWebhookQueueIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newTally()
		s := newSender(WebhookTarget{URL: "http://shop.example"}, testApp, o, slog.New(slog.DiscardHandler))
		for range webhookQueue + 7 {
			s.add(webhookEvent{Name: webhookOccupied, Channel: "x"})
		}
		if o.lost != 7 || len(s.waiting) != webhookQueue {
			t.Errorf("%d lost, %d wait", o.lost, len(s.waiting))
		}
		w := new(taker)
		s.client.Transport = w
		close(s.closing)
		s.run(t.Context()) // and what waits at the end is sent
		if o.sent != webhookQueue || w.requests != webhookQueue/webhookBatch {
			t.Errorf("%d sent in %d requests", o.sent, w.requests)
		}
	})
}

// A target that never answers keeps Close for five seconds at most.
func TestCloseWithWebhooksWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := setupTaken(t, 1)
		nodes[0].webhooks.senders[0].client.Transport = silent{}
		c := nodes[0].watcher(t)
		c.subscribe("x")
		time.Sleep(time.Second)
		c.leave()
		start := time.Now()
		if err := nodes[0].Close(); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d > webhookDrain+closeGrace {
			t.Errorf("took %v", d)
		}
	})
}

type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// Over a real network: the signature is good, and a redirect is not followed.
func TestWebhookOverHTTP(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("was redirected") }))
	defer elsewhere.Close()
	redirected := make(chan struct{}, 10)
	got := make(chan string, 10)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
			redirected <- struct{}{}
			return
		}
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("X-Pusher-Signature") != testApp.sign(string(body)) || r.Header.Get("X-Shop") != "1" {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		got <- string(body)
	}))
	defer shop.Close()
	b := setup(t, func(o *Options) {
		o.Webhooks = []WebhookTarget{{URL: shop.URL + "/away"}, {URL: shop.URL + "/hook", Header: http.Header{"X-Shop": {"1"}}}}
	})
	b.connect(t).subscribe("x")
	if body := <-got; !strings.HasSuffix(body, `"events":[{"name":"channel_occupied","channel":"x"}]}`) {
		t.Errorf("got %s", body)
	}
	<-redirected
}

func TestWebhookTargetsAreChecked(t *testing.T) {
	t.Parallel()
	for _, target := range []WebhookTarget{{}, {URL: "shop.example"}, {URL: "ftp://shop.example"}, {URL: "http://"}, {URL: "http://a", Events: []string{"other"}}} {
		if s, err := New(Options{App: testApp, Webhooks: []WebhookTarget{target}}); err == nil {
			_ = s.Close()
			t.Errorf("accepted %+v", target)
		}
	}
}
