package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/tracking"
)

var _ inbox.ReplayLog = (*Store)(nil)

// errLost is why a step of a job is undone: another process has taken it over,
// or someone has cancelled it.
var errLost = &tracking.Error{Code: tracking.Conflict, Message: "the replay is not this process's any more"}

const replayLease = 30 * time.Second

// OpenReplay is the oldest job that has not ended, leased to holder for half a
// minute; ok is false when there is none, or another holder has the lease. Only
// one process replays at a time.
func (s *Store) OpenReplay(ctx context.Context, holder string) (job inbox.ReplayJob, ok bool, err error) {
	err = s.read(ctx, "find a replay", `
		SELECT id, rate, held
		FROM replays
		WHERE ended_at = 0
		ORDER BY id
		LIMIT 1`, nil, func(rows *sql.Rows) error {
		var held int
		err := rows.Scan(&job.ID, &job.Rate, &held)
		job.Held = held == 1
		return err
	})
	if err != nil || job.ID == "" {
		return job, false, err
	}
	err = s.transact(ctx, light, func(ctx context.Context, t *tx) (err error) {
		ok, err = t.lease(ctx, "replays", holder, replayLease)
		return err
	})
	return job, ok, s.coded("lease replaying", err)
}

// lease takes or renews a lease, if nobody else has it, and reports whether it
// is holder's. On SQLite there is no other process: what an earlier one held is
// void.
func (t *tx) lease(ctx context.Context, name, holder string, lasts time.Duration) (bool, error) {
	var got []string
	err := t.all(ctx, `
		INSERT INTO leases (name, holder, ends_at)
		VALUES ($1, $2, `+t.dialect.clock+` + $3)
		ON CONFLICT (name) DO UPDATE
		SET holder = excluded.holder, ends_at = excluded.ends_at
		WHERE leases.holder = excluded.holder OR leases.ends_at < `+t.dialect.clock+` OR $4 = 1
		RETURNING holder`, []any{name, holder, lasts.Microseconds(), flag(t.dialect.singleWriter)}, func(rows *sql.Rows) error {
		var h string
		err := rows.Scan(&h)
		got = append(got, h)
		return err
	})
	return len(got) == 1, err
}

// HoldReplay notes that a job waits, or does not wait any more.
func (s *Store) HoldReplay(ctx context.Context, id string, held bool) error {
	return s.coded("hold replay", s.transact(ctx, light, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `
			UPDATE replays
			SET held = $1
			WHERE id = $2 AND ended_at = 0`, flag(held), id)
		return err
	}))
}

const (
	// behindBy is how long a push may wait before replays stand back.
	behindBy = 2 * time.Second
	// pendingMost is how many webhooks may be pending before replays stand back:
	// what they put back is to be worked off as it comes.
	pendingMost = 1000
)

// Behind reports whether live pushes wait to be worked off, or too much does.
// Pushes are worked off in the order of their coming, so those that came a
// moment ago tell: a single one of them may be pending because it fails.
func (s *Store) Behind(ctx context.Context, now time.Time) (bool, error) {
	var pending int
	err := s.read(ctx, "count pending webhooks", `
		SELECT COALESCE(SUM(n), 0)
		FROM webhook_counts
		WHERE status = 'pending'`, nil, func(rows *sql.Rows) error { return rows.Scan(&pending) })
	if err != nil || pending == 0 || pending > pendingMost {
		return pending > pendingMost, err
	}
	seen, waiting := 0, 0
	err = s.read(ctx, "look for waiting pushes", `
		SELECT status
		FROM webhooks
		WHERE id > $1 AND id < $2
		ORDER BY id DESC
		LIMIT 20`, []any{idAt(now.Add(-time.Minute)), idAt(now.Add(-behindBy))}, func(rows *sql.Rows) error {
		var status inbox.Status
		err := rows.Scan(&status)
		seen++
		if status == inbox.Pending {
			waiting++
		}
		return err
	})
	return waiting > 0 && 2*waiting > seen, err
}

