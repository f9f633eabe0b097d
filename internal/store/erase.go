package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// ErasePersonalData takes out of an order, and out of the webhooks it came
// from, what may name the buyer or a rider: the contact, the couriers' free
// texts, the raw bodies and headers. What the shop and the buyer see of the
// parcels stays. Webhooks that are still pending keep their bodies until they
// are worked off; what comes later is erased as it comes in. NotFound if there
// is no such order.
func (s *Store) ErasePersonalData(ctx context.Context, id string) error {
	return s.deciding(ctx, "erase personal data", func(ctx context.Context) error {
		return s.decide(ctx, func(ctx context.Context, t *tx) (*changeset, error) {
			var seq int64
			err := t.one(ctx, orderSeqByID, []any{id, id}, &seq)
			if errors.Is(err, sql.ErrNoRows) {
				return nil, notFound("order")
			}
			if err != nil {
				return nil, err
			}
			now := cutTime(time.Now())
			d, err := t.newDesk(ctx, now, nil, seq)
			if err != nil {
				return nil, err
			}
			o := d.orders[seq]
			o.Contact = nil
			o.erased = micros(now)
			c := &changeset{now: now, then: func(ctx context.Context, t *tx) error { return t.eraseBodies(ctx, o) }}
			o.rewrite = true
			eraseEvidence(o)
			updates := o.Revise(now)
			d.touch(o, updates)
			c.tell(t.dialect.effectBytes, updates)
			return c, d.collect(ctx, c)
		})
	})
}

// eraseReading takes out of a reading what may name a person.
func eraseReading(r *tracking.Reading) {
	r.UndeliveredReason, r.Raw = tracking.Scrub(r.UndeliveredReason), tracking.Scrub(r.Raw)
}

// eraseScan takes out of a scan what may name a person.
func eraseScan(s *tracking.Scan) {
	s.Activity, s.Location = tracking.Scrub(s.Activity), tracking.Scrub(s.Location)
}

// eraseEvidence takes it out of all of an order's evidence.
func eraseEvidence(o *loaded) {
	for _, r := range o.Readings {
		eraseReading(r)
	}
	for _, s := range o.Scans {
		eraseScan(s)
	}
}

// eraseBodies empties the webhooks that were applied to an order, under any of
// its ids, and those that name one of its AWBs and were not.
func (t *tx) eraseBodies(ctx context.Context, o *loaded) error {
	var awbs []string
	for _, id := range o.Identifiers() {
		if id.Kind == tracking.ByAWB {
			awbs = append(awbs, id.Value)
		}
	}
	applied, err := t.seek(ctx, "order_id", append([]string{o.ID}, o.Aliases...), func(c *clause) {
		c.add("w.order_id <> ''")
		c.add("w.status <> 'pending'")
	})
	if err != nil {
		return fmt.Errorf("find the order's webhooks: %w", err)
	}
	naming, err := t.seek(ctx, "awb", awbs, func(c *clause) { c.add("w.status <> 'pending'") })
	if err != nil {
		return fmt.Errorf("find webhooks that name its AWBs: %w", err)
	}
	ids := slices.Concat(applied, naming)
	return among(t.dialect, ids, func(ids []string) error {
		in, args := oneOf(t.dialect, 1, ids)
		if _, err := t.exec(ctx, `UPDATE webhook_bodies SET body = NULL, headers = '{}' WHERE webhook_id`+in, args...); err != nil {
			return fmt.Errorf("erase bodies: %w", err)
		}
		if _, err := t.exec(ctx, `UPDATE webhooks SET flags = 'erased', error = '' WHERE id`+in, args...); err != nil {
			return fmt.Errorf("mark erased webhooks: %w", err)
		}
		if _, err := t.exec(ctx, `DELETE FROM webhook_tries WHERE webhook_id`+in, args...); err != nil {
			return fmt.Errorf("erase tries: %w", err)
		}
		return nil
	})
}
