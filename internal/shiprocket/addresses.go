package shiprocket

import "net/netip"

// AllowList is the set of addresses that pushes may come from. An IPv4 address
// is the same whether it is written so or inside IPv6.
type AllowList struct{ prefixes []netip.Prefix }

// NewAllowList makes a list of the valid prefixes.
func NewAllowList(prefixes []netip.Prefix) AllowList {
	var l AllowList
	for _, p := range prefixes {
		if !p.IsValid() {
			continue
		}
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		l.prefixes = append(l.prefixes, p.Masked())
	}
	return l
}

// Contains reports whether addr is on the list. An empty list has nobody on it.
func (l AllowList) Contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, p := range l.prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
