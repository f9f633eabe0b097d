package load

import (
	"bytes"
	"fmt"
	"time"
)

// ist is the zone of all times in pushes; they do not name it (Shiprocket docs).
var ist = time.FixedZone("IST", 5*3600+1800)

// Holes of a template: what differs between two parcels' pushes.
const (
	holeAWB    = "AAAAAAAAAAAAAA"
	holeSR     = "SSSSSSSSSSSS"
	holeNumber = "NNNNNNNNNNNN"
)

// A template is a push of family A (live pushes 2026) with holes.
type template struct {
	body            []byte
	awb, sr, number int // where the holes begin
}

// A line is a scan as Delhivery words it.
type line struct{ code, activity, status, label string }

var (
	manifested = line{"X-UCI", "Manifested - Manifest uploaded", "5", "MANIFEST GENERATED"}
	pickedUp   = line{"X-PPOM", "In Transit - Shipment picked up", "42", "PICKED UP"}
	atOrigin   = line{"X-PIOM", "In Transit - Shipment Recieved at Origin Center", "6", "SHIPPED"} //nolint:misspell // as couriers send it
	onTrip     = line{"X-DLL2F", "In Transit - Bag Added To Trip", "18", "IN TRANSIT"}
	arrived    = line{"X-ILL2F", "In Transit - Trip Arrived", "18", "IN TRANSIT"}
	bagged     = line{"X-DBL1F", "In Transit - Added to Bag", "NA", "NA"}
	out        = line{"X-DDD3FD", "Dispatched - Out for delivery", "17", "OUT FOR DELIVERY"}
	handedOver = line{"EOD-38", "Delivered - Delivered to consignee", "7", "Delivered"}
)

var cities = []string{
	"Chomu_SamodRd_D (Rajasthan)", "Jaipur_Sez_GW (Rajasthan)", "Bhiwandi_Mankoli_HB (Maharashtra)", "Mumbai_Andheri_DPC (Maharashtra)",
	"Gurgaon_Bilaspur_HB (Haryana)", "Bengaluru_Nelmngla_H (Karnataka)", "Kolkata_Dankuni_HB (West Bengal)", "Pune_Chakan_D (Maharashtra)",
}

// header is the status that a push states, with the ids of both tables.
type header struct {
	label           string
	order, shipment int
}

var (
	inTransit      = header{"IN TRANSIT", 20, 18}
	outForDelivery = header{"OUT FOR DELIVERY", 19, 17}
	delivered      = header{"DELIVERED", 7, 7}
)

// journey is the whole history of one variant of parcel.
type journey struct {
	variant int
	lines   []line
	first   time.Time // of the first line; the others follow at even gaps
	gap     time.Duration
}

// newJourney makes a history of n lines that ended before now.
func newJourney(variant, n int, now time.Time) journey {
	j := journey{variant: variant, gap: 2*time.Hour + time.Duration(13*variant)*time.Minute}
	end := now.Add(-30*time.Minute - time.Duration(7*variant)*time.Minute)
	j.first = end.Add(-time.Duration(n-1) * j.gap)
	middle := []line{onTrip, arrived, bagged}
	for i := range n {
		l := middle[(i+variant)%len(middle)]
		switch i {
		case 0:
			l = manifested
		case 1:
			l = pickedUp
		case 2:
			l = atOrigin
		case n - 2:
			l = out
		case n - 1:
			l = handedOver
		}
		j.lines = append(j.lines, l)
	}
	return j
}

func (j *journey) at(i int) string { return j.time(i).Format(time.DateTime) }

func (j *journey) time(i int) time.Time { return j.first.Add(time.Duration(i) * j.gap).In(ist) }

// template is the push that is sent when n lines of the history have happened.
func (j *journey) template(n int) template {
	states := inTransit
	switch n {
	case len(j.lines) - 1:
		states = outForDelivery
	case len(j.lines):
		states = delivered
	}
	deliveredDate, pod := "", "Not Available"
	if n == len(j.lines) {
		deliveredDate, pod = j.at(n-1), "Available"
	}
	b := fmt.Appendf(nil, `{"awb":%q,"courier_name":"Delhivery Surface","current_status":%q,"current_status_id":%d,`+
		`"shipment_status":%q,"shipment_status_id":%d,"return_awb_code":"","current_timestamp":%q,`+
		`"order_id":"WB-%s","sr_order_id":%s,"pickup_address_id":null,"charge_info":null,`+
		`"awb_assigned_date":%q,"pickup_scheduled_date":%q,"etd":%q,"pickup_exception_reason":"","undelivered_reason":"",`+
		`"undelivered_reason_code":"","pick_exception_reason_code":"","delivery_attempt_count":0,"pickup_attempt_count":1,`+
		`"qc_image":"","qc_failure_reason":"","scans":[`,
		holeAWB, states.label, states.order, states.label, states.shipment, j.time(n-1).Add(40*time.Second).Format("02 01 2006 15:04:05"),
		holeNumber, holeSR, j.at(0), j.time(0).Add(time.Second).Format(time.DateTime), j.time(len(j.lines)).Format(time.DateTime))
	for i, l := range j.lines[:n] {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"date":%q,"status":%q,"activity":%q,"location":%q,"sr-status":%q,"sr-status-label":%q}`,
			j.at(i), l.code, l.activity, cities[(i/2+j.variant)%len(cities)], l.status, l.label)
	}
	b = fmt.Appendf(b, `],"date":"","is_return":0,"channel_id":3422553,"pod_status":"OTP Based Delivery","pod":%q,`+
		`"delivered_date":%q,"shipping_method":"SR"}`, pod, deliveredDate)
	return template{
		body: b, awb: bytes.Index(b, []byte(holeAWB)),
		sr: bytes.Index(b, []byte(holeSR)), number: bytes.Index(b, []byte(holeNumber)),
	}
}
