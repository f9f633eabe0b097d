package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// A session is what statements are run on: the one connection of SQLite's
// writer, or a transaction.
type session interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
}

// A tx is one transaction. It never leaves the package.
type tx struct {
	session
	dialect *dialect
	stmts   *statements     // nil: the driver keeps its own
	counts  map[count]int64 // what the transaction changes in webhook_counts

	reopened bool // there are rows to work off that nobody holds

	ahead []*changeset // decided and not in the database yet
	hot   *hotOrders   // what need not be loaded; nil where others may have changed it

	// after is run once the transaction is committed, before the next begins.
	after []func()

	commit   func(ctx context.Context) error
	rollback func(ctx context.Context)
}

// A count is a row of webhook_counts.
type count struct {
	day    int
	status inbox.Status
}

// change runs fn as one transaction that may write, when it is this caller's
// turn. It is committed when fn returns nil. ctx may end the wait for the turn;
// what has begun is finished.
func (s *Store) change(ctx context.Context, doing string, fn func(ctx context.Context, t *tx) error) error {
	return s.coded(doing, s.transact(ctx, ordinary, fn))
}

// A weight is what a transaction costs others.
type weight int

const (
	ordinary weight = iota
	intake          // goes first: someone waits for his answer
	light           // is not synced: a power cut may undo it, the end of the process does not
)

// contentions is how often a transaction is tried that others stood in the way
// of, before its caller is told to come again.
const contentions = 8

// transact is change without a name. fn is run anew when the database has
// undone it because of others, so it begins by forgetting what it did.
func (s *Store) transact(ctx context.Context, how weight, fn func(ctx context.Context, t *tx) error) error {
	for try := 1; ; try++ {
		err := s.transactOnce(ctx, how, fn)
		if try == contentions || err == nil || s.kindOf(err) != contended {
			return err
		}
		s.log.Debug("transaction.again", "try", try, "error", err)
	}
}

func (s *Store) transactOnce(ctx context.Context, how weight, fn func(ctx context.Context, t *tx) error) (err error) {
	if s.dialect.singleWriter {
		if err := s.turn.take(ctx, how == intake); err != nil {
			return err
		}
		defer s.turn.release()
	} else {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.writing.RLock()
		defer s.writing.RUnlock()
	}
	if s.closed.Load() {
		return errClosed
	}
	ctx = context.WithoutCancel(ctx)
	if s.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.patience)
		defer cancel()
		defer func() {
			if err != nil && ctx.Err() != nil {
				err = &tracking.Error{Code: tracking.Unavailable, Message: "the database does not answer", Err: err}
			}
		}()
	}
	t, err := s.begin(ctx, how)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if !done { // fn or the commit failed, or fn panicked
			t.rollback(ctx)
		}
	}()
	if err := fn(ctx, t); err != nil {
		return err
	}
	if err := s.recordAct(ctx, t); err != nil {
		return err
	}
	if err := t.saveCounts(ctx); err != nil {
		return err
	}
	if !s.dialect.singleWriter && len(t.after) > 0 {
		// Whoever changes the same order next can do so once this is
		// committed, and must not be heard of first.
		s.announcing.Lock()
		defer s.announcing.Unlock()
	}
	if err := t.commit(ctx); err != nil {
		if s.kindOf(err) != contended { // then the database has said that it did not
			s.doubt()
		}
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	for _, f := range t.after {
		f()
	}
	if s.afterCommit != nil {
		s.afterCommit(ctx)
	}
	return nil
}

func (t *tx) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	args = t.dialect.bound(args)
	if t.stmts == nil {
		return t.ExecContext(ctx, text, args...)
	}
	stmt, err := t.stmts.of(ctx, t.session, text) //nolint:sqlclosecheck // it is kept for the next time
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (t *tx) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	args = t.dialect.bound(args)
	if t.stmts == nil {
		return t.QueryContext(ctx, text, args...)
	}
	stmt, err := t.stmts.of(ctx, t.session, text) //nolint:sqlclosecheck // it is kept for the next time
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// one reads one row; sql.ErrNoRows if there is none.
func (t *tx) one(ctx context.Context, text string, args []any, into ...any) error {
	rows, err := t.query(ctx, text, args...)
	if err != nil {
		return err
	}
	return single(rows, into...)
}

