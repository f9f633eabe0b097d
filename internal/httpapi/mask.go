package httpapi

import (
	"encoding/json"
	"strings"

	"github.com/webazaar/waybill/internal/tracking"
)

// personal are the keys of a push whose values are about a person.
var personal = map[string]bool{
	"rider_name": true, "rider_phone": true, "customer_name": true, "customer_phone": true, "customer_email": true,
	"consignee_name": true, "consignee_phone": true, "address": true, "delivered_to": true, "pod": true, "pod_status": true, "qc_image": true,
}

// texts are the keys whose values are a courier's own sentences.
var texts = map[string]bool{"activity": true, "location": true, "comment": true, "undelivered_reason": true, "current_location": true}

// bodyAsJSON renders a raw body for an operator: as the JSON it is, or as a
// string when it is none; personal data is masked unless asked for.
func bodyAsJSON(body []byte, unmasked bool) json.RawMessage {
	if json.Valid(body) {
		if unmasked {
			return body
		}
		var v any
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.UseNumber()
		if d.Decode(&v) == nil {
			if masked, err := json.Marshal(mask("", v)); err == nil {
				return masked
			}
		}
	}
	text := string(body)
	if !unmasked {
		text = tracking.Scrub(text)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return nil
	}
	return quoted
}

func mask(key string, v any) any {
	key = strings.ToLower(key)
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			v[k] = mask(k, inner)
		}
		return v
	case []any:
		for i := range v {
			v[i] = mask(key, v[i])
		}
		return v
	case string:
		switch {
		case personal[key] && v != "" && !strings.Contains(strings.ToLower(v), "available") && !strings.Contains(strings.ToLower(v), "otp"):
			return "***"
		case texts[key]:
			return tracking.Scrub(v)
		}
	case json.Number:
		if personal[key] {
			return "***"
		}
	}
	return v
}
