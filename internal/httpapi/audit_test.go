package httpapi_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const auditKeys = `id at act subject detail outcome tokenId actor role peer`

// acted is the audit in short, oldest first.
func (h *house) acted(query string) []string {
	h.t.Helper()
	var said []string
	for _, e := range h.admin("GET", "/api/audit?limit=200&"+query, "").list() {
		said = append([]string{fmt.Sprint(e["act"], " ", e["subject"], " ", e["outcome"], " by ", e["actor"])}, said...)
	}
	return said
}

func (h *house) actedIs(want ...string) {
	h.t.Helper()
	if got := h.acted(""); strings.Join(got, "\n") != strings.Join(want, "\n") {
		h.t.Errorf("the audit says\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestAuditOfActs(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.do("POST", "/api/webhooks/courier", "broken", "x-api-key", webhookToken)
	row := h.newest()["id"].(string)
	shop, header := h.token("shop")
	order := h.do("POST", "/api/orders", `{"number":"N-1","contact":{"name":"Asha Rao","phone":"9876543210","email":"asha@shop.example"}}`,
		"Authorization", header, "peer", "[2001:db8::7]:1").data()["id"].(string)
	h.as(header, "POST", "/api/orders/"+order+"/watch-token", "").data()
	h.admin("GET", "/api/webhooks/logs/"+row+"?unmasked=true", "").data()
	h.admin("POST", "/api/webhooks/retry/"+row+"?force=true", "").data()
	h.as(header, "DELETE", "/api/orders/"+order+"/personal-data", "")
	h.admin("DELETE", "/api/tokens/"+shop, "").data()
	h.actedIs(
		"token.create "+shop+" done by ADMIN_TOKEN",
		"order.register "+order+" done by a shop",
		"order.watch_token "+order+" done by a shop",
		"webhook.unmask "+row+" done by ADMIN_TOKEN",
		"webhook.retry "+row+" done by ADMIN_TOKEN",
		"order.erase "+order+" done by a shop",
		"token.revoke "+shop+" done by ADMIN_TOKEN",
	)
	rows := h.admin("GET", "/api/audit", "").list()
	for _, e := range rows {
		hasKeys(t, "an entry", e, auditKeys)
	}
	registered, retried := rows[5], rows[2]
	for key, want := range map[string]any{
		"at": "2026-11-23T12:00:00Z", "detail": nil, "tokenId": shop, "actor": "a shop", "role": "shop", "peer": "2001:db8::7",
	} {
		if registered[key] != want {
			t.Errorf("%s is %v, want %v", key, registered[key], want)
		}
	}
	if retried["detail"] != "force" || retried["tokenId"] != nil || retried["role"] != "admin" || retried["peer"] != listed || rows[6]["detail"] != "shop" {
		t.Errorf("%v", retried)
	}
	for _, person := range []string{"Asha", "98765", "asha@"} {
		if strings.Contains(h.admin("GET", "/api/audit", "").body, person) {
			t.Errorf("%s is in the audit", person)
		}
	}
	// Reading changes nothing and is no act.
	n := len(rows)
	for _, path := range []string{"/api/webhooks/logs", "/api/webhooks/logs/" + row, "/api/orders?number=N-1", "/api/orders/" + order, "/api/tokens", "/api/audit", "/metrics"} {
		h.admin("GET", path, "")
	}
	if rows := h.admin("GET", "/api/audit", "").list(); len(rows) != n {
		t.Errorf("%d entries after reading, %d before", len(rows), n)
	}
}

// What was not done is told too, by the code of what stood in the way; who is
// not known is counted and leaves nothing.
func TestAuditOfFailures(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	h.push(event("77002", 502, "N-2", "IN TRANSIT", "2026-11-22 10:00:00"))
	row := h.newest()["id"].(string)
	viewer, header := h.token("viewer")
	before := h.guard.Refused()
	for range 50 {
		h.as("Bearer wb_admin_unknown", "POST", "/api/webhooks/retry/"+row, "")
		h.do("DELETE", "/api/tokens/"+viewer, "")
	}
	if n := h.guard.Refused() - before; n != 100 {
		t.Errorf("%d unauthorized calls were counted, want 100", n)
	}
	h.as(header, "POST", "/api/webhooks/retry/"+row, "")
	h.as(header, "DELETE", "/api/tokens/"+viewer, "")
	h.as(header, "POST", "/api/tokens", `{"role":"admin","name":"more"}`)
	h.as(header, "POST", "/api/orders", `not even JSON`)
	h.as(header, "GET", "/api/webhooks/logs", "")
	h.as(header, "GET", "/api/audit", "") // reading, though not his to read
	h.admin("POST", "/api/webhooks/retry/"+row, "")
	h.admin("POST", "/api/webhooks/retry/nobody", "")
	h.admin("DELETE", "/api/tokens/nobody", "")
	h.admin("DELETE", "/api/orders/nobody/personal-data", "")
	h.admin("POST", "/api/orders/Asha%20Rao%209876543210/watch-token", "")
	h.admin("GET", "/api/webhooks/logs/nobody?unmasked=true", "")
	h.admin("POST", "/api/orders", `{"number":"N-2","srOrderId":501}`)
	h.admin("POST", "/api/orders", strings.Repeat(" ", 300<<10)) // never came to be an act
	h.actedIs(
		"token.create "+viewer+" done by ADMIN_TOKEN",
		"webhook.retry "+row+" forbidden by a viewer",
		"token.revoke "+viewer+" forbidden by a viewer",
		"token.create <nil> forbidden by a viewer",
		"order.register <nil> forbidden by a viewer",
		"webhook.retry "+row+" invalid by ADMIN_TOKEN",
		"webhook.retry nobody not_found by ADMIN_TOKEN",
		"token.revoke nobody not_found by ADMIN_TOKEN",
		"order.erase nobody not_found by ADMIN_TOKEN",
		"order.watch_token <nil> not_found by ADMIN_TOKEN",
		"webhook.unmask nobody not_found by ADMIN_TOKEN",
		"order.register 501 conflict by ADMIN_TOKEN",
	)
}

// breakAudit makes the database refuse every entry of the audit.
func (h *house) breakAudit() {
	h.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.dir, "waybill.db"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(h.t.Context(), `CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'refused'); END`); err != nil {
		h.t.Fatal(err)
	}
}

// Nothing is handed out or done that cannot be recorded.
func TestNothingHappensUnrecorded(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	order, row := h.order("N-1"), h.newest()["id"].(string)
	id, _ := h.token("viewer")
	// The store keeps all as it is, but for the audit.
	h.breakAudit()
	for _, call := range []string{
		"POST /api/orders/" + order + "/watch-token", "GET /api/webhooks/logs/" + row + "?unmasked=true", "POST /api/webhooks/retry/" + row + "?force=true",
		"DELETE /api/tokens/" + id, "POST /api/tokens", "POST /api/orders", "DELETE /api/orders/" + order + "/personal-data",
	} {
		method, path, _ := strings.Cut(call, " ")
		body := map[string]string{"POST /api/orders": `{"number":"N-9"}`, "POST /api/tokens": `{"role":"viewer","name":"x"}`}[call]
		if a := h.admin(method, path, body); a.status != http.StatusInternalServerError || strings.Contains(a.body, "private-order") || strings.Contains(a.body, "77001") {
			t.Errorf("%s: %d %s", call, a.status, a.body)
		}
	}
	if w := h.admin("GET", "/api/webhooks/logs/"+row, "").data(); w["status"] != "processed" || w["flags"] != nil {
		t.Errorf("the webhook was retried or erased: %v", w)
	}
	if tokens := h.admin("GET", "/api/tokens", "").list(); len(tokens) != 1 || tokens[0]["state"] != "active" {
		t.Errorf("a token was made or revoked: %v", tokens)
	}
	if found := h.admin("GET", "/api/orders?number=N-9", "").list(); len(found) != 0 {
		t.Errorf("an order was registered: %v", found)
	}
}

func TestAuditFilters(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for range 5 {
		h.token("viewer")
		h.admin("DELETE", "/api/tokens/nobody", "")
		h.now = h.now.Add(time.Hour)
	}
	for query, want := range map[string]int{
		"": 10, "act=token.create": 5, "act=nothing": 0, "from=2026-11-23T14:00:00Z": 6, "to=2026-11-23T14:00:00Z": 4,
		"act=token.revoke&from=2026-11-23T13:00:00Z&to=2026-11-23T15:00:00Z": 2, "from=2026-11-24": 0,
	} {
		a := h.admin("GET", "/api/audit?"+query, "")
		hasKeys(t, "the list", a.json(), "success data total totalIsExact totalPages currentPage nextCursor")
		if len(a.list()) != want || a.json()["total"] != float64(want) || a.json()["totalIsExact"] != true {
			t.Errorf("%s: %s, want %d", query, a.body, want)
		}
	}
	seen, cursor := map[any]bool{}, ""
	for range 4 {
		a := h.admin("GET", "/api/audit?limit=3&cursor="+cursor, "")
		for _, e := range a.list() {
			if seen[e["id"]] {
				t.Errorf("%v comes again", e)
			}
			seen[e["id"]] = true
		}
		cursor, _ = a.json()["nextCursor"].(string)
	}
	if p := h.admin("GET", "/api/audit?limit=3&page=4", ""); len(seen) != 10 || cursor != "" || len(p.list()) != 1 || p.json()["totalPages"] != 4.0 {
		t.Errorf("the cursor led to %d entries; the last page: %s", len(seen), p.body)
	}
	for query, says := range map[string]string{"page=0": "page must be", "limit=x": "limit must be", "from=yesterday": "from must be", "to=soon": "to must be"} {
		if a := h.admin("GET", "/api/audit?"+query, ""); a.status != http.StatusBadRequest || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}
