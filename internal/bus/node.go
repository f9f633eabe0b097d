package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

const (
	defaultLease = 10 * time.Second

	// patience is how long any call waits for the outside.
	patience = 2 * time.Second

	// probeEvery is how often a silent link is asked whether it is still there.
	probeEvery = time.Second

	minBackoff, maxBackoff = 50 * time.Millisecond, 2 * time.Second

	// control is the channel of the nodes themselves; no watcher's has this name.
	// Whatever comes on it says that somebody left.
	control = ""
)

var (
	errClosed    = errors.New("bus: not open")
	errForgotten = errors.New("bus: the node's lease ran out")
)

// outside is what a node needs for itself. Every call is bounded by its context.
type outside interface {
	// dial opens a link, whose goroutine calls deliver.
	dial(ctx context.Context, deliver func([]byte)) (link, error)
	join(ctx context.Context, id string) error
	// renew returns errForgotten when there is nothing to renew.
	renew(ctx context.Context, id string) error
	// leave gives the lease up, and lets the others know.
	leave(ctx context.Context, id string) error
	// reap takes one node out that has left or, if late is set, whose lease has run
	// out. It returns nil if there is none.
	reap(ctx context.Context, id string, late bool) (*pusher.Departure, error)
}

// node is the part of a Cluster that is the same wherever the cluster is kept.
type node struct {
	outside outside
	log     *slog.Logger
	lease   time.Duration
	health  health
	follows *follows

	gate     sync.RWMutex // held while the receiver is called
	receiver pusher.Receiver

	// census is held for reading by a step of the census, so that none is under
	// way while the node gets another id.
	census sync.RWMutex
	id     string // in the cluster; "" unless open
	name   string
	lives  int

	renewNow chan struct{}
	stop     context.CancelFunc
	running  sync.WaitGroup
}

func newNode(o outside, log *slog.Logger, lease time.Duration) *node {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if lease <= 0 {
		lease = defaultLease
	}
	log = log.With("component", "bus")
	return &node{
		outside: o, log: log, lease: lease, health: health{log: log},
		follows: newFollows(), renewNow: make(chan struct{}, 1), stop: func() {},
	}
}

// Health says how the node is, and since when. It can be called at any time.
func (n *node) Health() Health { return n.health.now() }

// begin joins the cluster and follows the control channel. Nothing is left behind
// when it fails.
func (n *node) begin(ctx context.Context, name string, r pusher.Receiver) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	l, err := n.outside.dial(ctx, n.deliver)
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	n.follows.want(control)
	if err := n.follows.settle(ctx, l); err != nil {
		l.close()
		return fmt.Errorf("follow: %w", err)
	}
	n.name = name
	if err := n.enter(ctx); err != nil {
		l.close()
		return fmt.Errorf("join: %w", err)
	}
	n.gate.Lock()
	n.receiver = r
	n.gate.Unlock()
	n.health.hearing(nil)
	n.renewSoon() // there may be somebody to reap
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop = stop
	n.running.Go(func() { n.keepLink(run, l) })
	n.running.Go(func() { n.keepLease(run) })
	return nil
}

// end stops everything, and gives up the lease if it can. What was reaped before
// is still told.
func (n *node) end() error {
	n.stop()
	n.running.Wait()
	n.gate.Lock()
	n.receiver = nil
	n.gate.Unlock()
	n.census.Lock()
	id := n.id
	n.id = ""
	n.census.Unlock()
	if id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience/2)
	defer cancel()
	err := n.outside.leave(ctx, id)
	if err != nil && ctx.Err() == nil {
		err = n.outside.leave(ctx, id) // by another connection: that one had broken
	}
	if err != nil {
		return fmt.Errorf("leave the cluster: %w", err) // the lease runs out instead
	}
	return nil
}

// Follow is as pusher.Bus says.
func (n *node) Follow(ctx context.Context, channel string) error {
	if !n.isOpen() {
		return errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	one := n.follows.want(channel)
	select {
	case <-one.began:
		return nil
	case <-ctx.Done():
		n.follows.drop(channel)
		if err := n.Health().Err; err != nil {
			return fmt.Errorf("follow: %w", err)
		}
		return fmt.Errorf("follow: %w", ctx.Err())
	}
}

// Unfollow is as pusher.Bus says.
func (n *node) Unfollow(channel string) { n.follows.drop(channel) }

// deliver is called by the link.
func (n *node) deliver(b []byte) {
	m, err := decode(b)
	switch {
	case err != nil:
		n.log.Warn("bus.unreadable", "bytes", len(b))
	case m.Channel == control:
		n.renewSoon()
	case n.follows.wants(m.Channel):
		n.tell(func(r pusher.Receiver) { r.Deliver(m) })
	}
}

// tell calls the receiver, unless the cluster is closed.
func (n *node) tell(what func(pusher.Receiver)) {
	n.gate.RLock()
	defer n.gate.RUnlock()
	if n.receiver != nil {
		what(n.receiver)
	}
}

func (n *node) isOpen() bool {
	n.gate.RLock()
	defer n.gate.RUnlock()
	return n.receiver != nil
}

// keepLink has a link at all times, if it can.
func (n *node) keepLink(ctx context.Context, l link) {
	for {
		err := n.useLink(ctx, l)
		l.close()
		if ctx.Err() != nil {
			return
		}
		n.health.hearing(fmt.Errorf("link: %w", err))
		if l = n.relink(ctx); l == nil {
			return
		}
		n.health.hearing(nil)
		n.tell(pusher.Receiver.Gap)
	}
}

// useLink returns when the link is down.
func (n *node) useLink(ctx context.Context, l link) error {
	probe := time.NewTicker(probeEvery)
	defer probe.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-l.lost():
			if err == nil {
				err = errors.New("closed by the other side")
			}
			return err
		case <-n.follows.wake:
			err = n.follows.settle(ctx, patient{l})
		case <-probe.C:
			err = patient{l}.change(ctx, nil, nil)
		}
		if err != nil {
			return err
		}
	}
}

// relink returns a link on which everything is followed again, or nil when ctx is
// done.
func (n *node) relink(ctx context.Context) link {
	for wait := minBackoff; ; wait = min(2*wait, maxBackoff) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait/2 + rand.N(wait/2+1)): // the others come back, too
		}
		var l link
		err := n.bounded(ctx, func(ctx context.Context) (err error) {
			l, err = n.outside.dial(ctx, n.deliver)
			return err
		})
		if err == nil {
			n.follows.restart()
			if err = n.follows.settle(ctx, patient{l}); err == nil {
				return l
			}
			l.close()
		}
		n.health.hearing(fmt.Errorf("link: %w", err))
	}
}

// patient bounds each change by itself, however many there are.
type patient struct{ link }

func (p patient) change(ctx context.Context, add, drop []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return p.link.change(ctx, add, drop)
}

func (n *node) bounded(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return do(ctx)
}
