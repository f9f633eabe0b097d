package shiprocket_test

import (
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

// TestSamples holds what every known body must be read as, apart from the
// golden files, which can be rewritten by accident.
func TestSamples(t *testing.T) {
	t.Parallel()
	const received = "2026-11-23T12:00:00Z"
	tests := []struct {
		name               string
		kind               shiprocket.Kind
		direction          tracking.Direction
		awb, number, sr    string
		milestone          tracking.Milestone
		status             tracking.OrderStatus
		at                 string
		source             tracking.TimeSource
		scans, withStatus  int
		courier, eta       string
		firstScan, handled string
	}{
		{
			"01-in-transit-17-scans", shiprocket.Event, tracking.Forward, "19041424751540", "1373900_150876814", "348456385",
			tracking.InTransit, tracking.OrderShipped, "2023-05-23T06:13:46Z", tracking.FromScan, 17, 14,
			"Delhivery Surface", "2023-05-23", "2023-05-19T06:29:16Z", "2023-05-23T06:13:52Z",
		},
		{
			"02-panel-sample-numeric-awb", shiprocket.Event, tracking.Forward, "59629792084", "enter your channel order id", "13905312",
			tracking.Delivered, tracking.OrderDelivered, "2019-06-25T06:38:00Z", tracking.FromScan, 11, 0,
			"enter courier_name", "2021-07-02", "2019-06-24T13:26:00Z", "2021-07-02T11:11:59Z",
		},
		{
			"03-validate-ping", shiprocket.Ping, tracking.Forward, "123456", "dummpy shiprocket order id 123", "1234",
			"", "", "2022-05-16T10:48:47Z", tracking.FromScan, 1, 0,
			"dummy courier_name", "2026-10-03", "2022-05-16T10:48:47Z", "2026-10-03T12:23:11Z",
		},
		{name: "04-empty-object-ping", kind: shiprocket.Ping},
		{
			"05-rto-initiated-25-scans", shiprocket.Event, tracking.Forward, "19041323362066", "SY-WA-2223-4022", "219058400",
			tracking.RTOInitiated, tracking.OrderCancelled, "2022-06-02T03:29:02Z", tracking.FromScan, 25, 14,
			"Delhivery Surface", "2022-05-28", "2022-05-24T06:28:17Z", "2022-06-02T03:29:14Z",
		},
		{
			"07-return-cancelled-no-awb", shiprocket.Event, tracking.Return, "", "1554644142", "1554838313",
			tracking.ReturnCancelled, "", "2026-09-01T05:41:29Z", tracking.FromTimestamp, 0, 0,
			"", "", "", "2026-09-01T05:41:29Z",
		},
		{
			"08-sparse-alphanumeric-awb", shiprocket.Event, tracking.Forward, "SF3897621360KR", "AWL91738", "1542454019",
			tracking.InTransit, tracking.OrderShipped, received, tracking.FromReceipt, 0, 0, "Shree Maruti", "", "", "",
		},
		{
			"10-sparse-picked-up", shiprocket.Event, tracking.Forward, "1319460818628", "ORD-1787673804350", "1540758693",
			tracking.PickedUp, tracking.OrderProcessing, received, tracking.FromReceipt, 0, 0, "", "", "", "",
		},
		{
			"11-hyperlocal-rider-assigned", shiprocket.Event, tracking.Forward, "6a6f833c48b1e92840e8271d", "1491464067", "1491464067",
			tracking.PickupScheduled, tracking.OrderProcessing, received, tracking.FromReceipt, 0, 0, "Quick-Rapido", "", "", "",
		},
		{
			"12-label-and-id-disagree", shiprocket.Event, tracking.Forward, "59629792084", "ORD-000019-P1", "13905312",
			tracking.PickupScheduled, tracking.OrderProcessing, "2021-07-01T04:30:00Z", tracking.FromTimestamp, 0, 0,
			"Delhivery Surface", "2021-07-03", "", "2021-07-01T04:30:00Z",
		},
		{
			"13-cancelled-lone-order-id", shiprocket.Event, tracking.Forward, "", "13905399", "",
			tracking.Cancelled, tracking.OrderCancelled, received, tracking.FromReceipt, 0, 0, "", "", "", "",
		},
		{
			"15-scan-without-seconds", shiprocket.Event, tracking.Forward, "STUBAWB123", "", "",
			tracking.InTransit, tracking.OrderShipped, "2026-07-05T03:30:00Z", tracking.FromScan, 1, 0, "", "", "2026-07-05T03:30:00Z", "",
		},
		{
			"16-day-first-scan-date", shiprocket.Event, tracking.Forward, "TEST123456789", "ORD-T9JBEW-873A", "1155006933",
			tracking.PickedUp, tracking.OrderProcessing, "2026-01-30T10:00:00Z", tracking.FromScan, 1, 0,
			"Xpressbees Surface", "2026-02-05", "2026-01-30T10:00:00Z", "",
		},
		{
			"18-header-beats-scan", shiprocket.Event, tracking.Forward, "TEST123456789", "YOUR_ORDER_123", "12345678",
			tracking.InTransit, tracking.OrderShipped, "2026-01-10T06:30:00Z", tracking.FromScan, 1, 1,
			"Delhivery Surface", "", "2026-01-10T06:30:00Z", "2026-01-10T06:30:00Z",
		},
		{
			"20-delivered-date-only-etd", shiprocket.Event, tracking.Forward, "12345678901", "ORD-12345", "123456789",
			tracking.Delivered, tracking.OrderDelivered, "2024-01-14T09:00:00Z", tracking.FromScan, 1, 0,
			"Bluedart", "2024-01-14", "2024-01-14T09:00:00Z", "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			push, err := shiprocket.Interpret(goldenBody(t, tt.name), receipt)
			if err != nil {
				t.Fatal(err)
			}
			r, scans := push.Evidence.Reading, push.Evidence.Scans
			var first time.Time
			withStatus, keys := 0, map[string]bool{}
			for i := range scans {
				if i == 0 {
					first = scans[i].At
				}
				if scans[i].Milestone != "" {
					withStatus++
				}
				keys[scans[i].Key()] = true
			}
			want := func(what string, got, want any) {
				t.Helper()
				if got != want {
					t.Errorf("%s is %v, want %v", what, got, want)
				}
			}
			want("kind", push.Kind, tt.kind)
			want("direction", r.Direction, tt.direction)
			want("awb", r.AWB, tt.awb)
			want("number", r.Number, tt.number)
			want("sr", r.SR, tt.sr)
			want("milestone", r.Milestone, tt.milestone)
			want("order status", r.Milestone.OrderStatus(), tt.status)
			want("event time", stamp(r.EventTime), tt.at)
			want("taken from", r.TimeSource, tt.source)
			want("scans", len(scans), tt.scans)
			want("different scan keys", len(keys), tt.scans)
			want("scans with a milestone", withStatus, tt.withStatus)
			want("courier", r.Courier, tt.courier)
			want("eta", r.ETA, tt.eta)
			want("first scan", stamp(first), tt.firstScan)
			want("processed at", stamp(r.ProcessedAt), tt.handled)
			want("unknown status", push.UnknownStatus, false)
		})
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func TestSampleOddities(t *testing.T) {
	t.Parallel()
	read := func(name string) shiprocket.Push {
		push, err := shiprocket.Interpret(goldenBody(t, name), receipt)
		if err != nil {
			t.Fatal(err)
		}
		return push
	}
	docs := read("01-in-transit-17-scans").Evidence
	if a, b := docs.Scans[7], docs.Scans[8]; !a.At.Equal(b.At) || a.Code != "X-IBD3F" || b.Code != "X-DWS" {
		t.Errorf("scans of one second are %v and %v, want X-IBD3F before X-DWS", a, b)
	}
	if got := docs.Reading.ProofOfDelivery; got != "none" {
		t.Errorf("proof of delivery before the delivery is %q, want none", got)
	}
	if got := read("07-return-cancelled-no-awb").Evidence.Reading.ProofOfDelivery; got != "otp" {
		t.Errorf("proof of delivery by OTP is %q, want otp", got)
	}
	sample := read("02-panel-sample-numeric-awb")
	if !sample.Placeholder {
		t.Error("the panel's sample is not marked as a placeholder")
	}
	if first, last := sample.Evidence.Scans[0], sample.Evidence.Scans[10]; first.Activity != "SHIPMENT PICKED UP" || last.Activity != "SHIPMENT DELIVERED" {
		t.Errorf("a list that is newest first was read as %q … %q", first.Activity, last.Activity)
	}
	disagree := 0
	for _, f := range read("12-label-and-id-disagree").Faults {
		if f.Code == shiprocket.LabelDisagrees {
			disagree++
		}
	}
	if disagree == 0 {
		t.Error("label and id disagree without a finding")
	}
	if got := read("13-cancelled-lone-order-id").Evidence.Reading.MaybeSR; got != "13905399" {
		t.Errorf("a lone order_id of digits is perhaps Shiprocket's id %q, want 13905399", got)
	}
	if got := read("15-scan-without-seconds").Evidence.Scans[0].Activity; got != "In transit" {
		t.Errorf("a scan without activity says %q, want its status words", got)
	}
	if got := stamp(read("20-delivered-date-only-etd").Evidence.Reading.DeliveredAt); got != "2024-01-14T09:00:00Z" {
		t.Errorf("delivered at %q, want 2024-01-14T09:00:00Z", got)
	}
}
