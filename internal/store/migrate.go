package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// migrate brings the schema up to date, forward only. Whoever calls it holds
// the lock: on SQLite that of the folder, on PostgreSQL that of migrateLocked.
func (s *Store) migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations/"+s.dialect.name)
	if err != nil {
		return err
	}
	dialects := map[string]goose.Dialect{"sqlite": goose.DialectSQLite3, "postgres": goose.DialectPostgres}
	provider, err := goose.NewProvider(dialects[s.dialect.name], db, files, goose.WithDisableGlobalRegistry(true), goose.WithSlog(s.log))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if have > known {
		return fmt.Errorf("its schema is of a newer waybill (version %d; this one knows %d): run that one, or restore a backup from before", have, known)
	}
	if s.opts.KeepSchema && have < known {
		return fmt.Errorf("its schema has version %d, and this waybill needs %d: `waybill migrate` brings it up to date, and so does `waybill serve`", have, known)
	}
	if s.schema != 0 {
		known = s.schema
	}
	done, err := provider.UpTo(ctx, known)
	if err != nil {
		return fmt.Errorf("migrate from schema version %d to %d: %w", have, known, err)
	}
	if len(done) > 0 {
		s.log.Info("store.migrated", "from", have, "to", known)
	}
	return nil
}

// migrateLocked is migrate for a database that several processes may open at
// the same time: one migrates, the others wait and find it done.
func (s *Store) migrateLocked(ctx context.Context, db *sql.DB) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var schema string
	if err := conn.QueryRowContext(ctx, `SELECT current_schema()`).Scan(&schema); err != nil {
		return err
	}
	key := adviceKey(schema, "migrate", "")
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, key); err != nil {
		return fmt.Errorf("wait for the lock of migrations: %w", err)
	}
	defer func() {
		_, unlocked := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, key)
		err = errors.Join(err, unlocked)
	}()
	return s.migrate(ctx, db)
}

// SchemaVersion is the number of the newest migration that was applied.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := s.readOne(ctx, "schema version", `
		SELECT COALESCE(MAX(version_id), 0)
		FROM goose_db_version
		WHERE is_applied`, nil, &version)
	return version, err
}
