package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// Register takes over what the shop tells about an order of its own: found by
// its id, Shiprocket's id, its number or one of its AWBs, or made. Orders that
// turn out to be this one are merged into it; a brought id becomes the public
// one and the older one an alias. Webhooks that were parked for want of this
// order are pending afterwards. Watchers are told by effects. Error: Conflict
// when the registration points at different orders.
func (s *Store) Register(ctx context.Context, now time.Time, reg tracking.Registration) (o *tracking.Order, created bool, err error) {
	now = cutTime(now)
	err = s.deciding(ctx, "register order", func(ctx context.Context) error {
		return s.decide(ctx, func(ctx context.Context, t *tx) (*changeset, error) {
			d, owner, err := t.registerDesk(ctx, now, reg)
			if err != nil {
				return nil, err
			}
			found, isNew, err := d.register(reg, owner)
			if err != nil {
				return nil, err
			}
			o, created = found.Order, isNew
			concerns(ctx, o.ID)
			c := &changeset{now: now}
			updates := found.Revise(now)
			d.touch(found, updates)
			c.tell(t.dialect.effectBytes, updates)
			return c, d.collect(ctx, c)
		})
	})
	if err != nil {
		return nil, false, err
	}
	return o, created, nil
}

// registerDesk loads the orders a registration may mean; owner is the one that
// has or had the id it brings.
func (t *tx) registerDesk(ctx context.Context, now time.Time, reg tracking.Registration) (d *desk, owner int64, err error) {
	var also []int64
	names := namesOf(reg.Lookups())
	if reg.ID != "" {
		if err := t.lockNames(ctx, names, "id "+reg.ID); err != nil {
			return nil, 0, err
		}
		err := t.one(ctx, orderSeqByID, []any{reg.ID, reg.ID}, &owner)
		switch {
		case err == nil:
			also = append(also, owner)
		case !errors.Is(err, sql.ErrNoRows):
			return nil, 0, fmt.Errorf("find the order with the brought id: %w", err)
		}
	}
	d, err = t.newDesk(ctx, now, names, also...)
	return d, owner, err
}

// register takes a registration over in memory.
func (d *desk) register(reg tracking.Registration, owner int64) (o *loaded, created bool, err error) {
	var also []*loaded
	if owner != 0 {
		also = append(also, d.orders[owner])
	}
	o, _, conflict := d.resolve(func(candidates []*tracking.Order) tracking.Verdict {
		return tracking.ResolveRegistration(reg, candidates)
	}, namesOf(reg.Lookups()), also...)
	if conflict != "" {
		return nil, false, &tracking.Error{Code: tracking.Conflict, Message: "the order cannot be registered: " + conflict}
	}
	if created = o == nil; created {
		o = &loaded{Order: tracking.NewOrder(d.now), known: map[tracking.Identifier]bool{}}
	}
	o.Register(reg, d.now)
	o.UpdatedAt = d.now
	return o, created, nil
}
