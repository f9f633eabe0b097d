package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/webazaar/waybill/bench/load"
)

const (
	pageReads  = 20      // of each kind of page
	pageRate   = 200     // pushes a second meanwhile
	pageReplay = 100_000 // webhooks of one replay job
)

// scenarioPages reads a long log as operators do, and says what intake's
// answers take meanwhile. Without a data folder it makes one.
func (b *bench) scenarioPages(ctx context.Context, rows, dir string) error {
	n, err := strconv.Atoi(rows)
	if err != nil || n < samples {
		return fmt.Errorf("-rows: %q is no number of at least %d", rows, samples)
	}
	n -= n % (fillAtOnce * 4)
	if dir == "" {
		if dir, err = b.filled(ctx, n, 89*day, time.Hour); err != nil {
			return err
		}
	}
	p, err := b.start(ctx, b.waybillEnv(dir), b.waybill, "serve")
	if err != nil {
		return err
	}
	defer p.Stop()
	o := operator{url: p.URL, client: &http.Client{Timeout: time.Minute}}
	pages, err := o.pages(ctx, n)
	if err != nil {
		return err
	}
	s := &subject{name: sqlite, main: p, log: load.Log{URL: p.URL, AdminToken: adminToken}}
	b.warm(ctx, s, 1000)
	fmt.Printf("%d rows; %d reads of each page; intake at %d/s\n", n, pageReads, pageRate)
	quiet, err := b.whilePushing(ctx, s, time.Minute, func(ctx context.Context) error { return wait(ctx, b.hold) })
	if err != nil {
		return err
	}
	fmt.Printf("  %-24s intake's p99 %.1f ms\n", "nothing else", quiet)
	for _, page := range pages {
		var took []float64
		p99, err := b.whilePushing(ctx, s, time.Minute, func(ctx context.Context) error {
			for range pageReads {
				began := time.Now()
				if _, err := o.get(ctx, page.path); err != nil {
					return err
				}
				took = append(took, milliseconds(time.Since(began)))
			}
			return wait(ctx, time.Second)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", page.name, err)
		}
		fmt.Printf("  %-24s %s ms, intake's p99 %.1f ms\n", page.name, spread(took, 1), p99)
	}
	var done time.Duration
	p99, err := b.whilePushing(ctx, s, 15*time.Minute, func(ctx context.Context) error {
		began := time.Now()
		err := o.replay(ctx, n)
		done = time.Since(began)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("  %-24s %.0f s, intake's p99 %.1f ms\n", fmt.Sprint("replay of ", pageReplay), done.Seconds(), p99)
	return nil
}

// whilePushing pushes at an even rate until work is done, which it must be
// within most, and returns intake's 99th percentile in milliseconds.
func (b *bench) whilePushing(ctx context.Context, s *subject, most time.Duration, work func(context.Context) error) (p99 float64, err error) {
	plan, err := b.plan(int(pageRate * most.Seconds()))
	if err != nil {
		return 0, err
	}
	pushing, stop := context.WithCancel(ctx)
	defer stop()
	worked := make(chan error, 1)
	go func() {
		defer stop()
		worked <- work(ctx)
	}()
	r, err := load.Run(pushing, load.Options{URL: s.main.URL, Plan: plan, Rate: pageRate, Connections: b.connections})
	if r == nil {
		return 0, err
	}
	if r.Refused > 0 {
		return 0, fmt.Errorf("%d pushes were refused; the first: %w", r.Refused, r.First)
	}
	return quantile(r, 99), <-worked
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// operator reads and replays by the API.
type operator struct {
	url    string
	client *http.Client
}

type page struct{ name, path string }

// pages are the pages that are read of a log with so many rows.
func (o *operator) pages(ctx context.Context, rows int) ([]page, error) {
	const logs = "/api/webhooks/logs?limit=50"
	far := "&page=" + strconv.Itoa(min(1000, rows/100))
	var first struct {
		Data []struct{ ID, AWB, EventID string }
	}
	// A page far back: by its number once, and from there by its cursor.
	body, err := o.get(ctx, logs+far)
	if err == nil {
		err = json.Unmarshal(body, &first)
	}
	if err != nil || len(first.Data) == 0 {
		return nil, errors.Join(errors.New("there is no page far back"), err)
	}
	row, middle := first.Data[0], time.Now().Add(-45*day).UTC()
	from, to := url.QueryEscape(middle.Format(time.RFC3339)), url.QueryEscape(middle.Add(day).Format(time.RFC3339))
	return []page{
		{"first page", logs},
		{"far page by number", logs + far},
		{"deep page by cursor", logs + "&cursor=" + url.QueryEscape(row.ID)},
		{"by AWB", logs + "&awb=" + url.QueryEscape(row.AWB)},
		{"by status processed", logs + "&status=processed"},
		{"by status failed", logs + "&status=failed"},
		{"by reason", logs + "&reason=unknown_status"},
		{"dismissed", logs + "&dismissed=true"},
		{"a day 45 days back", logs + "&from=" + from + "&to=" + to},
		{"q, a whole event id", logs + "&q=" + url.QueryEscape(row.EventID)},
		{"q, a part", logs + "&q=" + url.QueryEscape(row.AWB[2:])},
		{"one row", "/api/webhooks/logs/" + row.ID},
		{"alarms", "/api/alarms"},
	}, nil
}

func (o *operator) do(ctx context.Context, method, path, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, o.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	res, err := o.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, read)
	}
	return read, err
}

func (o *operator) get(ctx context.Context, path string) ([]byte, error) {
	return o.do(ctx, http.MethodGet, path, "")
}

// replay puts pageReplay webhooks, or as many as there are, back to work and
// waits until the job has seen to all of them. The rows lie evenly over 89 days,
// so a number of them is a span of time.
func (o *operator) replay(ctx context.Context, rows int) error {
	span := time.Duration(float64(89*day) * min(1, pageReplay/float64(rows)))
	from := time.Now().Add(-60 * day).UTC()
	body := fmt.Sprintf(`{"filter":{"status":"processed","from":%q,"to":%q},"ratePerSecond":%d}`,
		from.Format(time.RFC3339Nano), from.Add(span).Format(time.RFC3339Nano), 5000)
	var job struct {
		Data struct {
			ID, State string
			Done      int
		}
	}
	answer, err := o.do(ctx, http.MethodPost, "/api/webhooks/replays", body)
	for {
		if err == nil {
			err = json.Unmarshal(answer, &job)
		}
		if err != nil || slices.Contains([]string{"done", "cancelled"}, job.Data.State) {
			return err
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return err
		}
		answer, err = o.get(ctx, "/api/webhooks/replays/"+job.Data.ID)
	}
}
