package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/webazaar/waybill/internal/inbox"
)

// Retry makes a webhook pending again, due at once, with its attempts counted
// anew: one that has failed, is parked or was rejected, and with force one that
// was processed. Errors: NotFound; Invalid for all others, and for one whose
// body was erased.
func (s *Store) Retry(ctx context.Context, id string, force bool) error {
	return s.change(ctx, "retry webhook", func(ctx context.Context, t *tx) error {
		var (
			status inbox.Status
			gone   bool
		)
		err := t.one(ctx, `
			SELECT w.status, b.body IS NULL
			FROM webhooks w LEFT JOIN webhook_bodies b ON b.webhook_id = w.id
			WHERE w.id = $1`, []any{id}, &status, &gone)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return notFound("webhook")
		case err != nil:
			return err
		}
		switch status {
		case inbox.Failed, inbox.Parked, inbox.Rejected:
		case inbox.Processed:
			if !force {
				return invalid("Webhook already processed")
			}
		default:
			return invalid("a webhook that is " + string(status) + " cannot be retried")
		}
		if gone {
			return invalid("its body was erased")
		}
		_, err = t.reopen(ctx, []string{id})
		t.after = append(t.after, s.backlog.stir)
		return err
	})
}

// reopen makes webhooks pending again, due at once, and says how many were not.
func (t *tx) reopen(ctx context.Context, ids []string) (int, error) {
	reopened := 0
	err := among(t.dialect, ids, func(ids []string) error {
		type was struct {
			day    int
			status inbox.Status
		}
		var before []was
		in, args := oneOf(t.dialect, 1, ids)
		err := t.all(ctx, `
			SELECT day, status
			FROM webhooks
			WHERE id`+in+` AND status <> 'pending'`+t.dialect.forUpdate, args,
			func(rows *sql.Rows) error {
				var w was
				err := rows.Scan(&w.day, &w.status)
				before = append(before, w)
				return err
			})
		if err != nil {
			return fmt.Errorf("read webhooks: %w", err)
		}
		_, err = t.exec(ctx, `
			UPDATE webhooks
			SET status = 'pending', reason = '', result = '', error = '', attempts = 0, due_at = 0, processed_at = 0
			WHERE id`+in+` AND status <> 'pending'`, args...)
		if err != nil {
			return fmt.Errorf("make webhooks pending: %w", err)
		}
		_, err = t.exec(ctx, `
			INSERT INTO pending (webhook_id, due_at, attempts, holder)
			SELECT id, received_at, 0, ''
			FROM webhooks
			WHERE id`+in+` AND status = 'pending'
			ON CONFLICT DO NOTHING`, args...)
		if err != nil {
			return fmt.Errorf("put webhooks back to work: %w", err)
		}
		for _, w := range before {
			t.count(w.day, w.status, -1)
			t.count(w.day, inbox.Pending, 1)
		}
		reopened += len(before)
		t.reopened = t.reopened || len(before) > 0
		_, err = t.exec(ctx, `
			DELETE FROM awaited_names
			WHERE webhook_id`+in, args...)
		return err
	})
	return reopened, err
}
