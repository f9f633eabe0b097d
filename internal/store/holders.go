package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

const (
	// beat is how often a process says that it is alive, and silence after how
	// long without that others take over what it held. Both go by the
	// database's clock.
	beat    = time.Second
	silence = 5 * time.Second

	// releasedAtOnce is how many rows of a dead process one transaction frees,
	// so that nobody waits long for it.
	releasedAtOnce = 1000
)

// enroll makes this process known as a holder of rows, before it holds the
// first.
func (s *Store) enroll(ctx context.Context, t *tx) error {
	if s.enrolled.Load() {
		return nil
	}
	_, err := t.exec(ctx, `
		INSERT INTO holders (holder, seen_at, working)
		VALUES ($1, `+t.dialect.clock+`, '')
		ON CONFLICT (holder) DO NOTHING`, s.holder)
	if err != nil {
		return fmt.Errorf("enroll as a holder: %w", err)
	}
	t.after = append(t.after, func() { s.enrolled.Store(true) })
	return nil
}

// mark says in the database what this process works on, and that it is alive.
// It is not synced: a row that ends the process does not cut the power.
func (s *Store) mark(ctx context.Context) error {
	s.marking.Lock() // what is said last is what was true last
	defer s.marking.Unlock()
	return s.transact(ctx, light, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `
			INSERT INTO holders (holder, seen_at, working)
			VALUES ($1, `+t.dialect.clock+`, $2)
			ON CONFLICT (holder) DO UPDATE
			SET seen_at = excluded.seen_at, working = excluded.working`, s.holder, strings.Join(s.backlog.inWork(), " "))
		t.after = append(t.after, func() { s.enrolled.Store(true) })
		return err
	})
}

// keepAlive says now and then that this process is alive, and takes over from
// those that are not, as long as ctx lasts.
func (s *Store) keepAlive(ctx context.Context) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.enrolled.Load() {
			if err := s.mark(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("store.no_sign_of_life", "error", err, "what", "other processes may take over what this one is working on; no harm is done")
			}
		}
		switch freed, err := s.freeOrphans(ctx); {
		case err != nil && ctx.Err() == nil:
			s.log.Warn("store.not_compared", "error", err)
		case freed > 0:
			s.log.Info("store.orphans", "webhooks", freed, "what", "they were kept though the database had not said so; they are worked off now")
		}
		switch freed, err := s.Recover(ctx); {
		case err != nil && ctx.Err() == nil:
			s.log.Warn("store.not_recovered", "error", err)
		case freed > 0:
			s.log.Info("store.recovered", "webhooks", freed, "what", "took over what a dead process held")
		}
	}
}

// Recover frees the rows of processes that have died: any process can claim
// them now. What those were working on has had an attempt. It returns how many
// rows it freed.
//
// On SQLite there is no other process, so all others are dead. On PostgreSQL
// those are that have not said for some seconds that they are alive; every
// process looks for them now and then by itself.
func (s *Store) Recover(ctx context.Context) (int, error) {
	freed := 0
	for {
		n, more, err := s.recoverSome(ctx)
		if freed += n; n > 0 {
			s.backlog.stir()
		}
		if err != nil || !more {
			return freed, err
		}
	}
}

// recoverSome frees some rows of one dead process. What it worked on comes
// first, and is forgotten in the same transaction: an attempt is counted once.
func (s *Store) recoverSome(ctx context.Context) (freed int, more bool, err error) {
	var dead, working string
	found := false
	err = s.read(ctx, "look for dead processes", `
		SELECT holder
		FROM holders
		WHERE holder <> $1 AND ($2 = 1 OR seen_at < `+s.dialect.clock+` - $3)
		LIMIT 1`, []any{s.holder, flag(s.dialect.singleWriter), s.silence.Microseconds()}, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(&dead)
	})
	if err != nil || !found {
		return 0, false, err
	}
	err = s.change(ctx, "free what a dead process held", func(ctx context.Context, t *tx) error {
		freed = 0
		err := t.one(ctx, `
			SELECT working
			FROM holders
			WHERE holder = $1`+t.dialect.forUpdate, []any{dead}, &working)
		if err != nil {
			return err
		}
		if working != "" {
			if freed, err = t.letGo(ctx, dead, strings.Fields(working), 1); err != nil {
				return err
			}
			_, err = t.exec(ctx, `UPDATE holders SET working = '' WHERE holder = $1`, dead)
			return err
		}
		freed, err = t.free(ctx, dead)
		if err == nil && freed < releasedAtOnce {
			_, err = t.exec(ctx, `DELETE FROM holders WHERE holder = $1`, dead)
		}
		return err
	})
	if tracking.ErrorCode(err) == tracking.NotFound { // another process was faster
		return 0, true, nil
	}
	return freed, true, err
}

// letGo frees those of the rows that a process holds, with so many attempts more
// each: one if it died with them.
func (t *tx) letGo(ctx context.Context, holder string, ids []string, attempts int) (int, error) {
	freed := 0
	err := among(t.dialect, ids, func(ids []string) error {
		in, args := oneOf(t.dialect, 3, ids)
		res, err := t.exec(ctx, `
			UPDATE pending
			SET holder = '', attempts = attempts + $1
			WHERE holder = $2 AND webhook_id`+in, append([]any{attempts, holder}, args...)...)
		if err != nil {
			return fmt.Errorf("free webhooks: %w", err)
		}
		n, err := res.RowsAffected()
		freed += int(n)
		return err
	})
	return freed, err
}

// free frees rows that a process held, at most releasedAtOnce.
func (t *tx) free(ctx context.Context, holder string) (int, error) {
	res, err := t.exec(ctx, `
		UPDATE pending
		SET holder = ''
		WHERE webhook_id IN (
			SELECT webhook_id
			FROM pending
			WHERE holder = $1
			LIMIT $2)`, holder, releasedAtOnce)
	if err != nil {
		return 0, fmt.Errorf("free webhooks: %w", err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// leave frees all that this process still holds: it ends in good order, so
// nothing has had an attempt.
func (s *Store) leave(ctx context.Context) error {
	if !s.enrolled.Load() {
		return nil
	}
	for {
		freed := 0
		err := s.transact(ctx, ordinary, func(ctx context.Context, t *tx) (err error) {
			if freed, err = t.free(ctx, s.holder); err != nil || freed == releasedAtOnce {
				return err
			}
			_, err = t.exec(ctx, `DELETE FROM holders WHERE holder = $1`, s.holder)
			return err
		})
		if err != nil || freed < releasedAtOnce {
			return err
		}
	}
}

// stayAlive runs keepAlive until the store is closed.
func (s *Store) stayAlive() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.keepAlive(ctx)
	}()
	s.onClose = append(s.onClose, func() error {
		stop()
		<-ended
		return nil
	})
}
