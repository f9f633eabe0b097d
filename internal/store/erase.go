package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// ErasePersonalData takes out of an order, and out of the webhooks it came
// from, what may name the buyer or a rider: the contact, the couriers' free
// texts, the raw bodies and headers. What the shop and the buyer see of the
// parcels stays. Webhooks that are still pending, and those that come later, keep
// their bodies until they are worked off. NotFound if there is no such order.
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
			o.forget(micros(now))
			d.forgotten = append(d.forgotten, o)
			c := &changeset{now: now}
			updates := o.Revise(now)
			d.touch(o, updates)
			c.tell(t.dialect.effectBytes, updates)
			return c, d.collect(ctx, c)
		})
	})
}

// forget takes out of an order's own what may name a person.
func (o *loaded) forget(at int64) {
	o.Contact, o.erased, o.rewrite = nil, at, true
	eraseEvidence(o)
}

// A forgetee is an order whose webhooks are to be emptied, by what they may name
// it by.
type forgetee struct{ ids, awbs, srs []string }

// names are what webhooks may name an order by as things stand.
func (o *loaded) names() forgetee {
	f := forgetee{ids: append([]string{o.ID}, o.Aliases...)}
	for _, id := range o.Identifiers() {
		switch id.Kind {
		case tracking.ByAWB:
			f.awbs = append(f.awbs, id.Value)
		case tracking.BySR:
			f.srs = append(f.srs, id.Value)
		case tracking.ByNumber: // others may have the same
		}
	}
	return f
}

// eraseReading takes out of a reading what may name a person.
func eraseReading(r *tracking.Reading) {
	r.UndeliveredReason, r.Raw = tracking.Scrub(r.UndeliveredReason), tracking.Scrub(r.Raw)
}

// eraseScan takes out of a scan what may name a person. Some couriers' codes are
// sentences.
func eraseScan(s *tracking.Scan) {
	s.Code, s.Activity, s.Location = tracking.Scrub(s.Code), tracking.Scrub(s.Activity), tracking.Scrub(s.Location)
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

// unapplied are webhooks that name an order by Shiprocket's id alone and were not
// applied: there is no AWB to find them by.
func (t *tx) unapplied(ctx context.Context, srs []string) ([]string, error) {
	var ids []string
	err := among(t.dialect, srs, func(values []string) error {
		in, args := oneOf(t.dialect, 1, values)
		c := clause{args: args}
		c.add("w.sr_order_id" + in)
		c.add("w.awb = ''")
		c.add("w.status IN ('failed', 'parked', 'rejected')")
		c.add("w.status NOT IN ('pending', 'processed')") // what the index is of
		found, err := t.ids(ctx, `webhooks w`, &c)
		ids = append(ids, found...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find webhooks that name its id: %w", err)
	}
	return ids, nil
}

// eraseBodies empties the webhooks that were applied to an order, under any of
// its ids, and those that name one of its AWBs or Shiprocket's id and were not.
func (t *tx) eraseBodies(ctx context.Context, f *forgetee) error {
	applied, err := t.seek(ctx, "order_id", f.ids, func(c *clause) {
		c.add("w.order_id <> ''")
		c.add("w.status <> 'pending'")
	})
	if err != nil {
		return fmt.Errorf("find the order's webhooks: %w", err)
	}
	naming, err := t.seek(ctx, "awb", f.awbs, func(c *clause) { c.add("w.status <> 'pending'") })
	if err != nil {
		return fmt.Errorf("find webhooks that name its AWBs: %w", err)
	}
	named, err := t.unapplied(ctx, f.srs)
	if err != nil {
		return err
	}
	return t.eraseWebhooks(ctx, slices.Concat(applied, naming, named))
}

// eraseWebhooks empties webhooks: what is kept of them names a parcel and what
// became of it.
func (t *tx) eraseWebhooks(ctx context.Context, ids []string) error {
	return among(t.dialect, ids, func(ids []string) error {
		in, args := oneOf(t.dialect, 1, ids)
		if _, err := t.exec(ctx, `UPDATE webhook_bodies SET body = NULL, headers = '{}' WHERE webhook_id`+in, args...); err != nil {
			return fmt.Errorf("erase bodies: %w", err)
		}
		if _, err := t.exec(ctx, `UPDATE webhooks SET flags = 'erased', error = '', dismissed_note = '' WHERE id`+in, args...); err != nil {
			return fmt.Errorf("mark erased webhooks: %w", err)
		}
		if _, err := t.exec(ctx, `DELETE FROM webhook_tries WHERE webhook_id`+in, args...); err != nil {
			return fmt.Errorf("erase tries: %w", err)
		}
		return t.eraseWords(ctx, in, args)
	})
}

// eraseWords takes out of the status words of webhooks, and out of the event
// ids that were made of them, what may name a person: couriers write anything
// there.
func (t *tx) eraseWords(ctx context.Context, in string, args []any) error {
	type words struct{ id, status, eventID string }
	var told []words
	err := t.all(ctx, `SELECT id, current_status, event_id FROM webhooks WHERE id`+in, args, func(rows *sql.Rows) error {
		var w words
		err := rows.Scan(&w.id, &w.status, &w.eventID)
		if fit := tracking.Scrub(w.status); err == nil && fit != w.status {
			w.eventID = strings.Replace(w.eventID, "-"+asEventID(w.status)+"-", "-"+asEventID(fit)+"-", 1)
			w.status = fit
			told = append(told, w)
		}
		return err
	})
	for _, w := range told {
		if err == nil {
			_, err = t.exec(ctx, `UPDATE webhooks SET current_status = $1, event_id = $2 WHERE id = $3`, w.status, w.eventID, w.id)
		}
	}
	if err != nil {
		return fmt.Errorf("erase status words: %w", err)
	}
	return nil
}

// asEventID is a text as it stands in an event's id.
func asEventID(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, s)
}
