package httpapi

import (
	"net/http"
	"net/netip"
	"strings"
)

// peers finds out who sent a request.
type peers struct {
	trusted []netip.Prefix // proxies whose X-Forwarded-For is believed
}

// of is the address of the request's sender: the socket's, unless that is a
// trusted proxy; then the right-most hop of X-Forwarded-For that is not one.
// Everything left of that hop could have been written by the sender himself.
func (p peers) of(r *http.Request) netip.Addr {
	socket, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := socket.Addr().Unmap().WithZone("")
	if !p.trusts(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			return addr // the last address that someone trusted vouched for
		}
		addr = hop
		if !p.trusts(addr) {
			return addr
		}
	}
	return addr
}

func (p peers) trusts(addr netip.Addr) bool {
	for _, prefix := range p.trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// parseHop reads one hop: an address, some proxies add a port.
func parseHop(s string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone(""), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap().WithZone(""), err
}

// viaTrusted reports whether the request came through a trusted proxy, whose
// other forwarding headers may then be believed too.
func (p peers) viaTrusted(r *http.Request) bool {
	socket, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && p.trusts(socket.Addr().Unmap().WithZone(""))
}
