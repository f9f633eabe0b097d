package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/inbox"
)

// A Replay is a job that puts webhooks back to work, oldest first.
type Replay struct {
	ID     string
	State  inbox.ReplayState
	Filter Filter
	Rate   int // webhooks a second, at most

	Matched      int // how many the filter chose when the job was made
	MatchedExact bool
	Done         int // were put back to work
	Skipped      int // had nothing to be worked off, or were pending
	FailedSince  int // failed after the job had begun, of those it has come to; counted up to a bound
	Held         bool

	CreatedAt, StartedAt, EndedAt time.Time
	CreatedBy                     string
}

// replaysKept is for how long jobs that have ended can be looked at.
const replaysKept = 90 * 24 * time.Hour

// CreateReplay makes a job of all that r's filter chooses now; what comes later
// is not part of it. Jobs that have long ended are forgotten.
func (s *Store) CreateReplay(ctx context.Context, now time.Time, r Replay) (Replay, error) {
	filter, err := json.Marshal(r.Filter)
	if err != nil {
		return r, fmt.Errorf("encode a filter: %w", err)
	}
	now = cutTime(now)
	id, err := ulid.New(ulid.Timestamp(now), rand.Reader)
	if err != nil {
		return r, fmt.Errorf("make an id: %w", err)
	}
	r.ID, r.State, r.CreatedAt = id.String(), inbox.ReplayWaiting, now
	if e := access.EntryOf(ctx); e != nil {
		e.Subject = r.ID
	}
	err = s.change(ctx, "create replay", func(ctx context.Context, t *tx) error {
		var upto string
		err := t.one(ctx, `
			SELECT id
			FROM webhooks
			ORDER BY id DESC
			LIMIT 1`, nil, &upto)
		if errors.Is(err, sql.ErrNoRows) {
			upto = id.String() // of an empty log: there is nothing below it
		} else if err != nil {
			return err
		}
		_, err = t.exec(ctx, `DELETE FROM replays WHERE ended_at <> 0 AND ended_at < $1`, micros(now.Add(-replaysKept)))
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `
			INSERT INTO replays (id, state, filter, rate, upto, position, matched, matched_exact, done, skipped, held, created_at, created_by, started_at, ended_at)
			VALUES ($1, $2, $3, $4, $5, '', $6, $7, 0, 0, 0, $8, $9, 0, 0)`,
			r.ID, string(r.State), text(string(filter)), r.Rate, upto, r.Matched, flag(r.MatchedExact), micros(now), text(r.CreatedBy))
		return err
	})
	return r, err
}

const replayColumns = `id, state, filter, rate, upto, position, matched, matched_exact, done, skipped, held, created_at, created_by, started_at, ended_at`

// A replaying is a job with what only its running needs.
type replaying struct {
	Replay
	upto, position string
}

func scanReplay(rows *sql.Rows) (r replaying, err error) {
	var (
		filter                  string
		exact, held             int
		created, started, ended int64
	)
	err = rows.Scan(&r.ID, &r.State, &filter, &r.Rate, &r.upto, &r.position, &r.Matched, &exact, &r.Done, &r.Skipped, &held,
		&created, &r.CreatedBy, &started, &ended)
	if err != nil {
		return r, err
	}
	r.MatchedExact, r.Held = exact == 1, held == 1
	r.CreatedAt, r.StartedAt, r.EndedAt = fromMicros(created), fromMicros(started), fromMicros(ended)
	if err := json.Unmarshal([]byte(filter), &r.Filter); err != nil {
		return r, fmt.Errorf("decode a filter: %w", err)
	}
	return r, nil
}

// Replays are the newest jobs, at most limit of them, newest first.
func (s *Store) Replays(ctx context.Context, limit int) ([]Replay, error) {
	var all []Replay
	err := s.view(ctx, "list replays", func(ctx context.Context, t *tx) error {
		var found []replaying
		err := t.all(ctx, `
			SELECT `+replayColumns+`
			FROM replays
			ORDER BY id DESC
			LIMIT $1`, []any{limit}, func(rows *sql.Rows) error {
			r, err := scanReplay(rows)
			found = append(found, r)
			return err
		})
		for i := 0; i < len(found) && err == nil; i++ {
			err = t.countFailures(ctx, &found[i])
			all = append(all, found[i].Replay)
		}
		return err
	})
	return all, err
}

// Replay is one job; NotFound if there is none.
func (s *Store) Replay(ctx context.Context, id string) (Replay, error) {
	var r replaying
	err := s.view(ctx, "read replay", func(ctx context.Context, t *tx) (err error) {
		if r, err = t.replay(ctx, id); err != nil {
			return err
		}
		return t.countFailures(ctx, &r)
	})
	return r.Replay, err
}

func (t *tx) replay(ctx context.Context, id string) (replaying, error) {
	var (
		r     replaying
		found bool
	)
	err := t.all(ctx, `
		SELECT `+replayColumns+`
		FROM replays
		WHERE id = $1`, []any{id}, func(rows *sql.Rows) (err error) {
		found = true
		r, err = scanReplay(rows)
		return err
	})
	if err == nil && !found {
		err = notFound("replay")
	}
	return r, err
}

// failuresCounted bounds how many failures are counted for one job.
const failuresCounted = 1000

// countFailures counts which of the webhooks that a job has come to have failed
// since it began.
func (t *tx) countFailures(ctx context.Context, r *replaying) error {
	if r.StartedAt.IsZero() || r.position == "" {
		return nil
	}
	err := t.one(ctx, `
		SELECT COUNT(*)
		FROM (
			SELECT id
			FROM webhooks
			WHERE status = 'failed' AND reason = '' AND id <= $1 AND `+unresolved+`
			ORDER BY id DESC
			LIMIT $2) failed
		WHERE EXISTS (
			SELECT 1
			FROM webhook_tries
			WHERE webhook_id = failed.id AND at >= $3)`, []any{r.position, failuresCounted, micros(r.StartedAt)}, &r.FailedSince)
	if err != nil {
		return fmt.Errorf("count failures: %w", err)
	}
	return nil
}

// CancelReplay ends a job; what it has put back to work goes on. NotFound if
// there is none, Invalid if it has ended.
func (s *Store) CancelReplay(ctx context.Context, id string, now time.Time) error {
	return s.change(ctx, "cancel replay", func(ctx context.Context, t *tx) error {
		res, err := t.exec(ctx, `
			UPDATE replays
			SET state = 'cancelled', held = 0, ended_at = $1
			WHERE id = $2 AND ended_at = 0`, micros(now), id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		r, err := t.replay(ctx, id)
		if err != nil {
			return err
		}
		return invalid("the replay has ended already: it is " + string(r.State))
	})
}
