// Package storetest runs tests of the store on every database it knows, each
// test on a database of its own.
package storetest

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/webazaar/waybill/internal/store"
)

// A Backend is one test's database.
type Backend struct {
	Name string
	// DataDir is the folder of a SQLite database.
	DataDir string
	// Options are what Open opens with; a test may change them before.
	Options store.Options
}

// EachBackend runs test once for every database, side by side.
func EachBackend(t *testing.T, test func(t *testing.T, b *Backend)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t))
	})
}

// SQLite is a backend in a folder that goes when the test ends.
func SQLite(t testing.TB) *Backend {
	t.Helper()
	dir := t.TempDir()
	return &Backend{Name: "sqlite", DataDir: dir, Options: store.Options{DataDir: dir, Logger: Logger(t)}}
}

// Another is a new, empty database of the same kind.
func (b *Backend) Another(t testing.TB) *Backend {
	t.Helper()
	return SQLite(t)
}

// Open opens the test's database. It is closed when the test ends, if the test
// has not closed it before.
func (b *Backend) Open(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), b.Options)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// Logger writes to the test's log.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type logWriter struct{ t testing.TB }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimRight(p, "\n")))
	return len(p), nil
}
