package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSnapshotHasTheContractsKeys(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	h.push(event("77001", 501, "N-1", "DELIVERED", "2026-11-23 10:00:00"))
	h.push(`{"awb":"R1","sr_order_id":901,"order_id":"N-1","channel_id":77,"is_return":1,"current_status":"RETURN INITIATED","current_timestamp":"23 11 2026 12:00:00"}`)
	a := h.do("GET", "/api/track/"+h.order("N-1"), "")
	hasKeys(t, "the answer", a.json(), "success data")
	s := a.data()
	hasKeys(t, "the snapshot", s, `orderId orderNumber version orderStatus milestone currentStatus awbCode courierName estimatedDelivery deliveredAt updatedAt shipments`)
	shipments := s["shipments"].([]any)
	if len(shipments) != 2 {
		t.Fatalf("%d shipments", len(shipments))
	}
	for _, sh := range shipments {
		// proofOfDelivery is an addition to the contract: a kind, never a picture.
		hasKeys(t, "a shipment", sh, `id direction awbCode courierName milestone currentStatus estimatedDelivery firstEstimatedDelivery deliveredAt
			deliveryAttempts undeliveredReason proofOfDelivery corrected legs trackingHistory`)
		for _, leg := range sh.(map[string]any)["legs"].([]any) {
			hasKeys(t, "a leg", leg, "awbCode kind courierName")
		}
		for _, entry := range sh.(map[string]any)["trackingHistory"].([]any) {
			hasKeys(t, "an entry", entry, "status milestone timestamp location description scanType")
		}
	}
	forward, back := shipments[0].(map[string]any), shipments[1].(map[string]any)
	history := forward["trackingHistory"].([]any)
	if forward["direction"] != "forward" || forward["deliveredAt"] != "2026-11-23T04:30:00Z" || forward["estimatedDelivery"] != "2026-11-26" ||
		forward["undeliveredReason"] != nil || len(history) != 2 {
		t.Errorf("%v", forward)
	}
	if history[0].(map[string]any)["timestamp"] != "2026-11-22T04:30:00Z" || history[0].(map[string]any)["milestone"] != nil {
		t.Errorf("the oldest entry is %v", history[0])
	}
	if back["direction"] != "return" || back["courierName"] != nil || back["estimatedDelivery"] != nil || back["deliveredAt"] != nil {
		t.Errorf("%v", back)
	}
	if entry := back["trackingHistory"].([]any)[0].(map[string]any); entry["scanType"] != "status" || entry["location"] != nil || entry["description"] != nil {
		t.Errorf("a status without a scan: %v", entry)
	}
	if s["version"] != 3.0 || s["updatedAt"] != "2026-11-23T12:00:00Z" || s["orderNumber"] != "N-1" {
		t.Errorf("%v", s)
	}
}

// What is not known is null, and the key is there.
func TestSnapshotOfHardlyAnything(t *testing.T) {
	t.Parallel()
	h := setup(t)
	id := h.admin("POST", "/api/orders", `{"number":"N-1"}`).data()["id"].(string)
	s := h.do("GET", "/api/track/"+id, "").data()
	for _, key := range []string{"milestone", "currentStatus", "awbCode", "courierName", "estimatedDelivery", "deliveredAt"} {
		if v, there := s[key]; v != nil || !there {
			t.Errorf("%s is %v, there %v", key, v, there)
		}
	}
	if s["version"] != 0.0 || s["orderStatus"] != "processing" || len(s["shipments"].([]any)) != 0 {
		t.Errorf("%v", s)
	}
}

func TestTrackCaching(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	path := "/api/track/" + h.order("N-1")
	first := h.do("GET", path, "")
	etag := first.header.Get("ETag")
	if etag == "" || first.header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("ETag %q, Cache-Control %q", etag, first.header.Get("Cache-Control"))
	}
	for _, sent := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
		a := h.do("GET", path, "", "If-None-Match", sent)
		a.is(304, "")
		if a.header.Get("ETag") != etag || a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("If-None-Match %s: %v", sent, a.header)
		}
	}
	for _, sent := range []string{`"other"`, strings.Trim(etag, `"`), ""} {
		if a := h.do("GET", path, "", "If-None-Match", sent); a.status != http.StatusOK || a.body != first.body {
			t.Errorf("If-None-Match %s: %d", sent, a.status)
		}
	}
	h.push(event("77001", 501, "N-1", "OUT FOR DELIVERY", "2026-11-23 10:00:00"))
	if a := h.do("GET", path, "", "If-None-Match", etag); a.status != http.StatusOK || a.header.Get("ETag") == etag {
		t.Errorf("after a change: %d, ETag %s", a.status, a.header.Get("ETag"))
	}
}

