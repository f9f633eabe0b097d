package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/inbox"
)

const rowKeys = `id eventId eventType status reason result error attempts awb srOrderId orderNumber orderId peer auth flags
	receivedAt processedAt nextAttemptAt duplicateOf dismissedAt dismissedNote`

// filled is a house with a log of six rows, of every kind that intake makes.
func filled(t *testing.T) *house {
	t.Helper()
	h := setup(t)
	transit := event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00")
	h.push(transit)
	h.push(transit)
	h.push(event("77002", 502, "N-2", "DELIVERED", "2026-11-22 11:00:00"))
	h.push(`{}`)
	h.do("POST", "/api/webhooks/courier", transit, "x-api-key", webhookToken, "peer", "203.0.113.9:1")
	h.do("POST", "/api/webhooks/courier", "broken", "x-api-key", webhookToken)
	return h
}

func TestLogRows(t *testing.T) {
	t.Parallel()
	h := filled(t)
	a := h.admin("GET", "/api/webhooks/logs", "")
	hasKeys(t, "the list", a.json(), "success data total totalIsExact totalPages currentPage nextCursor")
	rows := a.list()
	if m := a.json(); len(rows) != 6 || m["total"] != 6.0 || m["totalIsExact"] != true || m["totalPages"] != 1.0 || m["currentPage"] != 1.0 || m["nextCursor"] != nil {
		t.Fatalf("%d rows: %s", len(rows), a.body)
	}
	for _, row := range rows {
		hasKeys(t, "a row", row, rowKeys)
	}
	broken, transit := rows[0], rows[5]
	for key, want := range map[string]any{
		"eventId": "77001-IN_TRANSIT-2026-11-22_10_00_00", "eventType": "IN TRANSIT", "status": "processed", "reason": nil,
		"error": nil, "attempts": 1.0, "awb": "77001", "srOrderId": "501", "orderNumber": "N-1", "peer": listed, "auth": "api_key", "flags": nil,
		"receivedAt": "2026-11-23T12:00:00Z", "processedAt": "2026-11-23T12:00:00Z", "nextAttemptAt": nil, "duplicateOf": nil,
	} {
		if transit[key] != want {
			t.Errorf("%s is %v, want %v", key, transit[key], want)
		}
	}
	if transit["orderId"] != h.order("N-1") || transit["result"] == nil {
		t.Errorf("order %v, result %v", transit["orderId"], transit["result"])
	}
	for _, key := range []string{"eventType", "awb", "srOrderId", "orderNumber", "orderId", "processedAt"} {
		if v, there := broken[key]; v != nil || !there {
			t.Errorf("%s of what is no JSON is %v", key, v)
		}
	}
	if rows[4]["duplicateOf"] != transit["id"] || rows[4]["status"] != "duplicate" {
		t.Errorf("the repeat: %v", rows[4])
	}
}

