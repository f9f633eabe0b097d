package httpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/httpapi"
)

const tokenKeys = `id name role state createdAt createdBy expiresAt revokedAt lastUsedAt`

// token makes a token by the API and returns its id and the header it is sent
// in.
func (h *house) token(role string) (id, header string) {
	h.t.Helper()
	made := h.admin("POST", "/api/tokens", `{"role":"`+role+`","name":"a `+role+`"}`).data()
	return made["id"].(string), "Bearer " + made["secret"].(string)
}

// as is do with a token.
func (h *house) as(header, method, path, body string) answer {
	h.t.Helper()
	return h.do(method, path, body, "Authorization", header)
}

func TestCreateAndListTokens(t *testing.T) {
	t.Parallel()
	h := setup(t)
	a := h.admin("GET", "/api/tokens", "")
	hasKeys(t, "the list", a.json(), "success data total totalIsExact totalPages currentPage nextCursor")
	if len(a.list()) != 0 || a.json()["total"] != 0.0 {
		t.Errorf("%s", a.body)
	}
	made := h.admin("POST", "/api/tokens", `{"role":"viewer","name":" Grafana ","expires":"90d"}`)
	token := made.data()
	hasKeys(t, "a new token", token, tokenKeys+" secret")
	secret := token["secret"].(string)
	if !regexp.MustCompile(`^wb_viewer_[a-z2-7]{52}$`).MatchString(secret) || made.header.Get("Cache-Control") != "no-store" {
		t.Errorf("secret %q, Cache-Control %q", secret, made.header.Get("Cache-Control"))
	}
	for key, want := range map[string]any{
		"name": "Grafana", "role": "viewer", "state": "active", "createdAt": "2026-11-23T12:00:00Z", "createdBy": "ADMIN_TOKEN",
		"expiresAt": "2027-02-21T12:00:00Z", "revokedAt": nil, "lastUsedAt": nil,
	} {
		if token[key] != want {
			t.Errorf("%s is %v, want %v", key, token[key], want)
		}
	}
	h.as("Bearer "+secret, "GET", "/api/webhooks/logs", "").list()
	if err := h.guard.NoteUse(t.Context()); err != nil {
		t.Fatal(err)
	}
	other, _ := h.token("shop")
	rows := h.admin("GET", "/api/tokens", "").list()
	if len(rows) != 2 || rows[0]["id"] != other || rows[1]["id"] != token["id"] || rows[0]["expiresAt"] != nil {
		t.Fatalf("%v", rows)
	}
	hasKeys(t, "a listed token", rows[1], tokenKeys)
	if rows[1]["lastUsedAt"] != "2026-11-23T12:00:00Z" {
		t.Errorf("last used %v", rows[1]["lastUsedAt"])
	}
	if p := h.admin("GET", "/api/tokens?limit=1&page=2", ""); p.list()[0]["id"] != token["id"] || p.json()["totalPages"] != 2.0 {
		t.Errorf("%s", p.body)
	}
	// The secret was in that one answer and is nowhere else.
	for where, text := range map[string]string{
		"the list": h.admin("GET", "/api/tokens", "").body, "the audit": h.admin("GET", "/api/audit", "").body, "the log": h.lines.String(),
	} {
		if strings.Contains(text, secret) || strings.Contains(text, secret[len("wb_viewer_"):]) || strings.Contains(text, adminToken) {
			t.Errorf("a secret is in %s", where)
		}
	}
}

