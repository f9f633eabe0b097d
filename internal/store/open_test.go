package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestReopenFindsEverything(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		var told1 []tracking.Effect
		b.Options.Committed = func(effects []tracking.Effect) { told1 = append(told1, effects...) }
		s := b.Open(t)
		ctx := ctxOf(t)
		a := apply(t, s, told{awb: "A", sr: "S", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon.Add(-time.Hour), eta: "2026-03-20"})[0]
		secret, err := s.KeptSecret(ctx, "key", "made first")
		if err != nil || secret != "made first" {
			t.Fatal(secret, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(ctx); tracking.ErrorCode(err) != tracking.Unavailable {
			t.Errorf("ping after close: %v", err)
		}

		s = b.Open(t)
		if secret, err = s.KeptSecret(ctx, "key", "made later"); err != nil || secret != "made first" {
			t.Errorf("kept %q, %v", secret, err)
		}
		if _, err := s.Meta(ctx, "nothing"); tracking.ErrorCode(err) != tracking.NotFound {
			t.Errorf("a value that is not there: %v", err)
		}
		effects, err := s.Effects(ctx, tracking.LiveUpdate, 10)
		if err != nil || len(effects) != 1 || len(told1) != 1 || effects[0].ID != told1[0].ID || effects[0].Update.Shipment.AWBCode != "A" {
			t.Fatalf("effects after reopening: %+v, told at commit: %+v; %v", effects, told1, err)
		}
		if err := s.DeleteEffects(ctx, []int64{effects[0].ID}); err != nil {
			t.Fatal(err)
		}
		b.Options.Committed = nil
		next := apply(t, s, told{awb: "A", sr: "S", milestone: tracking.Delivered, label: "DELIVERED", at: noon})[0]
		if next.OrderID != a.OrderID || next.Updates[0].Version != 2 {
			t.Errorf("the next push: %+v", next)
		}
		if effects, err = s.Effects(ctx, tracking.LiveUpdate, 10); err != nil || len(effects) != 1 || effects[0].ID <= told1[0].ID {
			t.Errorf("an effect's id was used again: %+v, %v", effects, err)
		}
	})
}

func TestOneProcessHasTheFolder(t *testing.T) {
	t.Parallel()
	b := storetest.SQLite(t)
	s := b.Open(t)
	_, err := store.Open(t.Context(), b.Options)
	if err == nil || !strings.Contains(err.Error(), "in use by another waybill process (pid "+fmt.Sprint(os.Getpid())+")") || !strings.Contains(err.Error(), b.DataDir) {
		t.Errorf("a second opening: %v", err)
	}
	for _, file := range []string{"waybill.db", "waybill.db-wal", "waybill.lock"} {
		if info, err := os.Stat(filepath.Join(b.DataDir, file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", file, info, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b.Open(t)
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		if err := b.Open(t).Close(); err != nil {
			t.Fatal(err)
		}
		db := raw(t, b)
		if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(t.Context(), b.Options); err == nil || !strings.Contains(err.Error(), "newer waybill (version 9999") {
			t.Errorf("a newer schema: %v", err)
		}
	})
}

// raw opens the database beside the store's back.
func raw(t *testing.T, b *storetest.Backend) *sql.DB {
	t.Helper()
	driver, name := "sqlite", "file:"+filepath.Join(b.DataDir, "waybill.db")
	if b.Options.URL != "" {
		driver, name = "pgx", b.Options.URL
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// schemas are what lists every table, column, constraint and index as it was
// declared.
var schemas = map[string]string{
	"sqlite": `SELECT COALESCE(sql, name) FROM sqlite_master`,
	"postgres": `
		SELECT CONCAT_WS(' ', c.relkind, c.relname, a.attname, FORMAT_TYPE(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
			a.attstorage, l.collname, c.reloptions, PG_GET_EXPR(c.relpartbound, c.oid))
		FROM pg_class c
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_collation l ON l.oid = a.attcollation
		WHERE c.relnamespace = CURRENT_SCHEMA()::regnamespace
		UNION ALL
		SELECT REPLACE(indexdef, CURRENT_SCHEMA(), '') FROM pg_indexes WHERE schemaname = CURRENT_SCHEMA()
		UNION ALL
		SELECT CONCAT_WS(' ', conname, PG_GET_CONSTRAINTDEF(oid)) FROM pg_constraint WHERE connamespace = CURRENT_SCHEMA()::regnamespace`,
}

func schema(t *testing.T, b *storetest.Backend) []string {
	t.Helper()
	rows, err := raw(t, b).Query(schemas[b.Name])
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}
