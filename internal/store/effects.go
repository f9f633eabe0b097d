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
func (t *tx) addEffects(ctx context.Context, c *changeset, kinds []string) ([]tracking.Effect, error) {
	effects := make([]tracking.Effect, 0, len(c.updates)*len(kinds))
	rows := make([]any, 0, 5*cap(effects))
	for i := range c.updates {
		for _, kind := range kinds {
			effects = append(effects, tracking.Effect{Kind: kind, Update: c.updates[i]})
			rows = append(rows, kind, c.updates[i].OrderID, c.updates[i].Version, c.payloads[i], micros(c.now))
		}
	}
	ids := make([]int64, 0, len(effects))
	err := t.insert(ctx, `INSERT INTO effects (kind, order_id, version, payload, created_at)`, 5, rows, `
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
	for i, id := range ids {
		effects[i].ID = id
	}
	return effects, nil
}

// Effects are those of one kind that are not done yet, oldest first, at most
// limit. Those of one order come in the order of its versions.
func (s *Store) Effects(ctx context.Context, kind string, limit int) ([]tracking.Effect, error) {
	var effects []tracking.Effect
	err := s.read(ctx, "read effects", `
		SELECT id, payload
		FROM effects
		WHERE kind = $1
		ORDER BY id
		LIMIT $2`, []any{kind, limit}, func(rows *sql.Rows) error {
		var (
			e       = tracking.Effect{Kind: kind}
			payload string
		)
		if err := rows.Scan(&e.ID, &payload); err != nil {
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

// deleteOtherEffects forgets effects of kinds that nobody carries out any more.
func (s *Store) deleteOtherEffects(ctx context.Context, kinds []string) error {
	return s.change(ctx, "delete effects of other kinds", func(ctx context.Context, t *tx) error {
		in, args := oneOf(t.dialect, 1, kinds)
		res, err := t.exec(ctx, `DELETE FROM effects WHERE NOT kind`+in, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err == nil && n > 0 {
			s.log.Info("effects.dropped", "effects", n, "kept_kinds", kinds)
		}
		return nil
	})
}

// DeleteEffects forgets effects that are done.
func (s *Store) DeleteEffects(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return s.change(ctx, "delete effects", func(ctx context.Context, t *tx) error {
		return among(t.dialect, ids, func(ids []int64) error {
			in, args := oneOf(t.dialect, 1, ids)
			_, err := t.exec(ctx, `DELETE FROM effects WHERE id`+in, args...)
			return err
		})
	})
}
