package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Everything that must stay inside is given to one server, in every place that
// may hold it, and every call is made well and badly. Then all it said to anyone
// is looked through: its log at the finest level, its metrics, its errors, what
// the public sees, and what operators see who did not ask for more.
func TestNothingPrivateGetsOut(t *testing.T) {
	t.Parallel()
	const (
		webhookSecret = "e2e-webhook-secret-0123456789abcdef0123456789"
		oldToken      = "e2e-webhook-token-of-last-month-0123456789ab"
		password      = "e2e-shiprocket-password"
		wrong         = "e2e-somebodys-wrong-token-0123456789abcdef01"
	)
	dir := t.TempDir()
	settings := []string{
		"SHIPROCKET_WEBHOOK_TOKEN=" + webhookToken + "," + oldToken, "SHIPROCKET_WEBHOOK_SECRET=" + webhookSecret,
		"SHIPROCKET_EMAIL=api@shop.example", "SHIPROCKET_PASSWORD=" + password,
		"SHIPROCKET_IP_CHECK=enforce", "TRUSTED_PROXIES=127.0.0.1/32", "SHIPROCKET_ALLOWED_IPS=127.0.0.0/8,203.0.113.1",
	}
	s := serve(t, dir, settings...)
	inside := map[string]string{
		"webhook token": webhookToken, "old webhook token": oldToken, "webhook secret": webhookSecret, "admin token": adminToken,
		"app secret": appSecret, "password": password, "a wrong token": wrong,
		"buyer's name": "Sunita", "buyer's phone": "9000011111", "buyer's e-mail": "sunita@", "buyer's address": "Lake View",
		"rider's name": "Ramesh", "rider's phone": "9876543210",
	}
	said := map[string]string{}
	say := func(what string, a answer) answer {
		said[fmt.Sprintf("%d: %s (%d)", len(said), what, a.status)] = fmt.Sprint(a.header) + string(a.body)
		return a
	}
	call := func(method, path, body string, headers ...string) answer {
		t.Helper()
		a, err := s.do(t.Context(), method, path, []byte(body), headers...)
		if err != nil {
			t.Fatal(err)
		}
		return say(method+" "+path, a)
	}
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }

	// What the shop and the operator make, and what of it is a secret too: each is
	// told once, to the one who asked.
	var made struct {
		Data struct{ Secret, Token string }
	}
	s.admin("POST", "/api/tokens", `{"name":"the shop","role":"shop"}`).json(t, &made)
	shop := made.Data.Secret
	var order struct{ Data struct{ ID string } }
	registered := s.admin("POST", "/api/orders", `{"number":"N-77","awbCodes":["77001"],"contact":{"name":"Sunita Rao","phone":"9000011111","email":"sunita@shop.example"}}`)
	registered.json(t, &order)
	s.admin("POST", "/api/orders/"+order.Data.ID+"/watch-token", "").json(t, &made)
	watch := made.Data.Token
	if len(shop) < 20 || len(watch) < 20 {
		t.Fatalf("shop's token %q, watch token %q", shop, watch)
	}
	inside["shop's token"], inside["watch token"] = shop, watch

	// Pushes: good ones full of people, and ones that cannot be used.
	person := `Out for delivery FE Name: Ramesh Kumar, Mobile: 9876543210`
	push := `{"awb":"77001","sr_order_id":501,"order_id":"N-77","current_status":"OUT FOR DELIVERY","current_timestamp":"` +
		time.Now().Add(-time.Hour).Format("02 01 2006 15:04:05") + `","rider_name":"Ramesh","rider_phone":"9876543210","pod":"https://pod.example/Sunita.jpg",` +
		`"customer_name":"Sunita Rao","address":"Lake View 4","scans":[{"date":"2026-11-20 10:00:00","activity":"` + person + `","location":"Pune, call Ramesh 9876543210","status":"X","sr-status":"NA","sr-status-label":"NA"}]}`
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write([]byte(push))
	const hook = "/api/webhooks/courier"
	call("POST", hook, push, "X-Shiprocket-Signature", hex.EncodeToString(mac.Sum(nil)), "Cookie", "session="+watch)
	call("POST", hook, push, "x-api-key", webhookToken)
	call("POST", hook, strings.Replace(push, "OUT FOR DELIVERY", "CARRIED BY DRONE", 1), "x-api-key", oldToken, "Authorization", wrong)
	call("POST", hook, push, "x-api-key", wrong)
	call("POST", hook, push, "X-Shiprocket-Signature", wrong)
	call("POST", hook, `not JSON about Sunita Rao 9000011111`, bearer(webhookToken)...)
	call("POST", hook, `{"awb":"enter your awb","order_id":"enter your order id","current_status":"DELIVERED","customer_name":"Sunita Rao","phone":9000011111}`, "x-api-key", webhookToken)
	call("POST", hook, push, "x-api-key", webhookToken, "X-Forwarded-For", "198.51.100.7")
	call("POST", hook+"?token="+webhookToken, push, "x-api-key", webhookToken)
	s.settled()
	id := s.order("N-77").ID

	// Every call, by everyone who may and may not, with everything wrong.
	rows := s.logs("limit=50").Data
	if len(rows) < 5 {
		t.Fatalf("%d rows of the log", len(rows))
	}
	for _, token := range []string{adminToken, shop, watch, wrong, ""} {
		for _, path := range []string{"logs?limit=50", "logs?q=9876543210", "logs?status=Sunita", "export?format=ndjson", "export?format=csv", "addresses", "replays/" + watch} {
			call("GET", "/api/webhooks/"+path, "", bearer(token)...)
		}
		for i := range rows {
			call("GET", "/api/webhooks/logs/"+rows[i].ID, "", bearer(token)...)
			call("POST", "/api/webhooks/retry/"+rows[i].ID, "", bearer(token)...)
		}
		for _, path := range []string{"/api/alarms", "/api/audit", "/api/tokens", "/metrics", "/api/orders/unknown?token=" + token, "/api/nothing?token=" + token} {
			call("GET", path, "", bearer(token)...)
		}
		for _, path := range []string{"/api/orders", "/api/tokens", "/api/webhooks/replays", "/api/webhooks/addresses", "/api/realtime/auth"} {
			call("POST", path, `{"name":"Sunita", "phone":9000011111,`, bearer(token)...)
		}
		call("POST", "/api/realtime/auth", "socket_id=1.1&channel_name=private-order-"+id+"&token="+token, "Content-Type", "application/x-www-form-urlencoded")
		call("GET", "/app/"+appKey+"?protocol=7&token="+token, "")
		call("POST", "/apps/e2e/events?auth_key="+appKey+"&auth_signature="+token, `{"name":"Sunita"}`)
	}
	for _, path := range []string{"/api/track/" + id, "/track/" + id, "/track/" + id + "?lang=hi", "/track", "/healthz", "/readyz", "/api/openapi.json", "/track/" + watch} {
		call("GET", path, "")
	}
	s.settled()
	call("DELETE", "/api/orders/"+id+"/personal-data", "", bearer(adminToken)...)
	say("the erased order", s.admin("GET", "/api/orders/"+id, ""))
	say("erased rows, unmasked", s.admin("GET", "/api/webhooks/export?format=ndjson&unmasked=true&orderId="+id, ""))

	doctor := exec.CommandContext(t.Context(), binary(t), "doctor")
	doctor.Env = append([]string{"HOME=" + dir, "DATA_DIR=" + dir, "APP_ENV=production", "PORT=" + fmt.Sprint(s.port), "ADMIN_TOKEN=" + adminToken, "SOKETI_APP_SECRET=" + appSecret}, settings...)
	out, _ := doctor.CombinedOutput() // its findings are not the matter here
	if len(out) < 500 {
		t.Errorf("doctor said %s", out)
	}
	said["doctor"] = string(out)
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	said["the log"] = s.log.String()
	if !strings.Contains(said["the log"], "level=DEBUG") || len(said) < 150 {
		t.Errorf("%d answers; log of %d bytes", len(said), len(said["the log"]))
	}

	// An operator who reads orders is shown whose they are, and nobody else is.
	if registered.status != http.StatusOK || !strings.Contains(string(registered.body), "Sunita") {
		t.Errorf("the order's contact is not told to the shop: %s", registered.body)
	}
	for where, text := range said {
		for what, secret := range inside {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s is in %s: …%s…", what, where, text[max(0, at-100):min(len(text), at+100)])
			}
		}
	}
}
