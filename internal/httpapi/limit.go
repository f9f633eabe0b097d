package httpapi

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter bounds how often one address may ask. IPv6 counts by /64: a single
// home has as many addresses as it likes.
type limiter struct {
	perSecond rate.Limit
	burst     int

	mu    sync.Mutex
	seen  map[netip.Prefix]*visitor
	swept time.Time
}

type visitor struct {
	bucket *rate.Limiter
	last   time.Time
}

// visitorsKept bounds the table: past it the idle ones go, however recent.
const visitorsKept = 50_000

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{perSecond: rate.Limit(perSecond), burst: burst, seen: map[netip.Prefix]*visitor{}}
}

func (l *limiter) allow(addr netip.Addr, now time.Time) bool {
	return l.bucket(addr, now).AllowN(now, 1)
}

// try is allow for what is not held against the address where it comes out
// well: then undo is called.
func (l *limiter) try(addr netip.Addr, now time.Time) (undo func(), ok bool) {
	taken := l.bucket(addr, now).ReserveN(now, 1)
	if taken.DelayFrom(now) > 0 {
		taken.CancelAt(now)
		return nil, false
	}
	return func() { taken.CancelAt(now) }, true
}

func (l *limiter) bucket(addr netip.Addr, now time.Time) *rate.Limiter {
	key := home(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	v := l.seen[key]
	if v == nil {
		v = &visitor{bucket: rate.NewLimiter(l.perSecond, l.burst)}
		l.seen[key] = v
	}
	v.last = now
	return v.bucket
}

// home is what counts as one visitor: an IPv4 address, an IPv6 /64. All without
// an address are one.
func home(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() && !addr.Is4In6() {
		bits = 64
	}
	p, err := addr.Unmap().WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// sweep forgets visitors whose bucket has long been full again.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Minute && len(l.seen) < visitorsKept {
		return
	}
	idle := time.Duration(float64(l.burst)/float64(l.perSecond)*float64(time.Second)) + time.Second
	for key, v := range l.seen {
		if now.Sub(v.last) > idle {
			delete(l.seen, key)
		}
	}
	if len(l.seen) >= visitorsKept {
		clear(l.seen)
	}
	l.swept = now
}
