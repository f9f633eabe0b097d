package shiprocket_test

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

type statusRow struct {
	table, label, orderStatus string
	id                        int
	milestone                 tracking.Milestone
	terminal                  bool
}

func statusRows(t *testing.T) []statusRow {
	t.Helper()
	var rows []statusRow
	for _, r := range readCSV(t, "data/statuses.csv") {
		id, err := strconv.Atoi(r["id"])
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, statusRow{
			table: r["table"], id: id, label: r["label"], milestone: tracking.Milestone(r["milestone"]),
			orderStatus: r["order_status"], terminal: r["terminal"] == "yes",
		})
	}
	return rows
}

func readCSV(t *testing.T, path string) []map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestStatusTables(t *testing.T) {
	t.Parallel()
	rows := statusRows(t)
	counts := map[string]int{}
	for _, row := range rows {
		counts[row.table]++
		if !row.milestone.Valid() {
			t.Errorf("%s %d: no such milestone: %q", row.table, row.id, row.milestone)
		}
		if row.terminal != row.milestone.Terminal() {
			t.Errorf("%s %d %s: terminal is %v in the table, %v by its milestone", row.table, row.id, row.label, row.terminal, row.milestone.Terminal())
		}
		if got := row.milestone.OrderStatus(); string(got) != row.orderStatus {
			t.Errorf("%s %d %s: order status is %q in the table, %q by its milestone", row.table, row.id, row.label, row.orderStatus, got)
		}
		byID, ok := byID(row)
		if !ok || byID.Milestone != row.milestone {
			t.Errorf("%s %d is %v, want %s", row.table, row.id, byID, row.milestone)
		}
		byLabel, ok := shiprocket.Lookup(row.label)
		if !ok || byLabel != byID {
			t.Errorf("%s is %v by label, %v by number", row.label, byLabel, byID)
		}
		if back, ok := shiprocket.Lookup(byID.Label); !ok || back != byID {
			t.Errorf("label %q leads to %v, want %v", byID.Label, back, byID)
		}
	}
	if len(rows) != 146 || counts["order"] != 82 || counts["shipment"] != 64 {
		t.Errorf("the tables have %d rows (%v), want 82 + 64", len(rows), counts)
	}
}

func byID(row statusRow) (shiprocket.Status, bool) {
	if row.table == "order" {
		return shiprocket.OrderStatusID(row.id).Status()
	}
	return shiprocket.ShipmentStatusID(row.id).Status()
}

