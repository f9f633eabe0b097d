package store

import (
	"context"
	"database/sql"
	"maps"
	"math"
	"slices"
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
			claimed, err = s.claimFrom(ctx, `attempts > 0`, 1, micros(now))
		case source == fresh:
			sawFresh = true
			// Its time of receipt gives a row its place, and makes it wait for
			// nothing: the clock may have been wrong then.
			claimed, err = s.claimFrom(ctx, `attempts = 0`, n, math.MaxInt64)
		}
		if err != nil {
			return nil, s.coded("claim webhooks", err)
		}
		if len(claimed) > 0 {
			break
		}
	}
	if sawFresh && sawTried && len(claimed) == 0 {
		next, last, err := s.nextInTable(ctx)
		if err != nil {
			return nil, err
		}
		if last.After(now.Add(farthest)) {
			return nil, s.pullBack(ctx, now)
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

// farthest is beyond any pause between two tries: who is to wait longer was put
// off by a clock that has been set back since.
const farthest = 24 * time.Hour

// pullBack makes rows due now that were put off beyond all reason.
func (s *Store) pullBack(ctx context.Context, now time.Time) error {
	err := s.change(ctx, "make webhooks due that a wrong clock has put off", func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `
			UPDATE pending
			SET due_at = $1
			WHERE holder = '' AND attempts > 0 AND due_at > $2`, micros(now), micros(now.Add(farthest)))
		return err
	})
	s.backlog.stir()
	return err
}

// claimFrom claims rows of the table that no process holds.
func (s *Store) claimFrom(ctx context.Context, which string, n int, due int64) ([]inbox.Webhook, error) {
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
			RETURNING webhook_id, attempts`, []any{due, n, s.holder}, func(rows *sql.Rows) error {
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

// nextInTable is when the next row that no process holds is due, and when the
// last of those that were tried is; zero when there is none.
func (s *Store) nextInTable(ctx context.Context) (next, last time.Time, err error) {
	var soonest, latest int64
	err = s.read(ctx, "find the next due webhook", `
		SELECT COALESCE(MIN(due_at), 0), COALESCE(MAX(last_at), 0)
		FROM (
			SELECT MIN(due_at) AS due_at, CAST(NULL AS BIGINT) AS last_at
			FROM pending
			WHERE holder = '' AND attempts = 0
			UNION ALL
			SELECT MIN(due_at) AS due_at, CAST(NULL AS BIGINT) AS last_at
			FROM pending
			WHERE holder = '' AND attempts > 0
			UNION ALL
			SELECT CAST(NULL AS BIGINT) AS due_at, MAX(due_at) AS last_at
			FROM pending
			WHERE holder = '' AND attempts > 0) ends`, nil, func(rows *sql.Rows) error { return rows.Scan(&soonest, &latest) })
	return fromMicros(soonest), fromMicros(latest), err
}