func TestTrackIsOpenToEveryPage(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	path := "/api/track/" + h.order("N-1")
	for _, a := range []answer{
		h.do("GET", path, "", "Origin", "https://anyone.example"), h.do("OPTIONS", path, "", "Origin", "https://anyone.example"),
		h.do("GET", "/api/track/nobody", "", "Origin", "https://anyone.example"),
	} {
		if a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%d: %v", a.status, a.header)
		}
	}
	if a := h.do("OPTIONS", path, ""); a.status != http.StatusNoContent || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "If-None-Match") {
		t.Errorf("%d %v", a.status, a.header)
	}
	for _, call := range []string{"/api/orders", "/api/webhooks/logs", "/healthz"} {
		if a := h.admin("GET", call, "", "Origin", "https://anyone.example"); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is open to every page", call)
		}
	}
}

// Whatever is unknown is answered alike: nobody learns what an id lacks.
func TestUnknownOrdersAreAlike(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	want := h.do("GET", "/api/track/aaaaaaaaaaaaaaaaaaaaaaaaaa", "")
	want.is(404, `{"success":false,"code":"not_found","message":"order not found"}`)
	page := h.do("GET", "/track/aaaaaaaaaaaaaaaaaaaaaaaaaa", "")
	ids := []string{
		"x", "N-1", "77001", "501", strings.ToUpper(h.order("N-1")), h.order("N-1") + "%00", "%27%20OR%201=1--", strings.Repeat("a", 5000), "%ff%fe", "😀", "..%2f..%2f",
	}
	for i, id := range ids {
		peer := fmt.Sprintf("198.51.100.%d:1", i)
		if a := h.do("GET", "/api/track/"+id, "", "peer", peer); a.status != want.status || a.body != want.body {
			t.Errorf("%.40s: %d %s", id, a.status, a.body)
		}
		if a := h.do("GET", "/track/"+id, "", "peer", peer); a.status != http.StatusNotFound || len(a.body) != len(page.body) {
			t.Errorf("page of %.40s: %d, %d bytes; want %d", id, a.status, len(a.body), len(page.body))
		}
	}
}

func TestTrackIsRateLimited(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.push(event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"))
	id := h.order("N-1")
	ask := func(path, peer string) answer { return h.do("GET", path, "", "peer", peer) }
	refused := func(peer string) (n int) {
		for i := range 200 {
			path := []string{"/api/track/" + id, "/track/" + id, "/api/track/guess", "/track?order=guess"}[i%4]
			if a := ask(path, peer); a.status == http.StatusTooManyRequests {
				n++
				isPage := strings.HasPrefix(a.header.Get("Content-Type"), "text/html")
				if a.header.Get("Retry-After") == "" || isPage == strings.HasPrefix(path, "/api/") || !isPage && a.json()["code"] != "rate_limited" {
					t.Fatalf("%s: %s", path, a.body)
				}
			}
		}
		return n
	}
	if n := refused("198.51.100.7:1"); n < 100 || n > 180 {
		t.Errorf("%d of 200 at once were refused", n)
	}
	if a := ask("/api/track/"+id, "198.51.100.8:1"); a.status != http.StatusOK {
		t.Errorf("another address: %d", a.status)
	}
	if n := refused("[2001:db8:1:2::1]:1"); n < 100 {
		t.Errorf("%d refused", n)
	}
	if a := ask("/api/track/"+id, "[2001:db8:1:2::ffff]:1"); a.status != http.StatusTooManyRequests {
		t.Errorf("another address of the same home: %d", a.status)
	}
	h.now = noon.Add(10 * time.Second)
	if a := ask("/api/track/"+id, "198.51.100.7:1"); a.status != http.StatusOK {
		t.Errorf("ten seconds later: %d", a.status)
	}
	// Webhooks are never refused for their number.
	h.now = noon
	for i := range 100 {
		a := h.do("POST", "/api/webhooks/courier", fmt.Sprintf(`{"awb":"%d","current_status":"IN TRANSIT"}`, i), "x-api-key", webhookToken)
		if a.status != http.StatusOK {
			t.Fatalf("push %d: %d", i, a.status)
		}
	}
}
