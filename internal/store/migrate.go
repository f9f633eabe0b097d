package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// migrate brings the schema up to date, forward only. Whoever calls it holds
// the lock: on SQLite that of the folder.
func (s *Store) migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations/"+s.dialect.name)
	if err != nil {
		return err
	}
	dialects := map[string]goose.Dialect{"sqlite": goose.DialectSQLite3}
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

// SchemaVersion is the number of the newest migration that was applied.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	var version int64
	err := s.readOne(ctx, "schema version", `
		SELECT COALESCE(MAX(version_id), 0)
		FROM goose_db_version
		WHERE is_applied`, nil, &version)
	return version, err
}
