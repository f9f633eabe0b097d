package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/webazaar/waybill/internal/store"
)

// Retention deletes in slices that hold the writer up for retentionTurn, with
// pauses nine times as long between them, so that intake does not notice. A
// row takes some 50 µs, so that is 2,000 rows a second and more.
const (
	retentionTurn  = 3 * time.Millisecond
	retentionPause = 9
	retentionEvery = 10 * time.Minute

	// How far a round goes on from the one before it at most, and from when on
	// that is worth a warning.
	retentionAhead = 2 * time.Hour
	retentionLag   = 24 * time.Hour

	leastSlice, mostSlice = 16, 500
)

// Ages are how old things get before they are deleted. No audit age keeps it for
// ever.
type Ages struct {
	Webhooks, Audit time.Duration
}

// Retain deletes what is older than ages, now and every ten minutes, until ctx
// is done. After a jump of the clock, and after a long stop, it catches up two
// hours at a time.
func Retain(ctx context.Context, s *store.Store, ages Ages, log *slog.Logger) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	slice, deleted, acts := leastSlice, 0, 0
	var (
		now   time.Time     // of this round; zero: it has not begun
		ahead time.Duration // a process that ends again and again gains nothing by it
	)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		began := time.Now()
		var err error
		if now.IsZero() {
			now, err = s.RetentionTime(ctx, began, ahead)
			if lag := began.Sub(now); err == nil && lag > retentionLag {
				log.Warn("retention.holds_back", "behind", lag.Round(time.Minute), "what", "the clock has jumped, or the service stood still: what is old is deleted little by little")
			}
		}
		n, entries := 0, 0
		if err == nil {
			ahead = retentionAhead
			n, err = s.DeleteOld(ctx, now.Add(-ages.Webhooks), slice)
		}
		if err == nil && n < slice && ages.Audit > 0 {
			entries, err = s.DeleteOldAudit(ctx, now.Add(-ages.Audit), slice)
		}
		took := time.Since(began)
		if err != nil && ctx.Err() == nil {
			log.Error("retention.failed", "error", err)
		}
		deleted, acts = deleted+n, acts+entries
		if err == nil && (n == slice || entries == slice) {
			slice = nextSlice(slice, took)
			pause.Reset(retentionPause * max(took, retentionTurn))
			continue
		}
		if deleted+acts > 0 {
			log.Info("retention.deleted", "webhooks", deleted, "audit", acts)
		}
		deleted, acts, now = 0, 0, time.Time{}
		pause.Reset(retentionEvery)
	}
}

// nextSlice is how many rows to delete at once after so many took so long.
func nextSlice(slice int, took time.Duration) int {
	fits := int(float64(slice) * float64(retentionTurn) / float64(max(took, time.Microsecond)))
	// Half the way, so that one slow fsync does not count for much.
	return min(max((slice+fits)/2, leastSlice), mostSlice)
}
