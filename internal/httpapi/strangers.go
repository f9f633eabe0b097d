package httpapi

import (
	"net/http"
	"net/netip"
	"sync"
)

// What senders who have not proved themselves may take, until they have. Those
// who have are never limited: a burst of Shiprocket's is what this service is
// for.
const (
	// strangersPerSecond and strangersBurst bound how many failed proofs of one
	// peer are answered with their reason. Somebody who sets the token up wrong
	// stays far below.
	strangersPerSecond, strangersBurst = 5, 50

	// freeBytes of a body are read for anybody whose headers may be right: real
	// pushes are under 10 KB. What is larger takes one of largeBodies places,
	// and of those one peer has at most largePerPeer.
	freeBytes                 = 16 << 10
	largeBodies, largePerPeer = 32, 4
)

var (
	errStranger  = &httpError{http.StatusTooManyRequests, "rate_limited", "too many requests without a proof of their sender; try again in a moment"}
	errLargeFull = &httpError{http.StatusServiceUnavailable, "unavailable", "too many large bodies are being read; come again"}
)

// places bounds how many large bodies are held of senders whom only the body
// can prove.
type places struct {
	mu    sync.Mutex
	taken int
	of    map[netip.Prefix]int
}

func newPlaces() *places { return &places{of: map[netip.Prefix]int{}} }

// A place is what one request has of them; the zero place is none.
type place struct {
	of  *places
	key netip.Prefix
}

// take fills the request's place, or says why there is none.
func (p *places) take(room *place, peer netip.Addr) error {
	key := home(peer)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.of[key] >= largePerPeer:
		return errStranger
	case p.taken >= largeBodies:
		return errLargeFull
	}
	p.taken++
	p.of[key]++
	*room = place{p, key}
	return nil
}

// release gives the place back, if there is one.
func (r *place) release() {
	p := r.of
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.of[r.key]--; p.of[r.key] == 0 {
		delete(p.of, r.key)
	}
	r.of = nil
}
