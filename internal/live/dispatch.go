package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
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

// BatchPublisher is a Publisher that would rather have many events at once.
type BatchPublisher interface {
	Publisher
	// PublishAll publishes in the order given. A *Lost means that some were
	// refused for good and all others taken; after any other error some may
	// have been taken.
	PublishAll(ctx context.Context, messages []Message) error
}

// Options are what a Dispatcher needs; those that have a default need not be
// set.
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
	// Expire drops updates that could not be published for this long; 0 keeps
	// them for ever. A watcher who joins later reads the snapshot anyway.
	Expire time.Duration
	// Backoff is how long to leave the publisher alone after its n-th failure
	// in a row, counted from 1; default 1 s doubling to 30 s, ± 25 %.
	Backoff func(failures int) time.Duration
}

// Dispatcher carries out the effects of committed updates, in their order.
type Dispatcher struct {
	opts Options
	log  *slog.Logger
	wake chan struct{}
}

// together is how many effects a BatchPublisher is given at once: with two or
// three events each that is a few requests.
const together = 32

// batch is how many effects are read, published and forgotten at a time.
const batch = 256

// NewDispatcher makes a Dispatcher; nothing is published before Run.
func NewDispatcher(opts Options) *Dispatcher {
	if opts.Sweep == 0 {
		opts.Sweep = 5 * time.Second
	}
	if opts.Backoff == nil {
		opts.Backoff = backoff
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
// earlier process had committed and not published. A publisher that fails is
// left alone for a while, however much there is to publish: the effects stay on
// record.
func (d *Dispatcher) Run(ctx context.Context) error {
	sweep := time.NewTicker(d.opts.Sweep)
	defer sweep.Stop()
	failures := 0
	for ctx.Err() == nil {
		n, err := d.Dispatch(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			failures++
			d.stalled(err, failures)
			d.rest(ctx, d.opts.Backoff(failures))
			continue
		case failures > 0 && n > 0:
			d.log.Info("live.recovered", "kind", d.opts.Kind, "failures", failures)
			failures = 0
		}
		if n == batch {
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

func (d *Dispatcher) stalled(err error, failures int) {
	attrs := []any{"kind", d.opts.Kind, "failures", failures, "error", err}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		attrs = append(attrs, "mend", refusal.Mend())
	}
	d.log.Error("live.stalled", attrs...)
}

func (d *Dispatcher) rest(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func backoff(failures int) time.Duration {
	d := min(time.Second<<min(failures-1, 10), 30*time.Second)
	return time.Duration(float64(d) * (0.75 + rand.Float64()/2)) //nolint:gosec // jitter needs no secrecy
}

// Dispatch publishes one batch of effects and returns how many it took. An
// effect that could not be published stays, and so do all after it: versions
// must not overtake each other.
func (d *Dispatcher) Dispatch(ctx context.Context) (int, error) {
	effects, err := d.opts.Outbox.Effects(ctx, d.opts.Kind, batch)
	if err != nil {
		return 0, fmt.Errorf("read effects: %w", err)
	}
	size := 1
	if _, ok := d.opts.Publisher.(BatchPublisher); ok {
		size = together
	}
	done := make([]int64, 0, len(effects))
	var failed error
	for some := range slices.Chunk(effects, size) {
		if failed = d.publish(ctx, some); failed != nil {
			u := &some[0].Update
			failed = fmt.Errorf("publish version %d of order %s: %w", u.Version, u.OrderID, failed)
			break
		}
		for i := range some {
			done = append(done, some[i].ID)
		}
	}
	if len(done) > 0 {
		// Also when ctx is done: what was published must not be again.
		if err := d.opts.Outbox.DeleteEffects(context.WithoutCancel(ctx), done); err != nil {
			return len(done), fmt.Errorf("forget published effects: %w", err)
		}
	}
	return len(done), failed
}

func (d *Dispatcher) publish(ctx context.Context, effects []tracking.Effect) error {
	now := time.Now()
	var all []Message
	for i := range effects {
		u := effects[i].Update
		if d.opts.Expire > 0 && now.Sub(u.At) > d.opts.Expire {
			continue
		}
		all = append(all, d.opts.Channels.Messages(u, now)...)
	}
	err := d.hand(ctx, all)
	if lost, ok := errors.AsType[*Lost](err); ok {
		d.log.Error("live.lost", "kind", d.opts.Kind, "events", lost.Events, "error", lost.Last)
		return nil
	}
	return err
}

func (d *Dispatcher) hand(ctx context.Context, messages []Message) error {
	if p, ok := d.opts.Publisher.(BatchPublisher); ok {
		return p.PublishAll(ctx, messages)
	}
	for _, m := range messages {
		if err := d.opts.Publisher.Publish(ctx, m); err != nil {
			return err
		}
	}
	return nil
}
