package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ReplayOptions are what `waybill replay` takes.
type ReplayOptions struct {
	URL, AdminToken string
	Filter          ReplayFilter
	Rate            int    // webhooks per second
	Do              bool   // without, it is only shown what would be done
	Cancel          string // the id of a job to cancel, in place of all else
	Out             io.Writer
	Every           time.Duration // how often progress is looked at, default 1 s
}

// ReplayFilter is what to replay, as the call takes it.
type ReplayFilter struct {
	All     bool   `json:"all,omitempty"`
	Status  string `json:"status,omitempty"`
	Reason  string `json:"reason,omitempty"`
	AWB     string `json:"awb,omitempty"`
	OrderID string `json:"orderId,omitempty"`
	Q       string `json:"q,omitempty"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
}

// replayed is a job or its preview, as the server tells of it.
type replayed struct {
	ID, State      string
	WaitsForLive   bool
	Matched        int
	MatchedIsExact bool
	Replayable     int
	ByStatus       map[string]int
	Samples        []struct{ ID, EventID, Status string }
	Done, Skipped  int
	FailedSince    int
}

// Replay shows what a running server would replay, and then has it do so and
// prints its progress until it has ended. When ctx is done, the job goes on.
func Replay(ctx context.Context, o ReplayOptions) error {
	if o.AdminToken == "" {
		return errors.New("an admin token is needed: set ADMIN_TOKEN, or give --admin-token")
	}
	if o.Every == 0 {
		o.Every = time.Second
	}
	c := replayClient{base: strings.TrimRight(o.URL, "/") + "/api/webhooks/replays", token: o.AdminToken}
	if o.Cancel != "" {
		job, err := c.call(ctx, http.MethodDelete, "/"+o.Cancel, nil)
		if err == nil {
			_, err = fmt.Fprintf(o.Out, "replay %s is cancelled; %d webhooks were put back to work\n", job.ID, job.Done)
		}
		return err
	}
	if o.Filter == (ReplayFilter{}) {
		return errors.New("say what to replay, such as --status failed or --awb AWB; the whole log is --all")
	}
	request := map[string]any{"filter": o.Filter, "dryRun": true, "ratePerSecond": o.Rate}
	seen, err := c.call(ctx, http.MethodPost, "", request)
	if err != nil {
		return err
	}
	show(o.Out, seen)
	switch {
	case seen.Replayable == 0 && seen.MatchedIsExact:
		return nil
	case !o.Do:
		_, err = fmt.Fprintln(o.Out, "Nothing was changed. The same with --yes replays them.")
		return err
	}
	request["dryRun"] = false
	job, err := c.call(ctx, http.MethodPost, "", request)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "replay %s has begun\n", job.ID)
	return c.follow(ctx, o, job)
}

func show(out io.Writer, p replayed) {
	atLeast := ""
	if !p.MatchedIsExact {
		atLeast = "at least "
	}
	fmt.Fprintf(out, "%s%d webhooks match, %d of them can be replayed\n", atLeast, p.Matched, p.Replayable)
	for _, status := range slices.Sorted(maps.Keys(p.ByStatus)) {
		fmt.Fprintf(out, "  %-10s %d\n", status, p.ByStatus[status])
	}
	for _, s := range p.Samples {
		fmt.Fprintf(out, "  e.g. %s  %-9s  %s\n", s.ID, s.Status, s.EventID)
	}
}

// follow prints how far a job has come until it has ended.
func (c replayClient) follow(ctx context.Context, o ReplayOptions, job replayed) error {
	look := time.NewTicker(o.Every)
	defer look.Stop()
	last := ""
	for {
		now, err := c.call(ctx, http.MethodGet, "/"+job.ID, nil)
		if ctx.Err() != nil {
			_, err = fmt.Fprintf(o.Out, "the server goes on with it; `waybill replay --cancel %s` ends it\n", job.ID)
			return err
		}
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s: %d of %d done, %d skipped, %d failed since", now.State, now.Done, now.Matched, now.Skipped, now.FailedSince)
		if now.WaitsForLive {
			line += " (waits for live pushes)"
		}
		if line != last {
			fmt.Fprintln(o.Out, line)
			last = line
		}
		if now.State == "done" || now.State == "cancelled" {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-look.C:
		}
	}
}

// replayHTTP follows nobody: a POST that is sent on comes as a GET, which asks
// for something else.
var replayHTTP = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

type replayClient struct{ base, token string }

func (c replayClient) call(ctx context.Context, method, path string, body any) (replayed, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return replayed{}, fmt.Errorf("encode the request: %w", err)
		}
		content = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return replayed{}, fmt.Errorf("make a request: %w; --url must be like https://track.example.com", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Close = true
	res, err := replayHTTP.Do(req)
	if err != nil {
		return replayed{}, fmt.Errorf("ask the server: %w; --url names another one", err)
	}
	defer res.Body.Close()
	if at, err := res.Location(); err == nil {
		return replayed{}, fmt.Errorf("the server sends on to another address (%s): if that is right, give --url %s://%s", res.Status, at.Scheme, at.Host)
	}
	var answered struct {
		Success bool
		Message string
		Data    replayed
	}
	err = json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&answered)
	switch {
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		return replayed{}, errors.New("the server does not take the token: it must be an admin's, such as the server's ADMIN_TOKEN")
	case err != nil:
		return replayed{}, fmt.Errorf("read the server's answer (%s): %w; is it a waybill?", res.Status, err)
	case !answered.Success:
		return replayed{}, errors.New(answered.Message)
	}
	return answered.Data, nil
}
