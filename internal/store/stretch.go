package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/webazaar/waybill/internal/inbox"
)

// stretchRows is how much of the log is looked into at once where no index
// leads to what a filter chooses.
const stretchRows = 2000

// A stretch is a part of the log, oldest first: all of it that a filter chooses
// after one webhook, up to another.
type stretch struct {
	rows []inbox.Webhook // without bodies
	end  string          // the webhook it reaches to
	last bool            // nothing that the filter chooses comes after it
}

// stretch goes on through what filter chooses, from after one webhook and at
// most to another; upto "" is without an end. It returns at most n rows and, for
// a filter that chooses little, fewer or none: then it goes on from its end.
func (t *tx) stretch(ctx context.Context, filter Filter, after, upto string, n int) (stretch, error) {
	ids, indexed, err := t.seekFilter(ctx, filter)
	if err != nil {
		return stretch{}, err
	}
	if !indexed {
		return t.stretchAlong(ctx, filter, after, upto, n)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return id <= after || upto != "" && id > upto })
	slices.Sort(ids)
	s := stretch{end: upto, last: len(ids) <= n}
	if !s.last {
		ids = ids[:n]
		s.end = ids[n-1]
	}
	s.rows, err = t.rowsOf(ctx, ids)
	return s, err
}

// stretchAlong walks along the log, or along one of its odd statuses.
func (t *tx) stretchAlong(ctx context.Context, filter Filter, after, upto string, n int) (stretch, error) {
	s := stretch{end: upto}
	within, err := t.part(ctx, filter, after, &s)
	if err != nil {
		return s, err
	}
	within.rest(filter)
	err = t.all(ctx, `
		SELECT `+shownColumns+`
		FROM webhooks w`+within.where()+`
		ORDER BY id
		LIMIT `+within.arg(n+1), within.args, func(rows *sql.Rows) error {
		w, err := scanWebhook(rows)
		s.rows = append(s.rows, w)
		return err
	})
	if err != nil {
		return s, fmt.Errorf("read the log: %w", err)
	}
	if len(s.rows) > n {
		s.rows, s.last = s.rows[:n], false
		s.end = s.rows[n-1].ID
	}
	return s, nil
}

// part is the condition of one part of the log, of a size that takes no time.
// It sets where s ends and whether anything comes after that.
func (t *tx) part(ctx context.Context, filter Filter, after string, s *stretch) (clause, error) {
	var c clause
	c.led(filter)
	c.add("w.id > " + c.arg(after))
	probe, end := c, ""
	probe.args = slices.Clone(c.args)
	err := t.one(ctx, `
		SELECT id
		FROM webhooks w`+probe.where()+`
		ORDER BY id
		LIMIT 1 OFFSET `+probe.arg(stretchRows-1), probe.args, &end)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && s.end != "" && end >= s.end:
		s.last = true
	case err != nil:
		return c, fmt.Errorf("find the end of a part of the log: %w", err)
	default:
		s.end = end
	}
	if s.end != "" {
		c.add("w.id <= " + c.arg(s.end))
	}
	return c, nil
}

// tally counts what filter chooses in one stretch, by status.
func (t *tx) tally(ctx context.Context, filter Filter, after, upto string, into map[inbox.Status]int) (stretch, error) {
	s := stretch{end: upto}
	c, err := t.part(ctx, filter, after, &s)
	if err != nil {
		return s, err
	}
	c.rest(filter)
	err = t.all(ctx, `
		SELECT w.status, COUNT(*)
		FROM webhooks w`+c.where()+`
		GROUP BY w.status`, c.args, func(rows *sql.Rows) error {
		var (
			status inbox.Status
			n      int
		)
		err := rows.Scan(&status, &n)
		into[status] += n
		return err
	})
	return s, err
}
