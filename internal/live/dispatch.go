package live

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// Outbox keeps effects on record until they were carried out.
type Outbox interface {
	// Effects are at most n effects of a kind, oldest first; those of one
	// order in the order of its versions.
	Effects(ctx context.Context, kind string, n int) ([]tracking.Effect, error)
	// DeleteEffects forgets effects that were carried out.
	DeleteEffects(ctx context.Context, ids []int64) error
}

// Publisher hands an event to everyone who listens on the channels. When it
// returns nil, the event was taken.
type Publisher interface {
	Publish(ctx context.Context, m Message) error
}

// Options are what a Dispatcher needs; all but Kind and Sweep are required.
type Options struct {
	Outbox    Outbox
	Publisher Publisher
	Channels  Channels
	Logger    *slog.Logger
	// Kind is which effects are carried out, default tracking.LiveUpdate.
	// Dispatchers of different kinds do not wait for each other.
	Kind string
	// Sweep is how often to look for effects even without a signal, default 5 s.
	Sweep time.Duration
}

// Dispatcher carries out the effects of committed updates, in their order.
type Dispatcher struct {
	opts Options
	log  *slog.Logger
	wake chan struct{}
}

// batch is how many effects are read, published and forgotten at a time.
const batch = 256

// NewDispatcher makes a Dispatcher; nothing is published before Run.
func NewDispatcher(opts Options) *Dispatcher {
	if opts.Sweep == 0 {
		opts.Sweep = 5 * time.Second
	}
	if opts.Kind == "" {
		opts.Kind = tracking.LiveUpdate
	}
	return &Dispatcher{opts: opts, log: opts.Logger.With("component", "live"), wake: make(chan struct{}, 1)}
}

// Wake makes Run look for effects now. It never blocks.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run publishes until ctx is done, then returns nil. It begins with what an
// earlier process had committed and not published.
func (d *Dispatcher) Run(ctx context.Context) error {
	sweep := time.NewTicker(d.opts.Sweep)
	defer sweep.Stop()
	for ctx.Err() == nil {
		n, err := d.Dispatch(ctx)
		if err != nil && ctx.Err() == nil {
			// The effects stay on record; the sweep is the next try.
			d.log.Error("live.stalled", "error", err)
		}
		if n == batch && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-sweep.C:
		}
	}
	return nil
}

// Dispatch publishes one batch of effects and returns how many it took. An
// effect that could not be published stays, and so do all after it: versions
// must not overtake each other.
func (d *Dispatcher) Dispatch(ctx context.Context) (int, error) {
	effects, err := d.opts.Outbox.Effects(ctx, d.opts.Kind, batch)
	if err != nil {
		return 0, fmt.Errorf("read effects: %w", err)
	}
	done := make([]int64, 0, len(effects))
	var failed error
	for i := range effects {
		if failed = d.publish(ctx, effects[i].Update); failed != nil {
			failed = fmt.Errorf("publish version %d of order %s: %w", effects[i].Update.Version, effects[i].Update.OrderID, failed)
			break
		}
		done = append(done, effects[i].ID)
	}
	if len(done) > 0 {
		// Also when ctx is done: what was published must not be again.
		if err := d.opts.Outbox.DeleteEffects(context.WithoutCancel(ctx), done); err != nil {
			return len(done), fmt.Errorf("forget published effects: %w", err)
		}
	}
	return len(done), failed
}

func (d *Dispatcher) publish(ctx context.Context, u tracking.Update) error {
	messages, err := d.opts.Channels.Messages(u, time.Now())
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := d.opts.Publisher.Publish(ctx, m); err != nil {
			return err
		}
	}
	return nil
}
