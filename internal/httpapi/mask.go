package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/webazaar/waybill/internal/tracking"
)

// open are the keys of a push whose values are about a parcel and never about
// a person: they are shown as they came. All others are looked at.
var open = keys(`awb awb_code return_awb_code courier_name
	current_status current_status_id shipment_status shipment_status_id sr-status sr-status-label scan_type
	current_timestamp timestamp updated_at date etd edd estimated_delivery_date awb_assigned_date pickup_scheduled_date delivered_date
	order_id sr_order_id shiprocket_order_id channel_order_id forward_order_id shipment_id channel_id channel pickup_address_id
	is_return delivery_attempt_count pickup_attempt_count undelivered_reason_code pick_exception_reason_code
	shipping_method charge_info`)

// person is part of the keys whose values are about one, whatever they are.
var person = regexp.MustCompile(`name|phone|mob|mail|whatsapp|address|street|landmark|contact|customer|consignee|buyer|recipient|receiver|rider|driver|agent|` +
	`sign(ed|ature)|(delivered|received|handed|collected)_?(to|by)`)

func keys(s string) map[string]bool {
	set := map[string]bool{}
	for _, key := range strings.Fields(s) {
		set[key] = true
	}
	return set
}

// bodyAsJSON renders a raw body for an operator: as the JSON it is, or as a
// string when it is none; personal data is masked unless asked for.
func bodyAsJSON(body []byte, unmasked bool) json.RawMessage {
	if json.Valid(body) {
		if unmasked {
			return body
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if d.Decode(&v) == nil {
			if masked, err := json.Marshal(mask("", v, false)); err == nil {
				return masked
			}
		}
	}
	text := string(body)
	if !unmasked {
		// Without keys nothing tells a name from any other word.
		text = fmt.Sprintf("*** %d bytes that are not JSON: ask for it unmasked", len(body))
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return nil
	}
	return quoted
}

// mask hides what may be about a person in the value of a key: all of it where
// the key says so or stands in one that does, pictures, and in texts what a buyer
// is not shown either.
func mask(key string, v any, within bool) any {
	key = strings.ToLower(key)
	about := within || !open[key] && person.MatchString(key)
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			v[k] = mask(k, inner, about)
		}
		return v
	case []any:
		for i := range v {
			v[i] = mask(key, v[i], within)
		}
		return v
	case string:
		switch {
		case v == "":
		case about:
			return "***"
		case open[key]:
		case strings.Contains(v, "://"):
			return "***"
		default:
			return tracking.Scrub(v)
		}
	case json.Number:
		if about || !open[key] && len(v) >= 7 {
			return "***"
		}
	}
	return v
}
