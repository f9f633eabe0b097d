package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// deciding runs fn while nobody else decides about orders, and nothing that was
// decided is still to be written: what it reads stays true until it has
// written. Where several processes decide, rows are locked instead.
func (s *Store) deciding(ctx context.Context, doing string, fn func(ctx context.Context) error) error {
	if s.dialect.singleWriter {
		if err := s.decider.take(ctx, false); err != nil {
			return s.coded(doing, err)
		}
		defer s.decider.release()
		if err := s.settle(ctx); err != nil {
			return s.coded(doing, err)
		}
	}
	return s.coded(doing, fn(ctx))
}

// decide makes a changeset and writes it, within deciding. With a single writer
// the changeset is made before the turn to write comes, beside what others
// write: that is where the time goes.
func (s *Store) decide(ctx context.Context, make func(ctx context.Context, t *tx) (*changeset, error)) error {
	if !s.dialect.singleWriter {
		return s.transact(ctx, ordinary, func(ctx context.Context, t *tx) error {
			c, err := make(ctx, t)
			if err != nil {
				return err
			}
			return s.carryOut(ctx, t, c)
		})
	}
	if s.closed.Load() {
		return errClosed
	}
	s.deskReader.ahead = nil
	c, err := make(context.WithoutCancel(ctx), s.deskReader)
	if err != nil {
		return err
	}
	return s.transact(ctx, ordinary, func(ctx context.Context, t *tx) error {
		return s.carryOut(ctx, t, c)
	})
}

func (s *Store) carryOut(ctx context.Context, t *tx, c *changeset) error {
	if c.shreds && s.dialect.shred != nil {
		done, err := s.dialect.shred(ctx, t)
		if err != nil {
			return err
		}
		defer done()
	}
	effects, err := t.write(ctx, c, s.opts.EffectKinds)
	if err != nil {
		return err
	}
	s.announce(t, effects)
	s.ended(t, c.marks)
	if c.desk != nil && !s.dialect.singleWriter {
		t.after = append(t.after, func() {
			s.hot.put(c.desk)
			s.hot.forget(0) // nothing is in flight: those that are over go at once
		})
	}
	if c.then != nil {
		return c.then(ctx, t)
	}
	return nil
}

// ended forgets webhooks that were worked off, once that is committed, and has
// those looked for that the work has released.
func (s *Store) ended(t *tx, marks []finished) {
	ids := make([]string, len(marks))
	for i := range marks {
		ids[i] = marks[i].id
	}
	t.after = append(t.after, func() {
		s.backlog.end(ids)
		if t.reopened {
			s.backlog.stir()
		}
	})
}

// announce hands effects on once they are committed.
func (s *Store) announce(t *tx, effects []tracking.Effect) {
	if len(effects) > 0 {
		t.after = append(t.after, func() { s.opts.Committed(effects) })
	}
}

// A desk is where a transaction has the orders it works on.
type desk struct {
	*tx
	now     time.Time
	orders  map[int64]*loaded // by seq
	byName  map[name][]place
	touched []*loaded // in the order of their first change
	applied []applied

	forgotten []*loaded // whose webhooks are to be emptied: they were merged with an erased one
}

// applied is a webhook and the order it was applied to.
type applied struct {
	webhookID string
	order     *loaded
}

// A place is an order that is known under a name, in one channel.
type place struct {
	channel string
	order   *loaded
}

// lockNames keeps others from deciding about what has any of names, known or
// not, until the transaction ends. It goes by their values alone: what is one
// push's order number may be another's Shiprocket id.
func (t *tx) lockNames(ctx context.Context, names []name, also ...string) error {
	if t.dialect.lock == nil {
		return nil
	}
	values := also
	for _, n := range names {
		values = append(values, n.value)
	}
	if err := t.dialect.lock(ctx, t, values); err != nil {
		return fmt.Errorf("lock identifiers: %w", err)
	}
	return nil
}