// all calls scan for each row of a query.
func (t *tx) all(ctx context.Context, text string, args []any, scan func(rows *sql.Rows) error) error {
	rows, err := t.query(ctx, text, args...)
	if err != nil {
		return err
	}
	return each(rows, scan)
}

func each(rows *sql.Rows, scan func(rows *sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func single(rows *sql.Rows, into ...any) error {
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	return rows.Close()
}

// insert writes many rows of the given number of columns: head, a table of
// their values, tail. What tail returns goes to scan, if there is one.
func (t *tx) insert(ctx context.Context, head string, columns int, values []any, tail string, scan func(rows *sql.Rows) error) error {
	for len(values) > 0 {
		n := len(values)
		for _, size := range t.dialect.insertSizes {
			if n = size * columns; len(values) >= n {
				break
			}
		}
		table, args := t.dialect.rows(columns, values[:n])
		text := head + " " + table + tail
		var err error
		if scan != nil {
			err = t.all(ctx, text, args, scan)
		} else {
			_, err = t.exec(ctx, text, args...)
		}
		if err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// upsert is insert for rows that replace those with the same key: their first
// columns. Of rows with one key the last counts.
func (t *tx) upsert(ctx context.Context, head string, columns, key int, values []any, tail string) error {
	return t.insert(ctx, head, columns, lastOfEach(columns, key, values), tail, nil)
}

// lastOfEach leaves out rows whose key comes again.
func lastOfEach(columns, key int, values []any) []any {
	if len(values) <= columns {
		return values
	}
	var b strings.Builder
	keys := make([]string, len(values)/columns)
	last := make(map[string]int, len(keys))
	for i := range keys {
		b.Reset()
		for _, v := range values[i*columns : i*columns+key] {
			switch v := v.(type) {
			case string:
				b.WriteString(v)
			case []byte:
				b.Write(v)
			case int64:
				b.WriteString(strconv.FormatInt(v, 36))
			default:
				fmt.Fprint(&b, v)
			}
			b.WriteByte(0)
		}
		keys[i] = b.String()
		last[keys[i]] = i
	}
	if len(last) == len(keys) {
		return values
	}
	kept := make([]any, 0, len(last)*columns)
	for i, k := range keys {
		if last[k] == i {
			kept = append(kept, values[i*columns:(i+1)*columns]...)
		}
	}
	return kept
}

// statements are the prepared statements of one session, by their text.
type statements struct {
	rewrite func(text string) string // nil: as it is

	mu     sync.Mutex
	byText map[string]*sql.Stmt
}

// of finds the statement for text or prepares it on on.
func (c *statements) of(ctx context.Context, on interface {
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
}, text string,
) (*sql.Stmt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stmt, ok := c.byText[text]; ok {
		return stmt, nil
	}
	native := text
	if c.rewrite != nil {
		native = c.rewrite(text)
	}
	stmt, err := on.PrepareContext(ctx, native) //nolint:sqlclosecheck // it is closed with its connection
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", text, err)
	}
	if c.byText == nil {
		c.byText = map[string]*sql.Stmt{}
	}
	c.byText[text] = stmt
	return stmt, nil
}

// count notes that n more webhooks of a day have a status.
func (t *tx) count(day int, status inbox.Status, n int64) {
	if t.counts == nil {
		t.counts = map[count]int64{}
	}
	t.counts[count{day, status}] += n
}

// saveCounts writes what the transaction has counted, in one order always.
func (t *tx) saveCounts(ctx context.Context) error {
	keys := slices.SortedFunc(maps.Keys(t.counts), func(a, b count) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.status, b.status))
	})
	for _, key := range keys {
		if t.counts[key] == 0 {
			continue
		}
		if _, err := t.exec(ctx, t.dialect.addCount, key.day, string(key.status), t.counts[key]); err != nil {
			return fmt.Errorf("count webhooks: %w", err)
		}
	}
	return nil
}
