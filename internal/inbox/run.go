package inbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

// Run works rows off until ctx is done, then returns nil. At its start it takes
// up what an earlier run had claimed and not finished.
func (i *Inbox) Run(ctx context.Context) error {
	recovered, err := i.opts.Log.Recover(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("take up what an earlier run left: %w", err)
	case recovered > 0:
		i.log.Info("inbox.resumed", "webhooks", recovered)
	}
	sweep := time.NewTicker(i.opts.Sweep)
	defer sweep.Stop()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for ctx.Err() == nil {
		worked, err := i.workOff(ctx)
		if err != nil && ctx.Err() == nil {
			i.log.Error("inbox.stalled", "error", err)
		}
		if worked && err == nil {
			continue // there may be more
		}
		soonest := 10 * time.Millisecond
		if err != nil {
			soonest = time.Second // what fails at once would fail a hundred times a second
		}
		due.Reset(max(i.opts.Log.NextDue().Sub(i.opts.Now()), soonest))
		select {
		case <-ctx.Done():
		case <-i.wake:
		case <-due.C:
		case <-sweep.C:
		}
	}
	return nil
}

// atOnce is how many batches are applied at the same time: while one is
// written, the next one is decided about, and the one after that is read.
const atOnce = 2

// workOff works batches off until none is left, and reports whether there was
// any.
func (i *Inbox) workOff(ctx context.Context) (worked bool, err error) {
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		errs    []error
		slots   = make(chan struct{}, atOnce)
		finish  = func(w *work) {
			if err := i.finish(ctx, w); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		}
		failed = func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(errs) > 0
		}
	)
	for ctx.Err() == nil && !failed() {
		w, claimed := i.claim(ctx)
		if claimed != nil || w == nil {
			err = claimed
			break
		}
		worked = true
		if w.again {
			// It may end the process, and then that must count against no other.
			running.Wait()
			finish(w)
			continue
		}
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			finish(w)
		})
	}
	running.Wait()
	return worked, errors.Join(append(errs, err)...)
}

// Work claims one batch and works it off; it returns how many rows it claimed.
// After an error those that were not worked off can be claimed again.
func (i *Inbox) Work(ctx context.Context) (int, error) {
	w, err := i.claim(ctx)
	if err != nil || w == nil {
		return 0, err
	}
	return len(w.rows), i.finish(ctx, w)
}

// A work is a batch of claimed rows, read and sorted by what is to be done.
type work struct {
	rows  map[string]*Webhook
	batch []Application
	ends  []ending // what there is nothing to apply of
	again bool     // it is a row that was tried before
	began time.Time
}

// An ending is a row that was decided about without the database.
type ending struct {
	row    *Webhook
	failed error // a try that failed, or:
	status Status
	reason Reason
	result string
}

func (w *work) ids() []string { return slices.Collect(maps.Keys(w.rows)) }

// claim claims a batch and reads it; nil if there is none.
func (i *Inbox) claim(ctx context.Context) (*work, error) {
	began := time.Now()
	claimed, err := i.opts.Log.Claim(ctx, i.opts.Batch, i.opts.Now().UTC())
	if err != nil {
		return nil, fmt.Errorf("claim webhooks: %w", err)
	}
	if len(claimed) == 0 {
		return nil, nil
	}
	w := &work{rows: make(map[string]*Webhook, len(claimed)), batch: make([]Application, 0, len(claimed)), began: began}
	for n := range claimed {
		row := &claimed[n]
		w.rows[row.ID] = row
		w.again = w.again || row.Attempts > 1
		if row.Attempts > i.opts.MaxAttempts {
			// It was claimed again and again and never came back: it may well
			// be what kills the process.
			w.ends = append(w.ends, ending{row: row, failed: errors.New("the process ended while working on it")})
			continue
		}
		push, err := interpret(row)
		switch {
		case unreadable(err):
			// Released from another refusal. No further try would read it.
			w.ends = append(w.ends, ending{row: row, status: Rejected, reason: NotJSON, result: notJSON})
		case err != nil:
			w.ends = append(w.ends, ending{row: row, failed: err})
		case push.Kind == shiprocket.Ping:
			w.ends = append(w.ends, ending{row: row, status: Ignored, reason: Ping, result: ping})
		case push.Placeholder:
			w.ends = append(w.ends, ending{
				row: row, status: Parked, reason: Placeholder,
				result: "the panel's sample with its placeholders still in: it names no real order",
			})
		default:
			i.metrics.faults(push.Faults)
			w.batch = append(w.batch, Application{WebhookID: row.ID, Evidence: push.Evidence, Unknown: push.UnknownStatus})
		}
	}
	return w, nil
}

