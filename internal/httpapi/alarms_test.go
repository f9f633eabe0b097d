package httpapi_test

import (
	"strings"
	"testing"
	"time"
)

func TestAlarms(t *testing.T) {
	t.Parallel()
	h := setup(t)
	if on := h.admin("GET", "/api/alarms", "").list(); len(on) != 0 {
		t.Errorf("%v", on)
	}
	h.do("POST", "/api/webhooks/courier", event("77001", 501, "N-1", "IN TRANSIT", "2026-11-22 10:00:00"), "x-api-key", webhookToken, "peer", "203.0.113.9:1")
	h.do("POST", "/api/webhooks/courier", "broken", "x-api-key", webhookToken)
	h.now = h.now.Add(5 * time.Second)
	on := h.admin("GET", "/api/alarms", "").list()
	if len(on) != 2 {
		t.Fatalf("%v", on)
	}
	for _, alarm := range on {
		hasKeys(t, "an alarm", alarm, "code severity since count countIsExact message mend values")
	}
	if a := on[0]; a["code"] != "rejected_address" || a["severity"] != "critical" || a["count"] != 1.0 || a["countIsExact"] != true ||
		a["since"] != "2026-11-23T12:00:00Z" || asJSON(a["values"]) != `["203.0.113.9"]` || !strings.Contains(a["message"].(string), "203.0.113.9") {
		t.Errorf("%v", a)
	}
	if a := on[1]; a["code"] != "rejected_not_json" || asJSON(a["values"]) != `[]` {
		t.Errorf("%v", a)
	}

	// Each is ended by the act it asks for.
	h.admin("POST", "/api/webhooks/dismiss/"+h.newest()["id"].(string), "")
	h.admin("POST", "/api/webhooks/addresses", `{"address":"203.0.113.9"}`)
	h.work()
	h.now = h.now.Add(5 * time.Second)
	if on := h.admin("GET", "/api/alarms", "").list(); len(on) != 0 {
		t.Errorf("after both were seen to: %v", on)
	}
}
