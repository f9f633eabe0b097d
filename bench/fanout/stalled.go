package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gobwas/ws"
)

const (
	besides      = 50      // watchers that go on reading
	stalledBytes = 4 << 10 // of each event's data
	stalledRate  = 750     // events a second
	backAfter    = 15 * time.Second
)

// stalling is what happens when one watcher stops reading while events go on: to
// the others, to the server's memory, and to the one.
func (b *bench) stalling(ctx context.Context, s subject, v values) error {
	p, c, pub, err := b.crowded(ctx, s, besides, stalledBytes)
	if err != nil {
		return err
	}
	defer p.stop()
	defer c.leave()
	defer pub.close()

	// Without it first, for comparison.
	events := stalledRate
	t := newTally(besides, events, 0)
	c.follow(t)
	if err := pub.atRate(ctx, events, stalledRate, t); err != nil {
		return err
	}
	if err := orVerdict(t.wait(ctx), t); err != nil {
		return err
	}
	v["stalled_without_p99_ms"] = t.quantile(99)

	one := &crowd{addr: p.addr}
	defer func() { one.leave() }()
	if err := one.open(ctx, 1); err != nil {
		return err
	}
	if err := one.subscribe(ctx, 0, func(int) string { return busy }); err != nil {
		return err
	}
	t, its := newTally(besides, b.stalled, 0), newTally(1, b.stalled, 0)
	c.follow(t)
	one.follow(its)
	before, _ := p.memory()
	spent := look(p)
	if err := pub.atRate(ctx, b.stalled, stalledRate, t, its); err != nil {
		return err
	}
	if err := orVerdict(t.wait(ctx), t); err != nil {
		return err
	}
	v["stalled_others_cores"] = spent.end().others()
	v["stalled_p50_ms"], v["stalled_p99_ms"] = t.quantile(50), t.quantile(99)
	_, highest := p.memory()
	v["stalled_mb"] = max(0, highest-before) / (1 << 20)

	// It wakes up and reads what there is.
	one.listen(0)
	within, cancel := context.WithTimeout(ctx, backAfter)
	err = its.wait(within)
	cancel()
	if err != nil && its.departed.Load() == 0 {
		v["stalled_lost"] = float64(its.lost.Load() + its.missing.Load())
		return fmt.Errorf("the stalled watcher stays open and misses %d events: %w", int(v["stalled_lost"]), err)
	}
	one.leave() // and its reader has ended
	w := one.watchers[0]
	v["stalled_got"], v["stalled_lost"] = float64(its.next[0]), float64(its.lost.Load())
	if its.departed.Load() == 0 || its.missing.Load() == 0 {
		return nil // it has everything
	}
	v["stalled_code"] = float64(w.code)
	if w.code == 0 {
		v["stalled_code"] = float64(ws.StatusAbnormalClosure)
	}
	return b.comesBack(ctx, p, pub)
}

// comesBack does what pusher-js does after a close: connect, subscribe, and have
// what is published from then on.
func (b *bench) comesBack(ctx context.Context, p *process, pub *publisher) error {
	again, err := gather(ctx, p.addr, 1)
	if err != nil {
		return fmt.Errorf("come back: %w", err)
	}
	defer again.leave()
	t := newTally(1, 1, 0)
	again.follow(t)
	if err := errors.Join(t.expect(ctx, 0, time.Now()), pub.publish(0, 1)); err != nil {
		return err
	}
	return orVerdict(t.wait(ctx), t)
}
