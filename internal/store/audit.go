package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/webazaar/waybill/internal/access"
)

// errNoEntry is the answer to an act of an operator that nobody would hear of.
var errNoEntry = errors.New("an act without an entry for the audit: its caller has to bring one with access.WithEntry")

// An AuditFilter chooses entries of the audit. Empty fields choose all.
type AuditFilter struct {
	Act      access.Act
	From, To time.Time // at From or later, and before To
	Before   string    // only entries older than the one with this id: for deep pages
}

// AuditPage is one page of the audit, newest first.
type AuditPage struct {
	Entries []access.Entry
	// Total is how many entries the filter chooses; counting ends at some
	// point, and TotalIsExact is false if it did.
	Total        int
	TotalIsExact bool
}

// Record keeps an act that writes nothing else, before it is done, and one
// that was not done: then its outcome says why. Acts that write are recorded
// where they write, by their context.
func (s *Store) Record(ctx context.Context, e *access.Entry) error {
	return s.change(access.WithEntry(ctx, e), "record an act", func(context.Context, *tx) error { return nil })
}

// recordAct keeps the act under way in ctx, if there is one that is not kept
// yet, within the transaction that carries it out.
func (s *Store) recordAct(ctx context.Context, t *tx) error {
	e := access.EntryOf(ctx)
	if e == nil || e.ID != "" {
		return nil
	}
	kept := *e
	kept.At = cutTime(e.At)
	kept.ID = s.auditIDs.next(kept.At)
	if kept.Outcome == "" {
		kept.Outcome = access.Done
	}
	_, err := t.exec(ctx, `
		INSERT INTO audit (id, at, token_id, actor, role, act, subject, detail, peer, outcome)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		kept.ID, micros(kept.At), kept.Actor.TokenID, text(kept.Actor.Name), string(kept.Actor.Role), string(kept.Act),
		short(kept.Subject), short(kept.Detail), kept.Peer, kept.Outcome)
	if err != nil {
		return fmt.Errorf("record an act: %w", err)
	}
	t.after = append(t.after, func() { *e = kept })
	return nil
}

// concerns names what the act under way is about, where only the transaction
// finds out.
func concerns(ctx context.Context, id string) {
	if e := access.EntryOf(ctx); e != nil {
		e.Subject = id
	}
}

// Audit is a page of the audit: entries that filter chooses, newest first,
// limit to a page; pages are counted from 1.
func (s *Store) Audit(ctx context.Context, filter AuditFilter, page, limit int) (AuditPage, error) {
	var found AuditPage
	err := s.view(ctx, "list the audit", func(ctx context.Context, t *tx) error {
		c := filter.clause()
		err := t.one(ctx, `
			SELECT COUNT(*)
			FROM (
				SELECT id
				FROM audit`+c.where()+`
				LIMIT `+c.arg(walked+1)+`) counted`, c.args, &found.Total)
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
		found.TotalIsExact = found.Total <= walked
		found.Total = min(found.Total, walked)

		c = filter.clause()
		if filter.Before != "" {
			c.add("id < " + c.arg(filter.Before))
		}
		return t.all(ctx, `
			SELECT id, at, token_id, actor, role, act, subject, detail, peer, outcome
			FROM audit`+c.where()+`
			ORDER BY id DESC
			LIMIT `+c.arg(limit)+` OFFSET `+c.arg(max(page-1, 0)*limit), c.args, func(rows *sql.Rows) error {
			var (
				e  access.Entry
				at int64
			)
			err := rows.Scan(&e.ID, &at, &e.Actor.TokenID, &e.Actor.Name, &e.Actor.Role, &e.Act, &e.Subject, &e.Detail, &e.Peer, &e.Outcome)
			e.At = fromMicros(at)
			found.Entries = append(found.Entries, e)
			return err
		})
	})
	return found, err
}

// DeleteOldAudit deletes at most slice entries of acts before a time, the oldest
// first, and tokens that opened nothing any more by then: no entry that is left
// needs them. It returns how many entries it deleted: fewer than slice when none
// is left.
func (s *Store) DeleteOldAudit(ctx context.Context, before time.Time, slice int) (int, error) {
	var deleted int64
	err := s.change(ctx, "delete old entries of the audit", func(ctx context.Context, t *tx) error {
		res, err := t.exec(ctx, `
			DELETE FROM audit
			WHERE id IN (
				SELECT id
				FROM audit
				WHERE id < $1
				ORDER BY id
				LIMIT $2)`, idAt(before), slice)
		if err != nil {
			return err
		}
		if deleted, err = res.RowsAffected(); err != nil || deleted == int64(slice) {
			return err
		}
		_, err = t.exec(ctx, `
			DELETE FROM tokens
			WHERE revoked_at <> 0 AND revoked_at < $1 OR expires_at <> 0 AND expires_at < $2`, micros(before), micros(before))
		return err
	})
	return int(deleted), err
}

func (f AuditFilter) clause() clause {
	var c clause
	if f.Act != "" {
		c.add("act = " + c.arg(string(f.Act)))
	}
	if !f.From.IsZero() {
		c.add("id >= " + c.arg(idAt(f.From)))
	}
	if !f.To.IsZero() {
		c.add("id < " + c.arg(idAt(f.To)))
	}
	return c
}

// timeIDs gives out ids that are ordered by time and, within a millisecond, by
// when they were asked for.
type timeIDs struct {
	mu      sync.Mutex
	entropy *ulid.MonotonicEntropy
}

func (i *timeIDs) next(at time.Time) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.entropy == nil {
		i.entropy = ulid.Monotonic(rand.Reader, 0)
	}
	ms := uint64(max(at.UnixMilli(), 0)) //nolint:gosec // not negative
	id, err := ulid.New(ms, i.entropy)
	if err != nil { // no room left behind the last one of this millisecond
		i.entropy = ulid.Monotonic(rand.Reader, 0)
		id = ulid.MustNew(ms, i.entropy)
	}
	return id.String()
}
