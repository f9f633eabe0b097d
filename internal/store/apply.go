package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
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
// others stand, on PostgreSQL in transactions of their own. An error of Apply
// itself means that nothing was done.
func (s *Store) Apply(ctx context.Context, now time.Time, batch []inbox.Application, opts inbox.ApplyOptions) ([]inbox.Applied, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	now = cutTime(now)
	var applied []inbox.Applied
	// All at once first: loading and saving in bulk. If anything in the batch
	// stands in the way, webhook by webhook, each within a savepoint.
	decide := s.decide
	if s.dialect.singleWriter {
		decide = s.decideAhead
	}
	err := decide(ctx, func(ctx context.Context, t *tx) (c *changeset, err error) {
		applied, c, err = t.applyAll(ctx, now, batch, opts)
		return c, err
	})
	if err == nil {
		return applied, nil
	}
	if s.kindOf(err) == unavailable || ctx.Err() != nil {
		return nil, s.coded("apply webhooks", err)
	}
	s.log.Debug("apply.one_by_one", "webhooks", len(batch), "error", err)
	err = s.deciding(ctx, "apply webhooks", func(ctx context.Context) error {
		if !s.dialect.singleWriter {
			applied, err = s.applyApart(ctx, now, batch, opts)
			return err
		}
		s.hot.clear()
		return s.transact(ctx, ordinary, func(ctx context.Context, t *tx) (err error) {
			applied, err = s.applyEach(ctx, t, now, batch, opts)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return applied, nil
}

// applyApart applies webhook by webhook, each as a transaction of its own: as
// one, they would lock orders in the order of the batch and wait for others in
// a circle. If the database goes away in between, the rest of the batch fails
// with its error; its webhooks stay claimed.
func (s *Store) applyApart(ctx context.Context, now time.Time, batch []inbox.Application, opts inbox.ApplyOptions) ([]inbox.Applied, error) {
	all := make([]inbox.Applied, 0, len(batch))
	var gone error
	for i := range batch {
		if gone != nil {
			all = append(all, inbox.Applied{WebhookID: batch[i].WebhookID, Err: gone})
			continue
		}
		var applied []inbox.Applied
		err := s.decide(ctx, func(ctx context.Context, t *tx) (c *changeset, err error) {
			applied, c, err = t.applyAll(ctx, now, batch[i:i+1], opts)
			return c, err
		})
		if err != nil {
			if s.kindOf(err) == unavailable {
				if gone = s.coded("apply webhooks", err); i == 0 {
					return nil, gone
				}
			}
			applied = []inbox.Applied{{WebhookID: batch[i].WebhookID, Err: err}}
		}
		all = append(all, applied...)
	}
	return all, nil
}

// applyEach applies webhook by webhook; what one has done is undone when it
// fails.
func (s *Store) applyEach(ctx context.Context, t *tx, now time.Time, batch []inbox.Application, opts inbox.ApplyOptions) ([]inbox.Applied, error) {
	all := make([]inbox.Applied, 0, len(batch))
	var (
		effects []tracking.Effect
		marks   []finished
	)
	for i := range batch {
		if _, err := t.exec(ctx, `SAVEPOINT webhook`); err != nil {
			return nil, fmt.Errorf("savepoint: %w", err)
		}
		counts := maps.Clone(t.counts)
		applied, c, err := t.applyAll(ctx, now, batch[i:i+1], opts)
		if err == nil {
			var made []tracking.Effect
			made, err = t.write(ctx, c, s.opts.EffectKinds)
			effects, marks = append(effects, made...), append(marks, c.marks...)
		}
		if err != nil {
			t.counts = counts
			if _, undo := t.exec(ctx, `ROLLBACK TO SAVEPOINT webhook`); undo != nil {
				return nil, errors.Join(err, undo)
			}
			applied = []inbox.Applied{{WebhookID: batch[i].WebhookID, Err: err}}
		}
		if _, err := t.exec(ctx, `RELEASE SAVEPOINT webhook`); err != nil {
			return nil, fmt.Errorf("release savepoint: %w", err)
		}
		all = append(all, applied...)
	}
	s.announce(t, effects)
	s.ended(t, marks)
	return all, nil
}

// applyAll loads every order the batch may concern and decides in memory,
// webhook by webhook. Nothing is written yet.
func (t *tx) applyAll(ctx context.Context, now time.Time, batch []inbox.Application, opts inbox.ApplyOptions) ([]inbox.Applied, *changeset, error) {
	var wanted []tracking.Identifier
	for i := range batch {
		wanted = append(wanted, batch[i].Evidence.Reading.Lookups()...)
	}
	d, err := t.newDesk(ctx, now, namesOf(wanted))
	if err != nil {
		return nil, nil, err
	}
	c := &changeset{now: now, desk: d}
	all := make([]inbox.Applied, 0, len(batch))
	for i := range batch {
		a, err := d.apply(&batch[i], opts)
		if err != nil {
			return nil, nil, fmt.Errorf("apply webhook %s: %w", batch[i].WebhookID, err)
		}
		all = append(all, a)
		c.marks = append(c.marks, finished{a.WebhookID, a.Status, a.Reason, a.Result, a.OrderID})
		if a.Reason == inbox.UnknownOrder {
			c.awaits = append(c.awaits, awaited{a.WebhookID, namesOf(batch[i].Evidence.Reading.Lookups())})
		}
		c.tell(t.dialect.effectBytes, a.Updates)
	}
	for _, to := range d.applied {
		if to.order.present().erased != 0 {
			c.erased = append(c.erased, to.webhookID)
		}
	}
	return all, c, d.collect(ctx, c)
}

// apply applies one webhook in memory.
func (d *desk) apply(app *inbox.Application, opts inbox.ApplyOptions) (a inbox.Applied, err error) {
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
	d.applied = append(d.applied, applied{app.WebhookID, o})
	a.Status, a.OrderID, a.Updates = inbox.Processed, o.ID, updates
	a.Reason, a.Result = c.tell(fresh, updates)
	return a, nil
}
