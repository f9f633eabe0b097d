package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A Log reads how many rows of a server's webhook log have which status.
type Log struct {
	URL        string
	AdminToken string
}

// Counts are rows of the log.
type Counts struct{ Stored, Pending, Processed int }

// standstill is how long a backlog may not shrink before waiting is given up.
const standstill = 30 * time.Second

// Counts reads the totals.
func (l Log) Counts(ctx context.Context) (c Counts, err error) {
	for _, of := range []struct {
		status string
		into   *int
	}{{"pending", &c.Pending}, {"processed", &c.Processed}, {"", &c.Stored}} {
		if *of.into, err = l.total(ctx, of.status); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (l Log) total(ctx context.Context, status string) (int, error) {
	query := url.Values{"limit": {"1"}}
	if status != "" {
		query.Set("status", status)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(l.URL, "/")+"/api/webhooks/logs?"+query.Encode(), http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("read the webhook log: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+l.AdminToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("read the webhook log: %w", err)
	}
	defer res.Body.Close()
	var page struct {
		Total *int `json:"total"`
	}
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil || res.StatusCode != http.StatusOK || page.Total == nil {
		return 0, fmt.Errorf("read the webhook log: answered %d", res.StatusCode)
	}
	return *page.Total, nil
}

// Drained waits until nothing is pending, and returns the totals then.
func (l Log) Drained(ctx context.Context) (Counts, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	least, moved := -1, time.Now()
	for {
		pending, err := l.total(ctx, "pending")
		switch {
		case err != nil:
			return Counts{}, err
		case pending == 0:
			return l.Counts(ctx)
		case least < 0 || pending < least:
			least, moved = pending, time.Now()
		case time.Since(moved) > standstill:
			return Counts{Pending: pending}, fmt.Errorf("%d webhooks are pending and none is worked off", pending)
		}
		select {
		case <-ctx.Done():
			return Counts{}, ctx.Err()
		case <-tick.C:
		}
	}
}

// Verify says what is wrong between what was acknowledged and what the log
// gained: everything has to be stored and processed, once. A push without an
// answer may be stored or not.
func (r *Result) Verify(before, after Counts) error {
	stored, processed := after.Stored-before.Stored, after.Processed-before.Processed
	switch {
	case stored < r.Acked || stored > r.Acked+r.Unanswered:
		return fmt.Errorf("%d pushes were acknowledged, but the log has %d more rows", r.Acked, stored)
	case processed != stored:
		return fmt.Errorf("%d pushes were stored, but %d are processed", stored, processed)
	}
	return nil
}