// StepReplay puts at most n more of a job's webhooks back to work and says how
// far it has come. All of a step is kept, or nothing of it. A job that is not
// holder's any more, or has been cancelled, is a Conflict.
func (s *Store) StepReplay(ctx context.Context, holder, id string, n int, now time.Time) (inbox.ReplayStep, error) {
	var (
		r    replaying
		part stretch
		open []string
	)
	// Reading takes the longest, and stands in nobody's way here.
	err := s.view(ctx, "read what to replay", func(ctx context.Context, t *tx) (err error) {
		if r, err = t.replay(ctx, id); err != nil {
			return err
		}
		if !r.EndedAt.IsZero() {
			return errLost
		}
		if part, err = t.stretch(ctx, r.Filter, r.position, r.upto, n); err != nil {
			return err
		}
		open, err = t.replayable(ctx, r.Filter, part.rows)
		return err
	})
	if err != nil {
		return inbox.ReplayStep{}, err
	}
	var step inbox.ReplayStep
	err = s.change(ctx, "replay webhooks", func(ctx context.Context, t *tx) error {
		step = inbox.ReplayStep{Ended: part.last}
		if mine, err := t.lease(ctx, "replays", holder, replayLease); err != nil || !mine {
			return errLostOr(err)
		}
		if len(open) > 0 {
			var err error
			if step.Reopened, err = t.reopen(ctx, open); err != nil {
				return err
			}
		}
		step.Skipped = len(part.rows) - step.Reopened
		return t.advance(ctx, &r, part, step, now)
	})
	if err != nil {
		return inbox.ReplayStep{}, err
	}
	if step.Reopened > 0 {
		s.backlog.stir()
	}
	step.Done, step.Matched = r.Done+step.Reopened, r.Matched
	return step, nil
}

// advance notes how far a job has come, if it still is where it was.
func (t *tx) advance(ctx context.Context, r *replaying, part stretch, step inbox.ReplayStep, now time.Time) error {
	state, ended := inbox.ReplayRunning, int64(0)
	if step.Ended {
		state, ended = inbox.ReplayDone, micros(now)
	}
	started := r.StartedAt
	if started.IsZero() {
		started = now
	}
	res, err := t.exec(ctx, `
		UPDATE replays
		SET state = $1, position = $2, done = done + $3, skipped = skipped + $4, held = 0, started_at = $5, ended_at = $6
		WHERE id = $7 AND position = $8 AND ended_at = 0`,
		string(state), part.end, step.Reopened, step.Skipped, micros(started), ended, r.ID, r.position)
	if err != nil {
		return fmt.Errorf("note how far the replay has come: %w", err)
	}
	if moved, err := res.RowsAffected(); err != nil || moved != 1 {
		return errLostOr(err)
	}
	return nil
}

func errLostOr(err error) error {
	if err != nil {
		return err
	}
	return errLost
}

// replayable are those of rows that can be put back to work: all that was
// decided about and whose body is there. What was dismissed stays so unless the
// filter asks for it.
func (t *tx) replayable(ctx context.Context, filter Filter, rows []inbox.Webhook) ([]string, error) {
	var ids []string
	for i := range rows {
		w := &rows[i]
		if w.Status.Replayable() && (w.DismissedAt.IsZero() || filter.Dismissed != nil) {
			ids = append(ids, w.ID)
		}
	}
	gone := map[string]bool{}
	err := among(t.dialect, ids, func(ids []string) error {
		in, args := oneOf(t.dialect, 1, ids)
		return t.all(ctx, `
			SELECT webhook_id
			FROM webhook_bodies
			WHERE webhook_id`+in+` AND body IS NULL`, args, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			gone[id] = true
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("look for bodies: %w", err)
	}
	kept := ids[:0]
	for _, id := range ids {
		if !gone[id] {
			kept = append(kept, id)
		}
	}
	return kept, nil
}