// newDesk loads all orders that are known under names.
func (t *tx) newDesk(ctx context.Context, now time.Time, names []name, also ...int64) (*desk, error) {
	if err := t.lockNames(ctx, names); err != nil {
		return nil, err
	}
	held, err := t.holders(ctx, names)
	if err != nil {
		return nil, err
	}
	overlay(t.ahead, names, held)
	seqs := slices.Clone(also)
	for _, holders := range held {
		for _, h := range holders {
			seqs = append(seqs, h.seq)
		}
	}
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	d := &desk{tx: t, now: now, byName: make(map[name][]place, len(held))}
	var cold []int64
	var hot []*loaded
	for _, seq := range seqs {
		var o *loaded
		if t.dialect.singleWriter { // nobody else can have changed it
			o = t.hot.take(seq)
		}
		if o != nil {
			hot = append(hot, o)
		} else {
			cold = append(cold, seq)
		}
	}
	if d.orders, err = t.loadOrders(ctx, cold, t.dialect.forUpdate); err != nil {
		return nil, err
	}
	for _, o := range hot {
		d.orders[o.seq] = o
	}
	if t.dialect.lock != nil && slices.ContainsFunc(seqs, func(seq int64) bool { return d.orders[seq] == nil }) {
		return nil, errMoved
	}
	for n, holders := range held {
		for _, h := range holders {
			if o := d.orders[h.seq]; o != nil {
				d.byName[n] = append(d.byName[n], place{h.channel, o})
			}
		}
	}
	return d, nil
}

// candidates are the orders known under any of names, each once.
func (d *desk) candidates(names []name) []*loaded {
	var found []*loaded
	for _, n := range names {
		for _, p := range d.byName[n] {
			if o := p.order.present(); !slices.Contains(found, o) {
				found = append(found, o)
			}
		}
	}
	return found
}

// resolve asks the domain whose a push or registration is, among the orders
// known under names, and carries out the mergers that follow.
func (d *desk) resolve(ask func([]*tracking.Order) tracking.Verdict, names []name, also ...*loaded) (o *loaded, joined int, conflict string) {
	candidates := d.candidates(names)
	for _, other := range also {
		if !slices.Contains(candidates, other) {
			candidates = append(candidates, other)
		}
	}
	orders := make([]*tracking.Order, len(candidates))
	of := make(map[*tracking.Order]*loaded, len(candidates))
	for i, c := range candidates {
		orders[i] = c.Order
		of[c.Order] = c
	}
	verdict := ask(orders)
	if verdict.Conflict != "" || verdict.Order == nil {
		return nil, 0, verdict.Conflict
	}
	o = of[verdict.Order]
	for _, other := range verdict.Merge {
		gone := of[other]
		o.Absorb(other)
		o.merged = append(append(o.merged, gone), gone.merged...)
		o.updates = append(o.updates, gone.updates...)
		if forgotten := max(o.erased, gone.erased); (o.erased == 0) != (gone.erased == 0) {
			o.forget(forgotten)
			d.forgotten = append(d.forgotten, o)
		} else {
			o.erased = forgotten
		}
		// The other's names are this one's now; all are written again.
		o.known = map[tracking.Identifier]bool{}
		gone.into = o
	}
	return o, len(verdict.Merge), ""
}

// touch notes that o has changed and makes it known under its new names.
func (d *desk) touch(o *loaded, updates []tracking.Update) {
	o.updates = append(o.updates, updates...)
	if !o.changed {
		o.changed = true
		d.touched = append(d.touched, o)
	}
	o.ids = o.Identifiers()
	for _, id := range o.ids {
		if o.known[id] {
			continue
		}
		n := name{id.Kind, id.Value}
		i := slices.IndexFunc(d.byName[n], func(p place) bool { return p.channel == id.Channel })
		if i < 0 {
			d.byName[n] = append(d.byName[n], place{id.Channel, o})
		} else {
			d.byName[n][i].order = o
		}
	}
}

// collect puts everything that was touched into c.
func (d *desk) collect(ctx context.Context, c *changeset) error {
	for _, o := range d.forgotten {
		c.forgotten, c.shreds = append(c.forgotten, o.present().names()), true
	}
	orders := slices.DeleteFunc(slices.Clone(d.touched), func(o *loaded) bool { return o.into != nil })
	if err := d.numberOrders(ctx, orders); err != nil {
		return err
	}
	for _, o := range orders {
		if err := c.add(o); err != nil {
			return err
		}
	}
	return nil
}

// numberOrders gives new orders their keys.
func (d *desk) numberOrders(ctx context.Context, orders []*loaded) error {
	var fresh []*loaded
	for _, o := range orders {
		if o.seq == 0 {
			fresh = append(fresh, o)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	seqs, err := d.dialect.reserveOrders(ctx, d.tx, len(fresh))
	if err != nil {
		return fmt.Errorf("reserve order keys: %w", err)
	}
	for i, o := range fresh {
		o.seq = seqs[i]
	}
	return nil
}
