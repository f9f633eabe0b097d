package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// A changeset is what a decision writes, as rows: nothing is left to do for the
// transaction but to write them.
type changeset struct {
	now    time.Time
	number int64 // in the order of decisions that are made ahead

	merged    []int64  // orders that others have absorbed
	present   []string // public ids: no aliases, whatever they were before
	gone      []part   // shipments that are no more
	rewritten []int64  // orders whose evidence is written anew

	orders, aliases, identifiers, evidence, shipments []any

	named    map[name][]holder // new names: webhooks may wait for them
	absorbed map[int64]int64   // merged orders, and by which
	marks    []finished
	awaits   []awaited
	updates  []tracking.Update
	payloads []payload // the updates as JSON, several in each

	// desk, if set, holds orders that nobody else has a hold of: they may be
	// kept for the next decision.
	desk *desk

	erased    []string   // webhooks that were applied to an order whose buyer asked to be forgotten
	forgotten []forgetee // orders whose webhooks are all to be emptied
	shreds    bool       // what it replaces is not to be found in the database's files either

	then func(ctx context.Context, t *tx) error // what else belongs to it; may be nil
}

// A part is a shipment of an order.
type part struct {
	seq int64
	id  string
}

// awaited is a webhook that waits for an order with one of its names.
type awaited struct {
	webhookID string
	names     []name
}

// add puts in everything about an order that changed since it was loaded.
func (c *changeset) add(o *loaded) error {
	for _, gone := range o.merged {
		if gone.seq != 0 {
			c.merged = append(c.merged, gone.seq)
			if c.absorbed == nil {
				c.absorbed = map[int64]int64{}
			}
			c.absorbed[gone.seq] = o.seq
		}
	}
	o.rev++
	row, err := orderRow(o)
	if err != nil {
		return err
	}
	c.orders = append(c.orders, row...)
	c.addEvidence(o)
	for _, id := range o.ids {
		if o.known[id] {
			continue
		}
		o.known[id] = true
		if len(id.Value) <= maxName && len(id.Channel) <= maxName {
			c.identifiers = append(c.identifiers, string(id.Kind), id.Value, id.Channel, o.seq)
			n := name{id.Kind, id.Value}
			if c.named == nil {
				c.named = map[name][]holder{}
			}
			c.named[n] = append(c.named[n], holder{id.Channel, o.seq})
		}
	}
	for _, alias := range o.Aliases {
		c.aliases = append(c.aliases, alias, o.seq)
	}
	if len(o.Aliases) > 0 {
		c.present = append(c.present, o.ID)
	}
	c.addShipments(o)
	return nil
}

func orderRow(o *loaded) ([]any, error) {
	contact, status := "", ""
	var shown time.Time
	if o.Contact != nil {
		encoded, err := json.Marshal(o.Contact)
		if err != nil {
			return nil, fmt.Errorf("encode the contact of order %s: %w", o.ID, err)
		}
		contact = string(encoded)
	}
	if o.Snapshot != nil {
		status = string(o.Snapshot.OrderStatus)
		shown = o.Snapshot.UpdatedAt
	}
	return []any{
		o.seq, o.ID, text(o.Number), text(o.ChannelID), flag(o.Registered), contact, status, o.Version,
		micros(o.CreatedAt), micros(o.UpdatedAt), o.erased, micros(shown), o.rev,
	}, nil
}

