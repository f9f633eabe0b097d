package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/store/storetest"
)

// Two servers on one database: an address that is allowed on one is allowed on
// the other within seconds, and what either has rejected is worked off.
func TestAddressAllowedOnAnotherServer(t *testing.T) {
	t.Parallel()
	setting := "DATABASE_URL=" + storetest.PostgresURL(t)
	var both []*App
	for range 2 {
		a, _ := started(t, settings(t, t.TempDir(), setting, "SHIPROCKET_IP_CHECK=enforce", "SHIPROCKET_ALLOWED_IPS=203.0.113.1"))
		both = append(both, a)
	}
	try := func(a *App, awb string) int {
		t.Helper()
		code, _ := do(t, http.MethodPost, a.URL()+"/api/webhooks/courier", `{"awb":"`+awb+`","current_status":"IN TRANSIT"}`, "x-api-key", webhookToken)
		return code
	}
	for i, a := range both {
		if code := try(a, "7700"+string(rune('0'+i))); code != http.StatusForbidden {
			t.Errorf("from an unlisted address: %d", code)
		}
	}
	bearer := "Bearer " + adminToken
	until(t, "the alarm is on", func() bool {
		_, metrics := do(t, http.MethodGet, both[1].URL()+"/metrics", "", "Authorization", bearer)
		return strings.Contains(metrics, `waybill_alarm{code="rejected_address",severity="critical"} 1`) &&
			strings.Contains(metrics, `waybill_alarm_count{code="rejected_address"} 2`) && strings.Contains(metrics, `waybill_alarm{code="silence",severity="critical"} 0`)
	})
	if code, body := do(t, http.MethodPost, both[0].URL()+"/api/webhooks/addresses", `{"address":"127.0.0.1"}`, "Authorization", bearer); code != http.StatusOK || !strings.Contains(body, `"released":2`) {
		t.Errorf("allow: %d %s", code, body)
	}
	until(t, "the other has heard of it", func() bool { return try(both[1], "77009") == http.StatusOK })
	until(t, "all are worked off", func() bool {
		_, body := do(t, http.MethodGet, both[1].URL()+"/api/webhooks/logs?status=rejected", "", "Authorization", bearer)
		return strings.Contains(body, `"total":0`)
	})
}
