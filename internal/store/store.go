package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// Options are what Open needs. Logger is required, and URL or DataDir.
type Options struct {
	// URL is the PostgreSQL database, postgres://user:password@host/database.
	// Any number of processes may have it open. Empty: SQLite in DataDir.
	URL string
	// DataDir is the folder of the SQLite database. It is made, for this user
	// alone, if it is not there; one process at a time may have it open.
	DataDir string
	Logger  *slog.Logger
	// KeepSchema makes Open refuse a schema that is not up to date, in place
	// of migrating it.
	KeepSchema bool
	// EffectKinds are the kinds of effects that every update makes, one of
	// each. Open deletes those of other kinds: nobody carries them out any
	// more. Without any it is tracking.LiveUpdate, and nothing is deleted.
	EffectKinds []string
	// Committed is told of new effects after the commit that made them, in the
	// order of this process's commits. It must not block. What it misses, and
	// what other processes commit, Effects has.
	Committed func(effects []tracking.Effect)

	// QueueRows and QueueBytes bound what may wait for Append's transaction;
	// beyond them Append is Unavailable. Default 8,192 rows and 64 MiB.
	QueueRows, QueueBytes int
}

// Store is the database. Its methods may be called by any number of
// goroutines.
type Store struct {
	opts    Options
	log     *slog.Logger
	dialect dialect
	schema  int64 // the version to migrate to, 0 for the newest

	begin       func(ctx context.Context, how weight) (*tx, error)
	afterCommit func(ctx context.Context) // may be nil
	patience    time.Duration             // how long a transaction may take; 0: no bound
	turn        turn
	unsynced    bool         // SQLite's writer would not sync; of whoever has the turn
	writing     sync.RWMutex // held by transactions under way where they take no turns
	announcing  sync.Mutex   // held from a commit until its effects are told of, likewise
	decider     turn         // to decide about orders, before the turn to write
	flight      flight
	hot         *hotOrders
	deskReader  *tx // what whoever decides reads with; nil where he reads within his transaction

	reader      *sql.DB
	readerStmts *statements // nil: the driver keeps its own

	holder   string // names this process among those that hold rows
	silence  time.Duration
	enrolled atomic.Bool
	doubted  atomic.Int64 // when a commit was not answered last, in nanoseconds; 0: none lately
	suspects []string     // of freeOrphans: what was held and not known the last time, sorted
	claiming sync.Mutex
	marking  sync.Mutex
	backlog  *backlog

	days      *days // nil where a day of bodies is nothing of its own
	queue     *queue
	ids       *ulid.MonotonicEntropy // of the committer alone
	auditIDs  timeIDs
	groups    atomic.Int64
	grouped   atomic.Int64
	committer sync.WaitGroup
	closed    atomic.Bool
	onClose   []func() error // run in reverse order
}

var _ inbox.Log = (*Store)(nil)

// Open opens the database and brings its schema up to date. A schema newer than
// this program, a folder that another process has open, and a server that takes
// no writes are refused with an error that says so.
func Open(ctx context.Context, opts Options) (*Store, error) {
	if opts.QueueRows == 0 {
		opts.QueueRows = 8192
	}
	if opts.QueueBytes == 0 {
		opts.QueueBytes = 64 << 20
	}
	kinds := opts.EffectKinds
	if len(kinds) == 0 {
		opts.EffectKinds = []string{tracking.LiveUpdate}
	}
	if opts.Committed == nil {
		opts.Committed = func([]tracking.Effect) {}
	}
	s := &Store{
		opts: opts, log: opts.Logger.With("component", "store"),
		queue: newQueue(opts.QueueRows, opts.QueueBytes), ids: ulid.Monotonic(rand.Reader, 0),
		holder: rand.Text(), silence: silence, backlog: newBacklog(), hot: newHotOrders(),
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.shut())
	}
	if len(kinds) > 0 {
		if err := s.deleteOtherEffects(ctx, kinds); err != nil {
			return nil, errors.Join(err, s.shut())
		}
	}
	s.committer.Go(s.runCommitter)
	if !s.dialect.singleWriter {
		s.stayAlive()
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if s.opts.URL != "" {
		if err := s.openPostgres(ctx); err != nil {
			return fmt.Errorf("open the PostgreSQL database: %w", err)
		}
		return nil
	}
	if err := s.openSQLite(ctx); err != nil {
		return fmt.Errorf("open the data folder %s: %w", s.opts.DataDir, err)
	}
	return nil
}

// Close refuses further calls, commits what Append has taken in, and closes the
// database. Calls under way may fail with Unavailable.
func (s *Store) Close() error {
	if s.queue.close() {
		s.committer.Wait()
	}
	left := s.leave(context.Background())
	if s.closed.Swap(true) {
		return nil
	}
	// Who is deciding or writing now finishes; who waits finds the store closed.
	_ = s.decider.take(context.Background(), false)
	defer s.decider.release()
	_ = s.turn.take(context.Background(), false)
	defer s.turn.release()
	s.writing.Lock()
	defer s.writing.Unlock()
	return errors.Join(left, s.shut())
}

func (s *Store) shut() error {
	var errs []error
	for i := len(s.onClose) - 1; i >= 0; i-- {
		errs = append(errs, s.onClose[i]())
	}
	s.onClose = nil
	return errors.Join(errs...)
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	return s.read(ctx, "ping", `SELECT 1`, nil, func(rows *sql.Rows) error { return rows.Scan(&n) })
}

// read runs a query outside a transaction and calls scan for each of its rows.
func (s *Store) read(ctx context.Context, doing, text string, args []any, scan func(rows *sql.Rows) error) error {
	if s.closed.Load() {
		return errClosed
	}
	rows, err := s.query(ctx, text, args)
	if err != nil {
		return s.coded(doing, err)
	}
	return s.coded(doing, each(rows, scan))
}

func (s *Store) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	args = s.dialect.bound(args)
	if s.readerStmts == nil {
		return s.reader.QueryContext(ctx, text, args...)
	}
	stmt, err := s.readerStmts.of(ctx, s.reader, text) //nolint:sqlclosecheck // it is kept for the next time
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// view runs fn as one transaction that only reads: all of it sees one state.
func (s *Store) view(ctx context.Context, doing string, fn func(ctx context.Context, t *tx) error) error {
	if s.closed.Load() {
		return errClosed
	}
	sqlTx, err := s.reader.BeginTx(ctx, s.dialect.snapshot)
	if err != nil {
		return s.coded(doing, err)
	}
	defer func() { _ = sqlTx.Rollback() }()
	return s.coded(doing, fn(ctx, &tx{session: sqlTx, dialect: &s.dialect}))
}

// readOne reads one row; NotFound, naming what, if there is none.
func (s *Store) readOne(ctx context.Context, what, text string, args []any, into ...any) error {
	found := false
	err := s.read(ctx, "read "+what, text, args, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(into...)
	})
	if err == nil && !found {
		return notFound(what)
	}
	return err
}
