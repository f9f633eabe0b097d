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
	return s.coded(doing, s.transact(ctx, false, fn))
}

func (s *Store) transact(ctx context.Context, intake bool, fn func(ctx context.Context, t *tx) error) (err error) {
	if s.dialect.singleWriter {
		if err := s.turn.take(ctx, intake); err != nil {
			return err
		}
		defer s.turn.release()
	}
	if s.closed.Load() {
		return errClosed
	}
	ctx = context.WithoutCancel(ctx)
	t, err := s.begin(ctx)
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
	if err := t.saveCounts(ctx); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	for _, f := range t.after {
		f()
	}
	s.afterCommit(ctx)
	return nil
}

func (t *tx) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
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

// insert writes many rows of the given number of columns: head, the rows as
// VALUES lists, tail. What tail returns goes to scan, if there is one.
func (t *tx) insert(ctx context.Context, head string, columns int, args []any, tail string, scan func(rows *sql.Rows) error) error {
	for len(args) > 0 {
		rows := 1
		for _, size := range insertSizes {
			if len(args) >= size*columns {
				rows = size
				break
			}
		}
		text := head + valueLists(rows, columns) + tail
		var err error
		if scan != nil {
			err = t.all(ctx, text, args[:rows*columns], scan)
		} else {
			_, err = t.exec(ctx, text, args[:rows*columns]...)
		}
		if err != nil {
			return err
		}
		args = args[rows*columns:]
	}
	return nil
}

// Statements over many rows come in few sizes, so that few are prepared.
var (
	insertSizes = []int{64, 16, 4, 1}
	lookupSizes = []int{1, 4, 16, 64, 256}
)

// among calls do for slices of keys that are filled up to one of few sizes by
// repeating the last key: for conditions where a repeat does no harm.
func among[K any](keys []K, do func(keys []K) error) error {
	for len(keys) > 0 {
		size := lookupSizes[len(lookupSizes)-1]
		for _, s := range lookupSizes {
			if s >= len(keys) {
				size = s
				break
			}
		}
		n := min(size, len(keys))
		filled := make([]K, size)
		copy(filled, keys[:n])
		for i := n; i < size; i++ {
			filled[i] = keys[n-1]
		}
		if err := do(filled); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
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

// valueLists is "($1,$2),($3,$4)" for two rows of two columns.
func valueLists(rows, columns int) string {
	key := [2]int{rows, columns}
	if s, ok := valueListCache.Load(key); ok {
		return s.(string) //nolint:forcetypeassert // only strings are stored
	}
	lists := make([]string, rows)
	for i := range lists {
		lists[i] = "(" + placeholders(i*columns+1, columns) + ")"
	}
	s := strings.Join(lists, ",")
	valueListCache.Store(key, s)
	return s
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
		_, err := t.exec(ctx, `
			INSERT INTO webhook_counts (day, status, n)
			VALUES ($1, $2, $3)
			ON CONFLICT (day, status) DO UPDATE
			SET n = webhook_counts.n + excluded.n`, key.day, string(key.status), t.counts[key])
		if err != nil {
			return fmt.Errorf("count webhooks: %w", err)
		}
	}
	return nil
}
