package shiprocket_test

import (
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

// Whoever asks the list sees one state of it or the next, never a mixture, and
// what it was made with always.
func TestAllowListChangesWhileItIsAsked(t *testing.T) {
	t.Parallel()
	list := shiprocket.NewAllowList([]netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")})
	fixed, one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if !list.Contains(fixed) {
					t.Error("an address of the settings was off the list for a moment")
					return
				}
				list.Contains(one)
			}
		})
	}
	for range 1000 {
		list.AllowAlso([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("2001:db8::/64")})
		if !list.Contains(one) || !list.Contains(two) {
			t.Fatal("allowed, and not on the list")
		}
		list.AllowAlso(nil)
		if list.Contains(one) || list.Contains(two) {
			t.Fatal("taken away, and still on the list")
		}
	}
	close(stop)
	wg.Wait()
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want string
		says string
	}{
		{"203.0.113.9", "203.0.113.9", ""},
		{" 203.0.113.9/24 ", "203.0.113.0/24", ""},
		{"10.1.0.0/16", "10.1.0.0/16", ""},
		{"::ffff:203.0.113.9", "203.0.113.9", ""},
		{"::ffff:203.0.113.0/120", "203.0.113.0/24", ""},
		{"2001:db8::9", "2001:db8::9", ""},
		{"2001:DB8::/32", "2001:db8::/32", ""},
		{"10.0.0.0/15", "", "wider than /16"},
		{"0.0.0.0/0", "", "wider than /16"},
		{"::ffff:10.0.0.0/104", "", "wider than /16"},
		{"::/0", "", "wider than /32"},
		{"2001:db8::/31", "", "wider than /32"},
		{"::ffff:0:0/90", "", "address must be"},
		{"0.0.0.0", "", "nobody sends from"},
		{"224.0.0.1", "", "nobody sends from"},
		{"fe80::1%eth0", "", "address must be"},
		{"203.0.113.9:443", "", "address must be"},
		{"203.0.113", "", "address must be"},
		{"shiprocket.in", "", "address must be"},
		{"", "", "address must be"},
	}
	for _, tt := range tests {
		p, err := shiprocket.ParseAddress(tt.text)
		switch {
		case tt.says == "" && (err != nil || shiprocket.AddressText(p) != tt.want):
			t.Errorf("%q is %v, %v; want %s", tt.text, p, err, tt.want)
		case tt.says != "" && (tracking.ErrorCode(err) != tracking.Invalid || !strings.Contains(tracking.ErrorMessage(err), tt.says)):
			t.Errorf("%q: %v, want %q", tt.text, err, tt.says)
		}
	}
}
