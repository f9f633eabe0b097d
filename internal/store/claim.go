package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// Claim leases at most n pending webhooks that are due by now to holder, oldest
// first, and counts an attempt on each: a row that kills the process cannot
// come back for ever. They hold what working them off needs: id, event id,
// body, receipt, attempts and head.
//
// A webhook whose lease has run out was in work when a process ended, and may
// be what ended it: it is claimed before all others and alone, so that its next
// attempt counts against no other.
func (s *Store) Claim(ctx context.Context, holder string, n int, now time.Time, lease time.Duration) ([]inbox.Webhook, error) {
	var claimed []inbox.Webhook
	err := s.change(ctx, "claim webhooks", func(ctx context.Context, t *tx) (err error) {
		claimed, err = t.claim(ctx, "lease_holder <> ''", 1, holder, now, lease)
		if err == nil && len(claimed) == 0 {
			claimed, err = t.claim(ctx, "lease_holder = ''", n, holder, now, lease)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(claimed, func(a, b inbox.Webhook) int { return cmp.Compare(a.ID, b.ID) })
	return claimed, nil
}

func (t *tx) claim(ctx context.Context, which string, n int, holder string, now time.Time, lease time.Duration) ([]inbox.Webhook, error) {
	var claimed []inbox.Webhook
	err := t.all(ctx, `
		WITH due (id) AS MATERIALIZED (
			SELECT id
			FROM webhooks
			WHERE status = 'pending' AND due_at <= $1 AND `+which+`
			ORDER BY due_at, id
			LIMIT $2`+t.dialect.skipLocked+`)
		UPDATE webhooks
		SET lease_holder = $3, due_at = $4, attempts = attempts + 1
		WHERE id IN (SELECT id FROM due)
		RETURNING id, event_id, received_at, attempts, awb, sr_order_id, order_number, current_status,
			(SELECT body FROM webhook_bodies WHERE webhook_id = webhooks.id)`,
		[]any{micros(now), n, holder, micros(now.Add(lease))}, func(rows *sql.Rows) error {
			w := inbox.Webhook{Status: inbox.Pending}
			var received int64
			err := rows.Scan(&w.ID, &w.EventID, &received, &w.Attempts,
				&w.AWB, &w.SROrderID, &w.OrderNumber, &w.CurrentStatus, &w.Body)
			w.ReceivedAt = fromMicros(received)
			claimed = append(claimed, w)
			return err
		})
	return claimed, err
}

// ReleaseLeases makes what holder has claimed claimable again, at once, and
// says how many rows that were. On SQLite it does so for every holder: there is
// no other process, so all leases are those of a run that has ended. On
// PostgreSQL another holder may be at work; what a dead one has left can be
// claimed when its leases end.
func (s *Store) ReleaseLeases(ctx context.Context, holder string) (int, error) {
	released := 0
	err := s.change(ctx, "release leases", func(ctx context.Context, t *tx) error {
		res, err := t.exec(ctx, `
			UPDATE webhooks
			SET lease_holder = '', due_at = received_at
			WHERE lease_holder <> '' AND (lease_holder = $1 OR $2 = 1) AND status = 'pending'`,
			holder, flag(s.dialect.singleWriter))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		released = int(n)
		return err
	})
	return released, err
}

// NextDue is when the next pending webhook can be claimed: when its next
// attempt is due or, if it is claimed, when its lease runs out. It is zero when
// none is pending.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	var due int64
	err := s.read(ctx, "find the next due webhook", `
		SELECT due_at
		FROM webhooks
		WHERE status = 'pending'
		ORDER BY due_at
		LIMIT 1`, nil, func(rows *sql.Rows) error { return rows.Scan(&due) })
	return fromMicros(due), err
}

// Settle ends a pending webhook without evidence: parked, ignored or processed,
// with its reason. A webhook that is not pending stays as it is.
func (s *Store) Settle(ctx context.Context, id string, now time.Time, status inbox.Status, reason inbox.Reason, result string) error {
	return s.change(ctx, "settle webhook", func(ctx context.Context, t *tx) error {
		_, err := t.finish(ctx, []finished{{id: id, status: status, reason: reason, result: result}}, now)
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
		var day int
		err := t.one(ctx, `
			UPDATE webhooks
			SET status = $1, result = $2, error = $3, due_at = $4, lease_holder = ''
			WHERE id = $5 AND status = 'pending'
			RETURNING day`, []any{string(status), result, cause, due, id}, &day)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
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
			SET status = 'pending', reason = '', result = '', error = '', attempts = 0, due_at = received_at, lease_holder = '', processed_at = 0
			WHERE id`+in+` AND status <> 'pending'`, args...)
		if err != nil {
			return fmt.Errorf("make webhooks pending: %w", err)
		}
		for _, w := range before {
			t.count(w.day, w.status, -1)
			t.count(w.day, inbox.Pending, 1)
		}
		reopened += len(before)
		_, err = t.exec(ctx, `
			DELETE FROM awaited_names
			WHERE webhook_id`+in, args...)
		return err
	})
	return reopened, err
}

// finished is how a pending webhook ends.
type finished struct {
	id      string
	status  inbox.Status
	reason  inbox.Reason
	result  string
	orderID string
}

// finish marks pending webhooks and says how many of them were pending.
func (t *tx) finish(ctx context.Context, all []finished, now time.Time) (int, error) {
	rows := make([]any, 0, 6*len(all))
	status := make(map[string]inbox.Status, len(all))
	for _, f := range all {
		processed := strconv.FormatInt(micros(now), 10)
		if f.status == inbox.Parked {
			processed = "0"
		}
		rows = append(rows, f.id, string(f.status), string(f.reason), text(f.result), f.orderID, processed)
		status[f.id] = f.status
	}
	n := 0
	err := t.insert(ctx, `
		WITH f (id, status, reason, result, order_id, processed_at) AS (`, 6, rows, `)
		UPDATE webhooks
		SET status = f.status, reason = f.reason, result = f.result, order_id = f.order_id,
			processed_at = CAST(f.processed_at AS BIGINT), error = '', due_at = 0, lease_holder = ''
		FROM f
		WHERE webhooks.id = f.id AND webhooks.status = 'pending'
		RETURNING webhooks.id, webhooks.day`, func(rows *sql.Rows) error {
		var (
			id  string
			day int
		)
		if err := rows.Scan(&id, &day); err != nil {
			return err
		}
		n++
		t.count(day, inbox.Pending, -1)
		t.count(day, status[id], 1)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("mark webhooks: %w", err)
	}
	return n, nil
}

func anys[T any](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// decodeHeaders reads what keep has written.
func decodeHeaders(s string) (map[string]string, error) {
	headers := map[string]string{}
	if s == "" {
		return headers, nil
	}
	if err := json.Unmarshal([]byte(s), &headers); err != nil {
		return nil, fmt.Errorf("decode headers: %w", err)
	}
	return headers, nil
}
