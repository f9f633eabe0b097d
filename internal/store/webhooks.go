package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

const (
	webhookColumns = `id, day, event_id, received_at, peer, auth, flags, body_sha256, status, reason, result, error,
		attempts, due_at, processed_at, awb, sr_order_id, order_number, current_status, order_id, duplicate_of`
	webhookColumnCount = 21

	// shownColumns are those of the log: what came, and what was said about it
	// later.
	shownColumns = webhookColumns + `, dismissed_at, dismissed_note`
)

// rowOf is a new webhook as the values of webhookColumns.
func rowOf(w *inbox.Webhook) []any {
	return []any{
		w.ID, dayOf(w.ReceivedAt), short(w.EventID), micros(w.ReceivedAt), text(w.Peer), text(w.Auth), text(w.Flags),
		w.BodySHA256[:], string(w.Status), string(w.Reason), text(w.Result), text(w.Error),
		w.Attempts, micros(w.NextAttemptAt), micros(w.ProcessedAt),
		short(w.AWB), short(w.SROrderID), short(w.OrderNumber), short(w.CurrentStatus), w.OrderID, w.DuplicateOf,
	}
}

// scanWebhook reads shownColumns, and into what follows them.
func scanWebhook(rows *sql.Rows, into ...any) (inbox.Webhook, error) {
	var (
		w                                   inbox.Webhook
		day                                 int
		hash                                []byte
		received, due, processed, dismissed int64
	)
	err := rows.Scan(append([]any{
		&w.ID, &day, &w.EventID, &received, &w.Peer, &w.Auth, &w.Flags, &hash, &w.Status, &w.Reason, &w.Result, &w.Error,
		&w.Attempts, &due, &processed, &w.AWB, &w.SROrderID, &w.OrderNumber, &w.CurrentStatus, &w.OrderID, &w.DuplicateOf,
		&dismissed, &w.DismissedNote,
	}, into...)...)
	w.ReceivedAt, w.ProcessedAt, w.DismissedAt = fromMicros(received), fromMicros(processed), fromMicros(dismissed)
	if isDismissed(&w) {
		w.ProcessedAt = time.Time{} // it marks the dismissal
	} else {
		w.DismissedAt, w.DismissedNote = time.Time{}, ""
	}
	w.NextAttemptAt = fromMicros(due)
	copy(w.BodySHA256[:], hash)
	return w, err
}

// Webhook is one row of the log with its body, headers and failed tries.
// NotFound if there is none.
func (s *Store) Webhook(ctx context.Context, id string) (inbox.Webhook, error) {
	var w inbox.Webhook
	err := s.view(ctx, "read webhook", func(ctx context.Context, t *tx) error {
		found := false
		var headers sql.NullString
		err := t.all(ctx, `
			SELECT `+shownColumns+`, headers, body
			FROM webhooks LEFT JOIN webhook_bodies ON webhook_id = id
			WHERE id = $1`, []any{id}, func(rows *sql.Rows) (err error) {
			var body []byte
			found = true
			w, err = scanWebhook(rows, &headers, &body)
			w.Body = body
			return err
		})
		switch {
		case err != nil:
			return err
		case !found:
			return notFound("webhook")
		}
		if w.Headers, err = decodeHeaders(headers.String); err != nil {
			return err
		}
		return t.all(ctx, `
			SELECT at, error
			FROM webhook_tries
			WHERE webhook_id = $1
			ORDER BY at`, []any{id}, func(rows *sql.Rows) error {
			var (
				at  int64
				try inbox.Try
			)
			err := rows.Scan(&at, &try.Error)
			try.At = fromMicros(at)
			w.Tries = append(w.Tries, try)
			return err
		})
	})
	return w, err
}

// Depth is how many webhooks have each status; those that none has are missing.
func (s *Store) Depth(ctx context.Context) (map[inbox.Status]int, error) {
	depth := map[inbox.Status]int{}
	err := s.read(ctx, "count webhooks", `
		SELECT status, SUM(n)
		FROM webhook_counts
		GROUP BY status`, nil, func(rows *sql.Rows) error {
		var (
			status inbox.Status
			n      int
		)
		err := rows.Scan(&status, &n)
		if n != 0 {
			depth[status] = n
		}
		return err
	})
	return depth, err
}

// OldestPending is when the oldest webhook that is still pending was received;
// zero when there is none.
func (s *Store) OldestPending(ctx context.Context) (time.Time, error) {
	var received int64
	err := s.read(ctx, "find the oldest pending webhook", `
		SELECT received_at
		FROM webhooks
		WHERE id = (SELECT MIN(webhook_id) FROM pending)`, nil, func(rows *sql.Rows) error { return rows.Scan(&received) })
	return fromMicros(received), err
}

// LastReceivedAt is when the newest webhook was received; zero when there is
// none.
func (s *Store) LastReceivedAt(ctx context.Context) (time.Time, error) {
	var received int64
	err := s.read(ctx, "find the newest webhook", `
		SELECT received_at
		FROM webhooks
		ORDER BY id DESC
		LIMIT 1`, nil, func(rows *sql.Rows) error { return rows.Scan(&received) })
	return fromMicros(received), err
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
