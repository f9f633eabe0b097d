package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/goleak"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/httpapi"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/pusher"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	adminToken   = "an-admin-token-of-the-tests-0123456789"
	webhookToken = "a-webhook-token-of-the-tests-0123456789"
	appKey       = "app-key"
	appSecret    = "an-app-secret-of-the-tests"
	listed       = "13.234.161.44"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A house is the whole API over a database of its own. Nothing runs in the
// background: work and publish do what would.
type house struct {
	t       testing.TB
	dir     string
	options httpapi.Options
	api     *httpapi.API
	store   *store.Store
	inbox   *inbox.Inbox
	replays *inbox.Replayer
	guard   *access.Guard
	watch   *access.WatchTokens
	lines   *lines
	now     time.Time
	events  []live.Message // published, in their order
	calls   sync.Map       // what was called, and the status of the answer
}

func setup(t testing.TB, change ...func(*httpapi.Options)) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), now: noon, lines: &lines{}, watch: access.NewWatchTokens("a watch secret")}
	log := slog.New(slog.NewTextHandler(h.lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if h.store, err = store.Open(t.Context(), store.Options{DataDir: h.dir, Logger: log}); err != nil {
		t.Fatal(err)
	}
	realtime, err := pusher.New(pusher.Options{App: pusher.App{ID: "app", Key: appKey, Secret: appSecret}, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := realtime.Close(); err != nil {
			t.Errorf("close the realtime server: %v", err)
		}
		if err := h.store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	registry := prometheus.NewRegistry()
	addresses := shiprocket.NewAllowList([]netip.Prefix{netip.MustParsePrefix(listed + "/32")})
	metrics := inbox.NewMetrics(registry)
	h.inbox = inbox.New(inbox.Options{
		Log: h.store, Verifier: shiprocket.NewVerifier([]string{webhookToken}, nil, ""), Addresses: addresses,
		Metrics: metrics, Logger: log, Apply: inbox.ApplyOptions{AutoCreate: true},
		Now: func() time.Time { return h.now },
	})
	h.guard = access.New(access.Options{AdminToken: adminToken, Tokens: h.store, Logger: log, Now: func() time.Time { return h.now }})
	h.replays = inbox.NewReplayer(inbox.ReplayerOptions{Log: h.store, Wake: h.inbox.Wake, Logger: log, Now: func() time.Time { return h.now }})
	h.options = httpapi.Options{
		Replayer: h.replays,
		Alarms: inbox.NewAlarms(inbox.AlarmOptions{
			Log: h.store, Metrics: metrics, Logger: log, Silence: 24 * time.Hour, Now: func() time.Time { return h.now },
		}),
		Addresses: inbox.NewAddresses(inbox.AddressOptions{
			Log: h.store, List: addresses, Wake: h.inbox.Wake, Logger: log, Now: func() time.Time { return h.now },
		}),
		Inbox: h.inbox, Store: h.store, Guard: h.guard, WatchTokens: h.watch, RealtimeServer: realtime,
		Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), Logger: log,
		Realtime: httpapi.Realtime{Key: appKey, Authorize: pusher.App{Key: appKey, Secret: appSecret}.AuthorizeChannel}, PublicURL: "https://track.shop.example/", PublicChannels: true,
		ShopOrderIDs: true, AllowedOrigins: []string{"https://shop.example"}, Now: func() time.Time { return h.now },
	}
	for _, c := range change {
		c(&h.options)
	}
	h.api = httpapi.New(h.options)
	return h
}

// An answer is what a call came to.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// do sends a request from a listed address; headers are names and values. What
// is answered must be as described.
func (h *house) do(method, path, body string, headers ...string) answer {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	r.RemoteAddr = listed + ":40000"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "peer" {
			r.RemoteAddr = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, r)
	a := answer{h.t, w.Code, w.Header(), w.Body.String()}
	if call := described().conforms(h.t, method, path, body, a); call != "" {
		h.calls.Store(call+" "+strconv.Itoa(a.status), true)
	}
	return a
}

// admin is do with the admin's token.
func (h *house) admin(method, path, body string, headers ...string) answer {
	h.t.Helper()
	return h.do(method, path, body, append(headers, "Authorization", "Bearer "+adminToken)...)
}

// push sends a webhook that must be taken, and works off all that is due.
func (h *house) push(body string) answer {
	h.t.Helper()
	a := h.do("POST", "/api/webhooks/courier", body, "x-api-key", webhookToken)
	if a.status != http.StatusOK {
		h.t.Fatalf("push: %d %s", a.status, a.body)
	}
	h.work()
	return a
}

func (h *house) work() {
	h.t.Helper()
	for {
		n, err := h.inbox.Work(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// publish carries out the effects; what is published is in h.events.
func (h *house) publish() {
	h.t.Helper()
	d := live.NewDispatcher(live.Options{
		Outbox: h.store, Publisher: h, Channels: live.Channels{PublicOrders: true, PublicShipments: true}, Logger: slog.New(slog.DiscardHandler),
	})
	for {
		n, err := d.Dispatch(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// Publish implements live.Publisher.
func (h *house) Publish(_ context.Context, m live.Message) error {
	h.events = append(h.events, m)
	return nil
}

// newest is the newest row of the log.
func (h *house) newest() map[string]any {
	h.t.Helper()
	return h.admin("GET", "/api/webhooks/logs?limit=1", "").list()[0]
}

// order is the id of the order with a number.
func (h *house) order(number string) string {
	h.t.Helper()
	found := h.admin("GET", "/api/orders?number="+number, "").list()
	if len(found) != 1 {
		h.t.Fatalf("%d orders with number %s", len(found), number)
	}
	return found[0]["id"].(string)
}

func (a answer) json() map[string]any {
	a.t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
	return m
}

// data is an answer's data, an object.
func (a answer) data() map[string]any {
	a.t.Helper()
	m, ok := a.json()["data"].(map[string]any)
	if !ok || a.status != http.StatusOK || a.json()["success"] != true {
		a.t.Fatalf("%d %s", a.status, a.body)
	}
	return m
}

// list is an answer's data, a list of objects.
func (a answer) list() []map[string]any {
	a.t.Helper()
	var m struct {
		Success bool
		Data    []map[string]any
	}
	if err := json.Unmarshal([]byte(a.body), &m); err != nil || !m.Success || a.status != http.StatusOK || m.Data == nil {
		a.t.Fatalf("%d %v: %s", a.status, err, a.body)
	}
	return m.Data
}

// is checks status and body, to the letter but for white space at its end.
func (a answer) is(status int, body string) {
	a.t.Helper()
	if a.status != status || strings.TrimSpace(a.body) != body {
		a.t.Errorf("%d %s\nwant %d %s", a.status, strings.TrimSpace(a.body), status, body)
	}
}

// hasKeys checks that an object has these keys and no others.
func hasKeys(t testing.TB, what string, object any, want string) {
	t.Helper()
	m, ok := object.(map[string]any)
	if !ok {
		t.Errorf("%s is %v, want an object", what, object)
		return
	}
	got, wanted := slices.Sorted(maps.Keys(m)), strings.Fields(want)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Errorf("%s has the keys\n  %v\nwant\n  %v", what, got, wanted)
	}
}

// event is a push about one parcel, with one scan at its time.
func event(awb string, sr int, number, status, date string) string {
	return asJSON(map[string]any{
		"awb": awb, "sr_order_id": sr, "order_id": number, "current_status": status, "courier_name": "Delhivery Surface",
		"etd": "2026-11-26 10:00:00", "is_return": 0, "channel_id": 77,
		"scans": []any{map[string]any{"date": date, "status": "X-1", "activity": "Bag added", "location": "Pune", "sr-status": "NA"}},
	})
}

// guardOf knows one admin token; "" is none.
func guardOf(token string) *access.Guard { return access.NewGuard(token) }

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// lines is what was logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*lines)(nil)

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
