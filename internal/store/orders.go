package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/webazaar/waybill/internal/tracking"
)

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
	o, err := s.Order(ctx, id)
	if err != nil {
		return View{}, err
	}
	v := View{OrderID: o.ID, Version: o.Version, JSON: []byte("null")}
	if o.Snapshot != nil {
		v.JSON = o.Snapshot.AppendJSON(nil)
	}
	return v, nil
}

const orderSeqByID = `
	SELECT seq
	FROM orders
	WHERE id = $1
	UNION ALL
	SELECT order_seq
	FROM order_aliases
	WHERE alias = $2`

func (s *Store) orderSeq(ctx context.Context, id string) (int64, error) {
	var seq int64
	err := s.readOne(ctx, "order", orderSeqByID, []any{id, id}, &seq)
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
