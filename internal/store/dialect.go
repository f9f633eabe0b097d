package store

import "context"

// A dialect is what differs between the databases; everything else is the same
// SQL on both.
type dialect struct {
	name string

	// singleWriter: all writing goes through one connection, by turns, and no
	// other process writes. Leases of an earlier run are void then.
	singleWriter bool

	// forUpdate and skipLocked end a SELECT that takes rows to change them.
	forUpdate, skipLocked string

	// lockNames makes the rows of identifiers exist and locks them in the
	// order given, so that two transactions which name the same parcel go one
	// after the other. nil where there is only one writer.
	lockNames func(ctx context.Context, t *tx, names []name) error

	// reserveOrders gives out n keys for new orders.
	reserveOrders func(ctx context.Context, t *tx, n int) (first int64, err error)

	// errorKind sorts the driver's own errors, by type.
	errorKind func(err error) errorKind
}
