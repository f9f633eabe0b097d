package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// How many connections one process takes at most. Intake has its own, so
	// that nobody stands before it.
	intakeConns, writerConns, lightConns, readerConns = 1, 6, 2, 6

	// postgresPatience is how long a transaction may take before its server
	// counts as gone.
	postgresPatience = time.Minute

	// countSlots is over how many rows a count is spread.
	countSlots = 16
)

func postgresDialect(schema string, locks int) dialect {
	return dialect{
		name:     "postgres",
		clock:    "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint",
		snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},

		forUpdate: " FOR UPDATE", skipLocked: " FOR UPDATE SKIP LOCKED",
		rows: unnest,
		anyOf: func(first, _ int) string {
			return " = ANY($" + strconv.Itoa(first) + ")"
		},
		arrays: true,
		addCount: `
			INSERT INTO webhook_counts (day, status, n, slot)
			VALUES ($1, $2, $3, pg_backend_pid() % ` + strconv.Itoa(countSlots) + `)
			ON CONFLICT (day, status, slot) DO UPDATE
			SET n = webhook_counts.n + excluded.n`,
		looseBodies: "webhook_bodies_loose",
		effectBytes: 6000, // rows of a page at most: what is larger is cut into pieces
		lock: func(ctx context.Context, t *tx, values []string) error {
			return t.advise(ctx, schema, values, locks)
		},
		reserveOrders: func(ctx context.Context, t *tx, n int) ([]int64, error) {
			seqs := make([]int64, 0, n)
			err := t.all(ctx, `
				SELECT nextval('order_seqs')
				FROM generate_series(1, $1)`, []any{n}, func(rows *sql.Rows) error {
				var seq int64
				err := rows.Scan(&seq)
				seqs = append(seqs, seq)
				return err
			})
			return seqs, err
		},
		bind:      utf8Only,
		errorKind: postgresErrorKind,
	}
}

// openPostgres opens the database. Its connections come back by themselves
// after the server was away.
func (s *Store) openPostgres(ctx context.Context) error {
	s.dialect = postgresDialect("", 0)
	config, err := pgx.ParseConfig(s.opts.URL)
	if err != nil {
		return err // it tells no password
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "waybill"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	dialer := &net.Dialer{Timeout: config.ConnectTimeout, KeepAlive: 15 * time.Second}
	config.DialFunc = dialer.DialContext

	forIntake, writer, reader := s.openPool(config, intakeConns, synced, byKeys), s.openPool(config, writerConns, synced, byKeys), s.openPool(config, readerConns)
	forLight := s.openPool(config, lightConns, unsynced, byKeys)
	s.reader, s.patience = reader, postgresPatience
	s.begin = func(ctx context.Context, how weight) (*tx, error) {
		pool := writer
		switch how {
		case intake:
			pool = forIntake
		case light:
			pool = forLight
		}
		began, err := pool.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		return &tx{
			session: began, dialect: &s.dialect, hot: s.hot,
			commit: func(context.Context) error { return began.Commit() },
			// When it fails the connection is gone, and the transaction with it.
			rollback: func(context.Context) { _ = began.Rollback() },
		}, nil
	}
	if err := s.inspect(ctx, reader); err != nil {
		return err
	}
	if err := s.migrateLocked(ctx, writer); err != nil {
		return err
	}
	s.days = newDays(writer, s.log)
	return nil
}

const (
	// What Append has answered must be on disk, whatever this database's
	// default is.
	synced = `
		SELECT set_config('synchronous_commit', 'on', false)
		WHERE current_setting('synchronous_commit') = 'off'`
	unsynced = `SELECT set_config('synchronous_commit', 'off', false)`

	// What writes goes by keys alone. A plan made while a table was small, or
	// before anyone counted its rows, would read the whole table for a few keys.
	byKeys = `
		SELECT set_config(name, 'off', false)
		FROM unnest(ARRAY['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit']) AS name`
)

func (s *Store) openPool(config *pgx.ConnConfig, n int, first ...string) *sql.DB {
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		for _, text := range first {
			if _, err := conn.Exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	}))
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s.onClose = append(s.onClose, db.Close)
	return db
}

