package durability

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
)

// A database is one that processes can be started on, one after the other. It
// is told to them as JSON.
type database struct {
	Name    string
	DataDir string // of SQLite
	URL     string // of PostgreSQL
}

// databases are the kinds that are tried, each with how to make an empty one.
var databases = []struct {
	name string
	make func(t *testing.T) database
}{
	{"sqlite", func(t *testing.T) database { return database{Name: "sqlite", DataDir: t.TempDir()} }},
	{"postgres", func(t *testing.T) database { return database{Name: "postgres", URL: storetest.PostgresURL(t)} }},
}

// eachDatabase runs test on an empty database of each kind.
func eachDatabase(t *testing.T, test func(t *testing.T, db database)) {
	t.Helper()
	for _, kind := range databases {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			test(t, kind.make(t))
		})
	}
}

var quiet = slog.New(slog.DiscardHandler)

// options are what the store opens the database with.
func (d database) options() store.Options {
	return store.Options{DataDir: d.DataDir, URL: d.URL, Logger: quiet}
}

// settings are what the binary opens the database with.
func (d database) settings() []string {
	if d.URL != "" {
		return []string{"DATABASE_URL=" + d.URL}
	}
	return []string{"DATA_DIR=" + d.DataDir}
}

// outlive makes the processes that are dead be known as such at once, where
// others would wait some seconds for a sign of life.
func (d database) outlive(t *testing.T) {
	t.Helper()
	if d.URL == "" {
		return
	}
	conn, err := pgx.Connect(t.Context(), d.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), `UPDATE holders SET seen_at = 0`); err != nil {
		t.Fatal(err)
	}
}

// open opens the database in this process until the test ends.
func (d database) open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), d.options())
	if err != nil {
		t.Fatalf("open the database that crashes left: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// setting is a number from the environment. The race detector makes SQLite ten
// times slower and finds nothing in a process that is being killed: with it the
// default is a part of the usual one.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		if raced {
			return max(otherwise/6, 1)
		}
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatalf("%s=%q is no number", name, value)
	}
	return n
}
