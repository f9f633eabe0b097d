package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/inbox"
)

// keptHash is how much of a body's hash event_keys holds.
const keptHash = 16

// A keeper writes one group of webhooks.
type keeper struct {
	*tx
	ids   *ulid.MonotonicEntropy
	fresh map[string]bool // originals of this very group: their rows come at its end
}

// keep writes a group of webhooks and fills in their answers.
func (k *keeper) keep(ctx context.Context, group []*entry) error {
	webhooks := make([]inbox.Webhook, len(group))
	for i, e := range group {
		w := &webhooks[i]
		*w = e.webhook
		id, err := ulid.New(ulid.Timestamp(w.ReceivedAt), k.ids)
		if err != nil {
			return fmt.Errorf("make an id: %w", err)
		}
		w.ID = id.String()
		e.answer = inbox.Appended{EventID: w.EventID, Status: w.Status}
	}
	if err := k.claimEvents(ctx, webhooks); err != nil {
		return err
	}
	rows, bodies := make([]any, 0, len(group)*webhookColumnCount), make([]any, 0, len(group)*3)
	for i := range webhooks {
		w := &webhooks[i]
		if w.Status == inbox.Pending && !k.fresh[w.ID] {
			if err := k.place(ctx, w, &group[i].answer); err != nil {
				return err
			}
		}
		headers := []byte("{}")
		if len(w.Headers) > 0 {
			var err error
			if headers, err = json.Marshal(w.Headers); err != nil {
				return fmt.Errorf("encode headers: %w", err)
			}
		}
		rows = append(rows, rowOf(w)...)
		bodies = append(bodies, w.ID, string(headers), w.Body)
		k.count(dayOf(w.ReceivedAt), w.Status, 1)
	}
	if err := k.insert(ctx, `INSERT INTO webhooks (`+webhookColumns+`)`, webhookColumnCount, rows, ``, nil); err != nil {
		return fmt.Errorf("insert webhooks: %w", err)
	}
	if err := k.insert(ctx, `INSERT INTO webhook_bodies (webhook_id, headers, body)`, 3, bodies, ``, nil); err != nil {
		return fmt.Errorf("insert webhook bodies: %w", err)
	}
	return nil
}

// claimEvents makes originals of all pending webhooks whose event nobody knew:
// nearly all, and all at once. The others are left to place.
func (k *keeper) claimEvents(ctx context.Context, webhooks []inbox.Webhook) error {
	args := make([]any, 0, 3*len(webhooks))
	for i := range webhooks {
		if w := &webhooks[i]; w.Status == inbox.Pending {
			args = append(args, eventKey(w), w.ID, w.BodySHA256[:keptHash])
		}
	}
	err := k.insert(ctx, `INSERT INTO event_keys (key, webhook_id, body_sha256)`, 3, args, `
		ON CONFLICT (key) DO NOTHING
		RETURNING webhook_id`, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		k.fresh[id] = true
		return err
	})
	if err != nil {
		return fmt.Errorf("claim event ids: %w", err)
	}
	return nil
}

// place finds out whether a pending webhook is an original. If the event id is
// taken by another body, the webhook gets an id of its own that grows by part
// of the body's hash.
func (k *keeper) place(ctx context.Context, w *inbox.Webhook, answer *inbox.Appended) error {
	for range 2 {
		original, status, sameBody, err := k.claimEvent(ctx, w)
		switch {
		case err != nil:
			return err
		case original == "":
			answer.EventID = w.EventID
			return nil
		case sameBody:
			answer.EventID, answer.Status, answer.Duplicate = w.EventID, status, true
			w.Status, w.Reason, w.DuplicateOf, w.Body = inbox.Duplicate, inbox.SameEvent, original, nil
			w.Result = "already received; the first one is " + string(status)
			w.ProcessedAt = w.ReceivedAt
			return nil
		}
		w.EventID = w.EventID + "-" + hex.EncodeToString(w.BodySHA256[:4])
	}
	answer.EventID = w.EventID // two bodies whose hashes begin alike: both are kept
	return nil
}

// claimEvent makes w the original of its event, or names the webhook that
// already is: one that is pending, processed or parked. A row deleted by age
// was processed.
func (k *keeper) claimEvent(ctx context.Context, w *inbox.Webhook) (original string, status inbox.Status, sameBody bool, err error) {
	key, hash := eventKey(w), w.BodySHA256[:keptHash]
	res, err := k.exec(ctx, `
		INSERT INTO event_keys (key, webhook_id, body_sha256)
		VALUES ($1, $2, $3)
		ON CONFLICT (key) DO NOTHING`, key, w.ID, hash)
	if err != nil {
		return "", "", false, fmt.Errorf("claim the event id: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		k.fresh[w.ID] = true
		return "", "", false, err
	}
	return k.eventOwner(ctx, w, key, hash)
}

func (k *keeper) eventOwner(ctx context.Context, w *inbox.Webhook, key, hash []byte) (original string, status inbox.Status, sameBody bool, err error) {
	var known []byte
	err = k.one(ctx, `
		SELECT webhook_id, body_sha256
		FROM event_keys
		WHERE key = $1`+k.dialect.forUpdate, []any{key}, &original, &known)
	if err != nil {
		return "", "", false, fmt.Errorf("find the original: %w", err)
	}
	err = k.one(ctx, `
		SELECT status
		FROM webhooks
		WHERE id = $1`, []any{original}, &status)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		status = inbox.Processed
		if k.fresh[original] {
			status = inbox.Pending
		}
	case err != nil:
		return "", "", false, fmt.Errorf("read the original's status: %w", err)
	}
	switch status {
	case inbox.Pending, inbox.Processed, inbox.Parked:
		return original, status, bytes.Equal(known, hash), nil
	}
	k.fresh[w.ID] = true
	_, err = k.exec(ctx, `
		UPDATE event_keys
		SET webhook_id = $1, body_sha256 = $2
		WHERE key = $3`, w.ID, hash, key)
	if err != nil {
		return "", "", false, fmt.Errorf("take over the event id: %w", err)
	}
	return "", "", false, nil
}

// eventKey is the day of the event itself, then part of its id's hash.
func eventKey(w *inbox.Webhook) []byte {
	key := binary.BigEndian.AppendUint16(make([]byte, 0, 16), uint16(min(max(w.EventDay, 0), 1<<16-1))) //nolint:gosec // in range
	hash := sha256.Sum256([]byte(w.EventID))
	return append(key, hash[:14]...)
}
