package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/inbox"
)

// keysLive is how many days after its event the key of an event is kept: much
// longer than the webhook, so that a repeat is known even when the first one is
// long deleted.
const keysLive = 400

// retentionClock is the name that retention's clock is kept under.
const retentionClock = "retention_clock"

// RetentionTime is the time that retention is to go by: now, but no more than
// ahead later than at the last call, whatever the machine's clock says. A clock
// that jumps far forward would have all deleted at once that is finished; so it
// costs a little, and there is time to set it right.
func (s *Store) RetentionTime(ctx context.Context, now time.Time, ahead time.Duration) (time.Time, error) {
	at := cutTime(now)
	err := s.change(ctx, "read retention's clock", func(ctx context.Context, t *tx) error {
		at = cutTime(now)
		var kept string
		err := t.one(ctx, `
			SELECT value
			FROM meta
			WHERE key = $1`+t.dialect.forUpdate, []any{retentionClock}, &kept)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if last, err := time.Parse(time.RFC3339Nano, kept); err == nil && at.After(last.Add(ahead)) {
			at = last.Add(ahead)
		}
		return t.setMeta(ctx, retentionClock, at.UTC().Format(time.RFC3339Nano))
	})
	return at, err
}

// DeleteOld deletes at most slice webhooks received before a time, with their
// bodies, and at most as many event keys that no repeat will need any more. It
// returns how many webhooks it deleted: fewer than slice when none is left.
// Webhooks that are pending, parked, rejected or failed stay, whatever their
// age, unless they were dismissed; on PostgreSQL the bodies of a day go at once, when nothing of it is left
// to delete.
func (s *Store) DeleteOld(ctx context.Context, before time.Time, slice int) (int, error) {
	deleted := 0
	err := s.change(ctx, "delete old webhooks", func(ctx context.Context, t *tx) error {
		ids, err := t.deleteWebhooks(ctx, finishedBefore, before, slice)
		if err != nil {
			return err
		}
		dismissed, err := t.deleteWebhooks(ctx, dismissedBefore, before, slice-len(ids))
		if err != nil {
			return err
		}
		ids = append(ids, dismissed...)
		deleted = len(ids)
		for _, part := range []string{t.dialect.looseBodies, "webhook_tries", "awaited_names"} {
			err := among(t.dialect, ids, func(ids []string) error {
				in, args := oneOf(t.dialect, 1, ids)
				_, err := t.exec(ctx, `DELETE FROM `+part+` WHERE webhook_id`+in, args...)
				return err
			})
			if err != nil {
				return fmt.Errorf("delete %s: %w", part, err)
			}
		}
		oldest := before.AddDate(0, 0, -keysLive)
		_, err = t.exec(ctx, `
			DELETE FROM event_keys
			WHERE key IN (
				SELECT key
				FROM event_keys
				WHERE key < $1
				ORDER BY key
				LIMIT $2)`, minuteOf(oldest), slice)
		if err != nil {
			return fmt.Errorf("delete event keys: %w", err)
		}
		if _, err := t.exec(ctx, `DELETE FROM webhook_counts WHERE n = 0 AND day < $1`, dayOf(before)); err != nil {
			return fmt.Errorf("delete counts of empty days: %w", err)
		}
		return nil
	})
	if err == nil && deleted < slice && s.days != nil {
		err = s.coded("drop old days", s.dropDays(ctx, before, slice))
	}
	return deleted, err
}

// dropDays drops the bodies of whole days, and their counts. It does not wait
// for others; what it cannot do now, the next call does.
func (s *Store) dropDays(ctx context.Context, before time.Time, most int) error {
	dropped, err := s.days.dropBefore(ctx, before, most)
	if dropped > 0 {
		s.log.Info("store.days_dropped", "days", dropped)
	}
	if err == nil {
		err = s.days.forgetCounts(ctx, before)
	}
	if s.kindOf(err) == contended || s.kindOf(err) == unavailable && s.Ping(ctx) == nil {
		s.log.Debug("store.days_busy", "error", err)
		return nil
	}
	return err
}

// What may be deleted of the webhooks before $1.
const (
	finishedBefore  = `id < $1 AND status IN ('processed', 'duplicate', 'ignored')`
	dismissedBefore = `id < $1 AND dismissed_at <> 0 AND dismissed_at = processed_at AND status IN ('failed', 'parked', 'rejected')`
)

func (t *tx) deleteWebhooks(ctx context.Context, which string, before time.Time, slice int) ([]string, error) {
	var ids []string
	err := t.all(ctx, `
		DELETE FROM webhooks
		WHERE id IN (
			SELECT id
			FROM webhooks
			WHERE `+which+`
			ORDER BY id
			LIMIT $2)
		RETURNING id, day, status`, []any{idAt(before), slice}, func(rows *sql.Rows) error {
		var (
			id     string
			day    int
			status inbox.Status
		)
		err := rows.Scan(&id, &day, &status)
		ids = append(ids, id)
		t.count(day, status, -1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("delete webhooks: %w", err)
	}
	return ids, nil
}

// idAt is less than the id of every webhook received at t or later, and greater
// than those of all received before, to the millisecond.
func idAt(t time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(min(uint64(max(t.UnixMilli(), 0)), ulid.MaxTime())) //nolint:gosec // not negative; SetTime refuses only what min has cut
	return id.String()
}
