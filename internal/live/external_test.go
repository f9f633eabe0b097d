package live_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/pusher"
	"github.com/webazaar/waybill/internal/tracking"
)

func external(url string) *live.External {
	return live.NewExternal(live.ExternalOptions{
		AppID: "1", Key: "key", Secret: "secret", Host: strings.TrimPrefix(url, "http://"), Timeout: 2 * time.Second,
	})
}

func message(channel string) live.Message {
	return live.Message{Channels: []string{channel}, Event: live.TrackingUpdate, Data: []byte(`{"version":1}`)}
}

// The official SDK's requests are taken by a server that checks signatures.
func TestExternalSpeaksPusher(t *testing.T) {
	t.Parallel()
	outside, err := pusher.New(pusher.Options{App: pusher.App{ID: "1", Key: "key", Secret: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = outside.Close() })
	server := httptest.NewServer(outside)
	t.Cleanup(server.Close)
	var many []live.Message
	for range 25 {
		many = append(many, message("order-a"), live.Message{Channels: []string{"private-order-a", "order-b"}, Event: "x", Data: []byte(`"text"`)})
	}
	if err := external(server.URL).PublishAll(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	wrong := live.NewExternal(live.ExternalOptions{AppID: "1", Key: "key", Secret: "other", Host: strings.TrimPrefix(server.URL, "http://")})
	refusal, ok := errors.AsType[*live.Refusal](wrong.Publish(t.Context(), message("order-a")))
	if !ok || refusal.Status != http.StatusUnauthorized || refusal.Lasting() || !strings.Contains(refusal.Mend(), "SOKETI_APP_SECRET") {
		t.Errorf("a wrong secret: %+v", refusal)
	}
}

func TestExternalUnderstandsRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answer  func(w http.ResponseWriter, body string)
		status  int // of the refusal; 0 for none
		lost    int
		lasting bool
	}{
		{"Pusher's success", func(w http.ResponseWriter, _ string) { _, _ = io.WriteString(w, `{}`) }, 0, 0, false},
		{"Soketi's success", func(w http.ResponseWriter, _ string) { _, _ = io.WriteString(w, `{"ok":true}`) }, 0, 0, false},
		{"an error inside a success", func(w http.ResponseWriter, _ string) {
			_, _ = io.WriteString(w, `{"error":"The app does not exist","code":404}`)
		}, 404, 0, false},
		{"a plain error", func(w http.ResponseWriter, _ string) { http.Error(w, "down", http.StatusBadGateway) }, 502, 0, false},
		{"one bad event among good ones", func(w http.ResponseWriter, body string) {
			if strings.Contains(body, "order-bad") {
				_, _ = io.WriteString(w, `{"error":"The event data should be less than 10 KB.","code":413}`)
				return
			}
			_, _ = io.WriteString(w, `{"ok":true}`)
		}, 413, 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				tt.answer(w, string(body))
			}))
			t.Cleanup(server.Close)
			err := external(server.URL).PublishAll(t.Context(), []live.Message{message("order-a"), message("order-bad"), message("order-c")})
			refusal, refused := errors.AsType[*live.Refusal](err)
			lost, _ := errors.AsType[*live.Lost](err)
			switch {
			case tt.status == 0 && err != nil:
				t.Errorf("%v", err)
			case tt.status != 0 && (!refused || refusal.Status != tt.status || refusal.Lasting() != tt.lasting):
				t.Errorf("%v, want a refusal with %d", err, tt.status)
			case tt.lost > 0 && (lost == nil || lost.Events != tt.lost):
				t.Errorf("%v, want %d lost", err, tt.lost)
			}
		})
	}
}

// A server that is down is left alone between tries, and gets everything once
// it is back; what is too old by then is left out.
func TestDispatcherRidesOutAnOutage(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	moved(t, s, 4, 2)
	var down atomic.Bool
	var asked, taken atomic.Int64
	down.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		taken.Add(int64(strings.Count(string(body), `"name":"tracking-update"`)))
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	failures := make(chan int, 100)
	resume := make(chan struct{})
	d := live.NewDispatcher(live.Options{
		Outbox: s, Publisher: external(server.URL), Channels: live.Channels{PublicOrders: true}, Logger: slog.New(slog.DiscardHandler),
		Backoff: func(n int) time.Duration {
			failures <- n
			<-resume
			return 0
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	for n := 1; n <= 3; n++ {
		if got := <-failures; got != n {
			t.Fatalf("failure %d counted as %d", n, got)
		}
		if n == 3 {
			down.Store(false)
		}
		resume <- struct{}{}
	}
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for left(t, s) > 0 {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d effects left", left(t, s))
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	if taken.Load() != 16 { // 8 updates, on a public and a private channel
		t.Errorf("%d events taken, want 16", taken.Load())
	}
}

func TestDispatcherDropsWhatIsTooOld(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	moved(t, s, 1, 1) // dated by a fixed clock in the past
	r := &recorder{}
	d := live.NewDispatcher(live.Options{
		Outbox: s, Publisher: r, Logger: slog.New(slog.DiscardHandler), Expire: time.Nanosecond, Kind: tracking.LiveUpdate,
	})
	if _, err := d.Dispatch(t.Context()); err != nil || len(r.all()) != 0 || left(t, s) != 0 {
		t.Errorf("%v, published %v, %d left", err, r.all(), left(t, s))
	}
}
