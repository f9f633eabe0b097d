package shiprocket_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
)

// TestJourneys reads every step of nine whole journeys: with words and numbers,
// with words alone, and with numbers alone.
func TestJourneys(t *testing.T) {
	t.Parallel()
	rows := readCSV(t, "testdata/journeys.csv")
	if len(rows) != 77 {
		t.Fatalf("there are %d steps, want 77", len(rows))
	}
	words := []string{"current_status", "shipment_status"}
	numbers := []string{"current_status_id", "shipment_status_id"}
	for _, row := range rows {
		for _, without := range [][]string{nil, numbers, words} {
			push, err := shiprocket.Interpret(journeyBody(t, row, without), receipt.AddDate(0, 0, 1))
			if err != nil {
				t.Fatal(err)
			}
			r := push.Evidence.Reading
			name := row["journey"] + "/" + row["arrival_no"]
			if string(r.Milestone) != row["milestone"] {
				t.Errorf("%s without %v is %q, want %q", name, without, r.Milestone, row["milestone"])
			}
			if r.Milestone.Return() != (r.Direction == "return") {
				t.Errorf("%s without %v: %s on a %s shipment", name, without, r.Milestone, r.Direction)
			}
			want, err := time.Parse("2006-01-02 15:04:05 -0700", row["event_time_ist"]+" +0530")
			if err != nil {
				t.Fatal(err)
			}
			if !r.EventTime.Equal(want) {
				t.Errorf("%s happened at %s, want %s", name, r.EventTime, want.UTC())
			}
			if released := row["current_status"] == "NEW"; r.Released != released {
				t.Errorf("%s: released is %v", name, r.Released)
			}
			for _, f := range push.Faults {
				t.Errorf("%s without %v: %v", name, without, f)
			}
		}
	}
}

func journeyBody(t *testing.T, row map[string]string, without []string) []byte {
	t.Helper()
	body := map[string]any{"sr_order_id": 1, "order_id": "SHOP-1", "is_return": row["is_return"], "date": row["event_time_ist"]}
	for _, key := range []string{"awb", "current_status", "current_status_id", "shipment_status", "shipment_status_id"} {
		if row[key] == "" {
			continue
		}
		body[key] = row[key]
		if n, err := strconv.Atoi(row[key]); err == nil && key != "awb" {
			body[key] = n
		}
	}
	if row["activity"] != "" {
		body["scans"] = []map[string]any{{
			"date": row["event_time_ist"], "status": row["scan_status"], "sr-status": row["sr_status"],
			"activity": row["activity"], "location": row["location"],
		}}
	}
	for _, key := range without {
		delete(body, key)
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
