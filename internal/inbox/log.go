package inbox

import (
	"context"
	"time"
)

// ApplyOptions are the settings that applying depends on.
type ApplyOptions struct {
	// AutoCreate makes an order from a push that names none we know; without
	// it the push is parked until the order is registered.
	AutoCreate bool
}

// Log is the durable log of webhooks and the belief worked out from it.
type Log interface {
	// Append keeps the row; when it returns without error, the row has
	// survived a crash. A full queue or a store that cannot write is
	// Unavailable.
	Append(ctx context.Context, w Webhook) (Appended, error)
	// Claim leases at most n pending rows that are due to holder, oldest first,
	// and counts an attempt on each.
	Claim(ctx context.Context, holder string, n int, now time.Time, lease time.Duration) ([]Webhook, error)
	// Apply works a batch off as one transaction. A webhook that cannot be
	// applied has its Err set and leaves no trace; the others stand.
	Apply(ctx context.Context, now time.Time, batch []Application, opts ApplyOptions) ([]Applied, error)
	// Settle ends a claimed row without evidence: parked, ignored or rejected.
	Settle(ctx context.Context, id string, now time.Time, status Status, reason Reason, result string) error
	// Fail records a try that failed: the row is due again at next, or failed
	// for good.
	Fail(ctx context.Context, id string, now time.Time, cause string, next time.Time, giveUp bool) error
	// ReleaseLeases makes rows that holder, or on a single-process store
	// anyone, had claimed claimable again, and says how many.
	ReleaseLeases(ctx context.Context, holder string) (int, error)
	// NextDue is when the next pending row is due, zero when none is.
	NextDue(ctx context.Context) (time.Time, error)
}
