package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Whatever strangers and couriers send gets the contract's answer, and what was
// proven is in the log.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	hostile := `<img src=x onerror=alert(1)>'; DROP TABLE orders; --\u0000\u202e😀`
	everyField := map[string]any{}
	for _, key := range []string{
		"awb", "courier_name", "current_status", "shipment_status", "current_timestamp", "order_id", "sr_order_id", "etd", "channel_id",
		"channel_order_id", "pod", "pod_status", "undelivered_reason", "delivered_date", "return_awb_code", "is_return", "date",
	} {
		everyField[key] = hostile
	}
	everyField["scans"] = []any{map[string]any{"date": hostile, "status": hostile, "activity": hostile, "location": hostile, "sr-status": hostile}}
	fields, err := json.Marshal(everyField)
	if err != nil {
		t.Fatal(err)
	}
	big := `{"awb":"BIG1","current_status":"IN TRANSIT","x":"` + strings.Repeat("x", 3<<20) + `"}`
	tests := []struct {
		name, body string
		status     int
		kept       string // status of the row; "" for none
	}{
		{"three megabytes", big, 413, ""},
		{"broken JSON", `{"awb":"BROKEN1","current_status":`, 400, "rejected"},
		{"not an object", `["awb"]`, 400, "rejected"},
		{"text", `hello`, 400, "rejected"},
		{"nested 20,000 deep", `{"awb":"DEEP1","x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, 400, "rejected"},
		{"invalid UTF-8", "{\"awb\":\"UTF\xff\xfe1\",\"current_status\":\"IN TRANSIT\",\"order_id\":\"U-1\"}", 200, "processed"},
		{"HTML and SQL in every field", string(fields), 200, ""},
		{"an AWB as a number", `{"awb":59629792084,"current_status":"In Transit","order_id":"NUM-1"}`, 200, "processed"},
		{"a status as an object", `{"awb":"OBJ1","current_status":{"a":1},"order_id":"OBJ-1"}`, 200, "processed"},
		{"scans as an object", `{"awb":"SCN1","current_status":"IN TRANSIT","order_id":"SCN-1","scans":{"0":{"date":"2026-11-01 10:00:00","activity":"x"}}}`, 200, "processed"},
		{"an unknown status", `{"awb":"UNK1","current_status":"CARRIED BY DRONE","order_id":"UNK-1"}`, 200, "processed"},
		{"an unreadable time", `{"awb":"TIM1","current_status":"IN TRANSIT","order_id":"TIM-1","current_timestamp":"yesterday"}`, 200, "processed"},
		{"a time in the future", `{"awb":"FUT1","current_status":"IN TRANSIT","order_id":"FUT-1","current_timestamp":"01 01 2099 10:00:00"}`, 200, "processed"},
		{"placeholders of the panel", `{"awb":59629792085,"current_status":"Delivered","order_id":"13905312","channel_order_id":"enter your channel order id"}`, 200, "parked"},
		{"an empty body", ``, 200, "ignored"},
		{"an empty object", `{}`, 200, "ignored"},
		{"the panel's trial", `{"awb":"123456","courier_name":"dummy courier_name","current_status":"Delivered","order_id":"dummpy shiprocket order id 123","sr_order_id":1234}`, 200, "ignored"},
		{"names nothing", `{"current_status":"DELIVERED"}`, 200, "parked"},
	}
	for _, tt := range tests {
		before := s.logs("limit=1").Total
		a := s.push(tt.body)
		if a.status != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, a.status, tail(string(a.body), 200), tt.status)
			continue
		}
		var said struct {
			Success bool
			Code    string
			Message string
		}
		a.json(t, &said)
		if said.Success != (tt.status == 200) || said.Message == "" || tt.status != 200 && said.Code == "" {
			t.Errorf("%s: answered %s", tt.name, a.body)
		}
		s.settled()
		p := s.logs("limit=1")
		switch {
		case tt.status == 413 && p.Total != before:
			t.Errorf("%s: kept", tt.name)
		case tt.status != 413 && p.Total != before+1:
			t.Errorf("%s: lost", tt.name)
		case tt.kept != "" && p.Data[0].Status != tt.kept:
			t.Errorf("%s: %s (%s), want %s", tt.name, p.Data[0].Status, p.Data[0].Result, tt.kept)
		case tt.status == 200 && p.Data[0].Status == "failed":
			t.Errorf("%s: failed: %s", tt.name, p.Data[0].Result)
		}
	}

	// What was hostile is harmless where a buyer sees it.
	row := s.logs("limit=200")
	for _, r := range row.Data {
		if r.OrderID == "" {
			continue
		}
		for _, path := range []string{"/api/track/" + r.OrderID, "/track/" + r.OrderID} {
			a, err := s.do(t.Context(), "GET", path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != 200 || strings.Contains(string(a.body), "<img src=x") || strings.Contains(string(a.body), `\u003cimg src=x`) {
				t.Errorf("%s: %d with markup of the push", path, a.status)
			}
		}
	}
}

// The sender is proved as the contract says.
func TestProofOfTheSender(t *testing.T) {
	t.Parallel()
	const secret = "e2e-webhook-secret-0123456789abcdef0123456789"
	s := serve(t, t.TempDir(), "SHIPROCKET_WEBHOOK_SECRET="+secret, "SHIPROCKET_IP_CHECK=enforce", "TRUSTED_PROXIES=127.0.0.1/32")
	const listed = "13.234.161.44"
	body := event("PROOF1", 91, "PROOF-1", "IN TRANSIT", time.Now().Add(-time.Hour))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	good := mac.Sum(nil)
	tests := []struct {
		name    string
		headers []string
		status  int
		message string
	}{
		{"nothing", nil, 401, "Unauthorized: Invalid webhook token"},
		{"wrong token", []string{"x-api-key", "wrong"}, 401, "Unauthorized: Invalid webhook token"},
		{"token as x-api-key", []string{"x-api-key", webhookToken}, 200, ""},
		{"token as raw Authorization", []string{"Authorization", webhookToken}, 200, ""},
		{"token as bearer", []string{"Authorization", "Bearer " + webhookToken}, 200, ""},
		{"signature, hex", []string{"X-Shiprocket-Signature", hex.EncodeToString(good)}, 200, ""},
		{"signature, base64", []string{"X-Shiprocket-Signature", base64.StdEncoding.EncodeToString(good)}, 200, ""},
		{"wrong signature beside a good token", []string{"X-Shiprocket-Signature", strings.Repeat("0", 64), "x-api-key", webhookToken}, 401, "Unauthorized: Invalid signature"},
		{"good proof from an unlisted address", []string{"x-api-key", webhookToken, "X-Forwarded-For", "203.0.113.9"}, 403, "Forbidden: Unauthorized IP address"},
		{"bad proof from an unlisted address", []string{"x-api-key", "wrong", "X-Forwarded-For", "203.0.113.9"}, 401, "Unauthorized: Invalid webhook token"},
		{"a spoofed hop before the real one", []string{"x-api-key", webhookToken, "X-Forwarded-For", listed + ", 203.0.113.9"}, 403, "Forbidden: Unauthorized IP address"},
	}
	for _, tt := range tests {
		headers := tt.headers
		if !strings.Contains(strings.Join(headers, " "), "X-Forwarded-For") {
			headers = append(headers, "X-Forwarded-For", listed)
		}
		a, err := s.do(t.Context(), http.MethodPost, "/api/webhooks/shiprocket", []byte(body), headers...)
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			Success bool
			Message string
			EventID string
		}
		a.json(t, &said)
		if a.status != tt.status || tt.message != "" && said.Message != tt.message || said.Success != (tt.status == 200) {
			t.Errorf("%s: %d %s", tt.name, a.status, a.body)
		}
	}
	if n := s.logs("status=rejected").Total; n != 2 {
		t.Errorf("%d rejected rows, want 2: what was proven is kept", n)
	}
	for _, method := range []string{"GET", "HEAD"} {
		for _, path := range []string{"/api/webhooks/shiprocket", "/api/webhooks/courier"} {
			a, err := s.do(t.Context(), method, path, nil)
			if err != nil || a.status != 200 {
				t.Errorf("%s %s: %d %v", method, path, a.status, err)
			}
		}
	}
	if strings.Contains(s.log.String(), webhookToken) || strings.Contains(s.log.String(), secret) || strings.Contains(s.log.String(), adminToken) {
		t.Error("a secret is in the log")
	}
}

// The calls of admins and shops are closed without a token.
func TestGuardedCalls(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	for _, call := range []string{
		"GET /api/webhooks/logs", "GET /api/webhooks/logs/x", "POST /api/webhooks/retry/x", "POST /api/orders", "GET /api/orders?number=1",
		"GET /api/orders/x", "DELETE /api/orders/x/personal-data", "POST /api/orders/x/watch-token", "GET /metrics",
	} {
		method, path, _ := strings.Cut(call, " ")
		for _, header := range []string{"", "Bearer wrong", adminToken} {
			a, err := s.do(t.Context(), method, path, nil, "Authorization", header)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != http.StatusUnauthorized {
				t.Errorf("%s with %q: %d", call, header, a.status)
			}
		}
	}
	for _, path := range []string{"/api/track/unknown-order-id-000000000", "/track/unknown-order-id-000000000", "/nothing"} {
		a, err := s.do(t.Context(), "GET", path, nil)
		if err != nil || a.status != http.StatusNotFound {
			t.Errorf("%s: %d %v", path, a.status, err)
		}
	}
	if a := s.admin("GET", "/metrics", ""); a.status != 200 || !strings.Contains(string(a.body), "waybill_webhooks_received_total") && !strings.Contains(string(a.body), "waybill_watchers") {
		t.Errorf("/metrics: %d", a.status)
	}
}

// A signal ends the process in order, with work under way.
func TestStop(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	for n := range 50 {
		s.push(event(fmt.Sprintf("STOP%d", n), 9000+n, fmt.Sprintf("STOP-%d", n), "IN TRANSIT", time.Now().Add(-time.Hour)))
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.start(nil)
	s.settled()
	if n := s.logs("status=processed&limit=1").Total; n != 50 {
		t.Errorf("%d processed, want 50", n)
	}
}
