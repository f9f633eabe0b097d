package store

import (
	"maps"
	"sync"
)

// hotOrders are the orders that were decided about last, as they stand in the
// database. A parcel's pushes come close together, and loading an order costs
// more than all else that is done with it.
//
// An order is taken out when it is worked on and put back after the commit;
// whatever fails in between leaves it out, to be loaded again. Where other
// processes write too, it is good only if its rev is still that of the
// database.
type hotOrders struct {
	mu         sync.Mutex
	ended      []*loaded         // orders whose journeys are over, in the order of their decisions
	young, old map[int64]*loaded // by seq; young ones become old, old ones are forgotten
}

// hotGeneration is how many orders a generation has. An order with a usual
// history takes some 20 KB.
const hotGeneration = 1024

func newHotOrders() *hotOrders {
	return &hotOrders{young: map[int64]*loaded{}, old: map[int64]*loaded{}}
}

// take hands an order out, and forgets it; nil if it is not there.
func (h *hotOrders) take(seq int64) *loaded {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.young[seq]
	if o == nil {
		o = h.old[seq]
	}
	delete(h.young, seq)
	delete(h.old, seq)
	return o
}

// put takes back the orders of a desk whose changes are committed.
func (h *hotOrders) put(d *desk) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range d.touched {
		o.settle()
		h.keep(o)
	}
	for _, o := range d.orders {
		h.keep(o)
	}
}

func (h *hotOrders) keep(o *loaded) {
	if o.into != nil || o.seq == 0 || o.changed {
		return
	}
	if o.over() {
		h.ended = append(h.ended, o)
	}
	if len(h.young) >= hotGeneration {
		h.young, h.old = map[int64]*loaded{}, h.young
	}
	delete(h.old, o.seq)
	h.young[o.seq] = o
}

// over reports whether all of the order's journeys have ended: little comes
// after that.
func (o *loaded) over() bool {
	if o.Snapshot == nil || len(o.Snapshot.Shipments) == 0 {
		return false
	}
	for i := range o.Snapshot.Shipments {
		if !o.Snapshot.Shipments[i].Milestone.Terminal() {
			return false
		}
	}
	return true
}

// forget drops orders whose journeys are over and whose decisions, up to a
// number, are in the database: what is in flight must stay.
func (h *hotOrders) forget(committed int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for n < len(h.ended) && h.ended[n].decided <= committed {
		o := h.ended[n]
		for _, generation := range []map[int64]*loaded{h.young, h.old} {
			if generation[o.seq] == o {
				delete(generation, o.seq)
			}
		}
		n++
	}
	h.ended = append([]*loaded(nil), h.ended[n:]...)
}

func (h *hotOrders) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = nil
	clear(h.young)
	clear(h.old)
}

// settle makes o what it would be if it were loaded now, after its changes were
// written.
func (o *loaded) settle() {
	o.Saved()
	o.parts = maps.Clone(o.ShipmentIDs)
	o.changed, o.rewrite, o.updates, o.merged = false, false, nil, nil
}
