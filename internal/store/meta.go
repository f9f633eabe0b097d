package store

import (
	"context"
)

// KeptSecret is the value kept under name; if there is none, fresh is kept and
// is the answer. All processes on one database get the same.
func (s *Store) KeptSecret(ctx context.Context, name, fresh string) (string, error) {
	var kept string
	err := s.change(ctx, "keep "+name, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `
			INSERT INTO meta (key, value)
			VALUES ($1, $2)
			ON CONFLICT (key) DO NOTHING`, name, fresh)
		if err != nil {
			return err
		}
		return t.one(ctx, `
			SELECT value
			FROM meta
			WHERE key = $1`, []any{name}, &kept)
	})
	return kept, err
}

// Meta is the value kept under name; NotFound if there is none.
func (s *Store) Meta(ctx context.Context, name string) (string, error) {
	var value string
	err := s.readOne(ctx, name, `
		SELECT value
		FROM meta
		WHERE key = $1`, []any{name}, &value)
	return value, err
}

// SetMeta keeps value under name.
func (s *Store) SetMeta(ctx context.Context, name, value string) error {
	return s.change(ctx, "keep "+name, func(ctx context.Context, t *tx) error { return t.setMeta(ctx, name, value) })
}

func (t *tx) setMeta(ctx context.Context, name, value string) error {
	_, err := t.exec(ctx, `
		INSERT INTO meta (key, value)
		VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE
		SET value = excluded.value`, name, value)
	return err
}
