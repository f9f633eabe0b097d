package live_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/tracking"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// update is what watchers are told of a parcel with a history of n entries.
func update(n int) tracking.Update {
	s := tracking.Shipment{
		ID: "shipment-1", Direction: tracking.Forward, AWBCode: "77001", CourierName: "Delhivery Surface",
		Milestone: tracking.OutForDelivery, CurrentStatus: "OUT FOR DELIVERY", EstimatedDelivery: "2026-11-26",
		Legs: []tracking.Leg{{AWBCode: "77001", Kind: tracking.LegForward}},
	}
	for i := range n {
		s.TrackingHistory = append(s.TrackingHistory, tracking.Entry{
			Status: "IN TRANSIT", Milestone: tracking.InTransit, Timestamp: noon.Add(time.Duration(i) * time.Minute),
			Location: tracking.Text(fmt.Sprintf("Hub %d", i)), Description: tracking.Text(fmt.Sprintf("Bag %d added", i)), ScanType: tracking.ScanEntry,
		})
	}
	return tracking.Update{
		OrderID: "order-id-1", OrderNumber: "N-1", Version: 7, OrderStatus: tracking.OrderShipped, Shipment: &s, StatusChanged: true, At: noon,
	}
}

func messages(t *testing.T, c live.Channels, u tracking.Update) (order, operators live.Message) {
	t.Helper()
	all := c.Messages(u, noon.Add(1234567*time.Nanosecond))
	if len(all) != 2 {
		t.Fatalf("%d messages", len(all))
	}
	return all[0], all[1]
}

