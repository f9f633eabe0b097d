package inbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
)

// Run works rows off until ctx is done, then returns nil. At its start it takes
// up what an earlier process had claimed and not finished.
func (i *Inbox) Run(ctx context.Context) error {
	released, err := i.opts.Log.ReleaseLeases(ctx, i.opts.Holder)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("release leases of an earlier run: %w", err)
	case released > 0:
		i.alone.Store(int64(released))
		i.log.Info("inbox.resumed", "webhooks", released)
	}
	sweep := time.NewTicker(i.opts.Sweep)
	defer sweep.Stop()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for ctx.Err() == nil {
		asked := i.batch()
		n, err := i.Work(ctx)
		if err != nil && ctx.Err() == nil {
			i.log.Error("inbox.stalled", "error", err)
		}
		if n == asked && err == nil {
			continue // there may be more
		}
		soonest := 10 * time.Millisecond
		if err != nil {
			soonest = time.Second // what fails at once would fail a hundred times a second
		}
		if next, err := i.opts.Log.NextDue(ctx); err == nil && !next.IsZero() {
			due.Reset(max(next.Sub(i.opts.Now()), soonest))
		}
		select {
		case <-ctx.Done():
		case <-i.wake:
		case <-due.C:
		case <-sweep.C:
		}
	}
	return nil
}

// batch is how many rows to claim. What was in work when an earlier process
// ended is claimed row by row: should one of them have ended it, then no other
// row's attempts are counted when it does so again.
func (i *Inbox) batch() int {
	if i.alone.Load() > 0 {
		return 1
	}
	return i.opts.Batch
}

// Work claims one batch and works it off; it returns how many rows it claimed.
// After an error the rows of the batch stay leased and are claimed again once
// their lease has run out.
func (i *Inbox) Work(ctx context.Context) (int, error) {
	began := time.Now()
	claimed, err := i.opts.Log.Claim(ctx, i.opts.Holder, i.batch(), i.opts.Now().UTC(), i.opts.Lease)
	if err != nil {
		return 0, fmt.Errorf("claim webhooks: %w", err)
	}
	if i.alone.Load() > 0 {
		i.alone.Add(-1)
	}
	if len(claimed) == 0 {
		return 0, nil
	}
	batch := make([]Application, 0, len(claimed))
	rows := make(map[string]*Webhook, len(claimed))
	var errs []error
	for n := range claimed {
		w := &claimed[n]
		rows[w.ID] = w
		if w.Attempts > i.opts.MaxAttempts {
			// It was claimed again and again and never came back: it may well
			// be what kills the process.
			errs = append(errs, i.fail(ctx, w, errors.New("the process ended while working on it")))
			continue
		}
		push, err := interpret(w)
		switch {
		case unreadable(err):
			// Released from another refusal. No further try would read it.
			errs = append(errs, i.settle(ctx, w, Rejected, NotJSON, notJSON))
		case err != nil:
			errs = append(errs, i.fail(ctx, w, err))
		case push.Kind == shiprocket.Ping:
			errs = append(errs, i.settle(ctx, w, Ignored, Ping, ping))
		case push.Placeholder:
			errs = append(errs, i.settle(ctx, w, Parked, Placeholder, "the panel's sample with its placeholders still in: it names no real order"))
		default:
			i.metrics.faults(push.Faults)
			batch = append(batch, Application{WebhookID: w.ID, Evidence: push.Evidence, Unknown: push.UnknownStatus})
		}
	}
	errs = append(errs, i.apply(ctx, batch, rows))
	i.metrics.worked(time.Since(began))
	return len(claimed), errors.Join(errs...)
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
		return ctx.Err() // stopping: the rows stay leased and are taken up again
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
	if err := i.opts.Log.Fail(ctx, w.ID, now, cause.Error(), next, giveUp); err != nil {
		return fmt.Errorf("record a failed try: %w", err)
	}
	return nil
}

// backoff is 1 s, 4 s, 16 s, … at most 15 min, each ± 25 %: many rows that
// failed together do not come back together.
func backoff(attempt int) time.Duration {
	d := time.Second << min(2*max(attempt-1, 0), 20)
	d = min(d, 15*time.Minute)
	return time.Duration(float64(d) * (0.75 + rand.Float64()/2)) //nolint:gosec // jitter needs no secrecy
}
