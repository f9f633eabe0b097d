package tracking_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	. "github.com/webazaar/waybill/internal/tracking"
)

func TestScrub(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"In Transit - Shipment Received at Facility", "In Transit - Shipment Received at Facility"},
		{"Out for delivery FE Ramesh 9876543210", "Out for delivery"},
		{"Delivered by agent Suresh", "Delivered by"},
		{"Delivered to RAMESH KUMAR at 5 pm", "Delivered"},
		{"Delivered - Delivered to consignee", "Delivered - Delivered to consignee"},
		{"Received by: Sita", "Received"},
		{"Out For Delivery, MobileNo 9876543210", "Out For Delivery"},
		{"Handed over, Ph: 0731-2345678", "Handed over"},
		{"Call 1800 200 300", ""},
		{"COFFEE and PHOTO and AGENTS and CALLED stay", "COFFEE and PHOTO and AGENTS and CALLED stay"},
		{"Bag nxbg03894488 in", "Bag nxbg*** in"},
		{"+919876543210 asked", "*** asked"},
		{"98765 43210 asked", "*** asked"},
		{"९८७६५४३२१० asked", "*** asked"},
		{"RE-SCHEDULED to 2026-11-24", "RE-SCHEDULED to 2026-11-24"},
		{"write to a.b@example.com now", "write to *** now"},
		{"<script>alert(1)</script>Delivered", "alert(1) Delivered"},
		{"a < b <img src=x onerror=1", "a b"},
		{"two\x00\x07 lines\r\nand\ttabs", "two lines and tabs"},
		{"\xff\xfebroken", "broken"},
		{"right\u202eleft", "rightleft"},
		{"FE_Ramesh", ""},
	}
	for _, tt := range tests {
		if got := Scrub(tt.in); got != tt.want {
			t.Errorf("Scrub(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestScrubHoldsForAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := Scrub(rapid.String().Draw(t, "text") + rapid.SampledFrom([]string{"", "<b", " FE x", "12345678", "\xc3"}).Draw(t, "tail"))
		switch {
		case !utf8.ValidString(s), utf8.RuneCountInString(s) > 200:
			t.Fatalf("not valid or too long: %q", s)
		case strings.ContainsAny(s, "<>\x00\r\n"):
			t.Fatalf("markup or control characters: %q", s)
		}
		if Scrub(s) != s {
			t.Fatalf("scrubbing twice changes %q to %q", s, Scrub(s))
		}
	})
}

// Riders' names come with out-for-delivery scans: buyers read our sentence.
func TestRidersAreNotNamed(t *testing.T) {
	t.Parallel()
	for _, activity := range []string{
		"Out for Delivery: RAMESH KUMAR", "SHIPMENT OUT FOR DELIVERY RAMESH", "Dispatched OFD with Ramesh", "Rider Ramesh assigned",
		"Out for Pickup Ramesh",
	} {
		e := said(InTransit, 1)
		e.Scans = []Scan{{AWB: "A", At: noon, Code: "X", Activity: activity, Location: "Pune"}}
		for _, entry := range fold([]Evidence{e}).Shipments[0].TrackingHistory {
			if strings.Contains(strings.ToUpper(string(entry.Description+entry.Status)), "RAMESH") {
				t.Errorf("%q shows as %q / %q", activity, entry.Status, entry.Description)
			}
		}
	}
}
