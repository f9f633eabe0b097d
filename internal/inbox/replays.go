package inbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// ReplayState is what has become of a replay job.
type ReplayState string

// States of a replay job.
const (
	ReplayWaiting   ReplayState = "waiting"
	ReplayRunning   ReplayState = "running"
	ReplayDone      ReplayState = "done"
	ReplayCancelled ReplayState = "cancelled"
)

// Replayable reports whether rows of this status can be put back to work. A
// duplicate and a ping have nothing to be worked off, what is pending is.
func (s Status) Replayable() bool {
	return s == Failed || s == Parked || s == Rejected || s == Processed
}

// ReplayJob is a job that has not ended.
type ReplayJob struct {
	ID   string
	Rate int // rows a second, at most
	Held bool
}

// ReplayStep is what one step of a job came to.
type ReplayStep struct {
	Reopened, Skipped int
	Done, Matched     int // of the whole job
	Ended             bool
}

// ReplayLog keeps replay jobs and the log they go through.
type ReplayLog interface {
	// OpenReplay leases the oldest job that has not ended to holder. ok is
	// false when there is none, or another process is at it.
	OpenReplay(ctx context.Context, holder string) (job ReplayJob, ok bool, err error)
	// Behind reports whether live pushes wait to be worked off.
	Behind(ctx context.Context, now time.Time) (bool, error)
	// HoldReplay notes that a job waits for live pushes, or does so no more.
	HoldReplay(ctx context.Context, id string, held bool) error
	// StepReplay puts at most n more rows of a job back to work. A Conflict
	// means that the job is not holder's any more, or was cancelled.
	StepReplay(ctx context.Context, holder, id string, n int, now time.Time) (ReplayStep, error)
}

// ReplayerOptions are what a Replayer needs; the first three are required.
type ReplayerOptions struct {
	Log    ReplayLog
	Wake   func() // called when rows are to be worked off
	Logger *slog.Logger
	Holder string // names this process in the lease; default: made up
	Now    func() time.Time
}

// Replayer carries replay jobs out, one process and one job at a time. It gives
// way to live pushes.
type Replayer struct {
	opts ReplayerOptions
	log  *slog.Logger
	wake chan struct{}
}

const (
	replayLook  = 2 * time.Second        // how soon a job of another process is found
	replayHeld  = 500 * time.Millisecond // how soon it is looked whether live pushes still wait
	replayAgain = 5 * time.Second        // how soon it is tried again after an error
	replayPause = 10 * time.Millisecond  // between two looks at parts of the log that hold nothing
	replaySteps = 5                      // how many steps make up a second's rows
	replaySlice = 64                     // rows in one transaction at most: intake waits for no more
)

// NewReplayer makes a Replayer.
func NewReplayer(opts ReplayerOptions) *Replayer {
	if opts.Holder == "" {
		opts.Holder = tracking.NewOrderID()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Replayer{opts: opts, log: opts.Logger.With("component", "replay"), wake: make(chan struct{}, 1)}
}

// Wake makes Run look for a job now. It never blocks.
func (r *Replayer) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run carries jobs out until ctx is done.
func (r *Replayer) Run(ctx context.Context) error {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
		case <-r.wake:
		}
		began := time.Now()
		wait, err := r.Step(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.Warn("replay.stalled", "error", err)
		}
		next.Reset(max(0, wait-time.Since(began)))
	}
}

// Step goes one step on with the oldest job, if there is one and no live push
// waits, and says when the next step may begin.
func (r *Replayer) Step(ctx context.Context) (time.Duration, error) {
	job, ok, err := r.opts.Log.OpenReplay(ctx, r.opts.Holder)
	switch {
	case err != nil:
		return replayAgain, err
	case !ok:
		return replayLook, nil
	}
	now := r.opts.Now().UTC()
	behind, err := r.opts.Log.Behind(ctx, now)
	if err != nil {
		return replayAgain, err
	}
	if behind {
		if !job.Held {
			err = r.opts.Log.HoldReplay(ctx, job.ID, true)
		}
		return replayHeld, err
	}
	step, err := r.opts.Log.StepReplay(ctx, r.opts.Holder, job.ID, sliceOf(job.Rate), now)
	switch {
	case tracking.ErrorCode(err) == tracking.Conflict:
		return 0, nil // cancelled, or another's: look anew
	case err != nil:
		return replayAgain, err
	}
	if step.Reopened > 0 {
		r.opts.Wake()
	}
	if step.Ended {
		r.log.Info("replay.done", "replay", job.ID, "webhooks", step.Done, "matched", step.Matched)
	}
	return max(replayPause, time.Duration(step.Reopened)*time.Second/time.Duration(max(job.Rate, 1))), nil
}

// sliceOf is how many rows a step takes, so that even a slow job moves evenly.
func sliceOf(rate int) int { return min(max(rate/replaySteps, 1), replaySlice) }
