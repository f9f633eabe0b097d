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
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/inbox"
)

// keptHash is how much of a body's hash event_keys holds.
const keptHash = 16

// A keeper writes one group of webhooks.
type keeper struct {
	*tx
	store *Store
	fresh map[string]bool // originals of this very group: their rows come at its end
}

// keep writes a group of webhooks and fills in their answers.
func (k *keeper) keep(ctx context.Context, group []*entry) error {
	webhooks := make([]inbox.Webhook, len(group))
	for i, e := range group {
		w := &webhooks[i]
		*w = e.webhook
		id, err := ulid.New(ulid.Timestamp(w.ReceivedAt), k.store.ids)
		if err != nil {
			return fmt.Errorf("make an id: %w", err)
		}
		w.ID = id.String()
		e.answer = inbox.Appended{EventID: w.EventID, Status: w.Status}
	}
	if err := k.place(ctx, webhooks, group); err != nil {
		return err
	}
	rows, bodies := make([]any, 0, len(group)*webhookColumnCount), make([]any, 0, len(group)*3)
	for i := range webhooks {
		w := &webhooks[i]
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
	return k.hold(ctx, webhooks)
}

// hold puts webhooks among those to be worked off. This process keeps as many
// in memory as there is room for, and works them off itself; the others are
// anybody's.
func (k *keeper) hold(ctx context.Context, webhooks []inbox.Webhook) error {
	var work []inbox.Webhook
	var sizes []int
	for i := range webhooks {
		if w := &webhooks[i]; w.Status == inbox.Pending {
			w.Attempts = 1
			work, sizes = append(work, *w), append(sizes, len(w.Body))
		}
	}
	if len(work) == 0 {
		return nil
	}
	held := k.store.backlog.room(sizes)
	rows := make([]any, 0, 4*len(work))
	for i := range work {
		holder := ""
		if i < held {
			holder = k.store.holder
		}
		rows = append(rows, work[i].ID, micros(work[i].ReceivedAt), 0, holder)
	}
	if err := k.store.enroll(ctx, k.tx); err != nil {
		return err
	}
	if err := k.insert(ctx, `INSERT INTO pending (webhook_id, due_at, attempts, holder)`, 4, rows, ``, nil); err != nil {
		return fmt.Errorf("put webhooks to work: %w", err)
	}
	k.after = append(k.after, func() {
		k.store.backlog.hold(work[:held])
		if held < len(work) {
			k.store.backlog.stir()
		}
	})
	return nil
}

// A claimant is a webhook that wants to be the original of its event.
type claimant struct {
	*inbox.Webhook
	answer *inbox.Appended
	key    []byte
}

// place finds out which pending webhooks are originals. Where an event id is
// taken by another body, the webhook gets an id of its own that grows by part
// of the body's hash, and asks again. If that is taken, too, by a body whose
// hash begins alike, both are kept.
//
// Keys are claimed, and then taken over, in one order always, so that no two
// processes wait for each other.
func (k *keeper) place(ctx context.Context, webhooks []inbox.Webhook, group []*entry) error {
	var asking []claimant
	for i := range webhooks {
		if w := &webhooks[i]; w.Status == inbox.Pending {
			asking = append(asking, claimant{w, &group[i].answer, eventKey(w)})
		}
	}
	for range 2 {
		slices.SortStableFunc(asking, func(a, b claimant) int { return bytes.Compare(a.key, b.key) })
		if err := k.claim(ctx, asking); err != nil {
			return err
		}
		asking = slices.DeleteFunc(asking, func(c claimant) bool { return k.fresh[c.ID] })
		owners, err := k.owners(ctx, asking)
		if err != nil {
			return err
		}
		var again []claimant
		for _, c := range asking {
			of, known := owners[string(c.key)]
			if !known || !of.holds() {
				if of, err = k.takeOver(ctx, c); err != nil {
					return err
				}
			}
			switch {
			case of.id == c.ID:
			case of.hasBody(c.Webhook):
				c.repeat(of)
			default:
				c.EventID += "-" + hex.EncodeToString(c.BodySHA256[:4])
				c.answer.EventID = c.EventID
				c.key = eventKey(c.Webhook)
				again = append(again, c)
			}
		}
		if asking = again; len(asking) == 0 {
			return nil
		}
	}
	return nil
}

// claim makes originals of all whose event nobody knew: nearly all, and all at
// once.
func (k *keeper) claim(ctx context.Context, asking []claimant) error {
	args := make([]any, 0, 3*len(asking))
	for _, c := range asking {
		args = append(args, c.key, c.ID, c.BodySHA256[:keptHash])
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

// owners finds to whom the event ids belong that were known already, by key. A
// webhook deleted by age was processed.
func (k *keeper) owners(ctx context.Context, asking []claimant) (map[string]owner, error) {
	keys := make([][]byte, 0, len(asking))
	for _, c := range asking {
		keys = append(keys, c.key)
	}
	found := make(map[string]owner, len(keys))
	err := among(k.dialect, keys, func(keys [][]byte) error {
		in, args := oneOf(k.dialect, 1, keys)
		return k.all(ctx, `
			SELECT e.key, e.webhook_id, e.body_sha256, w.status
			FROM event_keys e LEFT JOIN webhooks w ON w.id = e.webhook_id
			WHERE e.key`+in, args, func(rows *sql.Rows) error {
			var (
				key    string
				o      owner
				status sql.NullString
			)
			err := rows.Scan(&key, &o.id, &o.hash, &status)
			switch {
			case status.Valid:
				o.status = inbox.Status(status.String)
			case k.fresh[o.id]:
				o.status = inbox.Pending
			default:
				o.status = inbox.Processed
			}
			found[key] = o
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("find originals: %w", err)
	}
	return found, nil
}

// takeOver makes c the original of an event whose owner did not keep it, and
// returns who is the owner now: c or, if that has changed meanwhile, another.
func (k *keeper) takeOver(ctx context.Context, c claimant) (owner, error) {
	var id string
	err := k.one(ctx, `
		SELECT webhook_id
		FROM event_keys
		WHERE key = $1`+k.dialect.forUpdate, []any{c.key}, &id)
	if err != nil {
		return owner{}, fmt.Errorf("lock the event id: %w", err)
	}
	owners, err := k.owners(ctx, []claimant{c})
	if err != nil {
		return owner{}, err
	}
	if of := owners[string(c.key)]; of.holds() {
		return of, nil
	}
	k.fresh[c.ID] = true
	_, err = k.exec(ctx, `
		UPDATE event_keys
		SET webhook_id = $1, body_sha256 = $2
		WHERE key = $3`, c.ID, c.BodySHA256[:keptHash], c.key)
	if err != nil {
		return owner{}, fmt.Errorf("take over the event id: %w", err)
	}
	return owner{id: c.ID}, nil
}

// repeat makes a duplicate of c.
func (c claimant) repeat(of owner) {
	c.answer.EventID, c.answer.Status, c.answer.Duplicate = c.EventID, of.status, true
	c.Status, c.Reason, c.DuplicateOf, c.Body = inbox.Duplicate, inbox.SameEvent, of.id, nil
	c.Result = "already received; the first one is " + string(of.status)
	c.ProcessedAt = c.ReceivedAt
}

// eventKey is the minute of the event itself, then part of its id's hash: keys
// of events that come together lie together.
func eventKey(w *inbox.Webhook) []byte {
	hash := sha256.Sum256([]byte(w.EventID))
	return append(minuteOf(w.EventTime), hash[:12]...)
}

// minuteOf is the minute of a time since 1970, big-endian: what keys of events
// begin with. What is before, or a few thousand years after, is cut.
func minuteOf(t time.Time) []byte {
	minute := min(max(t.Unix()/60, 0), 1<<32-1)
	return binary.BigEndian.AppendUint32(make([]byte, 0, 16), uint32(minute)) //nolint:gosec // in range
}
