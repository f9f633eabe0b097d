package httpapi_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestExport(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for i := range 450 {
		h.do("POST", "/api/webhooks/courier", fmt.Sprintf(`{"awb":"77%03d","current_status":"IN TRANSIT","customer_name":"Asha Rao"}`, i), "x-api-key", webhookToken)
	}
	h.do("POST", "/api/webhooks/courier", "broken", "x-api-key", webhookToken)
	h.work()
	a := h.admin("GET", "/api/webhooks/export", "")
	if a.status != 200 || a.header.Get("Content-Type") != "application/x-ndjson" || a.header.Get("Cache-Control") != "no-store" ||
		a.header.Get("Content-Disposition") != `attachment; filename="webhooks-2026-11-23.ndjson"` {
		t.Fatalf("%d %v", a.status, a.header)
	}
	rows := strings.Split(strings.TrimSpace(a.body), "\n")
	if len(rows) != 451 || strings.Contains(a.body, "Asha") {
		t.Fatalf("%d rows, masked: %v", len(rows), !strings.Contains(a.body, "Asha"))
	}
	last := ""
	for i, line := range rows {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			hasKeys(t, "a row", row, rowKeys+" body")
		}
		if id := row["id"].(string); id <= last {
			t.Errorf("row %s after %s", id, last)
		} else {
			last = id
		}
	}
	for query, want := range map[string]int{"status=processed": 450, "reason=not_json": 1, "awb=77007&format=ndjson": 1, "status=failed": 0, "q=77007": 1} {
		a := h.admin("GET", "/api/webhooks/export?"+query, "")
		if n := strings.Count(a.body, "\n"); a.status != 200 || n != want {
			t.Errorf("%s: %d, %d rows; want %d", query, a.status, n, want)
		}
	}
	if a := h.admin("GET", "/api/webhooks/export?unmasked=true&awb=77007", ""); !strings.Contains(a.body, "Asha Rao") {
		t.Errorf("unmasked: %s", a.body)
	}
	for query, says := range map[string]string{"format=xlsx": "format must be", "status=lost": "status must be", "from=x": "from must be"} {
		if a := h.admin("GET", "/api/webhooks/export?"+query, ""); a.status != 400 || !strings.Contains(a.body, says) {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}

// Where nothing is found for longer than an answer may take, the answer is whole
// all the same.
func TestExportOfNothingIsWhole(t *testing.T) {
	t.Parallel()
	h := filled(t)
	server := httptest.NewUnstartedServer(h.api)
	server.Config.WriteTimeout = time.Nanosecond // it has been longer than that
	server.Start()
	defer server.Close()
	for query, rows := range map[string]int{"q=nobody": 0, "status=failed&format=csv": 1, "status=processed": 2} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/webhooks/export?"+query, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+adminToken)
		res, err := server.Client().Do(r)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || strings.Count(string(body), "\n") != rows {
			t.Errorf("%s: %d %q, %v", query, res.StatusCode, body, err)
		}
	}
	server.Client().CloseIdleConnections()
}

// Nothing that a sender wrote is a formula when the file is opened.
func TestExportAsCSV(t *testing.T) {
	t.Parallel()
	h := setup(t)
	evil := []string{`=HYPERLINK("http://evil.example")`, "+1+1", "-1+1", "@SUM(A1)", " =1+1", "＝1+1"}
	for i, status := range evil {
		h.do("POST", "/api/webhooks/courier", asJSON(map[string]any{"awb": fmt.Sprint("7700", i), "current_status": status}), "x-api-key", webhookToken)
	}
	h.do("POST", "/api/webhooks/courier", `{"awb":"77009","current_status":"A, \"quoted\"; word"}`, "x-api-key", webhookToken)
	a := h.admin("GET", "/api/webhooks/export?format=csv", "")
	if a.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasSuffix(a.header.Get("Content-Disposition"), `.csv"`) {
		t.Errorf("%v", a.header)
	}
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil || len(rows) != len(evil)+2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	if len(column) != len(strings.Fields(rowKeys))+1 {
		t.Errorf("columns %v", rows[0])
	}
	for i, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(strings.TrimLeft(cell, " ")[:1], "=+-@\t\r") {
				t.Errorf("a formula: %q", cell)
			}
		}
		if got := row[column["eventType"]]; i < len(evil) && !strings.HasPrefix(got, "'") {
			t.Errorf("%q is shown as %q", evil[i], got)
		}
	}
	if row := rows[len(rows)-1]; row[column["eventType"]] != `A, "quoted"; word` || row[column["status"]] != "pending" || row[column["processedAt"]] != "" {
		t.Errorf("%q", row)
	}
	if a := h.admin("GET", "/api/webhooks/export?format=csv&status=failed", ""); strings.Count(a.body, "\n") != 1 {
		t.Errorf("of nothing: %q", a.body)
	}
}

// A client that has gone is not written to any more, and a cut answer does not
// end as a whole one does.
func TestExportEndsWithItsClient(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for i := range 450 {
		h.do("POST", "/api/webhooks/courier", fmt.Sprintf(`{"awb":"77%03d","current_status":"IN TRANSIT"}`, i), "x-api-key", webhookToken)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, "GET", "/api/webhooks/export", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+adminToken)
	w := &gone{httptest.NewRecorder(), cancel}
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("it ended with %v, want %v", err, http.ErrAbortHandler)
		}
		if n := strings.Count(w.Body.String(), "\n"); n == 0 || n > 200 {
			t.Errorf("%d rows were written", n)
		}
	}()
	h.api.ServeHTTP(w, r)
	t.Error("it ended well")
}

// gone is a client that leaves at the first part of the answer.
type gone struct {
	*httptest.ResponseRecorder
	leave func()
}

func (g *gone) Flush() { g.leave() }
