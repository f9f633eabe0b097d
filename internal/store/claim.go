package store

import (
	"context"
	"database/sql"
	"maps"
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
