package store

import (
	"github.com/webazaar/waybill/internal/inbox"
)

const (
	webhookColumns = `id, day, event_id, received_at, peer, auth, flags, body_sha256, status, reason, result, error,
		attempts, due_at, lease_holder, processed_at, awb, sr_order_id, order_number, current_status, order_id, duplicate_of`
	webhookColumnCount = 22
)

// rowOf is a new webhook as the values of webhookColumns.
func rowOf(w *inbox.Webhook) []any {
	due := w.NextAttemptAt
	if due.IsZero() && w.Status == inbox.Pending {
		due = w.ReceivedAt
	}
	return []any{
		w.ID, dayOf(w.ReceivedAt), short(w.EventID), micros(w.ReceivedAt), text(w.Peer), text(w.Auth), text(w.Flags),
		w.BodySHA256[:], string(w.Status), string(w.Reason), text(w.Result), text(w.Error),
		w.Attempts, micros(due), "", micros(w.ProcessedAt),
		short(w.AWB), short(w.SROrderID), short(w.OrderNumber), short(w.CurrentStatus), w.OrderID, w.DuplicateOf,
	}
}
