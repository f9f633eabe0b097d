package simulate_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"
)

var ist = time.FixedZone("IST", 5*3600+1800)

// body is a push decoded as loosely as a receiver would.
type body struct {
	keys []string
	raw  map[string]json.RawMessage

	CurrentStatus    string `json:"current_status"`
	CurrentStatusID  int    `json:"current_status_id"`
	ShipmentStatus   string `json:"shipment_status"`
	ShipmentStatusID int    `json:"shipment_status_id"`
	CurrentTimestamp string `json:"current_timestamp"`
	OrderID          string `json:"order_id"`
	SROrderID        uint64 `json:"sr_order_id"`
	ChannelOrderID   string `json:"channel_order_id"`
	ReturnAWBCode    string `json:"return_awb_code"`
	ETD              string `json:"etd"`
	Date             string `json:"date"`
	DeliveredDate    string `json:"delivered_date"`
	IsReturn         int    `json:"is_return"`
	PODStatus        string `json:"pod_status"`
	Attempts         int    `json:"delivery_attempt_count"`
	Scans            []struct {
		Date     string `json:"date"`
		Status   string `json:"status"`
		Activity string `json:"activity"`
		Location string `json:"location"`
		SRStatus any    `json:"sr-status"`
	} `json:"scans"`
}

func decode(t *testing.T, raw []byte) body {
	t.Helper()
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	if err := json.Unmarshal(raw, &b.raw); err != nil {
		t.Fatal(err)
	}
	b.keys = slices.Sorted(maps.Keys(b.raw))
	return b
}

func (b *body) awb() string { return string(b.raw["awb"]) }

// number is the shop's number in whichever family the push has.
func (b *body) number() string {
	if b.ChannelOrderID != "" {
		return b.ChannelOrderID
	}
	return b.OrderID
}

// times are all the times in the push that tell of something that happened,
// with the event's own first; none for a push that tells no time.
func (b *body) times(t *testing.T) []time.Time {
	t.Helper()
	var all []time.Time
	read := func(layout, s string) {
		if s == "" {
			return
		}
		at, err := time.ParseInLocation(layout, s, ist)
		if err != nil {
			t.Fatalf("%s at %s: %v", b.CurrentStatus, b.number(), err)
		}
		all = append(all, at)
	}
	for _, s := range b.Scans {
		read(time.DateTime, s.Date)
	}
	newest := time.Time{}
	for _, at := range all {
		if at.After(newest) {
			newest = at
		}
	}
	if !newest.IsZero() {
		all = slices.Insert(all, 0, newest)
	}
	read(time.DateTime, b.Date)
	read(time.DateTime, b.DeliveredDate)
	stamp := "02 01 2006 15:04:05"
	if b.ChannelOrderID != "" {
		stamp = time.DateTime
	}
	read(stamp, b.CurrentTimestamp)
	return all
}
