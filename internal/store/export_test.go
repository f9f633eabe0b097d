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

// LoseAnswer makes the store forget what it has just taken in, as if the answer to
// its commit had been lost.
func (s *Store) LoseAnswer() {
	s.backlog.mu.Lock()
	s.backlog.fresh, s.backlog.bytes = nil, 0
	s.backlog.mu.Unlock()
	s.doubt()
}
