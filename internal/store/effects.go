package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/webazaar/waybill/internal/tracking"
)

// An effect's id is made of the row it is kept in and of its place in that row:
// rows hold several updates, so that there are fewer of them to write and to
// delete. The last of a row always has the last place, and with it the row goes.
const (
	effectPlaces    = 64
	lastPlace       = effectPlaces - 1
	effectsTogether = 32
)

// addEffects keeps the updates of a changeset as effects, in their order.
func (t *tx) addEffects(ctx context.Context, c *changeset, kinds []string) ([]tracking.Effect, error) {
	effects := make([]tracking.Effect, 0, len(c.updates)*len(kinds))
	var rows []any
	var sizes []int
	for _, kind := range kinds {
		for _, p := range c.payloads {
			rows = append(rows, kind, string(append(p.json, ']')), micros(c.now))
			sizes = append(sizes, p.updates)
		}
		for i := range c.updates {
			effects = append(effects, tracking.Effect{Kind: kind, Update: c.updates[i]})
		}
	}
	ids := make([]int64, 0, len(sizes))
	err := t.insert(ctx, `INSERT INTO effects (kind, payload, created_at)`, 3, rows, `
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
	next := effects
	for i, id := range ids {
		number := next[:sizes[i]]
		placeEffects(number, id)
		next = next[sizes[i]:]
	}
	return effects, nil
}

// placeEffects gives the effects of one row their ids.
func placeEffects(effects []tracking.Effect, row int64) {
	first := effectPlaces - len(effects)
	for i := range effects {
		effects[i].ID = row*effectPlaces + int64(first+i)
	}
}

// Effects are those of one kind that are not done yet, oldest first, at least
// limit of them if there are so many. Those of one order come in the order of
// its versions.
func (s *Store) Effects(ctx context.Context, kind string, limit int) ([]tracking.Effect, error) {
	var effects []tracking.Effect
	err := s.read(ctx, "read effects", `
		SELECT id, payload
		FROM effects
		WHERE kind = $1
		ORDER BY id
		LIMIT $2`, []any{kind, limit}, func(rows *sql.Rows) error {
		if len(effects) >= limit {
			return nil
		}
		var (
			id      int64
			payload []byte
			updates []tracking.Update
		)
		if err := rows.Scan(&id, &payload); err != nil {
			return err
		}
		if err := json.Unmarshal(payload, &updates); err != nil {
			return fmt.Errorf("decode effect %d: %w", id, err)
		}
		row := make([]tracking.Effect, len(updates))
		for i := range updates {
			row[i] = tracking.Effect{Kind: kind, Update: updates[i]}
		}
		placeEffects(row, id)
		effects = append(effects, row...)
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

// DeleteEffects forgets effects that are done. Those that were committed
// together are kept until the last of them is done: effects are carried out in
// their order. A power cut may bring back what was forgotten in its last
// moments; it is carried out again then.
func (s *Store) DeleteEffects(ctx context.Context, ids []int64) error {
	var done []int64
	for _, id := range ids {
		if id%effectPlaces == lastPlace {
			done = append(done, id/effectPlaces)
		}
	}
	if len(done) == 0 {
		return nil
	}
	return s.coded("delete effects", s.transact(ctx, light, func(ctx context.Context, t *tx) error {
		return among(t.dialect, done, func(rows []int64) error {
			in, args := oneOf(t.dialect, 1, rows)
			_, err := t.exec(ctx, `DELETE FROM effects WHERE id`+in, args...)
			return err
		})
	}))
}
