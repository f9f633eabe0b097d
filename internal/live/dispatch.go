package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// Outbox keeps effects on record until they were carried out.
type Outbox interface {
	// Effects are about n effects of a kind, oldest first; those of one order
	// in the order of its versions. None means that there are no more.
	Effects(ctx context.Context, kind string, n int) ([]tracking.Effect, error)
	// DeleteEffects forgets effects that were carried out, in their order.
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

// Dispatcher carries out the effects of committed updates, in their order. It
// takes them from Offer, and from the outbox what was not offered: what an
// earlier process left, and what came faster than it was published.
type Dispatcher struct {
	opts Options
	log  *slog.Logger
	wake chan struct{}

	mu      sync.Mutex
	offered []tracking.Effect
	missed  bool // the outbox may hold effects that are not in offered

	// Of the goroutine that dispatches:
	done        []int64        // published, not yet forgotten by the outbox
	unforgotten bool           // and that could not be done when it was tried last
	logged      map[int64]bool // published from the outbox; may be offered too
}

// maxOffered bounds what waits in memory; beyond it the outbox is read.
const maxOffered = 4096

// forgetAt is how many published effects are forgotten at a time, at least
// every forgetAfter: it is one transaction. Those not yet forgotten when a
// process ends are published again by the next one.
const (
	forgetAt    = 512
	forgetAfter = 100 * time.Millisecond
)

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
	return &Dispatcher{opts: opts, log: opts.Logger.With("component", "live"), wake: make(chan struct{}, 1), missed: true}
}

func (d *Dispatcher) signal() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Offer hands over effects that were just committed, in the order of their
// commits. It never blocks.
func (d *Dispatcher) Offer(effects []tracking.Effect) {
	d.mu.Lock()
	for i := range effects {
		switch {
		case effects[i].Kind != d.opts.Kind:
		case len(d.offered) == maxOffered:
			d.offered, d.missed = nil, true
		case !d.missed:
			d.offered = append(d.offered, effects[i])
		}
	}
	d.mu.Unlock()
	d.signal()
}

// Run publishes until ctx is done, then returns nil. It begins with what an
// earlier process had committed and not published. A publisher that fails is
// left alone for a while, however much there is to publish: the effects stay on
// record.
func (d *Dispatcher) Run(ctx context.Context) error {
	sweep := time.NewTicker(d.opts.Sweep)
	defer sweep.Stop()
	forget := time.NewTimer(forgetAfter)
	defer forget.Stop()
	failures := 0
	for ctx.Err() == nil {
		n, more, err := d.dispatch(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			failures++
			d.stalled(err, failures)
			d.rest(ctx, d.opts.Backoff(failures))
			continue
		case failures > 0 && n > 0:
			d.log.Info("live.recovered", "kind", d.opts.Kind, "failures", failures)
			failures = 0
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-forget.C:
			d.forgetLogged(ctx)
			forget.Reset(forgetAfter)
		case <-sweep.C:
			d.miss()
		}
	}
	d.forgetLogged(ctx)
	return nil
}

// miss makes the next dispatch look into the outbox.
func (d *Dispatcher) miss() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offered, d.missed = nil, true
}

// forgetLogged is forget where an error only means another try later.
func (d *Dispatcher) forgetLogged(ctx context.Context) {
	err := d.forget(ctx)
	if err != nil && !d.unforgotten { // every try would tell the same
		d.log.Error("live.stalled", "kind", d.opts.Kind, "error", err)
	}
	d.unforgotten = err != nil
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

// Dispatch publishes one batch of the outbox, forgets it, and returns how many
// effects it took. One that could not be published stays, and so do all after
// it: versions must not overtake each other. It is not for use beside Run.
func (d *Dispatcher) Dispatch(ctx context.Context) (int, error) {
	d.miss()
	n, _, err := d.dispatch(ctx)
	return n, errors.Join(err, d.forget(ctx))
}

// dispatch also says whether there is more to publish at once.
func (d *Dispatcher) dispatch(ctx context.Context) (taken int, more bool, err error) {
	effects, more, err := d.next(ctx)
	if err != nil {
		return 0, false, err
	}
	size := 1
	if _, ok := d.opts.Publisher.(BatchPublisher); ok {
		size = together
	}
	for some := range slices.Chunk(effects, size) {
		if err := d.publish(ctx, some); err != nil {
			d.miss() // they are on record
			u := &some[0].Update
			return taken, false, fmt.Errorf("publish version %d of order %s: %w", u.Version, u.OrderID, err)
		}
		for i := range some {
			d.done = append(d.done, some[i].ID)
		}
		taken += len(some)
	}
	if len(d.done) >= forgetAt {
		return taken, more, d.forget(ctx)
	}
	return taken, more, nil
}

// next is the batch to publish now: what was offered, or, if that may not be
// all, what the outbox has.
func (d *Dispatcher) next(ctx context.Context) (effects []tracking.Effect, more bool, err error) {
	d.mu.Lock()
	if !d.missed {
		n := min(batch, len(d.offered))
		effects = d.offered[:n:n]
		d.offered = d.offered[n:]
		more = len(d.offered) > 0
		d.mu.Unlock()
		return slices.DeleteFunc(effects, func(e tracking.Effect) bool { return d.logged[e.ID] }), more, nil
	}
	// From here on what is committed is offered again; some of it may be read
	// from the outbox too, and is left out when it comes.
	d.missed, d.offered = false, nil
	d.mu.Unlock()
	if err := d.forget(ctx); err != nil {
		d.miss()
		return nil, false, err
	}
	effects, err = d.opts.Outbox.Effects(ctx, d.opts.Kind, batch)
	if err != nil {
		d.miss()
		return nil, false, fmt.Errorf("read effects: %w", err)
	}
	if more = len(effects) > 0; more {
		d.miss()
	}
	// Kept beyond the last read, which finds nothing: offers come a moment late.
	if len(d.logged) >= maxOffered || d.logged == nil {
		d.logged = make(map[int64]bool, len(effects))
	}
	for i := range effects {
		d.logged[effects[i].ID] = true
	}
	return effects, more, nil
}

// forget deletes what was published, also when ctx is done: it must not be
// published again.
func (d *Dispatcher) forget(ctx context.Context) error {
	if len(d.done) == 0 {
		return nil
	}
	if err := d.opts.Outbox.DeleteEffects(context.WithoutCancel(ctx), d.done); err != nil {
		return fmt.Errorf("forget published effects: %w", err)
	}
	d.done = d.done[:0]
	return nil
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
