package store

import (
	"context"
	"errors"
)

// MigrateTo brings the database's schema to an older version.
func MigrateTo(ctx context.Context, opts Options, version int64) error {
	s := &Store{opts: opts, log: opts.Logger, schema: version}
	return errors.Join(s.open(ctx), s.shut())
}
