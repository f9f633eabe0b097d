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
	// Claim gives out at most n pending rows that are due by now. Should the
	// process die before they are ended, each has had an attempt; one that was
	// tried before comes alone.
	Claim(ctx context.Context, n int, now time.Time) ([]Webhook, error)
	// Return takes back claimed rows that were not worked off for want of the
	// database. That was no attempt.
	Return(ids []string)
	// Apply works a batch off as one transaction. A webhook that cannot be
	// applied has its Err set and leaves no trace; the others stand.
	Apply(ctx context.Context, now time.Time, batch []Application, opts ApplyOptions) ([]Applied, error)
	// Settle ends a claimed row without evidence: parked, ignored or rejected.
	Settle(ctx context.Context, id string, now time.Time, status Status, reason Reason, result string) error
	// Fail records a try that failed: the row is due again at next, or failed
	// for good.
	Fail(ctx context.Context, id string, now time.Time, cause string, next time.Time, giveUp bool) error
	// Recover makes rows claimable again that a process held which has died,
	// and says how many. What it was working on has had an attempt.
	Recover(ctx context.Context) (int, error)
	// NextDue is when Claim may have something next; zero: now.
	NextDue() time.Time
}
