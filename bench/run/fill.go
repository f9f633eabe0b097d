package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	_ "modernc.org/sqlite" // the driver

	"github.com/webazaar/waybill/bench/load"
	"github.com/webazaar/waybill/bench/record"
)

const (
	samples     = 64     // real rows that the others are copies of
	fillAtOnce  = 16     // rows of one statement
	fillCommits = 32_000 // rows of one transaction
	day         = 24 * time.Hour
)

// filled makes a data folder whose log holds n processed rows, received evenly
// from oldest ago until newest ago. Their bodies are real ones; ids, event ids,
// AWBs and keys differ from row to row as they do in life.
func (b *bench) filled(ctx context.Context, n int, oldest, newest time.Duration) (string, error) {
	dir, err := b.dataDir()
	if err != nil {
		return "", err
	}
	if err := b.sample(ctx, dir); err != nil {
		return "", err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "waybill.db")+"?_pragma=synchronous(off)&_pragma=cache_size(-64000)")
	if err != nil {
		return "", err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	f := filler{db: db, began: time.Now().Add(-oldest), step: (oldest - newest) / time.Duration(n)}
	for _, t := range []*table{
		{name: "webhooks", change: f.webhook}, {name: "webhook_bodies", change: f.body}, {name: "event_keys", change: f.key},
	} {
		if err := t.read(ctx, db); err != nil {
			return "", err
		}
		f.tables = append(f.tables, t)
	}
	began := time.Now()
	for from := 0; from < n; from += fillCommits {
		if err := f.fill(ctx, from, min(from+fillCommits, n)); err != nil {
			return "", fmt.Errorf("fill the log: %w", err)
		}
		if from/fillCommits%16 == 15 {
			done := min(from+fillCommits, n)
			record.Say("  filled %d of %d rows (%.0f/s)", done, n, float64(done)/time.Since(began).Seconds())
		}
	}
	for d, count := range f.days {
		_, err := db.ExecContext(ctx, `
			INSERT INTO webhook_counts (day, status, n)
			VALUES ($1, 'processed', $2)
			ON CONFLICT (day, status) DO UPDATE
			SET n = webhook_counts.n + excluded.n`, d, count)
		if err != nil {
			return "", fmt.Errorf("count the rows: %w", err)
		}
	}
	var busy, frames, moved int
	if err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
		return "", fmt.Errorf("carry the log over: %w", err)
	}
	return dir, nil
}

// sample lets a real server take in a few pushes.
func (b *bench) sample(ctx context.Context, dir string) error {
	p, err := b.start(ctx, b.waybillEnv(dir), b.waybill, "serve")
	if err != nil {
		return err
	}
	defer p.Stop()
	plan, err := b.plan(samples)
	if err != nil {
		return err
	}
	r, err := load.Run(ctx, load.Options{URL: p.URL, Plan: plan})
	if err != nil {
		return err
	}
	after, err := load.Log{URL: p.URL, AdminToken: adminToken}.Drained(ctx)
	if err == nil {
		err = r.Verify(load.Counts{}, after)
	}
	return err
}

// A table is copied row by row, whatever its columns; change makes a copy
// differ.
type table struct {
	name    string
	columns []string
	rows    [][]any
	change  func(row map[string]any, n int)
	insert  string
}

func (t *table) read(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SELECT * FROM `+t.name)
	if err != nil {
		return fmt.Errorf("read samples: %w", err)
	}
	defer rows.Close()
	if t.columns, err = rows.Columns(); err != nil {
		return err
	}
	for rows.Next() {
		row := make([]any, len(t.columns))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("read samples: %w", err)
		}
		t.rows = append(t.rows, row)
	}
	if len(t.rows) == 0 {
		return errors.New("read samples: " + t.name + " is empty")
	}
	one := "(?" + strings.Repeat(",?", len(t.columns)-1) + ")"
	t.insert = `INSERT INTO ` + t.name + ` (` + strings.Join(t.columns, ", ") + `) VALUES ` + one + strings.Repeat(","+one, fillAtOnce-1)
	return rows.Err()
}

// A filler writes copies of the samples.
type filler struct {
	db     *sql.DB
	began  time.Time
	step   time.Duration // between two rows
	tables []*table
	ids    []string // of the rows being written
	days   map[int64]int
}

func (f *filler) at(n int) time.Time { return f.began.Add(time.Duration(n) * f.step) }

func (f *filler) webhook(row map[string]any, n int) {
	at := f.at(n)
	d := at.Unix() / int64(day/time.Second)
	row["id"], row["day"], row["received_at"], row["processed_at"] = f.ids[n%fillCommits], d, at.UnixMicro(), at.Add(time.Second).UnixMicro()
	awb := fmt.Sprintf("59%012d", n/4)
	row["awb"], row["event_id"] = awb, fmt.Sprintf("%s-IN_TRANSIT-%d", awb, n)
	f.days[d]++
}

func (f *filler) body(row map[string]any, n int) { row["webhook_id"] = f.ids[n%fillCommits] }

func (f *filler) key(row map[string]any, n int) {
	key := make([]byte, 16)
	_, _ = rand.Read(key)
	binary.BigEndian.PutUint32(key, uint32(f.at(n).Unix()/60)) //nolint:gosec // minutes until 10136
	row["key"], row["webhook_id"] = key, f.ids[n%fillCommits]
}

// fill writes the rows from n until before end as one transaction, table by
// table.
func (f *filler) fill(ctx context.Context, from, end int) error {
	if f.days == nil {
		f.days = map[int64]int{}
	}
	f.ids = make([]string, fillCommits)
	for n := from; n < end; n++ {
		f.ids[n%fillCommits] = ulid.MustNew(ulid.Timestamp(f.at(n)), ulid.Monotonic(rand.Reader, 0)).String()
	}
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, t := range f.tables {
		if err := t.copies(ctx, tx, from, end); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// copies writes rows of one table.
func (t *table) copies(ctx context.Context, tx *sql.Tx, from, end int) error {
	stmt, err := tx.PrepareContext(ctx, t.insert)
	if err != nil {
		return err
	}
	defer stmt.Close()
	args := make([]any, 0, fillAtOnce*len(t.columns))
	for n := from; n < end; n++ {
		row := make(map[string]any, len(t.columns))
		for i, c := range t.columns {
			row[c] = t.rows[n%len(t.rows)][i]
		}
		t.change(row, n)
		for _, c := range t.columns {
			args = append(args, row[c])
		}
		if len(args) == cap(args) {
			if _, err := stmt.ExecContext(ctx, args...); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	return nil
}
