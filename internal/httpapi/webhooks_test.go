package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/httpapi"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	const unlisted = "203.0.113.9:40000"
	transit := event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00")
	good := []string{"x-api-key", webhookToken}
	tests := []struct {
		name    string
		body    string
		headers []string
		status  int
		answer  string
		kept    string // status and reason of the row; "" for none
	}{
		{
			"taken", transit, good, 200,
			`{"success":true,"message":"Webhook received and queued for processing","eventId":"77001-IN_TRANSIT-2026-11-22_10_00_00"}`, "pending ",
		},
		{
			"an AWB that nobody knows", `{"awb":"UNKNOWN","current_status":"IN TRANSIT","current_timestamp":"22 11 2026 10:00:00"}`, good, 200,
			`{"success":true,"message":"Webhook received and queued for processing","eventId":"UNKNOWN-IN_TRANSIT-22_11_2026_10_00_00"}`, "pending ",
		},
		{"a ping without a body", "", good, 200, `{"success":true,"message":"Ping received","eventId":"none-none-e3b0c44298fc"}`, "ignored ping"},
		{"not JSON", "awb=77001", good, 400, `{"success":false,"code":"invalid","message":"the body is not a JSON object; it was kept for inspection"}`, "rejected not_json"},
		{"no proof", transit, nil, 401, `{"success":false,"message":"Unauthorized: Invalid webhook token"}`, ""},
		{"a bad token", transit, []string{"x-api-key", "bad"}, 401, `{"success":false,"message":"Unauthorized: Invalid webhook token"}`, ""},
		{
			"a bad token from an unlisted address", transit,
			[]string{"x-api-key", "bad", "peer", unlisted},
			401,
			`{"success":false,"message":"Unauthorized: Invalid webhook token"}`, "",
		},
		{
			"an unlisted address", transit, append([]string{"peer", unlisted}, good...), 403,
			`{"success":false,"message":"Forbidden: Unauthorized IP address"}`, "rejected address",
		},
		{
			"larger than 1 MiB", `{"awb":"` + strings.Repeat("7", 1<<20) + `"}`, good, 413,
			`{"success":false,"code":"too_large","message":"the body is larger than this call takes"}`, "",
		},
	}
	paths := []string{"/api/webhooks/courier", "/api/webhooks/shiprocket"} // one handler under two names: they take turns
	for i, tt := range tests {
		path := paths[i%2]
		t.Run(tt.name+" at "+path, func(t *testing.T) {
			t.Parallel()
			h := setup(t)
			a := h.do("POST", path, tt.body, tt.headers...)
			a.is(tt.status, tt.answer)
			if ct := a.header.Get("Content-Type"); ct != "application/json; charset=utf-8" {
				t.Errorf("Content-Type %q", ct)
			}
			rows := h.admin("GET", "/api/webhooks/logs", "").list()
			switch {
			case tt.kept == "" && len(rows) > 0:
				t.Errorf("kept: %v", rows)
			case tt.kept != "" && len(rows) != 1:
				t.Errorf("%d rows are kept", len(rows))
			case tt.kept != "":
				reason, _ := rows[0]["reason"].(string)
				if got := rows[0]["status"].(string) + " " + reason; got != tt.kept {
					t.Errorf("kept as %q, want %q", got, tt.kept)
				}
			}
		})
	}
}

func TestWebhookRepeatsAreAnswered(t *testing.T) {
	t.Parallel()
	h := setup(t)
	transit := event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00")
	h.do("POST", "/api/webhooks/courier", transit, "x-api-key", webhookToken)
	again := func() answer { return h.do("POST", "/api/webhooks/shiprocket", transit, "x-api-key", webhookToken) }
	again().is(200, `{"success":true,"message":"Event already processed","eventId":"77001-IN_TRANSIT-2026-11-22_10_00_00","status":"pending"}`)
	h.work()
	again().is(200, `{"success":true,"message":"Event already processed","eventId":"77001-IN_TRANSIT-2026-11-22_10_00_00","status":"processed"}`)
}

// Without a store nothing is acknowledged, and the sender is told to come
// again.
func TestWebhookWithoutAStore(t *testing.T) {
	t.Parallel()
	h := setup(t)
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	a := h.do("POST", "/api/webhooks/courier", `{"awb":"77001"}`, "x-api-key", webhookToken)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || a.json()["code"] != "unavailable" || a.json()["success"] != false {
		t.Errorf("%d %s, Retry-After %q", a.status, a.body, a.header.Get("Retry-After"))
	}
}

// A full log is one that takes nothing more for now.
type fullLog struct{ inbox.Log }

func (fullLog) Append(context.Context, inbox.Webhook) (inbox.Appended, error) {
	return inbox.Appended{}, &tracking.Error{Code: tracking.Unavailable, Message: "too many webhooks are waiting to be written; come again"}
}

func TestWebhookIntoAFullLog(t *testing.T) {
	t.Parallel()
	h := setup(t, func(o *httpapi.Options) {
		o.Inbox = inbox.New(inbox.Options{
			Log: fullLog{}, Verifier: shiprocket.NewVerifier([]string{webhookToken}, nil, ""), Logger: slog.New(slog.DiscardHandler),
		})
	})
	a := h.do("POST", "/api/webhooks/courier", `{"awb":"77001","current_status":"IN TRANSIT"}`, "x-api-key", webhookToken)
	a.is(503, `{"success":false,"code":"unavailable","message":"too many webhooks are waiting to be written; come again"}`)
	if a.header.Get("Retry-After") == "" {
		t.Error("Retry-After is missing")
	}
}

// The panel looks at an address before it saves it, with GET or HEAD.
func TestWebhookProbes(t *testing.T) {
	t.Parallel()
	h := setup(t)
	server := httptest.NewServer(h.api)
	defer server.Close()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, path := range []string{"/api/webhooks/shiprocket", "/api/webhooks/courier"} {
			req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			res, err := server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK || (len(body) == 0) != (method == http.MethodHead) {
				t.Errorf("%s %s: %d %q %v", method, path, res.StatusCode, body, err)
			}
		}
	}
	server.Client().CloseIdleConnections()
}

// A body is read to the limit and no further, when it does not announce its
// length either.
func TestWebhookBodiesWithoutEnd(t *testing.T) {
	t.Parallel()
	h := setup(t)
	endless := &zeros{}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/webhooks/courier", endless)
	r.Header.Set("x-api-key", webhookToken)
	w := httptest.NewRecorder()
	h.api.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge || endless.read > 2<<20 {
		t.Errorf("%d after %d bytes", w.Code, endless.read)
	}
}

// zeros is a body that never ends.
type zeros struct{ read int }

func (z *zeros) Read(p []byte) (int, error) {
	clear(p)
	z.read += len(p)
	return len(p), nil
}
