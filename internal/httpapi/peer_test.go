package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestPeer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, socket string
		forwarded    []string
		want         string
	}{
		{"no proxy", "203.0.113.9:1", nil, "203.0.113.9"},
		{"an untrusted socket's header is not believed", "203.0.113.9:1", []string{"13.234.161.44"}, "203.0.113.9"},
		{"one trusted proxy", "10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a spoofed hop before the real one", "10.0.0.1:1", []string{"13.234.161.44, 203.0.113.9"}, "203.0.113.9"},
		{"spoofed in a header of its own", "10.0.0.1:1", []string{"13.234.161.44", "203.0.113.9"}, "203.0.113.9"},
		{"two trusted proxies", "10.0.0.1:1", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"a trusted-looking hop left of the real one", "10.0.0.1:1", []string{"10.9.9.9, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"only trusted hops", "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"no header from a trusted proxy", "10.0.0.1:1", nil, "10.0.0.1"},
		{"an empty header", "10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"junk", "10.0.0.1:1", []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		{"junk left of a trusted hop", "10.0.0.1:1", []string{"_hidden, 10.0.0.2"}, "10.0.0.2"},
		{"a port", "10.0.0.1:1", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv6", "10.0.0.1:1", []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 in brackets with a port", "10.0.0.1:1", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"IPv6 in brackets", "10.0.0.1:1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"brackets that do not close", "10.0.0.1:1", []string{"[2001:db8::1"}, "10.0.0.1"},
		{"IPv4 in brackets", "10.0.0.1:1", []string{"[203.0.113.9]"}, "10.0.0.1"},
		{"a host's name", "10.0.0.1:1", []string{"13.234.161.44, localhost"}, "10.0.0.1"},
		{"an address with leading zeros", "10.0.0.1:1", []string{"13.234.161.044"}, "10.0.0.1"},
		{"an address as a number", "10.0.0.1:1", []string{"233218348"}, "10.0.0.1"},
		{"blanks and tabs around", "10.0.0.1:1", []string{" 198.51.100.1 ,\t203.0.113.9 \t"}, "203.0.113.9"},
		{"nothing after the last comma", "10.0.0.1:1", []string{"203.0.113.9,"}, "10.0.0.1"},
		{"an empty line after the real one", "10.0.0.1:1", []string{"203.0.113.9", ""}, "10.0.0.1"},
		{"three lines through two proxies", "10.0.0.1:1", []string{"13.234.161.44, 13.234.161.44", "203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		{"a port that is none", "10.0.0.1:1", []string{"203.0.113.9:99999"}, "10.0.0.1"},
		{"two addresses without a comma", "10.0.0.1:1", []string{"13.234.161.44 203.0.113.9"}, "10.0.0.1"},
		{"a line break within", "10.0.0.1:1", []string{"203.0.113.9\r\n13.234.161.44"}, "10.0.0.1"},
		{"IPv4 inside IPv6", "[::ffff:203.0.113.9]:1", nil, "203.0.113.9"},
		{"a trusted IPv4 inside IPv6", "[::ffff:10.0.0.1]:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"a trusted IPv6", "[2001:db8:ffff::1]:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a zone", "[fe80::1%eth0]:1", nil, "fe80::1"},
		{"no address at all", "@", []string{"203.0.113.9"}, "invalid IP"},
	}
	p := peers{trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48")}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.RemoteAddr = tt.socket
			for _, v := range tt.forwarded {
				r.Header.Add("X-Forwarded-For", v)
			}
			if got := p.of(r).String(); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	a := &API{peers: peers{trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	for socket, want := range map[string]string{"10.0.0.1:1": "https://shop.example", "203.0.113.9:1": "http://shop.example"} {
		r := httptest.NewRequest(http.MethodGet, "http://shop.example/", nil)
		r.RemoteAddr = socket
		r.Header.Set("X-Forwarded-Proto", "https")
		if got := a.baseURL(r); got != want {
			t.Errorf("through %s: %s, want %s", socket, got, want)
		}
	}
	a.opts.PublicURL = "https://track.shop.example/"
	if got := a.baseURL(httptest.NewRequest(http.MethodGet, "http://other/", nil)); got != "https://track.shop.example" {
		t.Errorf("%s", got)
	}
}

// A visitor of IPv6 is a /64, and IPv4 is one address however it is written.
func TestHome(t *testing.T) {
	t.Parallel()
	for _, pair := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"203.0.113.9", "::ffff:203.0.113.9", true},
		{"203.0.113.9", "203.0.113.10", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		if same := home(netip.MustParseAddr(pair.a)) == home(netip.MustParseAddr(pair.b)); same != pair.same {
			t.Errorf("%s and %s are one: %v", pair.a, pair.b, same)
		}
	}
}

// FuzzForwardedFor: whatever a sender writes, he is never taken for somebody
// left of the first hop that nobody trusted vouches for.
func FuzzForwardedFor(f *testing.F) {
	for _, s := range []string{
		"203.0.113.9", "13.234.161.44, 203.0.113.9", "10.0.0.2", "[2001:db8::1]:4711", "::ffff:10.0.0.3", "unknown", ",", "", "[", "fe80::1%x", "a,10.0.0.1",
	} {
		f.Add(s, "", "203.0.113.9")
		f.Add("13.234.161.44", s, "10.0.0.7")
	}
	p := peers{trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	f.Fuzz(func(t *testing.T, one, other, appended string) {
		last, err := netip.ParseAddr(appended)
		if err != nil || last.Zone() != "" || last.Is4In6() {
			t.Skip("a proxy appends an address")
		}
		r := &http.Request{RemoteAddr: "10.0.0.1:80", Header: http.Header{"X-Forwarded-For": {one, other, last.String()}}}
		got := p.of(r)
		switch {
		case !p.trusts(last) && got != last:
			t.Fatalf("%s sent it, and it is taken for %s", last, got)
		case p.trusts(last) && got != last && !strings.Contains(one+other, ".") && !strings.Contains(one+other, ":"):
			t.Fatalf("%s is in none of the headers", got)
		case !got.IsValid() || got.Is4In6() || got.Zone() != "":
			t.Fatalf("%v is no plain address", got)
		}
		r.RemoteAddr = "203.0.113.77:80"
		if got := p.of(r); got.String() != "203.0.113.77" {
			t.Fatalf("a stranger's headers make him %s", got)
		}
	})
}

// The table of visitors is bounded, however many addresses ask.
func TestLimiterForgets(t *testing.T) {
	t.Parallel()
	l := newLimiter(20, 60)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	addr := netip.MustParseAddr("10.0.0.0")
	for range visitorsKept + 1000 {
		addr = addr.Next()
		if !l.allow(addr, now) {
			t.Fatalf("%s is refused at its first request", addr)
		}
	}
	if n := len(l.seen); n > visitorsKept {
		t.Errorf("%d visitors are kept", n)
	}
	l.allow(addr, now.Add(2*time.Minute))
	if n := len(l.seen); n != 1 {
		t.Errorf("%d visitors are kept after two quiet minutes", n)
	}
	if !l.allow(netip.Addr{}, now.Add(2*time.Minute)) {
		t.Error("a request without an address is refused at once")
	}
}