func object(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// Front ends rely on these names.
func TestEventsHaveTheContractsKeys(t *testing.T) {
	t.Parallel()
	const (
		orderKeys = `awbCode courierName currentStatus description direction estimatedDelivery location milestone orderId orderNumber
			orderStatus shipmentId statusChanged timestamp trackingHistory version`
		operatorKeys = `awbCode courierName currentStatus milestone orderId orderNumber orderStatus timestamp version`
		entryKeys    = `description location milestone scanType status timestamp`
	)
	keys := func(what string, m map[string]any, want string) {
		t.Helper()
		if got := slices.Sorted(maps.Keys(m)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s has the keys %v, want %v", what, got, strings.Fields(want))
		}
	}
	bare := update(0)
	bare.Shipment, bare.OrderNumber, bare.OrderStatus = nil, "", ""
	for name, u := range map[string]tracking.Update{"full": update(3), "an order without a parcel": bare, "no history": update(0)} {
		order, operators := messages(t, live.Channels{}, u)
		if order.Event != "tracking-update" || operators.Event != "shipment-update" {
			t.Errorf("%s: events %s and %s", name, order.Event, operators.Event)
		}
		m := object(t, order.Data)
		keys(name+" tracking-update", m, orderKeys)
		keys(name+" shipment-update", object(t, operators.Data), operatorKeys)
		history, ok := m["trackingHistory"].([]any)
		if !ok {
			t.Errorf("%s: trackingHistory is %v, want a list", name, m["trackingHistory"])
		}
		for _, e := range history {
			keys("an entry", e.(map[string]any), entryKeys)
		}
	}
	order, operators := messages(t, live.Channels{}, update(3))
	m := object(t, order.Data)
	for key, want := range map[string]any{
		"orderId": "order-id-1", "orderNumber": "N-1", "version": 7.0, "timestamp": "2026-11-23T12:00:00.001Z", "shipmentId": "shipment-1", "direction": "forward",
		"awbCode": "77001", "courierName": "Delhivery Surface", "currentStatus": "OUT FOR DELIVERY", "milestone": "out_for_delivery", "orderStatus": "shipped",
		"location": "Hub 2", "description": "Bag 2 added", "estimatedDelivery": "2026-11-26", "statusChanged": true,
	} {
		if m[key] != want {
			t.Errorf("%s is %v, want %v", key, m[key], want)
		}
	}
	if o := object(t, operators.Data); o["version"] != 7.0 || o["timestamp"] != "2026-11-23T12:00:00.001Z" || o["awbCode"] != "77001" {
		t.Errorf("%v", o)
	}
	order, _ = messages(t, live.Channels{}, bare)
	for _, key := range []string{"orderNumber", "shipmentId", "direction", "awbCode", "milestone", "orderStatus", "location", "description"} {
		if v := object(t, order.Data)[key]; v != nil {
			t.Errorf("%s of an order without a parcel is %v", key, v)
		}
	}
}

func TestChannels(t *testing.T) {
	t.Parallel()
	u := update(1)
	aliased := update(1)
	aliased.Aliases = []string{"older-id"}
	tests := []struct {
		channels         live.Channels
		update           tracking.Update
		order, operators string
	}{
		{live.Channels{}, u, "private-order-order-id-1", "private-shipments"},
		{live.Channels{PublicOrders: true}, u, "order-order-id-1 private-order-order-id-1", "private-shipments"},
		{live.Channels{PublicShipments: true}, u, "private-order-order-id-1", "shipments private-shipments"},
		{
			live.Channels{PublicOrders: true},
			aliased,
			"order-order-id-1 private-order-order-id-1 order-older-id private-order-older-id", "private-shipments",
		},
	}
	for _, tt := range tests {
		order, operators := messages(t, tt.channels, tt.update)
		if got := strings.Join(order.Channels, " "); got != tt.order {
			t.Errorf("%+v: orders on %s, want %s", tt.channels, got, tt.order)
		}
		if got := strings.Join(operators.Channels, " "); got != tt.operators {
			t.Errorf("%+v: shipments on %s, want %s", tt.channels, got, tt.operators)
		}
	}
}

// The newest twenty entries, oldest first.
func TestHistoryIsCut(t *testing.T) {
	t.Parallel()
	order, _ := messages(t, live.Channels{}, update(50))
	history := object(t, order.Data)["trackingHistory"].([]any)
	first, last := history[0].(map[string]any), history[len(history)-1].(map[string]any)
	if len(history) != 20 || first["location"] != "Hub 30" || last["location"] != "Hub 49" {
		t.Errorf("%d entries from %v to %v", len(history), first["location"], last["location"])
	}
}

// An event is under 10 KB whatever couriers write: the oldest entries go
// first, and the newest is never among them unless it alone is too much.
func TestEventsAreUnder10KB(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{
		"Hindi": "डिलीवरी के लिए निकला ", "emoji": "👩‍👩‍👧‍👦📦", "quotes": `"\`, "ampersands": "&&&&", "line separators": "\u2028", "Latin": "Out for delivery ",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := tracking.Text(filled(unit, 200))
			u := update(20)
			u.OrderNumber, u.Shipment.AWBCode, u.Shipment.CourierName = tracking.Text(filled(unit, 100)), tracking.Text(filled(unit, 100)), tracking.Text(filled(unit, 80))
			u.Shipment.CurrentStatus = text
			for i := range u.Shipment.TrackingHistory {
				e := &u.Shipment.TrackingHistory[i]
				e.Status, e.Location, e.Description = text, text, text
			}
			order, operators := messages(t, live.Channels{PublicOrders: true}, u)
			if len(order.Data) >= 10_000 || len(operators.Data) >= 10_000 {
				t.Errorf("%d and %d bytes", len(order.Data), len(operators.Data))
			}
			m := object(t, order.Data)
			history := m["trackingHistory"].([]any)
			if len(history) == 0 || m["version"] != 7.0 || m["description"] != string(text) {
				t.Fatalf("%d entries, version %v, description %v", len(history), m["version"], m["description"])
			}
			if newest := history[len(history)-1].(map[string]any); newest["timestamp"] != "2026-11-23T12:19:00Z" {
				t.Errorf("the newest entry is of %v", newest["timestamp"])
			}
			if len(order.Data) < 7000 {
				t.Errorf("cut to %d bytes: more than needed", len(order.Data))
			}
			if !utf8.Valid(order.Data) {
				t.Error("cut within a character")
			}
		})
	}
}

// filled is n characters of repeated units.
func filled(unit string, n int) string {
	return string([]rune(strings.Repeat(unit, n))[:n])
}
