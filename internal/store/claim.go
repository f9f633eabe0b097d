package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// Claim gives out at most n pending webhooks that are due by now, and says in
// the database that this process works on them: should it die, those have had
// an attempt. Mostly they are what Append has just committed; what is in no
// process's memory is claimed from the table. They hold what working them off
// needs: id, event id, body, receipt, head, and which attempt this is.
//
// A webhook that was tried before comes alone, so that its next attempt counts
// against no other, and by turns with the rest.
func (s *Store) Claim(ctx context.Context, n int, now time.Time) ([]inbox.Webhook, error) {
	s.claiming.Lock()
	defer s.claiming.Unlock()
	const tried, fresh, held, sources = 0, 1, 2, 3
	due, stirs := s.backlog.look(now)
	sawFresh, sawTried := false, false
	var claimed []inbox.Webhook
	for range sources {
		source := s.backlog.turn
		s.backlog.turn = (source + 1) % sources
		var err error
		switch {
		case source == held:
			claimed = s.backlog.take(n)
		case !due:
			continue
		case source == tried:
			sawTried = true
			claimed, err = s.claimFrom(ctx, `attempts > 0`, 1, now)
		case source == fresh:
			sawFresh = true
			claimed, err = s.claimFrom(ctx, `attempts = 0`, n, now)
		}
		if err != nil {
			return nil, s.coded("claim webhooks", err)
		}
		if len(claimed) > 0 {
			break
		}
	}
	if sawFresh && sawTried && len(claimed) == 0 {
		next, err := s.nextInTable(ctx)
		if err != nil {
			return nil, err
		}
		s.backlog.sawNothing(stirs, now, next)
	}
	if len(claimed) == 0 {
		return nil, nil
	}
	if err := s.mark(ctx); err != nil {
		s.backlog.giveBack(idsOf(claimed))
		return nil, s.coded("say what is worked on", err)
	}
	return claimed, nil
}

func idsOf(webhooks []inbox.Webhook) []string {
	ids := make([]string, len(webhooks))
	for i := range webhooks {
		ids[i] = webhooks[i].ID
	}
	return ids
}

// claimFrom claims rows of the table that no process holds.
func (s *Store) claimFrom(ctx context.Context, which string, n int, now time.Time) ([]inbox.Webhook, error) {
	var claimed []inbox.Webhook
	err := s.transact(ctx, ordinary, func(ctx context.Context, t *tx) error {
		claimed = nil
		attempts := map[string]int{}
		err := t.all(ctx, `
			WITH due (id) AS MATERIALIZED (
				SELECT webhook_id
				FROM pending
				WHERE holder = '' AND due_at <= $1 AND `+which+`
				ORDER BY due_at, webhook_id
				LIMIT $2`+t.dialect.skipLocked+`)
			UPDATE pending
			SET holder = $3
			WHERE webhook_id IN (SELECT id FROM due)
			RETURNING webhook_id, attempts`, []any{micros(now), n, s.holder}, func(rows *sql.Rows) error {
			var (
				id string
				n  int
			)
			err := rows.Scan(&id, &n)
			attempts[id] = n
			return err
		})
		if err != nil || len(attempts) == 0 {
			return err
		}
		if err := s.enroll(ctx, t); err != nil {
			return err
		}
		claimed, err = t.toWork(ctx, attempts)
		t.after = append(t.after, func() { s.backlog.begin(claimed) })
		return err
	})
	return claimed, err
}

// toWork reads what working webhooks off needs, given how often each was tried.
func (t *tx) toWork(ctx context.Context, attempts map[string]int) ([]inbox.Webhook, error) {
	var all []inbox.Webhook
	err := among(t.dialect, slices.Sorted(maps.Keys(attempts)), func(ids []string) error {
		in, args := oneOf(t.dialect, 1, ids)
		return t.all(ctx, `
			SELECT id, event_id, received_at, awb, sr_order_id, order_number, current_status, body
			FROM webhooks LEFT JOIN webhook_bodies ON webhook_id = id
			WHERE id`+in+`
			ORDER BY id`, args, func(rows *sql.Rows) error {
			w := inbox.Webhook{Status: inbox.Pending}
			var received int64
			err := rows.Scan(&w.ID, &w.EventID, &received, &w.AWB, &w.SROrderID, &w.OrderNumber, &w.CurrentStatus, &w.Body)
			w.ReceivedAt, w.Attempts = fromMicros(received), attempts[w.ID]+1
			all = append(all, w)
			return err
		})
	})
	return all, err
}

// Return takes claimed webhooks back that could not be worked off for want of
// the database: they can be claimed again at once, and that was no attempt.
func (s *Store) Return(ids []string) { s.backlog.giveBack(ids) }

// NextDue is when Claim may have something to give out: as far as this process
// knows, and a few seconds from now at the latest. It is zero when it may have
// something now.
func (s *Store) NextDue() time.Time { return s.backlog.next() }

// nextInTable is when the next row that no process holds is due; zero when
// there is none.
func (s *Store) nextInTable(ctx context.Context) (time.Time, error) {
	var due int64
	err := s.read(ctx, "find the next due webhook", `
		SELECT COALESCE(MIN(due_at), 0)
		FROM (
			SELECT MIN(due_at) AS due_at
			FROM pending
			WHERE holder = '' AND attempts = 0
			UNION ALL
			SELECT MIN(due_at) AS due_at
			FROM pending
			WHERE holder = '' AND attempts > 0) next`, nil, func(rows *sql.Rows) error { return rows.Scan(&due) })
	return fromMicros(due), err
}

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
