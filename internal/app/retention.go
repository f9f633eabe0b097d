package app

import (
	"context"
	"time"
)

// Retention deletes in small slices with pauses between them, so that intake
// does not notice.
const (
	retentionSlice = 500
	retentionPause = 100 * time.Millisecond
	retentionEvery = 10 * time.Minute
)

// retain deletes webhooks past their age until ctx is done.
func (a *App) retain(ctx context.Context) error {
	pause := time.NewTimer(retentionEvery)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		deleted, err := a.store.DeleteOld(ctx, time.Now().Add(-a.cfg.Retention()), retentionSlice)
		if err != nil && ctx.Err() == nil {
			a.log.Error("retention.failed", "error", err)
		}
		if deleted > 0 {
			a.log.Info("retention.deleted", "webhooks", deleted)
		}
		next := retentionEvery
		if deleted >= retentionSlice {
			next = retentionPause
		}
		pause.Reset(next)
	}
}
