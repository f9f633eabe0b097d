package store

import (
	"context"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// A Preview is what a filter chooses.
type Preview struct {
	ByStatus map[inbox.Status]int
	// Exact: all were counted. Where no index helps, counting ends when it has
	// taken too long.
	Exact   bool
	Samples []inbox.Webhook // the oldest few that would be put back to work
}

// Matched is how many the filter chooses.
func (p *Preview) Matched() int {
	n := 0
	for _, of := range p.ByStatus {
		n += of
	}
	return n
}

// Replayable is how many of them have a status that can be put back to work.
func (p *Preview) Replayable() int {
	n := 0
	for status, of := range p.ByStatus {
		if status.Replayable() {
			n += of
		}
	}
	return n
}

// previewFor is how long is counted.
const previewFor = 2 * time.Second

// Preview says what a filter chooses, with at most samples of its rows.
func (s *Store) Preview(ctx context.Context, filter Filter, samples int) (Preview, error) {
	p := Preview{ByStatus: map[inbox.Status]int{}}
	err := s.view(ctx, "preview", func(ctx context.Context, t *tx) error {
		ids, indexed, err := t.seekFilter(ctx, filter)
		if err != nil {
			return err
		}
		until := time.Now().Add(previewFor)
		if err := t.sample(ctx, filter, samples, until, &p); err != nil || indexed {
			if err == nil {
				err = t.countIDs(ctx, ids, &p)
			}
			return err
		}
		if filter.counted() {
			p.Exact = true
			return t.countAll(ctx, filter, &p)
		}
		for at := ""; ; {
			part, err := t.tally(ctx, filter, at, "", p.ByStatus)
			if err != nil {
				return err
			}
			if part.last {
				p.Exact = true
				return nil
			}
			if at = part.end; time.Now().After(until) {
				return nil
			}
		}
	})
	return p, err
}

// sample finds the oldest rows that would be put back to work.
func (t *tx) sample(ctx context.Context, filter Filter, n int, until time.Time, p *Preview) error {
	for at := ""; len(p.Samples) < n; {
		part, err := t.stretch(ctx, filter, at, "", n)
		if err != nil {
			return err
		}
		for i := range part.rows {
			if w := &part.rows[i]; w.Status.Replayable() && len(p.Samples) < n {
				p.Samples = append(p.Samples, *w)
			}
		}
		if at = part.end; part.last || time.Now().After(until) {
			break
		}
	}
	return nil
}

func (t *tx) countIDs(ctx context.Context, ids []string, p *Preview) error {
	rows, err := t.rowsOf(ctx, ids)
	for i := range rows {
		p.ByStatus[rows[i].Status]++
	}
	p.Exact = true
	return err
}

// countAll takes the numbers that are kept anyway.
func (t *tx) countAll(ctx context.Context, filter Filter, p *Preview) error {
	for _, status := range []inbox.Status{
		inbox.Pending, inbox.Processed, inbox.Failed, inbox.Duplicate, inbox.Ignored, inbox.Parked, inbox.Rejected,
	} {
		if filter.Status != "" && filter.Status != status {
			continue
		}
		n, _, err := t.total(ctx, Filter{Status: status})
		if err != nil {
			return err
		}
		if n > 0 {
			p.ByStatus[status] = n
		}
	}
	return nil
}
