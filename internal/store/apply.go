package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// errNotPending is why a webhook is not applied that someone else has worked
// off in the meantime.
var errNotPending = &tracking.Error{Code: tracking.Conflict, Message: "the webhook is not pending any more"}

// Apply works a batch of claimed webhooks off as one transaction: each one's
// evidence goes to its order, the order is believed anew, and the updates that
// follow are kept as effects. The answers are in the order of the batch. A
// webhook that cannot be applied has its Err set and leaves no trace; the
// others stand. An error of Apply itself means that nothing was done.
func (s *Store) Apply(ctx context.Context, now time.Time, batch []inbox.Application, opts inbox.ApplyOptions) ([]inbox.Applied, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	now = cutTime(now)
	var applied []inbox.Applied
	// All at once first: loading and saving in bulk. If anything in the batch
	// stands in the way, webhook by webhook, each within a savepoint.
	err := s.change(ctx, "apply webhooks", func(ctx context.Context, t *tx) (err error) {
		var effects []tracking.Effect
		applied, effects, err = t.applyAll(ctx, now, batch, opts)
		s.announce(t, effects)
		return err
	})
	if err != nil && s.dialect.errorKind(err) != unavailable && ctx.Err() == nil {
		s.log.Debug("apply.one_by_one", "webhooks", len(batch), "error", err)
		err = s.change(ctx, "apply webhooks", func(ctx context.Context, t *tx) (err error) {
			var effects []tracking.Effect
			applied, effects, err = t.applyEach(ctx, now, batch, opts)
			s.announce(t, effects)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return applied, nil
}

// applyEach applies webhook by webhook; what one has done is undone when it
// fails.
func (t *tx) applyEach(ctx context.Context, now time.Time, batch []inbox.Application, opts inbox.ApplyOptions) ([]inbox.Applied, []tracking.Effect, error) {
	all := make([]inbox.Applied, 0, len(batch))
	var effects []tracking.Effect
	for i := range batch {
		if _, err := t.exec(ctx, `SAVEPOINT webhook`); err != nil {
			return nil, nil, fmt.Errorf("savepoint: %w", err)
		}
		counts := maps.Clone(t.counts)
		applied, made, err := t.applyAll(ctx, now, batch[i:i+1], opts)
		if err != nil {
			t.counts = counts
			if _, undo := t.exec(ctx, `ROLLBACK TO SAVEPOINT webhook`); undo != nil {
				return nil, nil, errors.Join(err, undo)
			}
			applied = []inbox.Applied{{WebhookID: batch[i].WebhookID, Err: err}}
		}
		if _, err := t.exec(ctx, `RELEASE SAVEPOINT webhook`); err != nil {
			return nil, nil, fmt.Errorf("release savepoint: %w", err)
		}
		all, effects = append(all, applied...), append(effects, made...)
	}
	return all, effects, nil
}

// applyAll loads every order the batch may concern, decides in memory, webhook
// by webhook, and saves what came of it. An error leaves the transaction
// unusable but for a roll-back.
func (t *tx) applyAll(ctx context.Context, now time.Time, batch []inbox.Application, opts inbox.ApplyOptions) ([]inbox.Applied, []tracking.Effect, error) {
	var wanted []tracking.Identifier
	for i := range batch {
		wanted = append(wanted, batch[i].Evidence.Reading.Lookups()...)
	}
	d, err := t.newDesk(ctx, now, namesOf(wanted))
	if err != nil {
		return nil, nil, err
	}
	all := make([]inbox.Applied, 0, len(batch))
	var updates []tracking.Update
	for i := range batch {
		applied, err := d.decide(&batch[i], opts)
		if err != nil {
			return nil, nil, fmt.Errorf("apply webhook %s: %w", batch[i].WebhookID, err)
		}
		updates = append(updates, applied.Updates...)
		all = append(all, applied)
	}
	marks := make([]finished, len(all))
	for i, a := range all {
		marks[i] = finished{a.WebhookID, a.Status, a.Reason, a.Result, a.OrderID}
		if a.Reason == inbox.UnknownOrder {
			if err := t.await(ctx, a.WebhookID, namesOf(batch[i].Evidence.Reading.Lookups())); err != nil {
				return nil, nil, err
			}
		}
	}
	switch n, err := t.finish(ctx, marks, now); {
	case err != nil:
		return nil, nil, err
	case n != len(marks):
		return nil, nil, errNotPending
	}
	effects, err := d.save(ctx, updates)
	return all, effects, err
}

// A desk is where a transaction has the orders it works on.
type desk struct {
	*tx
	now     time.Time
	orders  map[int64]*loaded // by seq
	byName  map[name][]place
	touched []*loaded // in the order of their first change
}

// A place is an order that is known under a name, in one channel.
type place struct {
	channel string
	order   *loaded
}

// newDesk loads all orders that are known under names.
func (t *tx) newDesk(ctx context.Context, now time.Time, names []name, also ...int64) (*desk, error) {
	if t.dialect.lockNames != nil {
		if err := t.dialect.lockNames(ctx, t, names); err != nil {
			return nil, fmt.Errorf("lock identifiers: %w", err)
		}
	}
	held, err := t.holders(ctx, names)
	if err != nil {
		return nil, err
	}
	seqs := slices.Clone(also)
	for _, holders := range held {
		for _, h := range holders {
			seqs = append(seqs, h.seq)
		}
	}
	slices.Sort(seqs)
	d := &desk{tx: t, now: now, byName: make(map[name][]place, len(held))}
	if d.orders, err = t.loadOrders(ctx, slices.Compact(seqs), t.dialect.forUpdate); err != nil {
		return nil, err
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

// decide applies one webhook in memory.
func (d *desk) decide(app *inbox.Application, opts inbox.ApplyOptions) (a inbox.Applied, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	evidence := storable(app.Evidence)
	id := evidence.Reading.Identity
	a = inbox.Applied{WebhookID: app.WebhookID, Status: inbox.Parked}
	if id.Empty() {
		a.Reason, a.Result = inbox.UnknownOrder, "it names no parcel: neither an AWB nor an order"
		return a, nil
	}
	o, joined, conflict := d.resolve(func(candidates []*tracking.Order) tracking.Verdict {
		return tracking.Resolve(id, candidates)
	}, namesOf(id.Lookups()))
	switch {
	case conflict != "":
		a.Reason, a.Result = inbox.Conflict, "not applied: "+conflict
		return a, nil
	case o == nil && !opts.AutoCreate:
		a.Reason, a.Result = inbox.UnknownOrder, "no order is known for it yet; it will be applied when one is registered"
		return a, nil
	case o == nil:
		o = &loaded{Order: tracking.NewOrder(d.now), known: map[tracking.Identifier]bool{}}
	}
	c := change{order: o, evidence: &evidence, created: o.seq == 0 && o.Snapshot == nil, joined: joined, unknown: app.Unknown}
	c.begin()
	fresh := o.Add(evidence)
	updates := o.Revise(d.now)
	d.touch(o, updates)
	a.Status, a.OrderID, a.Updates = inbox.Processed, o.ID, updates
	a.Reason, a.Result = c.tell(fresh, updates)
	return a, nil
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
		o.erased = max(o.erased, gone.erased)
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
	for _, id := range o.Identifiers() {
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

// save writes everything that was touched, and the effects of updates, and lets
// go of what waited for one of the new names.
func (d *desk) save(ctx context.Context, updates []tracking.Update) ([]tracking.Effect, error) {
	orders := slices.DeleteFunc(slices.Clone(d.touched), func(o *loaded) bool { return o.into != nil })
	fresh, err := d.saveOrders(ctx, orders)
	if err != nil {
		return nil, err
	}
	if len(fresh) > 0 {
		if _, err := d.release(ctx, namesOf(fresh)); err != nil {
			return nil, err
		}
	}
	return d.addEffects(ctx, updates, d.now)
}