func TestLogFilters(t *testing.T) {
	t.Parallel()
	h := filled(t)
	order := h.order("N-1")
	for query, want := range map[string]int{
		"status=processed": 2, "status=rejected": 2, "status=failed": 0, "awb=77001": 3, "awb=nobody": 0, "orderId=" + order: 1,
		"q=77001": 3, "q=N-2": 1, "q=502": 1, "q=delivered": 1, "q=" + order: 1, "q=%25": 0, "q=77001-IN_TRANSIT-2026-11-22_10_00_00": 3,
		"status=processed&awb=77001": 1, "reason=address": 1, "reason=not_json&status=rejected": 1, "dismissed=true": 0, "dismissed=false": 6, "from=2026-11-23": 6, "from=2026-11-23T12:00:01Z": 0, "to=2026-11-23": 0,
		"from=2026-11-23T17:30:00%2B05:30&to=2026-11-24": 6, "q=" + url.QueryEscape("' OR 1=1 --"): 0,
	} {
		a := h.admin("GET", "/api/webhooks/logs?"+query, "")
		if n := len(a.list()); n != want || a.json()["total"] != float64(want) {
			t.Errorf("%s: %d rows, total %v; want %d", query, n, a.json()["total"], want)
		}
	}
	for query, says := range map[string]string{
		"status=lost": "status must be one of", "reason=bad": "reason must be one of", "dismissed=maybe": "dismissed must be", "page=0": "page must be", "page=x": "page must be", "limit=-1": "limit must be",
		"q=" + strings.Repeat("-", 401): "q must be", "awb=7%00": "awb must be", "orderId=%ff": "orderId must be",
		"from=yesterday": "from must be a time", "to=2026-13-01": "to must be a time",
	} {
		a := h.admin("GET", "/api/webhooks/logs?"+query, "")
		if a.status != http.StatusBadRequest || a.json()["code"] != "invalid" || !strings.Contains(a.json()["message"].(string), says) {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}

func TestLogPages(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for i := range 205 {
		h.do("POST", "/api/webhooks/courier", fmt.Sprintf(`{"awb":"77%03d","current_status":"IN TRANSIT"}`, i), "x-api-key", webhookToken)
	}
	seen := map[any]bool{}
	last := ""
	for page, want := range []int{100, 100, 5, 0} {
		a := h.admin("GET", fmt.Sprintf("/api/webhooks/logs?limit=100&page=%d", page+1), "")
		rows := a.list()
		if m := a.json(); len(rows) != want || m["totalPages"] != 3.0 || m["currentPage"] != float64(page+1) || m["total"] != 205.0 {
			t.Errorf("page %d: %d rows, %v of %v", page+1, len(rows), m["currentPage"], m["totalPages"])
		}
		for _, row := range rows {
			id := row["id"].(string)
			if seen[id] || last != "" && id >= last {
				t.Errorf("row %s comes twice or out of turn", id)
			}
			seen[id], last = true, id
		}
	}
	n, cursor := 0, ""
	for range 10 {
		a := h.admin("GET", "/api/webhooks/logs?limit=60&cursor="+cursor, "")
		n += len(a.list())
		next, more := a.json()["nextCursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	if n != 205 {
		t.Errorf("the cursor led through %d rows", n)
	}
	if rows := h.admin("GET", "/api/webhooks/logs?limit=100000", "").list(); len(rows) != 200 {
		t.Errorf("%d rows on one page; 200 are the limit", len(rows))
	}
}

func TestOneRow(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.do("POST", "/api/webhooks/courier", event("77001", 501, "N-1", "UNDELIVERED", "2026-11-22 10:00:00"),
		"x-api-key", webhookToken, "User-Agent", "Shiprocket", "Content-Type", "application/json", "Cookie", "a=b")
	h.work()
	row := h.admin("GET", "/api/webhooks/logs/"+h.newest()["id"].(string), "").data()
	hasKeys(t, "one row", row, rowKeys+" headers body reading tries")
	hasKeys(t, "its headers", row["headers"], "User-Agent Content-Type")
	hasKeys(t, "its reading", row["reading"], "kind milestone label direction eventTime timeSource scans faults")
	reading := row["reading"].(map[string]any)
	if reading["kind"] != "event" || reading["milestone"] != "delivery_failed" || reading["eventTime"] != "2026-11-22T04:30:00Z" || reading["timeSource"] != "scan" || reading["scans"] != 1.0 {
		t.Errorf("reading %v", reading)
	}
	if tries, ok := row["tries"].([]any); !ok || len(tries) != 0 {
		t.Errorf("tries %v, want an empty list", row["tries"])
	}
	if row["body"].(map[string]any)["awb"] != "77001" {
		t.Errorf("body %v", row["body"])
	}

	// What is no JSON is shown as a text; a duplicate has no body.
	h.do("POST", "/api/webhooks/courier", "not JSON", "x-api-key", webhookToken)
	row = h.admin("GET", "/api/webhooks/logs/"+h.newest()["id"].(string), "").data()
	if row["body"] != "*** 8 bytes that are not JSON: ask for it unmasked" || row["reading"] != nil {
		t.Errorf("body %v, reading %v", row["body"], row["reading"])
	}
	if row = h.admin("GET", "/api/webhooks/logs/"+row["id"].(string)+"?unmasked=true", "").data(); row["body"] != "not JSON" {
		t.Errorf("unmasked body %v", row["body"])
	}
	h.admin("GET", "/api/webhooks/logs/01ARZ3NDEKTSV4RRFFQ69G5FAV", "").is(404, `{"success":false,"code":"not_found","message":"webhook not found"}`)
}

// Riders and buyers are masked in what an operator sees, unless an admin asks.
func TestMasking(t *testing.T) {
	t.Parallel()
	h := setup(t)
	const phone, name = "9876543210", "Ramesh"
	h.push(asJSON(map[string]any{
		"awb": "19041424751540", "sr_order_id": 348456385, "order_id": "1373900_150876814", "current_status": "RIDER ASSIGNED",
		"current_timestamp": "22 11 2026 10:00:00", "courier_name": "Quick-Rapido", "rider_name": name, "rider_phone": phone,
		"customer":  map[string]any{"name": name, "address": []any{name + " House"}, "zip": 411001, "mobile": 9876543210},
		"consignee": map[string]any{"first": name, "order_id": name, "lines": []any{map[string]any{"line1": name + " House"}}, "pin": 411001},
		"receiver":  name, "receivedBy": name, "driver": map[string]any{"first": name},
		"pod": "https://pod.example/" + name + "-otp-available.jpg", "pod_status": "OTP Based Delivery", "qc_image": "https://qc.example/" + name,
		"scans": []any{map[string]any{"date": "2026-11-22 10:00:00", "activity": "Out for delivery FE " + name + " " + phone, "location": "Pune, call " + phone, "status": "X-1"}},
		"note":  "Ph " + phone, "unheard_of": 9876543210, "delivered_to": name,
	}))
	path := "/api/webhooks/logs/" + h.newest()["id"].(string)
	masked := h.admin("GET", path, "")
	if b := asJSON(masked.data()); strings.Contains(b, name) || strings.Contains(b, phone) {
		t.Errorf("a person is in %s", b)
	}
	for key, want := range map[string]any{
		"awb": "19041424751540", "sr_order_id": 348456385.0, "order_id": "1373900_150876814", "current_status": "RIDER ASSIGNED",
		"current_timestamp": "22 11 2026 10:00:00", "courier_name": "Quick-Rapido", "rider_name": "***", "rider_phone": "***", "pod": "***", "pod_status": "OTP Based Delivery",
	} {
		if got := masked.data()["body"].(map[string]any)[key]; got != want {
			t.Errorf("%s is shown as %v, want %v", key, got, want)
		}
	}
	unmasked := asJSON(h.admin("GET", path+"?unmasked=true", "").data())
	if strings.Count(unmasked, name) < 6 || strings.Count(unmasked, phone) < 4 {
		t.Errorf("not what was sent: %s", unmasked)
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	h := filled(t)
	rows := h.admin("GET", "/api/webhooks/logs", "").list()
	broken, address, ping, duplicate, processed := rows[0], rows[1], rows[2], rows[4], rows[5]
	retry := func(row map[string]any, query string) answer {
		return h.admin("POST", "/api/webhooks/retry/"+row["id"].(string)+query, "")
	}
	bad := func(message string) string { return `{"success":false,"code":"invalid","message":"` + message + `"}` }
	retry(processed, "").is(400, bad("Webhook already processed"))
	retry(duplicate, "").is(400, bad("a webhook that is duplicate cannot be retried"))
	retry(duplicate, "?force=true").is(400, bad("a webhook that is duplicate cannot be retried"))
	retry(ping, "").is(400, bad("a webhook that is ignored cannot be retried"))
	retry(map[string]any{"id": "unknown"}, "").is(404, `{"success":false,"code":"not_found","message":"webhook not found"}`)

	a := retry(address, "")
	if m := a.json(); m["message"] != "Webhook reprocessing initiated" || a.data()["status"] != "pending" || a.data()["attempts"] != 0.0 {
		t.Errorf("%s", a.body)
	}
	hasKeys(t, "the retried row", a.json()["data"], rowKeys)
	retry(address, "").is(400, bad("a webhook that is pending cannot be retried"))
	if a := retry(processed, "?force=true"); a.data()["status"] != "pending" {
		t.Errorf("forced: %s", a.body)
	}
	if a := retry(broken, ""); a.status != http.StatusOK {
		t.Errorf("rejected: %s", a.body)
	}
	h.work()
	for row, want := range map[string]string{
		address["id"].(string): "processed nothing_new", processed["id"].(string): "processed nothing_new", broken["id"].(string): "rejected not_json",
	} {
		w := h.admin("GET", "/api/webhooks/logs/"+row, "").data()
		if got := fmt.Sprint(w["status"], " ", w["reason"]); got != want {
			t.Errorf("after the retry: %s, want %s", got, want)
		}
	}

	// A failed one, with its tries.
	h.do("POST", "/api/webhooks/courier", `{"awb":"77009","current_status":"IN TRANSIT"}`, "x-api-key", webhookToken)
	id := h.newest()["id"].(string)
	if err := h.store.Fail(t.Context(), id, noon, "it broke", noon, true); err != nil {
		t.Fatal(err)
	}
	w := h.admin("GET", "/api/webhooks/logs/"+id, "").data()
	if w["status"] != "failed" || w["error"] != "it broke" || asJSON(w["tries"]) != `[{"at":"2026-11-23T12:00:00Z","error":"it broke"}]` {
		t.Errorf("failed: %v, %v, tries %v", w["status"], w["error"], w["tries"])
	}
	if a := h.admin("POST", "/api/webhooks/retry/"+id, ""); a.data()["status"] != string(inbox.Pending) {
		t.Errorf("retry of a failed one: %s", a.body)
	}
}
