package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/webazaar/waybill/internal/tracking"
)

// errorKind sorts what a driver reports.
type errorKind int

const (
	otherError errorKind = iota
	// unavailable: busy, full, unreadable, gone. The same call may succeed later.
	unavailable
	// violated: a constraint of the schema refused the row.
	violated
	// contended: others stood in the way, and the database has undone the
	// transaction. It may be run again at once.
	contended
)

// errMoved is why a transaction is run again whose orders were merged into
// others while it waited for them.
var errMoved = errors.New("its orders were merged into others meanwhile")

// ErrInUse is why a folder does not open that another process has open.
var ErrInUse = errors.New("another process has locked it")

// errClosed is the answer of a Store that is being closed.
var errClosed = &tracking.Error{Code: tracking.Unavailable, Message: "the store is closing"}

// coded wraps err with what was being done and gives the driver's errors their
// codes. Errors that have a code already, and ends of contexts, keep theirs.
func (s *Store) coded(doing string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", doing, err)
	if _, ok := errors.AsType[*tracking.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return &tracking.Error{Code: tracking.NotFound, Message: "not found", Err: err}
	case errors.Is(err, sql.ErrConnDone), s.kindOf(err) == unavailable:
		return &tracking.Error{Code: tracking.Unavailable, Message: "the database is not available", Err: err}
	}
	if s.kindOf(err) == contended {
		return &tracking.Error{Code: tracking.Unavailable, Message: "too many want to change the same at once; come again", Err: err}
	}
	return err
}

func (s *Store) kindOf(err error) errorKind {
	if errors.Is(err, errMoved) {
		return contended
	}
	if e, ok := errors.AsType[*tracking.Error](err); ok && e.Code == tracking.Unavailable {
		return unavailable
	}
	return s.dialect.errorKind(err)
}

func notFound(what string) error {
	return &tracking.Error{Code: tracking.NotFound, Message: what + " not found"}
}

func invalid(message string) error {
	return &tracking.Error{Code: tracking.Invalid, Message: message}
}