func TestStatusTablesClash(t *testing.T) {
	t.Parallel()
	tests := []struct {
		id              int
		order, shipment string
	}{
		{5, "Canceled", "Manifest Generated"},
		{9, "Returned", "RTO Initiated"},
		{10, "Unmapped", "RTO Delivered"},
		{12, "Pickup Queue", "Lost"},
		{15, "RTO Initiated", "Pickup Rescheduled"},
		{16, "RTO Delivered", "Cancellation Requested"},
		{17, "RTO Acknowledged", "Out For Delivery"},
		{18, "Cancellation Requested", "In Transit"},
		{19, "Out for Delivery", "Out For Pickup"},
		{20, "In Transit", "Pickup Exception"},
		{21, "Return Pending", "Undelivered"},
		{25, "Return In Transit", "Damaged"},
		{26, "Return Delivered", "Fulfilled"},
		{38, "Partial Delivered", "Reached at Destination"},
		{40, "Damaged", "RTO_NDR"},
		{42, "Archived", "Picked Up"},
		{45, "RTO_OFD", "CANCELLED_BEFORE_DISPATCHED"},
		{46, "RTO_NDR", "RTO In-Transit"},
	}
	for _, tt := range tests {
		order, ok := shiprocket.OrderStatusID(tt.id).Status()
		if !ok || order.Label != strings.ToUpper(tt.order) {
			t.Errorf("%d of the ORDER table is %q, want %q", tt.id, order.Label, tt.order)
		}
		shipment, ok := shiprocket.ShipmentStatusID(tt.id).Status()
		if !ok || shipment.Label != strings.ToUpper(tt.shipment) {
			t.Errorf("%d of the SHIPMENT table is %q, want %q", tt.id, shipment.Label, tt.shipment)
		}
		if order.Milestone == shipment.Milestone {
			t.Errorf("%d means %s in both tables", tt.id, order.Milestone)
		}
	}
	shared, same := 0, []int{}
	for id := range 100 {
		order, a := shiprocket.OrderStatusID(id).Status()
		shipment, b := shiprocket.ShipmentStatusID(id).Status()
		if a && b {
			shared++
			if order == shipment {
				same = append(same, id)
			}
		}
	}
	if shared != 59 || len(same) != 2 || same[0] != 6 || same[1] != 7 {
		t.Errorf("%d numbers are in both tables, of which %v mean the same; want 59, of which 6 and 7", shared, same)
	}
	for _, gap := range []int{0, 56, 63, 77, 79, 84, 86, 91, -1} {
		if s, ok := shiprocket.OrderStatusID(gap).Status(); ok {
			t.Errorf("%d of the ORDER table is %v, want a gap", gap, s)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	tests := []struct {
		word, label string
		milestone   tracking.Milestone
	}{
		{"CANCELED", "CANCELED", tracking.Cancelled},
		{"Cancelled", "CANCELLED", tracking.Cancelled},
		{"Canceled before Dispatched", "CANCELED BEFORE DISPATCHED", tracking.Cancelled},
		{"CANCELLED_BEFORE_DISPATCHED", "CANCELLED_BEFORE_DISPATCHED", tracking.Cancelled},
		{"PICKUP SCHEDULED", "PICKUP SCHEDULED", tracking.PickupScheduled},
		{"Pickup Generated", "PICKUP SCHEDULED", tracking.PickupScheduled},
		{"Pickup Scheduled/Generated", "PICKUP SCHEDULED", tracking.PickupScheduled},
		{"PICKUP AWAITED", "PICKUP SCHEDULED", tracking.PickupScheduled},
		{"PICKUP CANCELLED", "PICKUP ERROR", tracking.PickupProblem},
		{"INTRANSIT", "IN TRANSIT", tracking.InTransit},
		{"IN_TRANSIT", "IN TRANSIT", tracking.InTransit},
		{"IN TRANSIT-EN-ROUTE", "IN TRANSIT", tracking.InTransit},
		{"IN TRANSIT-AT DESTINATION HUB", "IN TRANSIT", tracking.InTransit},
		{"IN TRANSIT OVERSEAS", "IN TRANSIT OVERSEAS", tracking.InTransit},
		{"REACHED DESTINATION HUB", "REACHED DESTINATION HUB", tracking.ReachedDestination},
		{"REACHED AT DESTINATION HUB", "REACHED DESTINATION HUB", tracking.ReachedDestination},
		{"REAACHED_AT_DESTINATION_HUB", "REACHED DESTINATION HUB", tracking.ReachedDestination},
		{"reached at destication hub", "REACHED DESTINATION HUB", tracking.ReachedDestination},
		{"UNDELIVERED", "UNDELIVERED", tracking.DeliveryFailed},
		{"UNDELIVERED-1ST ATTEMPT", "UNDELIVERED", tracking.DeliveryFailed},
		{"Undelivered 3rd attempt", "UNDELIVERED", tracking.DeliveryFailed},
		{"UNDELIVERED-AT DESTINATION HUB", "UNDELIVERED", tracking.DeliveryFailed},
		{"RTO IN INTRANSIT", "RTO IN-TRANSIT", tracking.RTOInTransit},
		{"RTO_IN_TRANSIT", "RTO IN-TRANSIT", tracking.RTOInTransit},
		{"REACHED BACK AT_SELLER_CITY", "REACHED_BACK_AT_SELLER_CITY", tracking.RTOInTransit},
		{"RTO-OFD", "RTO_OFD", tracking.RTOOutForDelivery},
		{"rto ndr", "RTO_NDR", tracking.RTODeliveryFailed},
		{"RTO DELIVERED", "RTO DELIVERED", tracking.RTODelivered},
		{"RETURN ACKNOWLEDGED", "RETURN ACKNOWLEGED", tracking.ReturnDelivered},
		{"RETURN DELIVERED", "RETURN DELIVERED", tracking.ReturnDelivered},
		{"SELF FULFILED", "SELF FULFILLED", tracking.Delivered}, //nolint:misspell // spelt so by couriers
		{"PARTIALLY DELIVERED", "PARTIAL DELIVERED", tracking.PartiallyDelivered},
		{"Partial_Delivered", "PARTIAL DELIVERED", tracking.PartiallyDelivered},
		{"AWB GENERATED", "AWB ASSIGNED", tracking.Created},
		{"ORDER PLACED", "NEW", tracking.Created},
		{"FAILED DELIVERY", "UNDELIVERED", tracking.DeliveryFailed},
		{"RTO", "RTO INITIATED", tracking.RTOInitiated},
		{"  Out -- for__delivery! ", "OUT FOR DELIVERY", tracking.OutForDelivery},
	}
	for _, tt := range tests {
		got, ok := shiprocket.Lookup(tt.word)
		if want := (shiprocket.Status{Label: tt.label, Milestone: tt.milestone}); !ok || got != want {
			t.Errorf("%q is %v, want %v", tt.word, got, want)
		}
	}
	for _, word := range []string{
		"", " ", "-", "NA", "DELIVERED TO SHIPPER", "NOT DELIVERED", "IN TRANSITION", "UNDELIVERED ATTEMPT",
		"UNDELIVERED 0TH ATTEMPT", "UNDELIVERED X ATTEMPT", "DELIVER", strings.Repeat("DELIVERED ", 1000),
	} {
		if got, ok := shiprocket.Lookup(word); ok {
			t.Errorf("%.40q is %v, want unknown", word, got)
		}
	}
}
