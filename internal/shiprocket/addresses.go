package shiprocket

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/webazaar/waybill/internal/tracking"
)

// AllowList is the set of addresses that pushes may come from. An IPv4 address
// is the same whether it is written so or inside IPv6. It may be changed while
// others ask it.
type AllowList struct {
	fixed []netip.Prefix
	now   atomic.Pointer[[]netip.Prefix] // never changed, only replaced
}

// NewAllowList makes a list of the valid prefixes, which stay on it.
func NewAllowList(prefixes []netip.Prefix) *AllowList {
	l := &AllowList{fixed: canonical(prefixes)}
	l.now.Store(&l.fixed)
	return l
}

// Fixed are the prefixes that the list was made with.
func (l *AllowList) Fixed() []netip.Prefix { return slices.Clone(l.fixed) }

// AllowAlso makes the list hold more beside what it was made with, in place of
// what an earlier call gave.
func (l *AllowList) AllowAlso(more []netip.Prefix) {
	all := slices.Concat(l.fixed, canonical(more))
	l.now.Store(&all)
}

// Contains reports whether addr is on the list. An empty list has nobody on it.
func (l *AllowList) Contains(addr netip.Addr) bool {
	now := l.now.Load()
	if now == nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, p := range *now {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func canonical(prefixes []netip.Prefix) []netip.Prefix {
	var all []netip.Prefix
	for _, p := range prefixes {
		if !p.IsValid() {
			continue
		}
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		all = append(all, p.Masked())
	}
	return all
}

// The widest ranges that may be allowed by a call: one slip of the pen in a
// longer one would open intake to half the world.
const widest4, widest6 = 16, 32

// ParseAddress reads an address or a range, as it may be allowed by a call. It
// is Invalid, with what to do instead, when it is neither or too wide.
func ParseAddress(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	p, err := netip.ParsePrefix(s)
	if addr, addrErr := netip.ParseAddr(s); addrErr == nil && addr.Zone() == "" {
		p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if err != nil || p.Addr().Is4In6() && p.Bits() < 96 {
		return netip.Prefix{}, &tracking.Error{
			Code: tracking.Invalid, Err: err,
			Message: "address must be an address like 203.0.113.9 or 2001:db8::9, or a range like 203.0.113.0/24",
		}
	}
	p = canonical([]netip.Prefix{p})[0]
	widest := widest4
	if p.Addr().Is6() {
		widest = widest6
	}
	if p.Bits() < widest {
		return netip.Prefix{}, &tracking.Error{Code: tracking.Invalid, Message: fmt.Sprintf(
			"a range wider than /%d is not allowed by a call: name the addresses or narrower ranges that pushes come from, or put the range into SHIPROCKET_ALLOWED_IPS", widest)}
	}
	if p.Addr().IsUnspecified() || p.Addr().IsMulticast() {
		return netip.Prefix{}, &tracking.Error{Code: tracking.Invalid, Message: "nobody sends from " + p.String() + ": take the address from the rejected row's peer"}
	}
	return p, nil
}

// AddressText writes a range of one address as that address.
func AddressText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
