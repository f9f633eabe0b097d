package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/pusher"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A recorder is a publisher that may refuse.
type recorder struct {
	refuse func(n int) error // of the n-th message, from 0
	mu     sync.Mutex
	asked  int
	said   []string // event, order and version
}

func (r *recorder) Publish(_ context.Context, m live.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.asked
	r.asked++
	if r.refuse != nil {
		if err := r.refuse(n); err != nil {
			return err
		}
	}
	id, rest, _ := strings.Cut(string(m.Data), `"version":`)
	_, id, _ = strings.Cut(id, `"orderNumber":"`)
	number, _, _ := strings.Cut(id, `"`)
	version, _, _ := strings.Cut(strings.TrimRight(rest, "}"), ",")
	r.said = append(r.said, m.Event+" "+number+" v"+version)
	return nil
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.said...)
}

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{DataDir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// moved makes pushes about parcels of orders N-0, N-1, …, one effect each:
// every parcel moves the given number of times.
func moved(t *testing.T, s *store.Store, parcels, times int) {
	t.Helper()
	box := inbox.New(inbox.Options{
		Log: s, Verifier: shiprocket.NewVerifier([]string{"token"}, nil, ""), Logger: slog.New(slog.DiscardHandler),
		Apply: inbox.ApplyOptions{AutoCreate: true}, Now: func() time.Time { return noon },
	})
	for i := range times {
		for p := range parcels {
			body := fmt.Sprintf(`{"awb":"77%03d","sr_order_id":%d,"order_id":"N-%d","current_status":"IN TRANSIT","date":"2026-11-22 10:%02d:00"}`, p, 100+p, p, i)
			if _, err := box.Receive(t.Context(), inbox.Push{Body: []byte(body), Header: http.Header{"X-Api-Key": {"token"}}, Peer: netip.Addr{}}); err != nil {
				t.Fatal(err)
			}
		}
		for {
			if n, err := box.Work(t.Context()); err != nil {
				t.Fatal(err)
			} else if n == 0 {
				break
			}
		}
	}
}

func dispatcher(outbox live.Outbox, p live.Publisher) *live.Dispatcher {
	return live.NewDispatcher(live.Options{Outbox: outbox, Publisher: p, Channels: live.Channels{PublicOrders: true}, Logger: slog.New(slog.DiscardHandler)})
}

func left(t *testing.T, s *store.Store) int {
	t.Helper()
	effects, err := s.Effects(t.Context(), tracking.LiveUpdate, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(effects)
}

func TestDispatchKeepsTheOrder(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	moved(t, s, 2, 3)
	r := &recorder{}
	if n, err := dispatcher(s, r).Dispatch(t.Context()); n != 6 || err != nil {
		t.Fatal(n, err)
	}
	versions := map[string]int{}
	for _, said := range r.all() {
		var event, number string
		var version int
		if _, err := fmt.Sscanf(said, "%s %s v%d", &event, &number, &version); err != nil {
			t.Fatal(said, err)
		}
		versions[event+number]++
		if version != versions[event+number] {
			t.Errorf("%s comes after version %d", said, versions[event+number]-1)
		}
	}
	if len(r.all()) != 12 || len(versions) != 4 || left(t, s) != 0 {
		t.Errorf("published %v; %d effects are left", r.all(), left(t, s))
	}
	if n, err := dispatcher(s, r).Dispatch(t.Context()); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}

// The first that cannot be published stops all after it; what was published
// before is forgotten, and the rest is published when that is possible again.
func TestDispatchStopsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	moved(t, s, 1, 5)
	down := true
	r := &recorder{refuse: func(n int) error {
		if down && n >= 5 { // the second message of the third update
			return errors.New("the server is gone")
		}
		return nil
	}}
	d := dispatcher(s, r)
	if n, err := d.Dispatch(t.Context()); n != 2 || err == nil || !strings.Contains(err.Error(), "version 3") {
		t.Errorf("%d, %v", n, err)
	}
	if n := left(t, s); n != 3 {
		t.Errorf("%d effects are left, want 3", n)
	}
	down = false
	if n, err := d.Dispatch(t.Context()); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	var updates []string
	for _, said := range r.all() {
		if version, is := strings.CutPrefix(said, "tracking-update N-0 "); is {
			updates = append(updates, version)
		}
	}
	// The third was published in part, so it is published again: at least once.
	if got := strings.Join(updates, " "); got != "v1 v2 v3 v3 v4 v5" || left(t, s) != 0 {
		t.Errorf("published %s; %d effects are left", got, left(t, s))
	}
}

// What was published is forgotten also when the process is told to stop in
// between.
func TestDispatchForgetsAfterItsContextHasEnded(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	moved(t, s, 1, 3)
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{refuse: func(n int) error {
		if n == 2 {
			cancel()
			return ctx.Err()
		}
		return nil
	}}
	if n, err := dispatcher(s, r).Dispatch(ctx); n != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
	if n := left(t, s); n != 2 {
		t.Errorf("%d effects are left, want 2", n)
	}
}

// Effects that a process left behind are published by the next one, however
// many they are, and nobody has to signal it.
func TestRunBeginsWithWhatIsLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	moved(t, s, 100, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	r := &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- dispatcher(s, r).Run(ctx) }()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for limit := time.After(20 * time.Second); left(t, s) > 0; {
		select {
		case <-poll.C:
		case <-limit:
			t.Fatalf("%d effects are left", left(t, s))
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if n := len(r.all()); n != 600 {
		t.Errorf("%d messages, want two for each of 300 effects", n)
	}
}

// memory is an outbox of which the test says what it holds.
type memory struct {
	effects func() ([]tracking.Effect, error)
}

func (m memory) Effects(context.Context, string, int) ([]tracking.Effect, error) {
	return m.effects()
}
func (m memory) DeleteEffects(context.Context, []int64) error { return nil }

// Run looks again by itself; when the outbox fails it rests, longer each time,
// whatever is offered meanwhile.
func TestRunLooksAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		failure error
		want    string
	}{
		{"nothing to do", nil, "[0s 5s 10s]"},
		{"the outbox fails", errors.New("no disk"), "[0s 1s 3s 7s]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var at []time.Duration
				d := live.NewDispatcher(live.Options{
					Outbox: memory{func() ([]tracking.Effect, error) {
						at = append(at, time.Since(began))
						return nil, tt.failure
					}},
					Publisher: &recorder{}, Logger: slog.New(slog.DiscardHandler),
					Backoff: func(failures int) time.Duration { return time.Second << (failures - 1) },
				})
				ctx, cancel := context.WithTimeout(t.Context(), 11*time.Second)
				defer cancel()
				time.AfterFunc(6*time.Second, func() { d.Offer(nil) })
				if err := d.Run(ctx); err != nil {
					t.Errorf("run: %v", err)
				}
				if got := fmt.Sprint(at); got != tt.want {
					t.Errorf("looked at %s", got)
				}
			})
		})
	}
}

// The embedded server takes every channel and event name that is used here; a
// closed one takes nothing, so that effects stay.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	server, err := pusher.New(pusher.Options{App: pusher.App{ID: "1", Key: "key", Secret: "secret"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, t.TempDir())
	moved(t, s, 1, 2)
	d := live.NewDispatcher(live.Options{
		Outbox: s, Publisher: live.Embedded{Server: server}, Logger: slog.New(slog.DiscardHandler),
		Channels: live.Channels{PublicOrders: true, PublicShipments: true},
	})
	if n, err := d.Dispatch(t.Context()); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	moved(t, s, 2, 1)
	if n, err := d.Dispatch(t.Context()); n != 0 || err == nil || left(t, s) == 0 {
		t.Errorf("into a closed server: %d, %v", n, err)
	}
}
