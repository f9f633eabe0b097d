package store

import (
	"context"
	"database/sql"
)

// A dialect is what differs between the databases; everything else is the same
// SQL on both.
type dialect struct {
	name string

	// singleWriter: all writing goes through one connection, by turns, and no
	// other process writes. What an earlier run held is free then.
	singleWriter bool

	// clock is the database's own time in microseconds, where it matters.
	clock string

	// snapshot makes all of a transaction that reads see one state.
	snapshot *sql.TxOptions

	// forUpdate and skipLocked end a SELECT that takes rows to change them.
	forUpdate, skipLocked string

	// insertSizes and lookupSizes are how many rows or keys a statement takes,
	// few sizes so that few are prepared. Empty: any number in one statement.
	insertSizes, lookupSizes []int

	// rows is a table of values, to select from or to insert, and what is to
	// be bound for it.
	rows func(columns int, values []any) (text string, args []any)

	// anyOf is a condition on a column: it is one of n keys. arrays says that
	// those are bound as one array.
	anyOf  func(first, n int) string
	arrays bool

	// addCount adds $3 to the count of day $1 and status $2.
	addCount string

	// looseBodies is the table of which bodies of deleted webhooks are deleted
	// one by one.
	looseBodies string

	// effectBytes is how much of updates to keep in one row of effects.
	effectBytes int

	// lock makes transactions which name the same parcel go one after the
	// other, whether the parcel is known or not. nil where there is only one
	// writer.
	lock func(ctx context.Context, t *tx, values []string) error

	// shred makes what the transaction deletes or replaces unreadable in the
	// files, too, until done is called; nil where that is not ours to do.
	shred func(ctx context.Context, t *tx) (done func(), err error)

	// reserveOrders gives out n keys for new orders.
	reserveOrders func(ctx context.Context, t *tx, n int) ([]int64, error)

	// bind makes arguments of a statement such as the database takes; nil where
	// it takes all.
	bind func(args []any) []any

	// errorKind sorts the driver's own errors, by type.
	errorKind func(err error) errorKind
}

// bound are args as the database takes them.
func (d *dialect) bound(args []any) []any {
	if d.bind == nil {
		return args
	}
	return d.bind(args)
}

// oneOf is the condition that a column is one of keys, to stand behind the
// column's name, and what is to be bound for it from $first on.
func oneOf[K any](d *dialect, first int, keys []K) (condition string, args []any) {
	if d.arrays {
		return d.anyOf(first, len(keys)), []any{keys}
	}
	return d.anyOf(first, len(keys)), anys(keys)
}

// among calls do for all keys, or for slices of them that are filled up to one
// of few sizes by repeating the last key: for conditions where a repeat does no
// harm.
func among[K any](d *dialect, keys []K, do func(keys []K) error) error {
	if len(d.lookupSizes) == 0 {
		if len(keys) == 0 {
			return nil
		}
		return do(keys)
	}
	for len(keys) > 0 {
		size := d.lookupSizes[len(d.lookupSizes)-1]
		for _, s := range d.lookupSizes {
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

func anys[T any](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}
