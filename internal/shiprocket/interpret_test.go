package shiprocket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
)

func TestScansAreCapped(t *testing.T) {
	t.Parallel()
	var scans []string
	for i := range 250 {
		at := time.Date(2026, 11, 1, 0, i, 0, 0, time.UTC)
		scans = append(scans, fmt.Sprintf(`{"date":%q,"status":"C%d"}`, at.Format(time.RFC3339), i))
	}
	push, err := shiprocket.Interpret([]byte(`{"awb":"A1","current_status":"SHIPPED","scans":[`+strings.Join(scans, ",")+`]}`), receipt)
	if err != nil {
		t.Fatal(err)
	}
	kept := push.Evidence.Scans
	if len(kept) != 200 || kept[0].Code != "C50" || kept[0].Position != 50 || kept[199].Code != "C249" || kept[199].Position != 249 {
		t.Errorf("kept %d scans, from %+v", len(kept), kept[0])
	}
	if want := (shiprocket.Fault{Code: shiprocket.ScansCapped, Field: "scans", Count: 50}); len(push.Faults) != 1 || push.Faults[0] != want {
		t.Errorf("faults %+v, want %+v", push.Faults, want)
	}
}

// A repeat may come weeks later: a body that tells a time has the same one.
func TestEventTime(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, body, first, later string }{
		{"newest scan", `{"awb":"A","scans":[{"date":"2026-11-20 01:00:00"},{"date":"2026-11-18 01:00:00"}]}`, "2026-11-19", "2026-11-19"},
		{"keyed scans", `{"awb":"A","scans":{"1":{"date":"2026-11-20 07:00:00"}}}`, "2026-11-20", "2026-11-20"},
		{"scans of another spelling", `{"awb":"A","Scans":[{"Date":"2026-11-20 07:00:00"}]}`, "2026-11-20", "2026-11-20"},
		{"list under the alias", `{"awb":"A","scans":[],"activities":[{"date":"2026-11-20 07:00:00"}]}`, "2026-11-20", "2026-11-20"},
		{"last list of several", `{"awb":"A","scans":[{"date":"2026-11-20 07:00:00"}],"scans":[{"date":"2026-11-10 07:00:00"}]}`, "2026-11-10", "2026-11-10"},
		{"future scan, then past", `{"awb":"A","scans":[{"date":"2026-12-01 07:00:00"}]}`, "2026-12-01", "2026-12-01"},
		{"date", `{"awb":"A","scans":[{"date":"NA"}],"date":"2026-11-19 07:00:00","current_timestamp":"20 11 2026 07:00:00"}`, "2026-11-19", "2026-11-19"},
		{"current_timestamp", `{"awb":"A","current_timestamp":"20 11 2026 03:00:00"}`, "2026-11-19", "2026-11-19"},
		{"implausible times", `{"awb":"A","date":"2001-01-01","current_timestamp":"01 01 2345 00:00:00"}`, "2026-11-23", "2027-01-02"},
		{"no time", `{"awb":"A"}`, "2026-11-23", "2027-01-02"},
		{"not JSON", `{`, "2026-11-23", "2027-01-02"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			first, _ := shiprocket.ReadHead([]byte(tt.body), receipt)
			later, _ := shiprocket.ReadHead([]byte(tt.body), receipt.AddDate(0, 0, 40))
			if a, b := first.EventTime.Format(time.DateOnly), later.EventTime.Format(time.DateOnly); a != tt.first || b != tt.later {
				t.Errorf("days %s and %s, want %s and %s", a, b, tt.first, tt.later)
			}
			if first.EventID != later.EventID {
				t.Errorf("event ids %q and %q", first.EventID, later.EventID)
			}
		})
	}
}
