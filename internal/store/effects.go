package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/webazaar/waybill/internal/tracking"
)

// addEffects keeps the updates of a changeset as effects, in their order.
func (t *tx) addEffects(ctx context.Context, c *changeset) ([]tracking.Effect, error) {
	ids := make([]int64, 0, len(c.updates))
	err := t.insert(ctx, `INSERT INTO effects (kind, order_id, version, payload, created_at) VALUES `, 5, c.effects, `
		RETURNING id`, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("add effects: %w", err)
	}
	// Ids are given out in the order of the rows, but need not be returned in it.
	slices.Sort(ids)
	effects := make([]tracking.Effect, len(ids))
	for i, id := range ids {
		effects[i] = tracking.Effect{ID: id, Kind: tracking.LiveUpdate, Update: c.updates[i]}
	}
	return effects, nil
}

// Effects are those not done yet, oldest first, at most limit.
func (s *Store) Effects(ctx context.Context, limit int) ([]tracking.Effect, error) {
	var effects []tracking.Effect
	err := s.read(ctx, "read effects", `
		SELECT id, kind, payload
		FROM effects
		ORDER BY id
		LIMIT $1`, []any{limit}, func(rows *sql.Rows) error {
		var (
			e       tracking.Effect
			payload string
		)
		if err := rows.Scan(&e.ID, &e.Kind, &payload); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(payload), &e.Update); err != nil {
			return fmt.Errorf("decode effect %d: %w", e.ID, err)
		}
		effects = append(effects, e)
		return nil
	})
	return effects, err
}

// DeleteEffects forgets effects that are done.
func (s *Store) DeleteEffects(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return s.change(ctx, "delete effects", func(ctx context.Context, t *tx) error {
		return among(ids, func(ids []int64) error {
			_, err := t.exec(ctx, `DELETE FROM effects WHERE id IN (`+placeholders(1, len(ids))+`)`, anys(ids)...)
			return err
		})
	})
}
