package bus

import (
	"log/slog"
	"sync"
	"time"
)

// Health is whether a node has what it needs of the outside.
type Health struct {
	Err   error     // nil: the link is up and the lease is held
	Since time.Time // when that began
}

// health has an error for each of a node's two wires: the one it hears by, and
// the one it asks by.
type health struct {
	log *slog.Logger

	mu    sync.Mutex
	hears error
	asks  error
	since time.Time
}

func (h *health) hearing(err error) { h.set(&h.hears, err) }
func (h *health) asking(err error)  { h.set(&h.asks, err) }

// set logs what changes, once.
func (h *health) set(wire *error, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.err()
	*wire = err
	after := h.err()
	now := time.Now()
	switch {
	case before == nil && after != nil:
		h.log.Warn("bus.down", "err", after)
	case before != nil && after == nil:
		h.log.Info("bus.up", "after", now.Sub(h.since))
	case !h.since.IsZero():
		return
	}
	h.since = now
}

func (h *health) err() error {
	if h.hears != nil {
		return h.hears
	}
	return h.asks
}

func (h *health) now() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Health{Err: h.err(), Since: h.since}
}
