package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

const replayKeys = `id state waitsForLive filter ratePerSecond matched matchedIsExact done skipped failedSince createdAt createdBy startedAt endedAt`

// replayAll carries out the jobs that there are.
func (h *house) replayAll() {
	h.t.Helper()
	for range 1000 {
		wait, err := h.replays.Step(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if wait >= 2e9 { // no job is left
			return
		}
		h.work()
	}
	h.t.Fatal("replays do not end")
}

func TestReplay(t *testing.T) {
	t.Parallel()
	h := filled(t)
	replay := func(body string) answer { return h.admin("POST", "/api/webhooks/replays", body) }

	a := replay(`{"filter":{"all":true},"dryRun":true}`)
	hasKeys(t, "the preview", a.json()["data"], "dryRun matched matchedIsExact byStatus replayable samples")
	d := a.data()
	if d["matched"] != 6.0 || d["matchedIsExact"] != true || d["replayable"] != 4.0 || d["dryRun"] != true ||
		asJSON(d["byStatus"]) != `{"duplicate":1,"ignored":1,"processed":2,"rejected":2}` || len(d["samples"].([]any)) != 4 {
		t.Errorf("%s", a.body)
	}
	hasKeys(t, "a sample", d["samples"].([]any)[0], rowKeys)
	if jobs := h.admin("GET", "/api/webhooks/replays", "").list(); len(jobs) != 0 {
		t.Errorf("a dry run has made a job: %v", jobs)
	}

	a = replay(`{"filter":{"status":"processed","awb":77001},"ratePerSecond":500}`)
	hasKeys(t, "the job", a.json()["data"], replayKeys)
	job := a.data()
	if job["state"] != "waiting" || job["matched"] != 1.0 || job["ratePerSecond"] != 500.0 || job["createdBy"] != "ADMIN_TOKEN" || job["startedAt"] != nil ||
		asJSON(job["filter"]) != `{"awb":"77001","status":"processed"}` {
		t.Errorf("%s", a.body)
	}
	h.replayAll()
	show := func(id any) map[string]any {
		return h.admin("GET", fmt.Sprint("/api/webhooks/replays/", id), "").data()
	}
	if job := show(job["id"]); job["state"] != "done" || job["done"] != 1.0 || job["skipped"] != 0.0 || job["failedSince"] != 0.0 || job["endedAt"] == nil {
		t.Errorf("at the end: %v", job)
	}

	all := replay(`{"filter":{"all":true}}`).data()
	if all["ratePerSecond"] != 100.0 || asJSON(all["filter"]) != `{"all":true}` {
		t.Errorf("%v", all)
	}
	if cancelled := h.admin("DELETE", fmt.Sprint("/api/webhooks/replays/", all["id"]), "").data(); cancelled["state"] != "cancelled" {
		t.Errorf("%v", cancelled)
	}
	h.admin("DELETE", fmt.Sprint("/api/webhooks/replays/", all["id"]), "").is(400,
		`{"success":false,"code":"invalid","message":"the replay has ended already: it is cancelled"}`)
	h.replayAll()
	if job := show(all["id"]); job["done"] != 0.0 {
		t.Errorf("cancelled, and carried out: %v", job)
	}
	if jobs := h.admin("GET", "/api/webhooks/replays", "").list(); len(jobs) != 2 {
		t.Errorf("%d jobs, want 2", len(jobs))
	}
	h.admin("GET", "/api/webhooks/replays/none", "").is(404, `{"success":false,"code":"not_found","message":"replay not found"}`)

	for body, says := range map[string]string{
		`{}`: "filter is empty", `{"filter":{}}`: `say {\"all\":true}`, `{"filter":{"q":"  "}}`: "filter is empty",
		`{"filter":{"all":true,"status":"failed"}}`: "leave one of them out", `{"filter":{"status":"lost"}}`: "status must be",
		`{"filter":{"q":"` + strings.Repeat("-", 60000) + `"}}`: "q must be", `{"filter":{"awb":"7\u0000"}}`: "awb must be",
		`{"filter":{"from":"yesterday"}}`: "from must be", `{"filter":{"statuses":"failed"}}`: "unknown field",
		`{"filter":{"all":true},"ratePerSecond":-1}`: "ratePerSecond must be", `{"filter":{"all":true},"ratePerSecond":5001}`: "ratePerSecond must be",
	} {
		if a := replay(body); a.status != 400 || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s, want %q", body, a.status, a.body, says)
		}
	}
	said := strings.Join(h.acted(""), "\n")
	for _, act := range []string{"replay.preview", "replay.create " + job["id"].(string), "replay.cancel"} {
		if !strings.Contains(said, act+" ") {
			t.Errorf("the audit does not tell of %s:\n%s", act, said)
		}
	}
}
