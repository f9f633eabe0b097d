package store

import (
	"context"
	"errors"
	"log/slog"
	"testing"
)

// A transaction that is not synced leaves no trace in how the next ones are,
// however it ends.
func TestLightLeavesTheOthersSynced(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	level := func(how weight) (level int) {
		t.Helper()
		if err := s.transact(t.Context(), how, func(ctx context.Context, tx *tx) error {
			rows, err := tx.QueryContext(ctx, `PRAGMA synchronous`)
			if err != nil {
				return err
			}
			return single(rows, &level)
		}); err != nil {
			t.Fatal(err)
		}
		return level
	}
	const off, full = 0, 2
	refuse := errors.New("refused")
	for _, step := range []func() error{
		func() error { return nil },
		func() error {
			return s.transact(t.Context(), light, func(context.Context, *tx) error { return nil })
		},
		func() error {
			return s.transact(t.Context(), light, func(context.Context, *tx) error { return refuse })
		},
		func() error {
			s.unsynced = true // as if it could not be set back
			return nil
		},
	} {
		if err := step(); err != nil && !errors.Is(err, refuse) {
			t.Error(err)
		}
		for _, how := range []weight{ordinary, intake} {
			if got := level(how); got != full {
				t.Errorf("a transaction of weight %d has synchronous = %d, want %d", how, got, full)
			}
		}
	}
	if got := level(light); got != off {
		t.Errorf("a light transaction has synchronous = %d, want %d", got, off)
	}
}
