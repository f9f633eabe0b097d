package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

// unresolved is the condition of the index of the same name: a webhook that
// needs someone.
const unresolved = `status IN ('failed', 'parked', 'rejected') AND (dismissed_at = 0 OR dismissed_at <> processed_at)`

// Dismiss says that a failed, parked or rejected webhook needs nobody any more,
// with a note of why: no alarm counts it, and it may be deleted when it is old.
// It keeps its status. Whatever puts it back to work ends the dismissal. To
// dismiss it again changes the note. Errors: NotFound; Invalid for a webhook of
// another status.
func (s *Store) Dismiss(ctx context.Context, id string, now time.Time, note string) error {
	now = cutTime(now)
	return s.change(ctx, "dismiss webhook", func(ctx context.Context, t *tx) error {
		var status inbox.Status
		err := t.one(ctx, `
			SELECT status
			FROM webhooks
			WHERE id = $1`+t.dialect.forUpdate, []any{id}, &status)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return notFound("webhook")
		case err != nil:
			return err
		}
		switch status {
		case inbox.Failed, inbox.Parked, inbox.Rejected:
		default:
			return &tracking.Error{Code: tracking.Invalid, Message: "a webhook that is " + string(status) +
				" needs nobody; what is failed, parked or rejected can be dismissed"}
		}
		_, err = t.exec(ctx, `
			UPDATE webhooks
			SET dismissed_at = $1, processed_at = $2, dismissed_note = $3
			WHERE id = $4`, micros(now), micros(now), text(note), id)
		return err
	})
}

// isDismissed reports whether a row as it is kept is dismissed.
func isDismissed(w *inbox.Webhook) bool {
	switch w.Status {
	case inbox.Failed, inbox.Parked, inbox.Rejected:
		return !w.DismissedAt.IsZero() && w.DismissedAt.Equal(w.ProcessedAt)
	}
	return false
}