// addShipments puts in the shipments that an update tells of, or that the
// evidence has since keyed anew, and those that are no more.
func (c *changeset) addShipments(o *loaded) {
	told := map[string]*tracking.Shipment{}
	for i := range o.updates {
		if u := o.updates[i].Shipment; u != nil {
			told[u.ID] = u
		}
	}
	present := make(map[string]bool, len(o.ShipmentIDs))
	for _, id := range o.ShipmentIDs {
		present[id] = true
	}
	for _, id := range slices.Sorted(maps.Values(o.parts)) {
		if !present[id] {
			c.gone = append(c.gone, part{o.seq, id})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(o.ShipmentIDs)) {
		id := o.ShipmentIDs[key]
		shipment := told[id]
		if shipment == nil {
			if o.parts[key] == id {
				continue
			}
			shipment = shownShipment(o.Snapshot, id)
		}
		c.shipments = append(c.shipments, shipmentRow(o, key, shipment)...)
	}
}

// A payload is what one row of effects holds.
type payload struct {
	json    []byte // a list of updates, still open
	updates int
}

// full reports whether one more update, of the usual size, would be too much.
func (p *payload) full(bytes int) bool {
	return p.updates == effectsTogether || len(p.json)+len(p.json)/p.updates > bytes
}

// tell puts in updates, in their order, so many to a row as make up its bytes.
func (c *changeset) tell(bytes int, updates []tracking.Update) {
	for i := range updates {
		last := len(c.payloads) - 1
		if last < 0 || c.payloads[last].full(bytes) {
			c.payloads = append(c.payloads, payload{json: append(make([]byte, 0, 4096), '[')})
			last++
		}
		p := &c.payloads[last]
		if p.updates > 0 {
			p.json = append(p.json, ',')
		}
		p.json = updates[i].AppendJSON(p.json)
		p.updates++
		c.updates = append(c.updates, updates[i])
	}
}

// write carries a changeset out and returns the effects it has added: one of
// each kind for every update.
func (t *tx) write(ctx context.Context, c *changeset, kinds []string) ([]tracking.Effect, error) {
	switch n, err := t.finish(ctx, c.marks, c.now); {
	case err != nil:
		return nil, err
	case n != len(c.marks):
		return nil, errNotPending
	}
	if err := t.eraseWebhooks(ctx, c.erased); err != nil {
		return nil, err
	}
	for _, a := range c.awaits {
		if err := t.await(ctx, a.webhookID, a.names); err != nil {
			return nil, err
		}
	}
	if err := t.deleteMerged(ctx, c.merged); err != nil {
		return nil, err
	}
	if err := t.saveOrders(ctx, c); err != nil {
		return nil, err
	}
	if err := t.saveEvidence(ctx, c); err != nil {
		return nil, err
	}
	if err := t.saveShipments(ctx, c); err != nil {
		return nil, err
	}
	if _, err := t.release(ctx, slices.SortedFunc(maps.Keys(c.named), name.compare)); err != nil {
		return nil, err
	}
	for i := range c.forgotten {
		if err := t.eraseBodies(ctx, &c.forgotten[i]); err != nil {
			return nil, err
		}
	}
	return t.addEffects(ctx, c, kinds)
}

func (t *tx) saveOrders(ctx context.Context, c *changeset) error {
	err := t.upsert(ctx, `INSERT INTO orders (`+orderColumns+`)`, orderColumnCount, 1, c.orders, `
		ON CONFLICT (seq) DO UPDATE
		SET id = excluded.id, number = excluded.number, channel_id = excluded.channel_id, registered = excluded.registered,
			contact = excluded.contact, status = excluded.status, version = excluded.version,
			created_at = excluded.created_at, updated_at = excluded.updated_at, erased_at = excluded.erased_at,
			shown_at = excluded.shown_at, rev = excluded.rev`)
	if err != nil {
		return fmt.Errorf("save orders: %w", err)
	}
	err = t.upsert(ctx, `INSERT INTO identifiers (kind, value, channel, order_seq)`, 4, 3, c.identifiers, `
		ON CONFLICT (kind, value, channel) DO UPDATE
		SET order_seq = excluded.order_seq`)
	if err != nil {
		return fmt.Errorf("save identifiers: %w", err)
	}
	err = t.upsert(ctx, `INSERT INTO order_aliases (alias, order_seq)`, 2, 1, c.aliases, `
		ON CONFLICT (alias) DO UPDATE
		SET order_seq = excluded.order_seq`)
	if err != nil {
		return fmt.Errorf("save aliases: %w", err)
	}
	for _, id := range c.present {
		if _, err := t.exec(ctx, `DELETE FROM order_aliases WHERE alias = $1`, id); err != nil {
			return fmt.Errorf("delete alias: %w", err)
		}
	}
	return nil
}

// deleteMerged removes orders that others have absorbed, with everything that
// those take over.
func (t *tx) deleteMerged(ctx context.Context, seqs []int64) error {
	for _, seq := range seqs {
		for _, table := range []string{"order_aliases", "evidence", "shipments", "identifiers"} {
			if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE order_seq = $1`, seq); err != nil {
				return fmt.Errorf("delete %s of a merged order: %w", table, err)
			}
		}
		if _, err := t.exec(ctx, `DELETE FROM orders WHERE seq = $1`, seq); err != nil {
			return fmt.Errorf("delete a merged order: %w", err)
		}
	}
	return nil
}
