package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// Settle ends a pending webhook without evidence: parked, ignored or processed,
// with its reason. A webhook that is not pending stays as it is.
func (s *Store) Settle(ctx context.Context, id string, now time.Time, status inbox.Status, reason inbox.Reason, result string) error {
	return s.change(ctx, "settle webhook", func(ctx context.Context, t *tx) error {
		_, err := t.finish(ctx, []finished{{id: id, status: status, reason: reason, result: result}}, now)
		t.after = append(t.after, func() { s.backlog.end([]string{id}) })
		return err
	})
}

// Fail records a try that failed. The webhook is due again at next or, with
// giveUp, failed for good. One that is not pending stays as it is.
func (s *Store) Fail(ctx context.Context, id string, now time.Time, cause string, next time.Time, giveUp bool) error {
	return s.change(ctx, "record a failed try", func(ctx context.Context, t *tx) error {
		status, due, result := inbox.Pending, micros(next), "a try failed; the next one is due"
		if giveUp {
			status, due, result = inbox.Failed, 0, "gave up after its last try"
		}
		cause := text(cause)
		attempts, err := t.endTry(ctx, id, next, giveUp)
		t.after = append(t.after, func() {
			s.backlog.end([]string{id})
			s.backlog.stir()
		})
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		var day int
		err = t.one(ctx, `
			UPDATE webhooks
			SET status = $1, result = $2, error = $3, due_at = $4, attempts = $5
			WHERE id = $6 AND status = 'pending'
			RETURNING day`, []any{string(status), result, cause, due, attempts, id}, &day)
		if err != nil {
			return err
		}
		t.count(day, inbox.Pending, -1)
		t.count(day, status, 1)
		_, err = t.exec(ctx, `
			INSERT INTO webhook_tries (webhook_id, at, error)
			VALUES ($1, $2, $3)`, id, micros(now), cause)
		return err
	})
}

// endTry counts a try that failed, lets the row go for the next one or for
// good, and says how many tries that were.
func (t *tx) endTry(ctx context.Context, id string, next time.Time, giveUp bool) (attempts int, err error) {
	if giveUp {
		err = t.one(ctx, `
			DELETE FROM pending
			WHERE webhook_id = $1
			RETURNING attempts + 1`, []any{id}, &attempts)
		return attempts, err
	}
	err = t.one(ctx, `
		UPDATE pending
		SET due_at = $1, attempts = attempts + 1, holder = ''
		WHERE webhook_id = $2
		RETURNING attempts`, []any{micros(next), id}, &attempts)
	return attempts, err
}

// finished is how a pending webhook ends.
type finished struct {
	id      string
	status  inbox.Status
	reason  inbox.Reason
	result  string
	orderID string
}

// finish marks pending webhooks, takes them out of what is to be worked off, and
// says how many of them were pending.
func (t *tx) finish(ctx context.Context, all []finished, now time.Time) (int, error) {
	if len(all) == 0 {
		return 0, nil
	}
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].id
	}
	attempts := make(map[string]int, len(all))
	err := among(t.dialect, ids, func(ids []string) error {
		in, args := oneOf(t.dialect, 1, ids)
		return t.all(ctx, `
			DELETE FROM pending
			WHERE webhook_id`+in+`
			RETURNING webhook_id, attempts`, args, func(rows *sql.Rows) error {
			var (
				id    string
				tried int
			)
			err := rows.Scan(&id, &tried)
			attempts[id] = tried + 1
			return err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("take webhooks out of work: %w", err)
	}
	rows := make([]any, 0, 7*len(all))
	status := make(map[string]inbox.Status, len(all))
	for _, f := range all {
		tries, pending := attempts[f.id]
		if !pending {
			continue
		}
		processed := micros(now)
		if f.status == inbox.Parked {
			processed = 0
		}
		rows = append(rows, f.id, string(f.status), string(f.reason), text(f.result), f.orderID,
			strconv.FormatInt(processed, 10), strconv.Itoa(tries))
		status[f.id] = f.status
	}
	err = t.insert(ctx, `
		WITH f (id, status, reason, result, order_id, processed_at, attempts) AS (`, 7, rows, `)
		UPDATE webhooks
		SET status = f.status, reason = f.reason, result = f.result, order_id = f.order_id,
			processed_at = CAST(f.processed_at AS BIGINT), attempts = CAST(f.attempts AS INTEGER), error = '', due_at = 0
		FROM f
		WHERE webhooks.id = f.id
		RETURNING webhooks.id, webhooks.day`, func(rows *sql.Rows) error {
		var (
			id  string
			day int
		)
		err := rows.Scan(&id, &day)
		t.count(day, inbox.Pending, -1)
		t.count(day, status[id], 1)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("mark webhooks: %w", err)
	}
	return len(attempts), nil
}
