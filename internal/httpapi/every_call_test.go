package httpapi_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// elsewhere are answers that take more than a call to bring about. Where other
// tests do, those hold them against the description too.
var elsewhere = []string{
	"408",                  // a body that creeps
	"500",                  // a fault of ours
	"POST /api/tokens 409", // a thousand tokens
}

// Every described call gives every answer that is described of it, as described:
// do checks each.
func TestEveryCallIsAsDescribed(t *testing.T) {
	t.Parallel()
	h := setup(t)
	tried := h.goodCalls()
	h.badCalls()
	h.tooOften()
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Hour) // limits are forgotten
	for _, path := range []string{"/api/webhooks/courier", "/api/webhooks/shiprocket"} {
		h.do("POST", path, `{"awb":"77001"}`, "x-api-key", webhookToken)
	}
	for call, path := range tried {
		method, _, _ := strings.Cut(call, " ")
		h.admin(method, path, bodies[call])
		h.as("Bearer wb_admin_unknown", method, path, bodies[call]) // nobody can say whether it is
	}

	var seen []string
	h.calls.Range(func(call, _ any) bool { seen = append(seen, call.(string)); return true })
	n := 0
	for path, item := range described().paths {
		for method, op := range dig(item) {
			for status := range dig(op, "responses") {
				call := strings.ToUpper(method) + " " + path + " " + status
				if slices.Contains(elsewhere, status) || slices.Contains(elsewhere, call) {
					continue
				}
				if n++; !slices.Contains(seen, call) {
					t.Errorf("%s is described and was not answered", call)
				}
			}
		}
	}
	t.Logf("%d kinds of answers of %d calls", n, len(tried))
}

// bodies are what is sent, for calls that take something.
var bodies = map[string]string{
	"POST /api/webhooks/courier":      event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"),
	"POST /api/webhooks/shiprocket":   event("77002", 502, "N-2", "DELIVERED", "2026-11-22 10:00:00"),
	"POST /api/webhooks/dismiss/{id}": `{"note":"a test"}`,
	"POST /api/webhooks/dismiss":      `{"filter":{"status":"failed"},"note":"a test"}`,
	"POST /api/webhooks/replays":      `{"filter":{"status":"processed","from":"2026-11-20","awb":77001},"ratePerSecond":5}`,
	"POST /api/webhooks/addresses":    `{"address":"203.0.113.0/24"}`,
	"POST /api/orders":                `{"number":"N-3","srOrderId":503,"awbCodes":["77003",77004],"channelId":"7","contact":{"name":"Asha Rao","phone":null}}`,
	"POST /api/tokens":                `{"role":"viewer","name":"Grafana","expires":"90d"}`,
	"POST /api/realtime/auth":         "socket_id=1.1&channel_name=private-shipments",
}

// goodCalls makes every described call well, and returns them with their paths.
func (h *house) goodCalls() map[string]string {
	h.t.Helper()
	for _, path := range []string{"POST /api/webhooks/courier", "POST /api/webhooks/shiprocket"} {
		h.do("POST", path[5:], bodies[path], "x-api-key", webhookToken)
	}
	h.do("POST", "/api/webhooks/courier", event("77001", 501, "N-1", "RTO DELIVERED", "2026-11-22 12:00:00"), "x-api-key", webhookToken)
	h.do("POST", "/api/webhooks/courier", event("77001", 501, "N-1", "ARCHIVED", "2026-11-22 13:00:00"), "x-api-key", webhookToken)
	h.do("POST", "/api/webhooks/courier", strings.Replace(event("77009", 509, "N-9", "RETURN PENDING", "2026-11-22 13:00:00"), `"is_return":0`, `"is_return":1`, 1), "x-api-key", webhookToken)
	h.do("POST", "/api/webhooks/courier", "broken", "x-api-key", webhookToken)
	broken := h.newest()["id"].(string)
	h.do("POST", "/api/webhooks/courier", `{"awb":"77005","current_status":"HELD BY A DRAGON"}`, "x-api-key", webhookToken, "peer", "203.0.113.9:1")
	h.work()
	order := h.order("N-1")
	old := h.admin("POST", "/api/tokens", `{"role":"shop","name":"old"}`).data()["id"].(string)
	replay := h.admin("POST", "/api/webhooks/replays", bodies["POST /api/webhooks/replays"]).data()["id"].(string)
	h.admin("POST", "/api/webhooks/replays", `{"filter":{"all":true},"dryRun":true}`)

	h.admin("POST", "/api/webhooks/dismiss", `{"filter":{"all":true},"dryRun":true}`)

	tried := map[string]string{}
	for path, item := range described().paths {
		for method := range dig(item) {
			tried[strings.ToUpper(method)+" "+path] = path
		}
	}
	for call, path := range map[string]string{
		"GET /api/webhooks/logs": "/api/webhooks/logs?limit=2&page=1&q=77&dismissed=false&from=2026-11-01&to=2026-12-01T00:00:00Z",
		"GET /api/orders":        "/api/orders?number=N-1", "GET /api/tokens": "/api/tokens?page=1&limit=1",
		"GET /api/audit":           "/api/audit?act=token.create&limit=1",
		"GET /api/webhooks/export": "/api/webhooks/export?format=ndjson&unmasked=true",
	} {
		tried[call] = path
	}
	// What deletes comes last.
	for _, call := range slices.SortedFunc(maps.Keys(tried), lastDeletes) {
		method, pattern, _ := strings.Cut(call, " ")
		subject := broken
		switch {
		case strings.HasPrefix(pattern, "/api/orders/"):
			subject = order
		case strings.HasPrefix(pattern, "/api/tokens/"):
			subject = old
		case strings.HasPrefix(pattern, "/api/webhooks/replays/"):
			subject = replay
		}
		tried[call] = strings.NewReplacer("{id}", subject, "{orderId}", order, "{address}", "203.0.113.0/24").Replace(tried[call])
		if pattern == "/api/webhooks/courier" || pattern == "/api/webhooks/shiprocket" {
			h.do(method, pattern, bodies[call], "x-api-key", webhookToken)
			continue
		}
		if a := h.admin(method, tried[call], bodies[call]); a.status != http.StatusOK {
			h.t.Errorf("%s: %d %s", call, a.status, a.body)
		}
	}
	for _, path := range []string{"/api/track/" + order, "/api/openapi.json"} {
		h.do("GET", path, "", "If-None-Match", h.do("GET", path, "").header.Get("ETag"))
	}
	h.admin("GET", "/api/webhooks/export?format=csv", "")
	for _, row := range h.admin("GET", "/api/webhooks/logs", "").list() {
		h.admin("GET", "/api/webhooks/logs/"+row["id"].(string), "")
	}
	for _, path := range []string{"/api/webhooks/logs?reason=placeholder", "/api/orders?number=nobody", "/api/track/" + h.order("N-9"), "/api/track/" + h.order("N-2")} {
		h.admin("GET", path, "")
	}
	return tried
}

func lastDeletes(a, b string) int {
	if d, e := strings.HasPrefix(a, "DELETE"), strings.HasPrefix(b, "DELETE"); d != e {
		return map[bool]int{true: 1, false: -1}[d]
	}
	return strings.Compare(a, b)
}
