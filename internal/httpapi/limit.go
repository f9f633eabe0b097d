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
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	key, err := addr.Prefix(bits)
	if err != nil {
		key = netip.Prefix{} // no address: all such share one bucket
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	v := l.seen[key]
	if v == nil {
		v = &visitor{bucket: rate.NewLimiter(l.perSecond, l.burst)}
		l.seen[key] = v
	}
	v.last = now
	return v.bucket.AllowN(now, 1)
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
