// Package storetest runs tests of the store on every database it knows, each
// test on a database of its own.
//
// PostgreSQL is the one at TEST_DATABASE_URL or, if that is not set, at
// 127.0.0.1:5432. Where there is none, its tests are skipped, saying so; with CI
// set they fail.
package storetest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/oklog/ulid/v2"

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
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t))
	})
}

// SQLite is a backend in a folder that goes when the test ends.
func SQLite(t testing.TB) *Backend {
	t.Helper()
	dir := t.TempDir()
	return &Backend{Name: "sqlite", DataDir: dir, Options: store.Options{DataDir: dir, Logger: Logger(t)}}
}

// Postgres is a backend in a schema that goes when the test ends.
func Postgres(t testing.TB) *Backend {
	t.Helper()
	return &Backend{Name: "postgres", Options: store.Options{URL: PostgresURL(t), Logger: Logger(t)}}
}

const defaultURL = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"

// server is the PostgreSQL server to test on, or why there is none.
var server = sync.OnceValues(func() (string, error) {
	address := os.Getenv("TEST_DATABASE_URL")
	if address == "" {
		address = defaultURL
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	return address, conn.Close(ctx)
})

// PostgresURL is the URL of an empty schema that goes when the test ends.
func PostgresURL(t testing.TB) string {
	t.Helper()
	address, err := server()
	if err != nil {
		why := fmt.Sprintf("no PostgreSQL to test on (TEST_DATABASE_URL names one): %v", err)
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	schema := "waybill_test_" + strings.ToLower(ulid.Make().String())
	do := func(text string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close(ctx) }()
		if _, err := conn.Exec(ctx, text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	do(`CREATE SCHEMA ` + schema)
	t.Cleanup(func() { do(`DROP SCHEMA ` + schema + ` CASCADE`) })
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := parsed.Query()
	query.Set("search_path", schema)
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

// Another is a new, empty database of the same kind.
func (b *Backend) Another(t testing.TB) *Backend {
	t.Helper()
	if b.Options.URL != "" {
		return Postgres(t)
	}
	return SQLite(t)
}

// Open opens the test's database. It is closed when the test ends, if the test
// has not closed it before. On PostgreSQL it may be open several times.
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

// Kill leaves the database as it would stand if the process that has s open were
// killed now, and opens it anew. s is closed.
func (b *Backend) Kill(t testing.TB, s *store.Store) *store.Store {
	t.Helper()
	if b.Options.URL != "" {
		return b.killed(t, s)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(b.DataDir)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close the store: %v", err)
	}
	b.DataDir, b.Options.DataDir = dir, dir
	return b.Open(t)
}

// killed closes s, which leaves in good order, and puts back what says who held
// what, as somebody who has long been silent.
func (b *Backend) killed(t testing.TB, s *store.Store) *store.Store {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, b.Options.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	do := func(text string) {
		t.Helper()
		if _, err := conn.Exec(ctx, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	do(`CREATE TEMP TABLE held AS SELECT * FROM pending WHERE holder <> ''`)
	do(`CREATE TEMP TABLE holding AS SELECT * FROM holders`)
	if err := s.Close(); err != nil {
		t.Errorf("close the store: %v", err)
	}
	do(`UPDATE pending SET holder = held.holder FROM held WHERE held.webhook_id = pending.webhook_id`)
	do(`INSERT INTO holders (holder, seen_at, working) SELECT holder, 0, working FROM holding`)
	return b.Open(t)
}

// Exec runs a statement on a PostgreSQL database, past the store.
func (b *Backend) Exec(t testing.TB, text string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, b.Options.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, text); err != nil {
		t.Fatal(err)
	}
}

// PronounceDead lets the time pass after which a process that was killed counts
// as dead.
func (b *Backend) PronounceDead(t testing.TB) {
	t.Helper()
	if b.Options.URL != "" {
		b.Exec(t, `UPDATE holders SET seen_at = 0`)
	}
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
