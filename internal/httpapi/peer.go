package httpapi

import (
	"iter"
	"net/http"
	"net/netip"
	"slices"
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
	for text := range hopsFromTheRight(r.Header.Values("X-Forwarded-For")) {
		hop, err := parseHop(text)
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

// hopsFromTheRight walks a list that may be spread over several headers, the
// last hop first. Nothing is cut up that nobody looks at: left of the first
// stranger a header can hold thousands of hops.
func hopsFromTheRight(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for more := true; more; {
				at := strings.LastIndexByte(line, ',')
				if !yield(strings.TrimSpace(line[at+1:])) {
					return
				}
				if more = at >= 0; more {
					line = line[:at]
				}
			}
		}
	}
}

func (p peers) trusts(addr netip.Addr) bool {
	for _, prefix := range p.trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// parseHop reads one hop: an address, IPv6 with or without brackets; some
// proxies add a port.
func parseHop(s string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone(""), nil
	}
	if inside, ok := strings.CutPrefix(s, "["); ok {
		if inside, ok = strings.CutSuffix(inside, "]"); ok && strings.Contains(inside, ":") {
			s = inside
		}
	}
	addr, err := netip.ParseAddr(s)
	return addr.Unmap().WithZone(""), err
}

// viaTrusted reports whether the request came through a trusted proxy, whose
// other forwarding headers may then be believed too.
func (p peers) viaTrusted(r *http.Request) bool {
	socket, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && p.trusts(socket.Addr().Unmap().WithZone(""))
}
