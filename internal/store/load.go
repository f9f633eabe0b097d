package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/webazaar/waybill/internal/tracking"
)

const (
	orderColumns     = `seq, id, number, channel_id, registered, contact, status, version, snapshot, created_at, updated_at, erased_at`
	orderColumnCount = 12
)

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
	err := among(t.dialect, seqs, func(seqs []int64) error {
		in, args := oneOf(t.dialect, 1, seqs)
		err := t.all(ctx, `
			SELECT `+orderColumns+`
			FROM orders
			WHERE seq`+in+`
			ORDER BY seq`+lock, args, func(rows *sql.Rows) error {
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
