package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// dismissable are the statuses of webhooks that can be dismissed.
var dismissable = []inbox.Status{inbox.Failed, inbox.Parked, inbox.Rejected}

// dismissSlice is how many webhooks one transaction dismisses at most: intake
// waits for no more.
const dismissSlice = 64

// Dismissed is what became of dismissing many.
type Dismissed struct {
	Done int
	More bool // time was up first; the same call goes on with the rest
}

// dismissing is filter for each status that can be dismissed and that it
// chooses; what is dismissed already is not chosen.
func dismissing(filter Filter) ([]Filter, error) {
	if filter.Status != "" && !slices.Contains(dismissable, filter.Status) {
		return nil, invalid("a webhook that is " + string(filter.Status) + " needs nobody; what is failed, parked or rejected can be dismissed")
	}
	if filter.Dismissed != nil && *filter.Dismissed {
		return nil, invalid("what is dismissed already cannot be dismissed again by a filter")
	}
	open := false
	filter.Dismissed = &open
	var all []Filter
	for _, status := range dismissable {
		if filter.Status == "" || filter.Status == status {
			one := filter
			one.Status = status
			all = append(all, one)
		}
	}
	return all, nil
}

// PreviewDismissal says what DismissAll would dismiss, with at most samples of
// its rows. Error: Invalid for a filter that chooses nothing of the kind.
func (s *Store) PreviewDismissal(ctx context.Context, filter Filter, samples int) (Preview, error) {
	all, err := dismissing(filter)
	whole := Preview{ByStatus: map[inbox.Status]int{}, Exact: true}
	for i := 0; i < len(all) && err == nil; i++ {
		var part Preview
		part, err = s.Preview(ctx, all[i], samples)
		for status, n := range part.ByStatus {
			whole.ByStatus[status] += n
		}
		whole.Exact = whole.Exact && part.Exact
		whole.Samples = append(whole.Samples, part.Samples...)
	}
	slices.SortFunc(whole.Samples, func(a, b inbox.Webhook) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	whole.Samples = whole.Samples[:min(samples, len(whole.Samples))]
	return whole, err
}

// DismissAll dismisses what filter chooses of the failed, parked and rejected
// webhooks that came before now, slice by slice, each kept by itself, for about
// so long. Error: Invalid for a filter that chooses nothing of the kind.
func (s *Store) DismissAll(ctx context.Context, filter Filter, now time.Time, note string, within time.Duration) (Dismissed, error) {
	now = cutTime(now)
	var done Dismissed
	all, err := dismissing(filter)
	if err != nil {
		return done, err
	}
	until := time.Now().Add(within)
	upto := idAt(now.Add(time.Millisecond))
	for _, one := range all {
		for at := ""; ; {
			if err := ctx.Err(); err != nil {
				return done, err
			}
			if time.Now().After(until) {
				done.More = true
				return done, nil
			}
			var part stretch
			err := s.view(ctx, "read what to dismiss", func(ctx context.Context, t *tx) (err error) {
				part, err = t.stretch(ctx, one, at, upto, dismissSlice)
				return err
			})
			if err != nil {
				return done, err
			}
			n, err := s.dismissRows(ctx, part.rows, now, note)
			if done.Done += n; err != nil {
				return done, err
			}
			if at = part.end; part.last {
				break
			}
		}
	}
	return done, nil
}

// dismissRows dismisses those of the rows that still need somebody.
func (s *Store) dismissRows(ctx context.Context, rows []inbox.Webhook, now time.Time, note string) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	done := 0
	err := s.change(ctx, "dismiss webhooks", func(ctx context.Context, t *tx) error {
		done = 0
		return among(t.dialect, idsOf(rows), func(ids []string) error {
			in, args := oneOf(t.dialect, 4, ids)
			err := t.all(ctx, `
				UPDATE webhooks
				SET dismissed_at = $1, processed_at = $2, dismissed_note = $3
				WHERE id`+in+` AND `+unresolved+`
				RETURNING id`, append([]any{micros(now), micros(now), text(note)}, args...), func(*sql.Rows) error {
				done++
				return nil
			})
			if err != nil {
				return fmt.Errorf("mark as dismissed: %w", err)
			}
			return nil
		})
	})
	return done, err
}
