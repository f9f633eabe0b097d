package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	databaseFile = "waybill.db"
	lockFile     = "waybill.lock"

	// busyTimeout is how many milliseconds a statement waits for locks of others.
	busyTimeout = 10000

	// checkpointEvery is how often what lies in the write-ahead log is carried
	// over, beside the writer. Often and little keeps the slowest answers fast.
	checkpointEvery = 100 * time.Millisecond
	// restartFrames is when the writer itself makes the log begin anew:
	// 16,000 pages of 4 KiB.
	restartFrames = 16000
	// restartPatience is how many milliseconds it waits for readers to let go of
	// the log. All of intake waits with it; and a reader that stays, such as a
	// backup, would make it wait in vain.
	restartPatience = 20
)

// sqliteDialect gives out keys for orders that follow lastSeq; 0 is not known.
func sqliteDialect(lastSeq *int64) dialect {
	return dialect{
		name: "sqlite", singleWriter: true, clock: "0",
		insertSizes: []int{64, 16, 4, 1}, lookupSizes: []int{1, 4, 16, 64, 256},
		rows: func(columns int, values []any) (string, []any) {
			return valueLists(len(values)/columns, columns), values
		},
		anyOf: func(first, n int) string { return " IN (" + placeholders(first, n) + ")" },
		addCount: `
			INSERT INTO webhook_counts (day, status, n)
			VALUES ($1, $2, $3)
			ON CONFLICT (day, status) DO UPDATE
			SET n = webhook_counts.n + excluded.n`,
		looseBodies: "webhook_bodies",
		effectBytes: 64 << 10,
		shred:       shredSQLite,
		reserveOrders: func(ctx context.Context, t *tx, n int) ([]int64, error) {
			if *lastSeq == 0 {
				if err := t.one(ctx, `SELECT COALESCE(MAX(seq), 0) FROM orders`, nil, lastSeq); err != nil {
					return nil, err
				}
			}
			seqs := make([]int64, n)
			for i := range seqs {
				*lastSeq++
				seqs[i] = *lastSeq
			}
			return seqs, nil
		},
		errorKind: sqliteErrorKind,
	}
}

// placeholders is "$first,…,$last".
func placeholders(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(first + i))
	}
	return b.String()
}

var valueListCache sync.Map // [2]int → string

// valueLists is "VALUES ($1,$2),($3,$4)" for two rows of two columns.
func valueLists(rows, columns int) string {
	key := [2]int{rows, columns}
	if s, ok := valueListCache.Load(key); ok {
		return s.(string) //nolint:forcetypeassert // only strings are stored
	}
	lists := make([]string, rows)
	for i := range lists {
		lists[i] = "(" + placeholders(i*columns+1, columns) + ")"
	}
	s := "VALUES " + strings.Join(lists, ",")
	valueListCache.Store(key, s)
	return s
}

// openSQLite opens the folder: one connection that writes, a few that read
// (one of them for whoever decides about orders), and one that checkpoints.
func (s *Store) openSQLite(ctx context.Context) error {
	s.dialect = sqliteDialect(&s.flight.lastSeq)
	if err := os.MkdirAll(s.opts.DataDir, 0o700); err != nil {
		return err
	}
	unlock, err := lockFolder(filepath.Join(s.opts.DataDir, lockFile))
	if err != nil {
		return err
	}
	s.onClose = append(s.onClose, unlock)

	path, err := filepath.Abs(filepath.Join(s.opts.DataDir, databaseFile))
	if err != nil {
		return err
	}
	// Made here so that it never is readable for others; the log files take
	// over its mode.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	// Where there is fdatasync, it is what SQLite itself would use; without
	// it, fsync does the same at twice the cost.
	_, _ = sqlite.Fdatasync(true)

	writer, err := s.openFile(path, 1, "rw", "journal_mode(wal)", "synchronous(full)",
		"wal_autocheckpoint(0)", "journal_size_limit(134217728)", "cache_size(-16000)", "temp_store(memory)")
	if err != nil {
		return err
	}
	if err := s.migrate(ctx, writer); err != nil {
		return err
	}
	conn, err := writer.Conn(ctx)
	if err != nil {
		return err
	}
	s.onClose = append(s.onClose, conn.Close)
	stmts := &statements{rewrite: withoutNames}
	s.begin = func(ctx context.Context, how weight) (*tx, error) {
		return s.beginSQLite(ctx, conn, stmts, how)
	}
	s.readerStmts = &statements{rewrite: withoutNames}
	s.reader, err = s.openFile(path, max(4, runtime.GOMAXPROCS(0)), "ro", "cache_size(-2000)", "temp_store(memory)")
	if err != nil {
		return err
	}
	desk, err := s.openFile(path, 1, "ro", "cache_size(-8000)", "temp_store(memory)")
	if err != nil {
		return err
	}
	deskConn, err := desk.Conn(ctx)
	if err != nil {
		return err
	}
	s.onClose = append(s.onClose, deskConn.Close)
	s.deskReader = &tx{session: deskConn, dialect: &s.dialect, stmts: &statements{rewrite: withoutNames}, hot: s.hot}
	return s.startCheckpoints(ctx, path, conn)
}

