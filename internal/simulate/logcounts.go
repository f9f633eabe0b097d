package simulate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// LogCounts are rows of the server's webhook log, by what became of them.
type LogCounts struct {
	Stored                                                           int // all of them
	Pending, Processed, Failed, Duplicate, Ignored, Parked, Rejected int
}

const (
	drainLook = 200 * time.Millisecond
	// stalledAfter is how long the queue may stand still before waiting for it
	// makes no sense.
	stalledAfter = 30 * time.Second
)

type logReader struct {
	*poster
	token string
}

// drained waits until no more rows are pending than there were before, and
// counts all.
func (l logReader) drained(ctx context.Context, before LogCounts) (LogCounts, error) {
	least, moved := -1, time.Now()
	for {
		pending, err := l.total(ctx, "pending")
		if err != nil {
			return before, err
		}
		if least < 0 || pending < least {
			least, moved = pending, time.Now()
		}
		if pending <= before.Pending || time.Since(moved) > stalledAfter {
			return l.counts(ctx)
		}
		if err := pauseFor(ctx, drainLook); err != nil {
			return before, err
		}
	}
}

func (l logReader) counts(ctx context.Context) (LogCounts, error) {
	var c LogCounts
	for status, into := range map[string]*int{
		"": &c.Stored, "pending": &c.Pending, "processed": &c.Processed, "failed": &c.Failed, "duplicate": &c.Duplicate,
		"ignored": &c.Ignored, "parked": &c.Parked, "rejected": &c.Rejected,
	} {
		n, err := l.total(ctx, status)
		if err != nil {
			return c, err
		}
		*into = n
	}
	return c, nil
}

// total is how many rows have the status; all rows when it is empty. A server
// that is not there, or not ready, is asked again for half a minute.
func (l logReader) total(ctx context.Context, status string) (int, error) {
	for began := time.Now(); ; {
		n, err := l.ask(ctx, status)
		if r, ok := errors.AsType[*refusal](err); err == nil || ok && !r.temporary() || time.Since(began) > stalledAfter {
			return n, err
		}
		if pauseFor(ctx, 5*drainLook) != nil {
			return 0, err
		}
	}
}

func (l logReader) ask(ctx context.Context, status string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	query := url.Values{"limit": {"1"}}
	if status != "" {
		query.Set("status", status)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+"/api/webhooks/logs?"+query.Encode(), http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+l.token)
	var page struct {
		Message string `json:"message"`
		Total   int    `json:"total"`
	}
	code, _, err := l.do(req, &page)
	if err == nil && code != http.StatusOK {
		err = &refusal{code, page.Message}
	}
	if err != nil {
		return 0, fmt.Errorf("read webhook log: %w", err)
	}
	return page.Total, nil
}

func (c LogCounts) minus(d LogCounts) LogCounts {
	return LogCounts{
		Stored: c.Stored - d.Stored, Pending: c.Pending - d.Pending, Processed: c.Processed - d.Processed,
		Failed: c.Failed - d.Failed, Duplicate: c.Duplicate - d.Duplicate, Ignored: c.Ignored - d.Ignored,
		Parked: c.Parked - d.Parked, Rejected: c.Rejected - d.Rejected,
	}
}

// problem says what is missing of what was acknowledged. A push that was stored
// but whose answer got lost is sent and stored again, so the log may gain more.
func (c LogCounts) problem(acknowledged int) error {
	done := c.Processed + c.Duplicate + c.Ignored + c.Parked
	switch {
	case c.Stored-c.Rejected < acknowledged:
		return fmt.Errorf("%d pushes were acknowledged, but only %d are in the log", acknowledged, c.Stored-c.Rejected)
	case c.Failed > 0 || c.Pending > 0:
		return fmt.Errorf("%d pushes failed and %d are still pending", max(0, c.Failed), max(0, c.Pending))
	case done < acknowledged:
		return fmt.Errorf("%d pushes were acknowledged, but only %d are worked off", acknowledged, done)
	}
	return nil
}
