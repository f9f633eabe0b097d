package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

// as does one step of the census under the node's id.
func (n *node) as(ctx context.Context, what string, do func(ctx context.Context, id string) error) error {
	n.census.RLock()
	defer n.census.RUnlock()
	if n.id == "" {
		return errClosed
	}
	err := n.bounded(ctx, func(ctx context.Context) error { return do(ctx, n.id) })
	switch {
	case err == nil, errors.Is(err, pusher.ErrFull):
		return err
	case errors.Is(err, errForgotten):
		n.renewSoon()
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// enter takes a lease under an id that was never used. Whoever calls it holds
// census, or is alone.
func (n *node) enter(ctx context.Context) error {
	id := n.name + "/" + strconv.Itoa(n.lives+1)
	if err := n.outside.join(ctx, id); err != nil {
		return err
	}
	n.lives++
	n.id = id
	return nil
}

func (n *node) renewSoon() {
	select {
	case n.renewNow <- struct{}{}:
	default:
	}
}

// keepLease renews the lease, and reaps those who did not. What it has begun it
// ends, so that nobody is reaped and not told of.
func (n *node) keepLease(ctx context.Context) {
	tick := time.NewTicker(n.lease * 3 / 10)
	defer tick.Stop()
	steady := time.Now() // since when the lease was held without a break
	last := steady
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-n.renewNow:
		}
		if ctx.Err() != nil {
			return // of several that are ready, select takes any
		}
		asking := context.WithoutCancel(ctx)
		err := n.renew(asking)
		now := time.Now()
		if err != nil || now.Sub(last) > n.lease { // it was away, or asleep
			steady = now
		}
		if err == nil {
			last = now
			err = n.reap(asking, now.Sub(steady) >= n.lease)
		}
		n.health.asking(err)
	}
}

func (n *node) renew(ctx context.Context) error {
	err := n.bounded(ctx, func(ctx context.Context) error { return n.outside.renew(ctx, n.id) })
	if !errors.Is(err, errForgotten) {
		if err != nil {
			return fmt.Errorf("renew the lease: %w", err)
		}
		return nil
	}
	n.census.Lock()
	defer n.census.Unlock()
	if err := n.bounded(ctx, n.enter); err != nil {
		return fmt.Errorf("join again: %w", err)
	}
	n.log.Warn("bus.forgotten", "lease", n.lease)
	n.tell(pusher.Receiver.Forgotten)
	return nil
}

func (n *node) reap(ctx context.Context, late bool) error {
	for {
		var d *pusher.Departure
		err := n.bounded(ctx, func(ctx context.Context) (err error) {
			d, err = n.outside.reap(ctx, n.id, late)
			return err
		})
		if err != nil {
			return fmt.Errorf("reap: %w", err)
		}
		if d == nil {
			return nil
		}
		n.log.Info("bus.departed", "emptied", len(d.Emptied), "presence_channels", len(d.Members))
		n.tell(func(r pusher.Receiver) { r.Departed(*d) })
	}
}