func TestCreateTokenRefuses(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for body, says := range map[string]string{
		``: "the JSON this call takes", `{}`: "role must be", `{"role":"root","name":"x"}`: "role must be admin, viewer or shop",
		`{"role":"viewer"}`: "name must be 1 to 100", `{"role":"viewer","name":"a\u0000b"}`: "name must be", `{"role":"viewer","name":"ADMIN_TOKEN"}`: "must not be",
		`{"role":"viewer","name":"x","expires":"1w"}`: "expires must be days or hours", `{"role":"viewer","name":"x","expires":"2020-01-01"}`: "in the future",
		`{"role":"viewer","name":"x","hash":"00"}`: `unknown field \"hash\"`,
	} {
		a := h.admin("POST", "/api/tokens", body)
		if a.status != http.StatusBadRequest || a.json()["code"] != "invalid" || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if rows := h.admin("GET", "/api/tokens", "").list(); len(rows) != 0 {
		t.Errorf("made all the same: %v", rows)
	}
}

// Each role may what it is for and no more; what it may not is told alike.
func TestRoles(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	h.push(event("77002", 502, "N-2", "IN TRANSIT", "2026-11-22 10:00:00"))
	order, row := h.order("N-1"), h.newest()["id"].(string) // the row is of another order, which is not erased
	victim, _ := h.token("viewer")
	headers := map[string]string{}
	for _, role := range []string{"admin", "viewer", "shop"} {
		_, headers[role] = h.token(role)
	}
	for call, may := range map[string]string{
		"GET /api/webhooks/logs": "admin viewer", "GET /api/webhooks/logs/" + row: "admin viewer", "GET /metrics": "admin viewer",
		"POST /api/webhooks/retry/" + row + "?force=true": "admin",
		"GET /api/orders?number=N-1":                      "admin shop", "GET /api/orders/" + order: "admin shop", "POST /api/orders": "admin shop",
		"POST /api/orders/" + order + "/watch-token": "admin shop", "DELETE /api/orders/" + order + "/personal-data": "admin shop",
		"GET /api/tokens": "admin", "POST /api/tokens": "admin", "DELETE /api/tokens/" + victim: "admin", "GET /api/audit": "admin",
	} {
		method, path, _ := strings.Cut(call, " ")
		body := map[string]string{"POST /api/orders": `{"number":"N-1"}`, "POST /api/tokens": `{"role":"viewer","name":"x"}`}[call]
		for role, header := range headers {
			a := h.as(header, method, path, body)
			if strings.Contains(may, role) {
				if a.status != http.StatusOK {
					t.Errorf("%s as %s: %d %s", call, role, a.status, a.body)
				}
				continue
			}
			a.is(403, `{"success":false,"code":"forbidden","message":"Forbidden"}`)
		}
	}
	// A viewer sees people masked, however he asks.
	if h.as(headers["viewer"], "GET", "/api/webhooks/logs/"+row+"?unmasked=true", "").body != h.as(headers["viewer"], "GET", "/api/webhooks/logs/"+row, "").body {
		t.Error("a viewer sees more with ?unmasked=true")
	}
	// Operators may hear of all shipments, shops may not.
	channel := "socket_id=1.2&channel_name=private-shipments"
	for role, want := range map[string]int{"admin": 200, "viewer": 200, "shop": 403} {
		if a := h.as(headers[role], "POST", "/api/realtime/auth", channel); a.status != want {
			t.Errorf("private-shipments as %s: %d %s", role, a.status, a.body)
		}
	}
	if a := h.as("Bearer wb_admin_unknown", "POST", "/api/realtime/auth", channel); a.status != http.StatusForbidden {
		t.Errorf("private-shipments as nobody: %d", a.status)
	}
}

// A token that was revoked or has expired is refused at once and like one that
// never was.
func TestRevokedAndExpiredTokens(t *testing.T) {
	t.Parallel()
	h := setup(t)
	const refused = `{"success":false,"code":"unauthorized","message":"Unauthorized"}`
	id, header := h.token("viewer")
	h.as(header, "GET", "/api/webhooks/logs", "").list()
	row := h.admin("DELETE", "/api/tokens/"+id, "").data()
	hasKeys(t, "the revoked token", row, tokenKeys)
	if row["state"] != "revoked" || row["revokedAt"] != "2026-11-23T12:00:00Z" {
		t.Errorf("%v", row)
	}
	h.as(header, "GET", "/api/webhooks/logs", "").is(401, refused)
	h.now = h.now.Add(time.Minute)
	if again := h.admin("DELETE", "/api/tokens/"+id, "").data(); again["revokedAt"] != row["revokedAt"] {
		t.Errorf("revoked again: %v", again)
	}
	h.admin("DELETE", "/api/tokens/nobody", "").is(404, `{"success":false,"code":"not_found","message":"token not found"}`)

	made := h.admin("POST", "/api/tokens", `{"role":"viewer","name":"short","expires":"1h"}`).data()
	header = "Bearer " + made["secret"].(string)
	h.now = h.now.Add(time.Hour - time.Second)
	h.as(header, "GET", "/api/webhooks/logs", "").list()
	h.now = h.now.Add(time.Second)
	h.as(header, "GET", "/api/webhooks/logs", "").is(401, refused)
	if rows := h.admin("GET", "/api/tokens", "").list(); rows[0]["state"] != "expired" || rows[1]["state"] != "revoked" {
		t.Errorf("%v", rows)
	}

	// By another process: within two seconds.
	id, header = h.token("viewer")
	h.as(header, "GET", "/api/webhooks/logs", "").list()
	ctx := access.WithEntry(t.Context(), &access.Entry{At: h.now, Actor: access.CommandLine(), Act: access.RevokeToken})
	if _, err := h.store.RevokeToken(ctx, id, h.now); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(2 * time.Second)
	h.as(header, "GET", "/api/webhooks/logs", "").is(401, refused)
	// An admin's own token closes behind him.
	id, header = h.token("admin")
	h.as(header, "DELETE", "/api/tokens/"+id, "").data()
	h.as(header, "GET", "/api/tokens", "").is(401, refused)
}

// brokenTokens cannot be read.
type brokenTokens struct{}

func (brokenTokens) LiveTokens(context.Context, time.Time) ([]access.Token, error) {
	return nil, errors.New("the disk is gone")
}

func (brokenTokens) NoteTokensUsed(context.Context, map[string]time.Time) error { return nil }

// While tokens cannot be looked up theirs are closed calls, which is told as
// what it is; ADMIN_TOKEN needs none.
func TestTokensOutOfReach(t *testing.T) {
	t.Parallel()
	h := setup(t, func(o *httpapi.Options) {
		o.Guard = access.New(access.Options{AdminToken: adminToken, Tokens: brokenTokens{}, Logger: slog.New(slog.DiscardHandler)})
	})
	for _, call := range []string{"GET /api/webhooks/logs", "POST /api/orders", "POST /api/tokens"} {
		method, path, _ := strings.Cut(call, " ")
		a := h.as("Bearer wb_admin_0123456789", method, path, `{}`)
		a.is(503, `{"success":false,"code":"unavailable","message":"tokens cannot be looked up now"}`)
		if a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if a := h.as("Bearer wb_admin_0123456789", "POST", "/api/realtime/auth", "socket_id=1.2&channel_name=private-shipments"); a.status != http.StatusServiceUnavailable {
		t.Errorf("private-shipments: %d %s", a.status, a.body)
	}
	h.as("Bearer other", "GET", "/api/webhooks/logs", "").is(401, `{"success":false,"code":"unauthorized","message":"Unauthorized"}`)
	h.admin("GET", "/api/webhooks/logs", "").list()
}
