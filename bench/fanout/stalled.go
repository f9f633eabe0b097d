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
	stalledRate  = 500     // events a second
	wakeWithin   = 15 * time.Second
)

// stalling is what happens when two watchers stop reading while events go on: to
// the others, to the server's memory, and to the two. One wakes up half-way, soon
// enough to be told what became of it, and one when all is over.
func (b *bench) stalling(ctx context.Context, s subject, v values) error {
	p, c, pub, err := b.crowded(ctx, s, besides, stalledBytes)
	if err != nil {
		return err
	}
	defer p.Stop()
	defer c.leave()
	defer pub.close()

	// Without them first, for comparison.
	t := newTally(besides, stalledRate, 0)
	c.follow(t)
	if err := pub.atRate(ctx, 0, stalledRate, stalledRate, t); err != nil {
		return err
	}
	if err := orVerdict(t.wait(ctx), t); err != nil {
		return err
	}
	v["stalled_without_p99_ms"] = t.quantile(99)

	var sleepers [2]*sleeper
	for i := range sleepers {
		if sleepers[i], err = b.putToSleep(ctx, p.Addr); err != nil {
			return err
		}
		defer sleepers[i].leave()
	}
	first, second := sleepers[0], sleepers[1]
	t = newTally(besides, b.stalled, 0)
	c.follow(t)
	before, _ := p.memory()
	spent := look(p)
	if err := pub.atRate(ctx, 0, b.stalled/2, stalledRate, t, first.tally, second.tally); err != nil {
		return err
	}
	first.listen(0)
	if err := pub.atRate(ctx, b.stalled/2, b.stalled, stalledRate, t, first.tally, second.tally); err != nil {
		return err
	}
	if err := orVerdict(t.wait(ctx), t); err != nil {
		return err
	}
	v["stalled_others_cores"] = spent.end().others()
	v["stalled_p50_ms"], v["stalled_p99_ms"] = t.quantile(50), t.quantile(99)
	_, highest := p.memory()
	v["stalled_mb"] = max(0, highest-before) / (1 << 20)
	second.listen(0)
	if err := errors.Join(first.fate(ctx, "stalled_first_", v), second.fate(ctx, "stalled_second_", v)); err != nil {
		return err
	}
	return b.comesBack(ctx, p, pub)
}

// A sleeper is a crowd of one that is subscribed and does not read.
type sleeper struct {
	crowd
	tally *tally
}

func (b *bench) putToSleep(ctx context.Context, addr string) (*sleeper, error) {
	s := &sleeper{crowd: crowd{addr: addr}, tally: newTally(1, b.stalled, 0)}
	s.tally.mayGo = true
	err := s.open(ctx, 1)
	if err == nil {
		err = s.subscribe(ctx, 0, func(int) string { return busy })
	}
	if err != nil {
		s.leave()
		return nil, err
	}
	s.follow(s.tally)
	return s, nil
}

// fate is what became of one that is awake again: it has everything, or it was
// closed and knows that it has not, or it is none the wiser.
func (s *sleeper) fate(ctx context.Context, at string, v values) error {
	within, cancel := context.WithTimeout(ctx, wakeWithin)
	defer cancel()
	err := s.tally.wait(within)
	gone := s.tally.departed.Load() > 0
	s.leave() // and its reader has ended
	v[at+"got"], v[at+"lost"] = float64(s.tally.next[0]), float64(s.tally.lost.Load())
	if s.tally.missing.Load() == 0 {
		return nil
	}
	if !gone {
		v[at+"lost"] += float64(s.tally.missing.Load())
		return fmt.Errorf("a watcher that stalled is not closed and misses %d events: %w", s.tally.missing.Load(), err)
	}
	v[at+"code"] = float64(s.watchers[0].code)
	if s.watchers[0].code == 0 {
		v[at+"code"] = float64(ws.StatusAbnormalClosure)
	}
	return nil
}

// comesBack does what pusher-js does after a close: connect, subscribe, and have
// what is published from then on.
func (b *bench) comesBack(ctx context.Context, p *process, pub *publisher) error {
	again, err := gather(ctx, p.Addr, 1)
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
