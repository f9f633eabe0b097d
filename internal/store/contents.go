package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Contents say what is in a database file.
type Contents struct {
	Bytes, PageSize int64
	Schema          int64 // version
	Webhooks        int
	Orders          int
	NewestPush      time.Time // zero if there is none
}

// contents reads what a SQLite database holds, and refuses one that is not
// Waybill's or of a newer Waybill.
func contents(ctx context.Context, conn *sql.Conn) (Contents, error) {
	var c Contents
	if err := conn.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&c.PageSize); err != nil {
		return c, err
	}
	var tables int
	err := conn.QueryRowContext(ctx, `
		SELECT COUNT(*)
		FROM sqlite_master
		WHERE name IN ('goose_db_version', 'webhooks', 'webhook_counts', 'orders')`).Scan(&tables)
	if err != nil {
		return c, err
	}
	if tables != 4 {
		return c, errors.New("it is a database, but not one of waybill's")
	}
	err = conn.QueryRowContext(ctx, `
		SELECT COALESCE(MAX(version_id), 0)
		FROM goose_db_version
		WHERE is_applied`).Scan(&c.Schema)
	if err != nil {
		return c, err
	}
	known, err := newestSchema("sqlite")
	if err != nil {
		return c, err
	}
	if c.Schema > known {
		return c, fmt.Errorf("its schema is of a newer waybill (version %d; this one knows %d): use that one", c.Schema, known)
	}
	var newest int64
	err = conn.QueryRowContext(ctx, `
		SELECT
			(SELECT COALESCE(SUM(n), 0) FROM webhook_counts),
			(SELECT COUNT(*) FROM orders),
			COALESCE((SELECT received_at FROM webhooks ORDER BY id DESC LIMIT 1), 0)`).
		Scan(&c.Webhooks, &c.Orders, &newest)
	if newest != 0 {
		c.NewestPush = time.UnixMicro(newest).UTC()
	}
	return c, err
}

// newestSchema is the version that the migrations lead to.
func newestSchema(dialect string) (int64, error) {
	files, err := fs.Glob(migrations, "migrations/"+dialect+"/*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, err
		}
		newest = max(newest, n)
	}
	return newest, nil
}

// openForReading opens the folder's database beside whoever has its lock.
func openForReading(dataDir string) (*sql.DB, error) {
	path, err := filepath.Abs(filepath.Join(dataDir, databaseFile))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w; is DATA_DIR that of the server?", err)
	}
	db, err := sql.Open("sqlite", sqliteURL(path, url.Values{
		"mode": {"ro"}, "_pragma": {"busy_timeout(" + strconv.Itoa(busyTimeout) + ")", "cache_size(-2000)"},
	}))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// checkFile runs one of SQLite's own checks over a file that nobody writes to.
func checkFile(ctx context.Context, file, check string) (err error) {
	return readFile(ctx, file, func(conn *sql.Conn) error {
		var found string
		if err := conn.QueryRowContext(ctx, `PRAGMA `+check+`(1)`).Scan(&found); err != nil {
			return err
		}
		if found != "ok" {
			return fmt.Errorf("%s: %s", check, found)
		}
		return nil
	})
}

// readFile opens a file that nobody writes to; nothing is made beside it.
func readFile(ctx context.Context, file string, read func(conn *sql.Conn) error) (err error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", sqliteURL(path, url.Values{"mode": {"ro"}, "immutable": {"1"}}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(read(conn), conn.Close())
}

func sqliteURL(path string, query url.Values) string {
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}
	return name.String()
}