// inspect learns what the server allows, and warns of one that would lose what
// it has acknowledged.
func (s *Store) inspect(ctx context.Context, db *sql.DB) error {
	var (
		version, locks                int
		schema                        sql.NullString
		fsync, fullPageWrites, follow string
	)
	err := db.QueryRowContext(ctx, `
		SELECT current_setting('server_version_num')::int, current_schema(),
			current_setting('fsync'), current_setting('full_page_writes'), pg_is_in_recovery()::text,
			current_setting('max_locks_per_transaction')::int *
				(current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int)`).
		Scan(&version, &schema, &fsync, &fullPageWrites, &follow, &locks)
	switch {
	case err != nil:
		return err
	case version < 130000:
		return fmt.Errorf("its version is %d; PostgreSQL 13 or later is needed", version/10000)
	case follow == "true":
		return errors.New("it is a standby that takes no writes: name the primary")
	case !schema.Valid:
		return errors.New("no schema of its search_path exists")
	}
	if fsync == "off" || fullPageWrites == "off" {
		s.log.Warn("store.unsafe", "fsync", fsync, "full_page_writes", fullPageWrites,
			"what", "the server may lose what it has acknowledged", "mend", "set both to on in postgresql.conf")
	}
	// A quarter of the server's table of locks is left to one transaction.
	s.dialect = postgresDialect(schema.String, locks/4)
	return nil
}

// advise takes advisory locks on values until the transaction ends. They are
// taken in one order always, so that nobody waits in a circle, and they hold
// for what has no row yet, too. A transaction with more values than the server
// has room for keeps everyone else out instead.
func (t *tx) advise(ctx context.Context, schema string, values []string, most int) error {
	if len(values) == 0 {
		return nil
	}
	keys := make([]int64, len(values))
	for i, v := range values {
		keys[i] = adviceKey(schema, "name", v)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	all := adviceKey(schema, "all names", "")
	if len(keys) > most {
		_, err := t.exec(ctx, `SELECT pg_advisory_xact_lock($1)`, all)
		return err
	}
	_, err := t.exec(ctx, `
		SELECT pg_advisory_xact_lock_shared($1)
		UNION ALL
		SELECT pg_advisory_xact_lock(key)
		FROM unnest($2::bigint[]) AS key`, all, keys)
	return err
}

// adviceKey is the number of an advisory lock. Those are the database's, so
// the schema is part of it. Where two share a number they wait for each other
// without need, and that is all.
func adviceKey(schema, what, value string) int64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, schema+"\x00"+what+"\x00"+value)
	return int64(h.Sum64()) //nolint:gosec // any number will do
}

// unnest makes a table of one array for each column.
func unnest(columns int, values []any) (string, []any) {
	var (
		text strings.Builder
		args = make([]any, columns)
		rows = len(values) / columns
	)
	text.WriteString("SELECT * FROM unnest(")
	for c := range columns {
		var kind string
		switch values[c].(type) {
		case []byte:
			kind, args[c] = "bytea", column[[]byte](values, c, columns, rows)
		case int:
			kind, args[c] = "bigint", column[int](values, c, columns, rows)
		case int64:
			kind, args[c] = "bigint", column[int64](values, c, columns, rows)
		default:
			kind, args[c] = "text", column[string](values, c, columns, rows)
		}
		if c > 0 {
			text.WriteByte(',')
		}
		text.WriteString("$" + strconv.Itoa(c+1) + "::" + kind + "[]")
	}
	text.WriteByte(')')
	return text.String(), args
}

func column[V any](values []any, first, columns, rows int) []V {
	out := make([]V, rows)
	for i := range out {
		out[i] = values[first+i*columns].(V) //nolint:forcetypeassert // a column has one type
	}
	return out
}

// utf8Only puts U+FFFD in place of what PostgreSQL refuses in a text: NUL, and
// what is not UTF-8. Anyone may ask for an order by such an id. What is kept was
// made storable before, so it is found as little as by any other wrong id.
func utf8Only(args []any) []any {
	var kept []any
	put := func(i int, v any) {
		if kept == nil {
			kept = slices.Clone(args)
		}
		kept[i] = v
	}
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			if !storableText(v) {
				put(i, replaced(v))
			}
		case []string:
			if slices.ContainsFunc(v, func(s string) bool { return !storableText(s) }) {
				all := slices.Clone(v)
				for n := range all {
					all[n] = replaced(all[n])
				}
				put(i, all)
			}
		}
	}
	if kept == nil {
		return args
	}
	return kept
}

func replaced(s string) string { return textWith(s, "\ufffd") }

func postgresErrorKind(err error) errorKind {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return sqlStateKind(e.Code)
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return unavailable
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return unavailable
	}
	if pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return unavailable
	}
	return otherError
}

// sqlStateKind goes by the codes of PostgreSQL's manual, appendix A.
func sqlStateKind(code string) errorKind {
	switch code {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return contended
	case "25006", "55P03": // read_only_sql_transaction (a standby since), lock_not_available
		return unavailable
	}
	switch code[:min(2, len(code))] {
	case "08", "28", "53", "57", "58": // connection, authorization, resources, operator, system
		return unavailable
	case "22", "23": // data, constraints
		return violated
	}
	return otherError
}
