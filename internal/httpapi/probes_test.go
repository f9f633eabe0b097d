package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/httpapi"
)

func TestProbes(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.do("GET", "/healthz", "").is(200, `{"success":true,"data":null}`)
	h.do("GET", "/readyz", "").is(200, `{"success":true,"data":null}`)

	h.api.Drain()
	a := h.do("GET", "/readyz", "")
	a.is(503, `{"success":false,"code":"unavailable","message":"stopping"}`)
	if a.header.Get("Retry-After") == "" {
		t.Error("Retry-After is missing")
	}
	h.do("GET", "/healthz", "").is(200, `{"success":true,"data":null}`)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00")) // everything is still answered
	if a := h.do("GET", "/api/track/"+h.order("N-1"), ""); a.status != http.StatusOK {
		t.Errorf("while draining: %d", a.status)
	}

	gone := setup(t)
	if err := gone.store.Close(); err != nil {
		t.Fatal(err)
	}
	gone.do("GET", "/healthz", "").is(200, `{"success":true,"data":null}`)
	gone.do("GET", "/readyz", "").is(503, `{"success":false,"code":"unavailable","message":"the database does not answer"}`)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	h.push(event("77001", 501, "N-1", "CARRIED BY DRONE", "2026-11-22 11:00:00"))
	h.do("POST", "/api/webhooks/courier", "{}", "x-api-key", "bad")
	a := h.admin("GET", "/metrics", "")
	if a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	for _, line := range []string{
		`waybill_webhooks_received_total{outcome="queued",proof="api_key"} 2`, `waybill_webhooks_received_total{outcome="bad_token",proof="none"} 1`,
		`waybill_unknown_statuses_total 1`, `waybill_ack_duration_seconds_count 2`, `waybill_apply_duration_seconds_count 2`, `waybill_last_push_age_seconds `,
		`waybill_webhooks_applied_total{reason="unknown_status",status="processed"} 1`,
	} {
		if !strings.Contains(a.body, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestNoSuchPath(t *testing.T) {
	t.Parallel()
	h := setup(t)
	const notFound = `{"success":false,"code":"not_found","message":"no such path"}`
	for _, call := range []string{
		"GET /nothing", "GET /api/webhooks", "POST /api/track/x", "PUT /api/webhooks/courier", "DELETE /api/orders/x", "GET /api/orders/x/y", "GET /%2e%2e/etc/passwd",
	} {
		method, path, _ := strings.Cut(call, " ")
		if a := h.do(method, path, ""); a.status != http.StatusNotFound || strings.TrimSpace(a.body) != notFound {
			t.Errorf("%s: %d %s", call, a.status, a.body)
		}
	}
}

// Whatever breaks inside is told to the log, and to nobody else.
func TestPanicsAreAnswered(t *testing.T) {
	t.Parallel()
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret detail of " + t.Name()) })
	h := setup(t, func(o *httpapi.Options) { o.Metrics = broken })
	h.admin("GET", "/metrics", "").is(500, `{"success":false,"code":"internal","message":"internal error"}`)
	if l := h.lines.String(); !strings.Contains(l, "http.panicked") || !strings.Contains(l, "secret detail") || !strings.Contains(l, "GET /metrics") {
		t.Errorf("the log does not tell: %s", l)
	}
	h.do("GET", "/healthz", "").is(200, `{"success":true,"data":null}`)

	// Breaking an answer off is the server's business.
	aborting := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	h = setup(t, func(o *httpapi.Options) { o.Metrics = aborting })
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // a panic value is compared as it is
			t.Errorf("recovered %v", p)
		}
	}()
	h.admin("GET", "/metrics", "")
	t.Error("the answer was ended as if it were whole")
}

// No failure of a room shows more than its safe sentence.
func TestFailuresTellNoDetail(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	id := h.order("N-1")
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{
		"GET /api/webhooks/logs", "GET /api/webhooks/logs/x", "POST /api/webhooks/retry/x", "GET /api/orders?number=1", "GET /api/orders/" + id,
		"DELETE /api/orders/x/personal-data", "POST /api/orders/x/watch-token", "GET /api/track/" + id, // pages: TestPagesInTrouble
	} {
		method, path, _ := strings.Cut(call, " ")
		a := h.admin(method, path, "")
		a.is(503, `{"success":false,"code":"unavailable","message":"the store is closing"}`)
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: Retry-After is missing", call)
		}
	}
}
