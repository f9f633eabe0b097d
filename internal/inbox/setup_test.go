package inbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token  = "a-token-of-the-tests-0123456789abcdef"
	secret = "a-secret-of-the-tests-0123456789abcde"
)

var (
	noon     = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	listed   = netip.MustParseAddr("13.234.161.44")
	unlisted = netip.MustParseAddr("203.0.113.9")
)

// A room is an inbox over a database of its own, with a clock that only the
// test moves.
type room struct {
	*inbox.Inbox
	t     testing.TB
	dir   string
	store *store.Store
	clock *clock
	lines *lines
}

// setup makes a room; change may alter its options, the log of webhooks among
// them.
func setup(t testing.TB, change ...func(*inbox.Options)) *room {
	t.Helper()
	r := &room{t: t, dir: t.TempDir(), clock: &clock{now: noon}, lines: &lines{}}
	r.open()
	t.Cleanup(func() {
		if err := r.store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	r.Inbox = r.another(change...)
	return r
}

func (r *room) open() {
	r.t.Helper()
	var err error
	if r.store, err = store.Open(context.Background(), store.Options{DataDir: r.dir, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		r.t.Fatal(err)
	}
}

// die leaves the database as it would stand if the process were killed now, and
// opens it in the next one, with an inbox of its own.
func (r *room) die(change ...func(*inbox.Options)) {
	r.t.Helper()
	left := r.t.TempDir()
	if err := os.CopyFS(left, os.DirFS(r.dir)); err != nil {
		r.t.Fatal(err)
	}
	if err := r.store.Close(); err != nil {
		r.t.Errorf("close the store: %v", err)
	}
	r.dir = left
	r.open()
	r.Inbox = r.another(change...)
}

// another is an inbox over the same database.
func (r *room) another(change ...func(*inbox.Options)) *inbox.Inbox {
	o := inbox.Options{
		Log: r.store, Verifier: shiprocket.NewVerifier([]string{token}, []string{secret}, ""), Now: r.clock.read,
		Logger: slog.New(slog.NewTextHandler(r.lines, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Apply:  inbox.ApplyOptions{AutoCreate: true},
	}
	for _, c := range change {
		c(&o)
	}
	return inbox.New(o)
}

func parkUnknown(o *inbox.Options) { o.Apply.AutoCreate = false }

// proven is a request with a good token from a listed address.
func proven(body []byte) inbox.Push {
	return inbox.Push{Body: body, Header: http.Header{"X-Api-Key": {token}}, Peer: listed}
}

// push receives a body that must be taken.
func (r *room) push(body []byte) inbox.Receipt {
	r.t.Helper()
	receipt, err := r.Receive(r.t.Context(), proven(body))
	if err != nil {
		r.t.Fatalf("receive %s: %v", body, err)
	}
	return receipt
}

// work works off all that is due.
func (r *room) work() {
	r.t.Helper()
	for {
		n, err := r.Work(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// apply receives bodies one after the other, each worked off before the next,
// and returns the row of the last.
func (r *room) apply(bodies ...[]byte) inbox.Webhook {
	r.t.Helper()
	for _, b := range bodies {
		r.push(b)
		r.work()
	}
	return r.newest()
}

// rows is the log, newest first.
func (r *room) rows() []inbox.Webhook {
	r.t.Helper()
	found, err := r.store.Webhooks(r.t.Context(), store.Filter{}, 1, 200)
	if err != nil {
		r.t.Fatal(err)
	}
	return found.Rows
}

// newest is the newest row with all that is kept of it.
func (r *room) newest() inbox.Webhook {
	r.t.Helper()
	rows := r.rows()
	if len(rows) == 0 {
		r.t.Fatal("the log is empty")
	}
	return r.row(rows[0].ID)
}

func (r *room) row(id string) inbox.Webhook {
	r.t.Helper()
	w, err := r.store.Webhook(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return w
}

// snapshot is the public view of an order.
func (r *room) snapshot(orderID string) tracking.Snapshot {
	r.t.Helper()
	view, err := r.store.Snapshot(r.t.Context(), orderID)
	if err != nil {
		r.t.Fatalf("snapshot of %q: %v", orderID, err)
	}
	var s tracking.Snapshot
	if err := json.Unmarshal(view.JSON, &s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// start runs the inbox until the returned function is called, which waits for
// its end.
func start(t testing.TB, i *inbox.Inbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("run does not stop")
		}
	})
	t.Cleanup(stop)
	return stop
}

// until polls for what other goroutines are to bring about.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !holds() {
		select {
		case <-poll.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// body is a push as couriers send it: one scan, at the time of its event in
// India. More are keys and values that are added, or replace what is there.
func body(awb string, sr int, status, date string, more ...any) []byte {
	m := map[string]any{
		"awb": awb, "sr_order_id": sr, "order_id": "N-" + awb, "current_status": status, "is_return": 0,
		"scans": []any{scan(date, status)},
	}
	for i := 0; i < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return b
}

func scan(date, activity string) map[string]any {
	return map[string]any{"date": date, "status": "X-" + activity, "activity": activity, "location": "Pune", "sr-status": "NA"}
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// lines is what was logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// poisoned is a log that cannot apply what names a certain AWB.
type poisoned struct {
	*store.Store
	awb   string
	whole bool // the transaction fails as a whole, not the one webhook
}

func (p poisoned) Apply(ctx context.Context, now time.Time, batch []inbox.Application, o inbox.ApplyOptions) ([]inbox.Applied, error) {
	var good []inbox.Application
	var bad []inbox.Applied
	for _, a := range batch {
		if a.Evidence.Reading.AWB != p.awb {
			good = append(good, a)
			continue
		}
		if p.whole {
			return nil, errors.New("the batch is poisoned")
		}
		bad = append(bad, inbox.Applied{WebhookID: a.WebhookID, Err: errors.New("the webhook is poisoned\ngoroutine 1 [running]")})
	}
	applied, err := p.Store.Apply(ctx, now, good, o)
	return append(applied, bad...), err
}

func contains(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s is %q; want %q in it", what, text, part)
		}
	}
}
