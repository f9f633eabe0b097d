package httpapi_test

import (
	"strings"
	"testing"
)

func TestDismissMany(t *testing.T) {
	t.Parallel()
	h := filled(t)
	dismiss := func(body string) answer { return h.admin("POST", "/api/webhooks/dismiss", body) }

	a := dismiss(`{"filter":{"all":true},"dryRun":true,"note":"x"}`)
	hasKeys(t, "the preview", a.json()["data"], "dryRun matched matchedIsExact byStatus samples")
	d := a.data()
	if d["matched"] != 2.0 || d["matchedIsExact"] != true || asJSON(d["byStatus"]) != `{"rejected":2}` || len(d["samples"].([]any)) != 2 {
		t.Errorf("%s", a.body)
	}
	hasKeys(t, "a sample", d["samples"].([]any)[0], rowKeys)
	if rows := h.admin("GET", "/api/webhooks/logs?dismissed=true", "").list(); len(rows) != 0 {
		t.Errorf("a dry run has dismissed %d", len(rows))
	}
	dismiss(`{"filter":{"status":"rejected","reason":"address"},"note":" a leaked token "}`).
		is(200, `{"success":true,"message":"Webhooks dismissed","data":{"dismissed":1,"more":false}}`)
	rows := h.admin("GET", "/api/webhooks/logs?dismissed=true", "").list()
	if len(rows) != 1 || rows[0]["reason"] != "address" || rows[0]["dismissedNote"] != "a leaked token" {
		t.Errorf("dismissed: %v", rows)
	}
	dismiss(`{"filter":{"all":true}}`).is(200, `{"success":true,"message":"Webhooks dismissed","data":{"dismissed":1,"more":false}}`)
	dismiss(`{"filter":{"all":true}}`).is(200, `{"success":true,"message":"Webhooks dismissed","data":{"dismissed":0,"more":false}}`)

	for body, says := range map[string]string{
		`{}`:                                "filter is empty",
		`{"filter":{"status":"processed"}}`: "can be dismissed",
		`{"filter":{"dismissed":true}}`:     "dismissed already",
		`{"filter":{"all":true},"rate":5}`:  "unknown field",
		`{"filter":{"all":true},"note":"` + strings.Repeat("x", 501) + `"}`: "500 characters",
	} {
		if a := dismiss(body); a.status != 400 || !strings.Contains(a.body, says) {
			t.Errorf("%.60s: %d %s", body, a.status, a.body)
		}
	}
	if acts := h.admin("GET", "/api/audit?act=webhooks.dismiss", "").list(); acts[len(acts)-1]["detail"] != "rejected address" {
		t.Errorf("the audit says of the first: %v", acts[len(acts)-1])
	}
	said := strings.Join(h.acted(""), "\n")
	for _, act := range []string{"webhooks.dismiss_preview", "webhooks.dismiss <nil> done by ADMIN_TOKEN"} {
		if !strings.Contains(said, act) {
			t.Errorf("the audit does not tell of %q:\n%s", act, said)
		}
	}
	if strings.Contains(said, "leaked") {
		t.Errorf("the audit tells a note:\n%s", said)
	}
}
