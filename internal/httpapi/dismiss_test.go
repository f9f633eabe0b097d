package httpapi_test

import (
	"strings"
	"testing"
)

func TestDismiss(t *testing.T) {
	t.Parallel()
	h := filled(t)
	rows := h.admin("GET", "/api/webhooks/logs", "").list()
	broken, address, duplicate, processed := rows[0]["id"].(string), rows[1]["id"].(string), rows[4]["id"].(string), rows[5]["id"].(string)
	dismiss := func(id, body string) answer { return h.admin("POST", "/api/webhooks/dismiss/"+id, body) }

	a := dismiss(broken, `{"note":" sent by our own test "}`)
	hasKeys(t, "the dismissed row", a.json()["data"], rowKeys)
	if row := a.data(); a.json()["message"] != "Webhook dismissed" || row["status"] != "rejected" || row["reason"] != "not_json" ||
		row["dismissedAt"] != "2026-11-23T12:00:00Z" || row["dismissedNote"] != "sent by our own test" || row["processedAt"] != nil {
		t.Errorf("%s", a.body)
	}
	if row := dismiss(address, "").data(); row["dismissedNote"] != nil || row["dismissedAt"] == nil {
		t.Errorf("without a note: %v", row)
	}
	for query, want := range map[string]int{"dismissed=true": 2, "dismissed=false": 4, "status=rejected&dismissed=false": 0, "reason=address&dismissed=true": 1} {
		if got := h.admin("GET", "/api/webhooks/logs?"+query, "").list(); len(got) != want {
			t.Errorf("%s: %d rows, want %d", query, len(got), want)
		}
	}
	h.admin("POST", "/api/webhooks/retry/"+address, "")
	h.work()
	if row := h.admin("GET", "/api/webhooks/logs/"+address, "").data(); row["dismissedAt"] != nil || row["status"] != "processed" || row["processedAt"] == nil {
		t.Errorf("after a retry: %v", row)
	}

	for id, says := range map[string]string{duplicate: "a webhook that is duplicate needs nobody", processed: "a webhook that is processed needs nobody"} {
		if a := dismiss(id, ""); a.status != 400 || !strings.Contains(a.body, says) {
			t.Errorf("%d %s, want %q", a.status, a.body, says)
		}
	}
	dismiss("unknown", "").is(404, `{"success":false,"code":"not_found","message":"webhook not found"}`)
	if a := dismiss(broken, asJSON(map[string]string{"note": strings.Repeat("x", 501)})); a.status != 400 {
		t.Errorf("a long note: %d", a.status)
	}
	if a := dismiss(broken, asJSON(map[string]string{"note": strings.Repeat("न", 500)})); a.status != 200 {
		t.Errorf("a note of 500 characters in Hindi: %d %s", a.status, a.body)
	}
	if a := dismiss(broken, `{"why":"x"}`); a.status != 400 || !strings.Contains(a.body, "unknown field") {
		t.Errorf("an unknown field: %d %s", a.status, a.body)
	}
	if said := strings.Join(h.acted(""), "\n"); !strings.Contains(said, "webhook.dismiss "+broken+" done by ADMIN_TOKEN") || strings.Contains(said, "our own test") {
		t.Errorf("the audit does not tell of it, or tells the note:\n%s", said)
	}
}
