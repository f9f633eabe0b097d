package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

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
	owners, err := k.owners(ctx, webhooks)
	if err != nil {
		return err
	}
	rows, bodies := make([]any, 0, len(group)*webhookColumnCount), make([]any, 0, len(group)*3)
	for i := range webhooks {
		w := &webhooks[i]
		if w.Status == inbox.Pending && !k.fresh[w.ID] {
			if o, known := owners[string(eventKey(w))]; known && o.holds() && o.hasBody(w) {
				repeat(w, o, &group[i].answer)
			} else if err := k.place(ctx, w, &group[i].answer); err != nil {
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
	type claim struct {
		key []byte
		w   *inbox.Webhook
	}
	claims := make([]claim, 0, len(webhooks))
	for i := range webhooks {
		if w := &webhooks[i]; w.Status == inbox.Pending {
			claims = append(claims, claim{eventKey(w), w})
		}
	}
	// In one order always, so that two processes do not wait for each other.
	slices.SortStableFunc(claims, func(a, b claim) int { return bytes.Compare(a.key, b.key) })
	args := make([]any, 0, 3*len(claims))
	for _, c := range claims {
		args = append(args, c.key, c.w.ID, c.w.BodySHA256[:keptHash])
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

// An owner is the webhook that an event id belongs to.
type owner struct {
	id     string
	status inbox.Status
	hash   []byte // of its body
}

// holds reports whether the owner keeps its event id: when it is pending,
// processed or parked.
func (o owner) holds() bool {
	return o.status == inbox.Pending || o.status == inbox.Processed || o.status == inbox.Parked
}

func (o owner) hasBody(w *inbox.Webhook) bool { return bytes.Equal(o.hash, w.BodySHA256[:keptHash]) }

const ownersOf = `
	SELECT e.key, e.webhook_id, e.body_sha256, w.status
	FROM event_keys e LEFT JOIN webhooks w ON w.id = e.webhook_id
	WHERE e.key`

// owners finds the owners of the event ids that were known already, by key.
func (k *keeper) owners(ctx context.Context, webhooks []inbox.Webhook) (map[string]owner, error) {
	var keys [][]byte
	for i := range webhooks {
		if w := &webhooks[i]; w.Status == inbox.Pending && !k.fresh[w.ID] {
			keys = append(keys, eventKey(w))
		}
	}
	found := map[string]owner{}
	err := among(k.dialect, keys, func(keys [][]byte) error {
		in, args := oneOf(k.dialect, 1, keys)
		return k.all(ctx, ownersOf+in, args, func(rows *sql.Rows) error {
			key, o, err := k.scanOwner(rows)
			found[key] = o
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("find originals: %w", err)
	}
	return found, nil
}

// scanOwner reads a row of ownersOf. A webhook deleted by age was processed.
func (k *keeper) scanOwner(rows *sql.Rows) (key string, o owner, err error) {
	var status sql.NullString
	err = rows.Scan(&key, &o.id, &o.hash, &status)
	switch {
	case status.Valid:
		o.status = inbox.Status(status.String)
	case k.fresh[o.id]:
		o.status = inbox.Pending
	default:
		o.status = inbox.Processed
	}
	return key, o, err
}

// repeat makes a duplicate of w.
func repeat(w *inbox.Webhook, of owner, answer *inbox.Appended) {
	answer.EventID, answer.Status, answer.Duplicate = w.EventID, of.status, true
	w.Status, w.Reason, w.DuplicateOf, w.Body = inbox.Duplicate, inbox.SameEvent, of.id, nil
	w.Result = "already received; the first one is " + string(of.status)
	w.ProcessedAt = w.ReceivedAt
}

// place finds out whether a pending webhook is an original. If the event id is
// taken by another body, the webhook gets an id of its own that grows by part
// of the body's hash.
func (k *keeper) place(ctx context.Context, w *inbox.Webhook, answer *inbox.Appended) error {
	for range 2 {
		of, taken, err := k.claimEvent(ctx, w)
		switch {
		case err != nil:
			return err
		case !taken:
			answer.EventID = w.EventID
			return nil
		case of.hasBody(w):
			repeat(w, of, answer)
			return nil
		}
		w.EventID = w.EventID + "-" + hex.EncodeToString(w.BodySHA256[:4])
	}
	answer.EventID = w.EventID // two bodies whose hashes begin alike: both are kept
	return nil
}

// claimEvent makes w the original of its event, or names the owner that keeps
// it.
func (k *keeper) claimEvent(ctx context.Context, w *inbox.Webhook) (of owner, taken bool, err error) {
	key, hash := eventKey(w), w.BodySHA256[:keptHash]
	res, err := k.exec(ctx, `
		INSERT INTO event_keys (key, webhook_id, body_sha256)
		VALUES ($1, $2, $3)
		ON CONFLICT (key) DO NOTHING`, key, w.ID, hash)
	if err != nil {
		return of, false, fmt.Errorf("claim the event id: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		k.fresh[w.ID] = true
		return of, false, err
	}
	// Locked first: the owner may be about to change.
	var known string
	err = k.one(ctx, `
		SELECT webhook_id
		FROM event_keys
		WHERE key = $1`+k.dialect.forUpdate, []any{key}, &known)
	if err != nil {
		return of, false, fmt.Errorf("lock the event id: %w", err)
	}
	err = k.all(ctx, ownersOf+` = $1`, []any{key}, func(rows *sql.Rows) (err error) {
		_, of, err = k.scanOwner(rows)
		return err
	})
	if err != nil {
		return of, false, fmt.Errorf("find the original: %w", err)
	}
	if of.holds() {
		return of, true, nil
	}
	k.fresh[w.ID] = true
	_, err = k.exec(ctx, `
		UPDATE event_keys
		SET webhook_id = $1, body_sha256 = $2
		WHERE key = $3`, w.ID, hash, key)
	if err != nil {
		return of, false, fmt.Errorf("take over the event id: %w", err)
	}
	return of, false, nil
}

// eventKey is the day of the event itself, then part of its id's hash.
func eventKey(w *inbox.Webhook) []byte {
	key := binary.BigEndian.AppendUint16(make([]byte, 0, 16), uint16(min(max(w.EventDay, 0), 1<<16-1))) //nolint:gosec // in range
	hash := sha256.Sum256([]byte(w.EventID))
	return append(key, hash[:14]...)
}
