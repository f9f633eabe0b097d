package httpapi_test

import (
	"strings"
	"testing"
)

// An address that the list does not know yet: its pushes are kept, and one act
// lets them and all later ones in.
func TestAllowAndRelease(t *testing.T) {
	t.Parallel()
	h := setup(t)
	from := func(peer, awb string) answer {
		return h.do("POST", "/api/webhooks/courier", event(awb, 0, "N-"+awb, "IN TRANSIT", "2026-11-22 10:00:00"), "x-api-key", webhookToken, "peer", peer)
	}
	for _, awb := range []string{"77001", "77002", "77003"} {
		from("203.0.113.9:1", awb).is(403, `{"success":false,"message":"Forbidden: Unauthorized IP address"}`)
	}
	from("[2001:db8::7]:1", "77004").is(403, `{"success":false,"message":"Forbidden: Unauthorized IP address"}`)

	a := h.admin("POST", "/api/webhooks/addresses", `{"address":"203.0.113.9"}`)
	hasKeys(t, "what was allowed", a.json()["data"], "address source addedAt addedBy released releasing")
	if d := a.data(); d["released"] != 3.0 || d["releasing"] != false || d["source"] != "call" || d["addedBy"] != "ADMIN_TOKEN" || d["addedAt"] != "2026-11-23T12:00:00Z" {
		t.Errorf("%s", a.body)
	}
	h.work()
	if rows := h.admin("GET", "/api/webhooks/logs?status=processed", "").list(); len(rows) != 3 {
		t.Errorf("%d rows were worked off, want 3", len(rows))
	}
	if a := from("203.0.113.9:1", "77005"); a.status != 200 {
		t.Errorf("the next push: %d %s", a.status, a.body)
	}
	if d := h.admin("POST", "/api/webhooks/addresses", `{"address":"2001:db8::/64"}`).data(); d["released"] != 1.0 || d["address"] != "2001:db8::/64" {
		t.Errorf("a range: %v", d)
	}
	list := h.admin("GET", "/api/webhooks/addresses", "").list()
	if len(list) != 3 || list[0]["source"] != "settings" || list[0]["address"] != listed || list[0]["addedAt"] != nil || list[1]["address"] != "2001:db8::/64" {
		t.Errorf("list: %v", list)
	}

	h.admin("DELETE", "/api/webhooks/addresses/2001:db8::/64", "").is(200, `{"success":true,"data":null}`)
	h.admin("DELETE", "/api/webhooks/addresses/203.0.113.9", "").is(200, `{"success":true,"data":null}`)
	h.admin("DELETE", "/api/webhooks/addresses/203.0.113.9", "").is(404, `{"success":false,"code":"not_found","message":"allowed address not found"}`)
	if a := from("203.0.113.9:1", "77006"); a.status != 403 {
		t.Errorf("after it was taken back: %d", a.status)
	}
	for body, says := range map[string]string{
		`{"address":"0.0.0.0/0"}`: "wider than /16", `{"address":"10.0.0.0/15"}`: "SHIPROCKET_ALLOWED_IPS", `{"address":"2001::/16"}`: "wider than /32",
		`{"address":"here"}`: "address must be", `{}`: "address must be", `{"ip":"203.0.113.9"}`: "unknown field",
	} {
		if a := h.admin("POST", "/api/webhooks/addresses", body); a.status != 400 || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s, want %q", body, a.status, a.body, says)
		}
	}
	if a := h.admin("DELETE", "/api/webhooks/addresses/"+listed, ""); a.status != 400 || !strings.Contains(a.body, "SHIPROCKET_ALLOWED_IPS") {
		t.Errorf("one of the settings: %d %s", a.status, a.body)
	}
	if said := strings.Join(h.acted("act=address.allow"), "\n"); !strings.Contains(said, "address.allow 203.0.113.9 done by ADMIN_TOKEN") {
		t.Errorf("the audit does not tell of it:\n%s", said)
	}
}