// beginSQLite begins a transaction on the one connection that writes.
func (s *Store) beginSQLite(ctx context.Context, conn *sql.Conn, stmts *statements, how weight) (*tx, error) {
	t := &tx{session: conn, dialect: &s.dialect, stmts: stmts}
	// Such a setting is made when a statement is prepared, so it never is one of
	// those kept.
	sync := func(level string) error {
		s.unsynced = true // whatever comes of it: the next one makes sure
		_, err := conn.ExecContext(ctx, `PRAGMA synchronous = `+level)
		s.unsynced = level != "FULL" || err != nil
		return err
	}
	end := func(text string) error {
		_, err := t.exec(ctx, text)
		if how == light {
			err = errors.Join(err, sync("FULL"))
		}
		return err
	}
	t.commit = func(context.Context) error { return end(`COMMIT`) }
	// SQLite has already rolled back after some errors, and says so.
	t.rollback = func(context.Context) { _ = end(`ROLLBACK`) }
	switch {
	case how == light:
		if err := sync("OFF"); err != nil {
			return nil, err
		}
	case s.unsynced: // what is acknowledged must be synced
		if err := sync("FULL"); err != nil {
			return nil, err
		}
	}
	_, err := t.exec(ctx, `BEGIN IMMEDIATE`)
	return t, err
}

// openFile opens a handle of at most n connections.
func (s *Store) openFile(path string, n int, mode string, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"mode": {mode}, "_dqs": {"0"}, "_pragma": append([]string{"busy_timeout(" + strconv.Itoa(busyTimeout) + ")"}, pragmas...)}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	s.onClose = append(s.onClose, db.Close)
	return db, nil
}

// startCheckpoints carries the write-ahead log over from a connection of its
// own, so that the writer need not stop for it. Should the log get long all the
// same, because commits never pause, the writer makes it begin anew between two
// transactions.
func (s *Store) startCheckpoints(ctx context.Context, path string, writer *sql.Conn) error {
	db, err := s.openFile(path, 1, "rw", "synchronous(full)", "wal_autocheckpoint(0)", "cache_size(-500)")
	if err != nil {
		return err
	}
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	var (
		dirty  = make(chan struct{}, 1)
		long   = make(chan struct{}, 1)
		stop   = make(chan struct{})
		ended  = make(chan struct{})
		frames = func(ctx context.Context, on interface {
			QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
		}, mode string,
		) (inLog int, busy bool, err error) {
			var done int
			err = on.QueryRowContext(ctx, `PRAGMA wal_checkpoint(`+mode+`)`).Scan(&busy, &inLog, &done)
			return inLog, busy, err
		}
		tooLong atomic.Int64
	)
	tooLong.Store(restartFrames)
	go func() {
		defer close(ended)
		tick := time.NewTicker(checkpointEvery)
		defer tick.Stop()
		failing := false
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			select {
			case <-dirty:
			default:
				continue
			}
			n, _, err := frames(context.WithoutCancel(ctx), db, "PASSIVE")
			if err != nil {
				if !failing { // ten times a second would tell no more
					s.log.Warn("store.checkpoint", "error", err, "what", "tried again until it can be done; nothing is lost")
				}
				failing = true
				signal(dirty)
				continue
			}
			failing = false
			if int64(n) > tooLong.Load() {
				signal(long)
			}
		}
	}()
	s.afterCommit = func(ctx context.Context) {
		signal(dirty)
		select {
		case <-long:
			_, err := writer.ExecContext(ctx, `PRAGMA busy_timeout = `+strconv.Itoa(restartPatience))
			n, busy := 0, false
			if err == nil {
				n, busy, err = frames(ctx, writer, "RESTART")
			}
			_, reset := writer.ExecContext(ctx, `PRAGMA busy_timeout = `+strconv.Itoa(busyTimeout))
			if err = errors.Join(err, reset); err != nil {
				s.log.Warn("store.checkpoint", "error", err)
			}
			// While someone reads what is in the log it grows; it is not tried
			// again before it has grown by as much.
			tooLong.Store(restartFrames)
			if busy {
				tooLong.Store(int64(n) + restartFrames)
			}
		default:
		}
	}
	s.onClose = append(s.onClose, func() error {
		close(stop)
		<-ended
		return nil
	})
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// lockFolder makes sure that one process at a time has the folder: SQLite
// would share it, but turns and what is kept in memory would not.
func lockFolder(path string) (unlock func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(file); err != nil {
		owner, _ := os.ReadFile(path)
		err = fmt.Errorf("it is in use by another waybill process (%s): stop that one, or choose another DATA_DIR: %w",
			strings.TrimSpace("pid "+string(owner)), err)
		return nil, errors.Join(err, file.Close())
	}
	err = file.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(file, "%d\n", os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file.Close, nil // closing unlocks
}

func sqliteErrorKind(err error) errorKind {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return otherError
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT:
		return unavailable
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
		return violated
	}
	return otherError
}

// withoutNames makes placeholders that are used once and in order nameless. To
// SQLite $1 is a name, and to bind n of them takes time that grows with n².
func withoutNames(text string) string {
	parts := strings.Split(text, "$")
	for i, part := range parts[1:] {
		rest, ok := strings.CutPrefix(part, strconv.Itoa(i+1))
		if !ok || rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return text
		}
		parts[i+1] = rest
	}
	return strings.Join(parts, "?")
}
