package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/webazaar/waybill/internal/tracking"
)

const orderColumns = `seq, id, number, channel_id, registered, contact, status, version, snapshot, created_at, updated_at, erased_at`

// A loaded order is a tracking.Order and what the store must know to save it.
type loaded struct {
	*tracking.Order
	seq     int64 // 0 until it is saved for the first time
	erased  int64
	known   map[tracking.Identifier]bool // identifiers when loaded or saved last
	parts   map[string]string            // shipment ids when loaded or saved last
	legs    map[string]string            // legs of shipments, by their ids, as joinLegs puts them
	changed bool                         // it has to be saved
	updates []tracking.Update            // not saved yet
	merged  []*loaded                    // absorbed since it was loaded; their rows have to go
	into    *loaded                      // the order that absorbed this one
}

// present follows an order through its mergers.
func (o *loaded) present() *loaded {
	for o.into != nil {
		o = o.into
	}
	return o
}

// loadOrders reads orders with all their evidence; lock is what ends the SELECT
// that takes them.
func (t *tx) loadOrders(ctx context.Context, seqs []int64, lock string) (map[int64]*loaded, error) {
	orders := make(map[int64]*loaded, len(seqs))
	err := among(seqs, func(seqs []int64) error {
		in, args := ` IN (`+placeholders(1, len(seqs))+`)`, anys(seqs)
		err := t.all(ctx, `
			SELECT `+orderColumns+`
			FROM orders
			WHERE seq`+in+lock, args, func(rows *sql.Rows) error {
			o, err := scanOrder(rows)
			if err == nil {
				orders[o.seq] = o
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("load orders: %w", err)
		}
		return loadParts(orders, in, func(text string, scan func(rows *sql.Rows) error) error {
			return t.all(ctx, text, args, scan)
		})
	})
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		o.known = map[tracking.Identifier]bool{}
		for _, id := range o.Identifiers() {
			o.known[id] = true
		}
		o.remember()
	}
	return orders, nil
}

func scanOrder(rows *sql.Rows) (*loaded, error) {
	o := &loaded{Order: &tracking.Order{
		Readings: map[string]*tracking.Reading{}, Scans: map[string]*tracking.Scan{}, ShipmentIDs: map[string]string{},
	}}
	var (
		contact, status, snapshot string
		createdAt, updatedAt      int64
	)
	err := rows.Scan(&o.seq, &o.ID, &o.Number, &o.ChannelID, &o.Registered, &contact, &status, &o.Version, &snapshot,
		&createdAt, &updatedAt, &o.erased)
	if err != nil {
		return nil, err
	}
	o.CreatedAt, o.UpdatedAt = fromMicros(createdAt), fromMicros(updatedAt)
	if contact != "" {
		if err := json.Unmarshal([]byte(contact), &o.Contact); err != nil {
			return nil, fmt.Errorf("decode the contact of order %s: %w", o.ID, err)
		}
	}
	if err := json.Unmarshal([]byte(snapshot), &o.Snapshot); err != nil {
		return nil, fmt.Errorf("decode the snapshot of order %s: %w", o.ID, err)
	}
	return o, nil
}

// remember notes what of the shipments the database holds.
func (o *loaded) remember() {
	o.parts = maps.Clone(o.ShipmentIDs)
	o.legs = map[string]string{}
	if o.Snapshot != nil {
		for i := range o.Snapshot.Shipments {
			o.legs[o.Snapshot.Shipments[i].ID] = joinLegs(o.Snapshot.Shipments[i].Legs)
		}
	}
}

// loadParts reads what hangs on orders, with the condition in on their keys.
func loadParts(orders map[int64]*loaded, in string, all func(text string, scan func(rows *sql.Rows) error) error) error {
	err := all(`
		SELECT order_seq, alias
		FROM order_aliases
		WHERE order_seq`+in+`
		ORDER BY order_seq, alias`, func(rows *sql.Rows) error {
		var (
			seq   int64
			alias string
		)
		err := rows.Scan(&seq, &alias)
		if o := orders[seq]; o != nil && err == nil {
			o.Aliases = append(o.Aliases, alias)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("load aliases: %w", err)
	}
	err = all(`
		SELECT order_seq, key, id
		FROM shipments
		WHERE order_seq`+in, func(rows *sql.Rows) error {
		var (
			seq     int64
			key, id string
		)
		err := rows.Scan(&seq, &key, &id)
		if o := orders[seq]; o != nil && err == nil {
			o.ShipmentIDs[key] = id
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("load shipments: %w", err)
	}
	err = all(`
		SELECT `+readingColumns+`
		FROM readings
		WHERE order_seq`+in, func(rows *sql.Rows) error {
		seq, key, r, err := scanReading(rows)
		if o := orders[seq]; o != nil && err == nil {
			o.Readings[key] = r
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("load readings: %w", err)
	}
	err = all(`
		SELECT `+scanColumns+`
		FROM scans
		WHERE order_seq`+in, func(rows *sql.Rows) error {
		seq, key, s, err := scanScan(rows)
		if o := orders[seq]; o != nil && err == nil {
			o.Scans[key] = s
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("load scans: %w", err)
	}
	return nil
}

// saveOrders writes everything about orders that changed since they were
// loaded, and returns the identifiers that are new to the database.
func (t *tx) saveOrders(ctx context.Context, orders []*loaded) ([]tracking.Identifier, error) {
	if err := t.numberOrders(ctx, orders); err != nil {
		return nil, err
	}
	for _, o := range orders {
		for _, gone := range o.merged {
			if err := t.deleteOrder(ctx, gone); err != nil {
				return nil, err
			}
		}
	}
	var rows, readings, scans, identifiers, shipments, legs []any
	var fresh []tracking.Identifier
	for _, o := range orders {
		row, err := orderRow(o)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row...)
		if readings, scans, err = changedEvidence(o, readings, scans); err != nil {
			return nil, err
		}
		for _, id := range o.Identifiers() {
			if !o.known[id] && len(id.Value) <= maxName && len(id.Channel) <= maxName {
				identifiers = append(identifiers, string(id.Kind), id.Value, id.Channel, o.seq)
				fresh = append(fresh, id)
				o.known[id] = true
			}
		}
		if err := t.saveAliases(ctx, o); err != nil {
			return nil, err
		}
		if shipments, legs, err = t.changedShipments(ctx, o, shipments, legs); err != nil {
			return nil, err
		}
		o.changed, o.merged, o.updates = false, nil, nil
		o.remember()
		o.Saved()
	}
	err := t.insert(ctx, `INSERT INTO orders (`+orderColumns+`) VALUES `, orderColumnCount, rows, `
		ON CONFLICT (seq) DO UPDATE
		SET id = excluded.id, number = excluded.number, channel_id = excluded.channel_id, registered = excluded.registered,
			contact = excluded.contact, status = excluded.status, version = excluded.version, snapshot = excluded.snapshot,
			created_at = excluded.created_at, updated_at = excluded.updated_at, erased_at = excluded.erased_at`, nil)
	if err != nil {
		return nil, fmt.Errorf("save orders: %w", err)
	}
	if err := t.saveEvidence(ctx, readings, scans); err != nil {
		return nil, err
	}
	if err := t.saveShipments(ctx, shipments, legs); err != nil {
		return nil, err
	}
	err = t.insert(ctx, `INSERT INTO identifiers (kind, value, channel, order_seq) VALUES `, 4, identifiers, `
		ON CONFLICT (kind, value, channel) DO UPDATE
		SET order_seq = excluded.order_seq`, nil)
	if err != nil {
		return nil, fmt.Errorf("save identifiers: %w", err)
	}
	return fresh, nil
}

const orderColumnCount = 12

// numberOrders gives new orders their keys.
func (t *tx) numberOrders(ctx context.Context, orders []*loaded) error {
	var fresh []*loaded
	for _, o := range orders {
		if o.seq == 0 {
			fresh = append(fresh, o)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	first, err := t.dialect.reserveOrders(ctx, t, len(fresh))
	if err != nil {
		return fmt.Errorf("reserve order keys: %w", err)
	}
	for i, o := range fresh {
		o.seq = first + int64(i)
	}
	return nil
}

func orderRow(o *loaded) ([]any, error) {
	snapshot, err := json.Marshal(o.Snapshot)
	if err != nil {
		return nil, fmt.Errorf("encode the snapshot of order %s: %w", o.ID, err)
	}
	contact, status := "", ""
	if o.Contact != nil {
		encoded, err := json.Marshal(o.Contact)
		if err != nil {
			return nil, fmt.Errorf("encode the contact of order %s: %w", o.ID, err)
		}
		contact = string(encoded)
	}
	if o.Snapshot != nil {
		status = string(o.Snapshot.OrderStatus)
	}
	return []any{
		o.seq, o.ID, text(o.Number), text(o.ChannelID), flag(o.Registered), contact, status, o.Version, string(snapshot),
		micros(o.CreatedAt), micros(o.UpdatedAt), o.erased,
	}, nil
}

func changedEvidence(o *loaded, readings, scans []any) (r, s []any, err error) {
	changedReadings, changedScans := o.Changed()
	for _, key := range changedReadings {
		if o.erased != 0 {
			eraseReading(o.Readings[key])
		}
		row, err := readingRow(o.seq, key, o.Readings[key])
		if err != nil {
			return nil, nil, err
		}
		readings = append(readings, row...)
	}
	for _, key := range changedScans {
		if o.erased != 0 {
			eraseScan(o.Scans[key])
		}
		row, err := scanRow(o.seq, key, o.Scans[key])
		if err != nil {
			return nil, nil, err
		}
		scans = append(scans, row...)
	}
	return readings, scans, nil
}

// saveAliases keeps the earlier ids of an order. Ids that have become the
// public one again are aliases no more.
func (t *tx) saveAliases(ctx context.Context, o *loaded) error {
	if len(o.Aliases) == 0 {
		return nil
	}
	var rows []any
	for _, alias := range o.Aliases {
		rows = append(rows, alias, o.seq)
	}
	err := t.insert(ctx, `INSERT INTO order_aliases (alias, order_seq) VALUES `, 2, rows, `
		ON CONFLICT (alias) DO UPDATE
		SET order_seq = excluded.order_seq`, nil)
	if err != nil {
		return fmt.Errorf("save aliases: %w", err)
	}
	if _, err := t.exec(ctx, `DELETE FROM order_aliases WHERE alias = $1`, o.ID); err != nil {
		return fmt.Errorf("delete alias: %w", err)
	}
	return nil
}

// changedShipments adds the rows of the shipments that an update tells of, or
// that the evidence has since keyed anew, and removes those that are no more.
func (t *tx) changedShipments(ctx context.Context, o *loaded, shipments, legs []any) (s, l []any, err error) {
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
			if err := t.deleteShipment(ctx, o.seq, id); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(o.ShipmentIDs)) {
		id := o.ShipmentIDs[key]
		part := told[id]
		if part == nil {
			if o.parts[key] == id {
				continue
			}
			part = shownShipment(o.Snapshot, id)
		}
		shipments = append(shipments, shipmentRow(o, key, part)...)
		if now := joinLegs(part.Legs); now != o.legs[id] {
			if o.legs[id] != "" {
				if err := t.deleteLegs(ctx, o.seq, id); err != nil {
					return nil, nil, err
				}
			}
			for _, leg := range part.Legs {
				legs = append(legs, o.seq, id, leg.AWBCode, string(leg.Kind), string(leg.CourierName))
			}
		}
	}
	return shipments, legs, nil
}

// deleteOrder removes an order that another has absorbed, with everything that
// the other takes over.
func (t *tx) deleteOrder(ctx context.Context, o *loaded) error {
	if o.seq == 0 {
		return nil
	}
	for _, table := range []string{"order_aliases", "readings", "scans", "legs", "shipments", "identifiers"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE order_seq = $1`, o.seq); err != nil {
			return fmt.Errorf("delete %s of a merged order: %w", table, err)
		}
	}
	if _, err := t.exec(ctx, `DELETE FROM orders WHERE seq = $1`, o.seq); err != nil {
		return fmt.Errorf("delete a merged order: %w", err)
	}
	return nil
}

// Order is the order with this id, or that once had it, with its evidence, its
// contact and what watchers were last told. NotFound if there is none.
func (s *Store) Order(ctx context.Context, id string) (*tracking.Order, error) {
	seq, err := s.orderSeq(ctx, id)
	if err != nil {
		return nil, err
	}
	orders, err := s.ordersBySeq(ctx, []int64{seq})
	if err != nil {
		return nil, err
	}
	if len(orders) == 0 {
		return nil, notFound("order")
	}
	return orders[0], nil
}

// OrdersByNumber are the orders with the shop's number, in any channel, newest
// first; none if there is none.
func (s *Store) OrdersByNumber(ctx context.Context, number string) ([]*tracking.Order, error) {
	var seqs []int64
	err := s.read(ctx, "find orders by number", `
		SELECT DISTINCT order_seq
		FROM identifiers
		WHERE kind = 'number' AND value = $1
		ORDER BY order_seq`, []any{number}, func(rows *sql.Rows) error {
		var seq int64
		err := rows.Scan(&seq)
		seqs = append(seqs, seq)
		return err
	})
	if err != nil {
		return nil, err
	}
	orders, err := s.ordersBySeq(ctx, seqs)
	slices.SortFunc(orders, func(a, b *tracking.Order) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return orders, err
}

// A View is the public view of an order, as it was last told to watchers.
type View struct {
	OrderID string // the present id, also when an earlier one was asked for
	Version int64
	JSON    []byte // a tracking.Snapshot
}

// Snapshot is the public view of the order with this id, or that once had it.
// NotFound if there is none.
func (s *Store) Snapshot(ctx context.Context, id string) (View, error) {
	var v View
	into := []any{&v.OrderID, &v.Version, &v.JSON}
	err := s.readOne(ctx, "order", `
		SELECT id, version, snapshot
		FROM orders
		WHERE id = $1`, []any{id}, into...)
	if tracking.ErrorCode(err) == tracking.NotFound {
		err = s.readOne(ctx, "order", `
			SELECT o.id, o.version, o.snapshot
			FROM order_aliases a JOIN orders o ON o.seq = a.order_seq
			WHERE a.alias = $1`, []any{id}, into...)
	}
	return v, err
}

const orderSeqByID = `
	SELECT seq
	FROM orders
	WHERE id = $1
	UNION ALL
	SELECT order_seq
	FROM order_aliases
	WHERE alias = $1`

func (s *Store) orderSeq(ctx context.Context, id string) (int64, error) {
	var seq int64
	err := s.readOne(ctx, "order", orderSeqByID, []any{id}, &seq)
	return seq, err
}

// ordersBySeq reads orders, in the order of seqs; those that are not there are
// left out.
func (s *Store) ordersBySeq(ctx context.Context, seqs []int64) ([]*tracking.Order, error) {
	var orders []*tracking.Order
	err := s.view(ctx, "read orders", func(ctx context.Context, t *tx) error {
		found, err := t.loadOrders(ctx, seqs, "")
		for _, seq := range seqs {
			if o := found[seq]; o != nil {
				orders = append(orders, o.Order)
			}
		}
		return err
	})
	return orders, err
}