// finish ends all rows of a batch. After an error those that have not ended can
// be claimed again.
func (i *Inbox) finish(ctx context.Context, w *work) error {
	var errs []error
	for _, e := range w.ends {
		if e.failed != nil {
			errs = append(errs, i.fail(ctx, e.row, e.failed))
		} else {
			errs = append(errs, i.settle(ctx, e.row, e.status, e.reason, e.result))
		}
	}
	errs = append(errs, i.apply(ctx, w.batch, w.rows))
	i.metrics.worked(time.Since(w.began))
	err := errors.Join(errs...)
	if err != nil && ctx.Err() == nil {
		i.opts.Log.Return(w.ids())
	}
	return err
}

// interpret turns a panic over one body into that row's failure.
func interpret(w *Webhook) (push shiprocket.Push, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("interpret: panic: %v", r)
		}
	}()
	push, err = shiprocket.Interpret(w.Body, w.ReceivedAt)
	if err != nil {
		return push, fmt.Errorf("interpret: %w", err)
	}
	return push, nil
}

// unreadable reports whether the body itself is why it cannot be interpreted.
func unreadable(err error) bool {
	return errors.Is(err, shiprocket.ErrNotJSON) || errors.Is(err, shiprocket.ErrNotObject) || errors.Is(err, shiprocket.ErrTooDeep)
}

// apply works a batch off. If the batch as a whole fails, its rows are tried
// one by one, so that none of them can hold up the others.
func (i *Inbox) apply(ctx context.Context, batch []Application, rows map[string]*Webhook) error {
	if len(batch) == 0 {
		return nil
	}
	now := i.opts.Now().UTC()
	applied, err := i.opts.Log.Apply(ctx, now, batch, i.opts.Apply)
	if ctx.Err() != nil && err != nil {
		return ctx.Err() // stopping: the rows stay claimed and are taken up again
	}
	if tracking.ErrorCode(err) == tracking.Unavailable {
		return err // that is nobody's fault: all of them are tried again
	}
	if err != nil && len(batch) > 1 {
		i.log.Warn("inbox.batch_failed", "webhooks", len(batch), "error", err)
		var errs []error
		for n := range batch {
			errs = append(errs, i.apply(ctx, batch[n:n+1], rows))
		}
		return errors.Join(errs...)
	}
	if err != nil {
		return i.fail(ctx, rows[batch[0].WebhookID], err)
	}
	var errs []error
	for n := range applied {
		a := &applied[n]
		if a.Err != nil {
			errs = append(errs, i.fail(ctx, rows[a.WebhookID], a.Err))
			continue
		}
		i.applied(rows[a.WebhookID], a)
	}
	return errors.Join(errs...)
}

func (i *Inbox) applied(w *Webhook, a *Applied) {
	i.metrics.applied(a.Status, a.Reason)
	level := i.log.Debug
	if a.Status == Parked && a.Reason == Conflict {
		level = i.log.Warn
	}
	level("webhook.applied", "webhook", w.ID, "order", a.OrderID, "status", string(a.Status),
		"reason", string(a.Reason), "updates", len(a.Updates), "attempt", w.Attempts,
		"waited_ms", i.opts.Now().Sub(w.ReceivedAt).Milliseconds())
}

func (i *Inbox) settle(ctx context.Context, w *Webhook, s Status, r Reason, result string) error {
	i.metrics.applied(s, r)
	return i.opts.Log.Settle(ctx, w.ID, i.opts.Now().UTC(), s, r, result)
}

// fail records a failed try and says when the next one is due. The log line
// names the row, never what stands in it: an event id holds the status word,
// and couriers write anything there.
func (i *Inbox) fail(ctx context.Context, w *Webhook, cause error) error {
	now := i.opts.Now().UTC()
	giveUp := w.Attempts >= i.opts.MaxAttempts
	next := now.Add(i.opts.Backoff(w.Attempts))
	i.metrics.failed(giveUp)
	i.log.Warn("webhook.failed", "webhook", w.ID, "attempt", w.Attempts, "given_up", giveUp, "error", cause)
	if err := i.opts.Log.Fail(ctx, w.ID, now, shownCause(cause), next, giveUp); err != nil {
		return fmt.Errorf("record a failed try: %w", err)
	}
	return nil
}

// shownCause is what viewers of the log are told of why a try failed: its first
// line. Below that of a panic are the calls that led to it, which the process's
// log has.
func shownCause(cause error) string {
	const most = 500
	line, _, _ := strings.Cut(cause.Error(), "\n")
	return strings.ToValidUTF8(line[:min(len(line), most)], "")
}

// backoff is 1 s, 4 s, 16 s, … at most 15 min, each ± 25 %: many rows that
// failed together do not come back together.
func backoff(attempt int) time.Duration {
	d := time.Second << min(2*max(attempt-1, 0), 20)
	d = min(d, 15*time.Minute)
	return time.Duration(float64(d) * (0.75 + rand.Float64()/2)) //nolint:gosec // jitter needs no secrecy
}
