package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/webazaar/waybill/internal/inbox"
)

// An Examination is what a database looks like from outside, without a part in
// its work.
type Examination struct {
	// Schema is the version it has, 0 for an empty one; Known is the one that
	// this program brings it to. Unless they are equal, the rest is not looked at.
	Schema, Known int64
	Clock         time.Time // the database server's; zero where it is this machine's
	Lossy         bool      // it may lose what it has acknowledged

	Kept       map[inbox.Status]int
	NewestPush time.Time // zero: none yet
	Rejected   []Rejected

	// Of the newest rows, examinedRows at most:
	Recent     int
	Originals  int       // those that are no repeats and no pings
	NothingNew int       // originals that said nothing new
	Repeats    []Repeats // by status word, the most frequent first

	AppKey string // of the realtime server, if it was made and kept
}

// Rejected are rows that wait for a decision, by why and from where.
type Rejected struct {
	Reason     inbox.Reason
	Peer, Auth string
	N          int
}

// Repeats are pushes that came again as they were.
type Repeats struct {
	What string // status word as sent
	N    int
	Soon int // within a minute of the first
}

// examinedRows keeps an examination short at any size of the log.
const examinedRows = 1000

// Examine looks at a database that others may have open. It takes no lock,
// makes nothing and changes nothing. fs.ErrNotExist: there is none yet.
func Examine(ctx context.Context, opts Options) (e Examination, err error) {
	db, name, err := openForExamination(opts)
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if name == "postgres" {
		s := &Store{log: opts.Logger}
		if err := s.inspect(ctx, db); err != nil {
			return e, fmt.Errorf("open the PostgreSQL database: %w", err)
		}
	}
	if e.Known, err = newestSchema(name); err != nil {
		return e, err
	}
	// One moment for all of it.
	how := &sql.TxOptions{ReadOnly: name == "postgres"}
	t, err := db.BeginTx(ctx, how)
	if err != nil {
		return e, err
	}
	defer func() { _ = t.Rollback() }()
	if err := e.server(ctx, t, name); err != nil || e.Schema != e.Known {
		return e, err
	}
	return e, errors.Join(e.log(ctx, t), e.recent(ctx, t))
}

func openForExamination(opts Options) (db *sql.DB, name string, err error) {
	if opts.URL == "" {
		if _, err := os.Stat(filepath.Join(opts.DataDir, databaseFile)); err != nil {
			return nil, "", err
		}
		db, err = openForReading(opts.DataDir)
		return db, "sqlite", err
	}
	config, err := pgx.ParseConfig(opts.URL)
	if err != nil {
		return nil, "", err // it tells no password
	}
	config.RuntimeParams["default_transaction_read_only"] = "on"
	return stdlib.OpenDB(*config), "postgres", nil
}

func (e *Examination) server(ctx context.Context, t *sql.Tx, name string) error {
	there := `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'goose_db_version')`
	if name == "postgres" {
		there = `SELECT to_regclass('goose_db_version') IS NOT NULL`
		err := t.QueryRowContext(ctx, `
			SELECT clock_timestamp(), current_setting('fsync') = 'off' OR current_setting('full_page_writes') = 'off'`).Scan(&e.Clock, &e.Lossy)
		if err != nil {
			return err
		}
	}
	var migrated bool
	if err := t.QueryRowContext(ctx, there).Scan(&migrated); err != nil || !migrated {
		return err
	}
	return t.QueryRowContext(ctx, `
		SELECT COALESCE(MAX(version_id), 0)
		FROM goose_db_version
		WHERE is_applied`).Scan(&e.Schema)
}

// log reads what is kept, and what waits for a decision.
func (e *Examination) log(ctx context.Context, t *sql.Tx) error {
	e.Kept = map[inbox.Status]int{}
	rows, err := t.QueryContext(ctx, `
		SELECT status, SUM(n)
		FROM webhook_counts
		GROUP BY status`)
	if err != nil {
		return err
	}
	err = each(rows, func(rows *sql.Rows) error {
		var status inbox.Status
		var n int
		err := rows.Scan(&status, &n)
		e.Kept[status] = n
		return err
	})
	if err != nil {
		return err
	}
	rows, err = t.QueryContext(ctx, `
		SELECT reason, peer, auth, COUNT(*)
		FROM (
			SELECT reason, peer, auth
			FROM webhooks
			WHERE status = 'rejected' AND (dismissed_at = 0 OR dismissed_at <> processed_at)
			ORDER BY id DESC
			LIMIT $1) newest
		GROUP BY reason, peer, auth
		ORDER BY 4 DESC, peer
		LIMIT 10`, examinedRows)
	if err != nil {
		return err
	}
	err = each(rows, func(rows *sql.Rows) error {
		var r Rejected
		err := rows.Scan(&r.Reason, &r.Peer, &r.Auth, &r.N)
		e.Rejected = append(e.Rejected, r)
		return err
	})
	if err != nil {
		return err
	}
	err = t.QueryRowContext(ctx, `
		SELECT value
		FROM meta
		WHERE key = 'realtime.key'`).Scan(&e.AppKey)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// recent reads the newest rows, and those among them that came again.
func (e *Examination) recent(ctx context.Context, t *sql.Tx) error {
	var newest int64
	err := t.QueryRowContext(ctx, `
		SELECT COUNT(*), COALESCE(MAX(received_at), 0),
			COALESCE(SUM(CASE WHEN status NOT IN ('duplicate', 'ignored') THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN reason = 'nothing_new' THEN 1 ELSE 0 END), 0)
		FROM (SELECT received_at, status, reason FROM webhooks ORDER BY id DESC LIMIT $1) newest`, examinedRows).
		Scan(&e.Recent, &newest, &e.Originals, &e.NothingNew)
	if err != nil {
		return err
	}
	if newest != 0 {
		e.NewestPush = time.UnixMicro(newest).UTC()
	}
	rows, err := t.QueryContext(ctx, `
		SELECT again.current_status, COUNT(*),
			COALESCE(SUM(CASE WHEN again.received_at - first.received_at < 60000000 THEN 1 ELSE 0 END), 0)
		FROM (SELECT status, current_status, received_at, duplicate_of FROM webhooks ORDER BY id DESC LIMIT $1) again
		LEFT JOIN webhooks first ON first.id = again.duplicate_of
		WHERE again.status = 'duplicate'
		GROUP BY again.current_status
		ORDER BY 2 DESC, 1`, examinedRows)
	if err != nil {
		return err
	}
	return each(rows, func(rows *sql.Rows) error {
		var r Repeats
		err := rows.Scan(&r.What, &r.N, &r.Soon)
		e.Repeats = append(e.Repeats, r)
		return err
	})
}
