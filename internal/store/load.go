package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

const (
	orderColumns     = `seq, id, number, channel_id, registered, contact, status, version, created_at, updated_at, erased_at, shown_at, rev`
	orderColumnCount = 13
)

// A loaded order is a tracking.Order and what the store must know to save it.
type loaded struct {
	*tracking.Order
	seq     int64 // 0 until it is saved for the first time
	erased  int64
	ids     []tracking.Identifier        // identifiers when touched last
	known   map[tracking.Identifier]bool // those that are in the database, or on the way there
	parts   map[string]string            // shipment ids when loaded or saved last
	rev     int64                        // rises whenever it is saved
	decided int64                        // the number of the decision that changed it last
	rewrite bool                         // all of its evidence has to be written anew
	shown   time.Time                    // when watchers were told of it last, as loaded
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
// that takes them. Of those that are in memory, and have not been changed since
// by others, only that is looked up.
func (t *tx) loadOrders(ctx context.Context, seqs []int64, lock string) (map[int64]*loaded, error) {
	orders := make(map[int64]*loaded, len(seqs))
	var cold []int64
	err := among(t.dialect, seqs, func(seqs []int64) error {
		in, args := oneOf(t.dialect, 1, seqs)
		return t.all(ctx, `
			SELECT `+orderColumns+`
			FROM orders
			WHERE seq`+in+`
			ORDER BY seq`+lock, args, func(rows *sql.Rows) error {
			o, shown, err := scanOrder(rows)
			if err != nil || orders[o.seq] != nil {
				return err
			}
			if known := t.hot.take(o.seq); known != nil && known.rev == o.rev {
				orders[o.seq] = known
				return nil
			}
			o.shown = shown
			orders[o.seq] = o
			cold = append(cold, o.seq)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("load orders: %w", err)
	}
	if err := t.loadParts(ctx, orders, cold); err != nil {
		return nil, err
	}
	for _, seq := range cold {
		o := orders[seq]
		if !o.shown.IsZero() {
			o.Recall(o.shown)
		}
		o.known = map[tracking.Identifier]bool{}
		for _, id := range o.Identifiers() {
			o.known[id] = true
		}
		o.parts = maps.Clone(o.ShipmentIDs)
	}
	return orders, nil
}

func scanOrder(rows *sql.Rows) (o *loaded, shown time.Time, err error) {
	o = &loaded{Order: &tracking.Order{
		Readings: map[string]*tracking.Reading{}, Scans: map[string]*tracking.Scan{}, ShipmentIDs: map[string]string{},
	}}
	var (
		contact, status               string
		createdAt, updatedAt, shownAt int64
	)
	err = rows.Scan(&o.seq, &o.ID, &o.Number, &o.ChannelID, &o.Registered, &contact, &status, &o.Version,
		&createdAt, &updatedAt, &o.erased, &shownAt, &o.rev)
	if err != nil {
		return nil, shown, err
	}
	o.CreatedAt, o.UpdatedAt = fromMicros(createdAt), fromMicros(updatedAt)
	if contact != "" {
		if err := json.Unmarshal([]byte(contact), &o.Contact); err != nil {
			return nil, shown, fmt.Errorf("decode the contact of order %s: %w", o.ID, err)
		}
	}
	return o, fromMicros(shownAt), nil
}

// loadParts reads what hangs on orders that were read from the table.
func (t *tx) loadParts(ctx context.Context, orders map[int64]*loaded, seqs []int64) error {
	return among(t.dialect, seqs, func(seqs []int64) error {
		in, args := oneOf(t.dialect, 1, seqs)
		err := t.all(ctx, `
			SELECT order_seq, alias
			FROM order_aliases
			WHERE order_seq`+in+`
			ORDER BY order_seq, alias`, args, func(rows *sql.Rows) error {
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
		err = t.all(ctx, `
			SELECT order_seq, key, id
			FROM shipments
			WHERE order_seq`+in, args, func(rows *sql.Rows) error {
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
		err = t.all(ctx, `
			SELECT order_seq, data
			FROM evidence
			WHERE order_seq`+in, args, func(rows *sql.Rows) error {
			var (
				seq  int64
				data []byte
			)
			err := rows.Scan(&seq, &data)
			if o := orders[seq]; o != nil && err == nil {
				err = recall(o.Order, data)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("load evidence: %w", err)
		}
		return nil
	})
}
