package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

// Couriers write riders' names and phones into any field. What anyone can see
// or hear holds none of it, and neither does the log of the process.
func TestNoPersonalDataInPublic(t *testing.T) {
	t.Parallel()
	h := setup(t)
	people := []string{"Ramesh", "Sunita", "98765", "43210", "9000011111", "asha@", "Rao", "pod.example", "Lake View"}
	h.admin("POST", "/api/orders", `{"number":"N-1","awbCodes":["77001"],"contact":{"name":"Sunita Rao","phone":"9000011111","email":"asha@shop.example"}}`)
	texts := []string{
		"Out for delivery FE Name: Ramesh Kumar, Mobile: 9876543210", "Rider Ramesh (98765 43210) is near", "Call Ramesh on +91-98765-43210",
		"OFD by agent Ramesh ph.9876543210", "Delivered to Sunita", "Contact: Ramesh", "MobileNo:9876543210 Ramesh", "asha@shop.example was told",
		"<b>Mob</b> 9876543210 Ramesh", "Received by: Sunita Rao, Lake View", "PHONE 9876543210", "delivery boy 09876543210", "९८७६५४३२१० call Ramesh",
	}
	statuses := []string{"IN TRANSIT", "OUT FOR DELIVERY", "UNDELIVERED", "RIDER ASSIGNED", "Carried by drone, rider Ramesh 9876543210", "DELIVERED"}
	for i, text := range texts {
		var scans []any
		for j, place := range []string{"Pune", "Pune, " + text} {
			scans = append(scans, map[string]any{"date": fmt.Sprintf("2026-11-22 %02d:%02d:00", i, j), "status": text, "activity": text, "location": place, "sr-status": "NA", "sr-status-label": "NA"})
		}
		push := map[string]any{
			"awb": "77001", "sr_order_id": 501, "order_id": "N-1", "current_status": statuses[i%len(statuses)], "scans": scans,
			"undelivered_reason": text, "pod": "https://pod.example/Ramesh.jpg", "pod_status": "https://pod.example/Sunita.jpg", "qc_image": "https://pod.example/x",
			"rider_name": "Ramesh", "rider_phone": "9876543210", "delivered_to": "Sunita", "comment": text, "activities": text, "current_location": text,
			"customer_name": "Sunita Rao", "address": "Lake View",
		}
		if i%3 == 0 {
			delete(push, "scans")
			push["current_timestamp"] = fmt.Sprintf("22 11 2026 %02d:30:00", i)
		}
		h.push(asJSON(push))
	}
	h.publish()
	id := h.order("N-1")
	outputs := map[string]string{
		"the snapshot": h.do("GET", "/api/track/"+id, "").body, "the page": h.do("GET", "/track/"+id, "").body, "the log": h.lines.String(),
		"the page in Hindi": h.do("GET", "/track/"+id+"?lang=hi", "").body,
	}
	if len(h.events) < 2*len(texts) {
		t.Errorf("%d events for %d pushes", len(h.events), len(texts))
	}
	for i, e := range h.events {
		outputs[fmt.Sprintf("event %d, %s on %v", i, e.Event, e.Channels)] = string(e.Data)
	}
	for where, text := range outputs {
		for _, person := range people {
			if at := strings.Index(text, person); at >= 0 {
				t.Errorf("%q is in %s: …%s…", person, where, text[max(0, at-80):min(len(text), at+80)])
			}
		}
		if strings.Contains(text, "९८७६५४३") {
			t.Errorf("a phone in Hindi digits is in %s", where)
		}
	}
	// And the admin, who asked for it, sees the contact.
	if o := h.admin("GET", "/api/orders/"+id, "").data(); o["contact"].(map[string]any)["name"] != "Sunita Rao" {
		t.Errorf("contact %v", o["contact"])
	}
}
