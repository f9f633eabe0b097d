package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	eventBytes = 1 << 10 // of an event's data
	warmUp     = 20      // events before anything is counted
)

// atPace is what many watchers of one channel wait for an event, at a rate that is
// no hurry: as many deliveries a second whatever the crowd.
func (b *bench) atPace(ctx context.Context, s subject, v values) error {
	for _, n := range b.crowds {
		if err := b.atPaceTo(ctx, s, n, v); err != nil {
			return fmt.Errorf("%d watchers: %w", n, err)
		}
	}
	return nil
}

func (b *bench) atPaceTo(ctx context.Context, s subject, n int, v values) error {
	p, c, pub, err := b.crowded(ctx, s, n, eventBytes)
	if err != nil {
		return err
	}
	defer p.Stop()
	defer c.leave()
	defer pub.close()

	rate := float64(b.paced) / float64(n)
	events := int(rate * b.hold.Seconds())
	t := newTally(n, events, 0)
	c.follow(t)
	spent := look(p)
	if err := pub.atRate(ctx, 0, events, rate, t); err != nil {
		return err
	}
	err = t.wait(ctx)
	d := spent.end()
	at := fmt.Sprintf("paced%d_", n)
	deliveries := float64(events * n)
	v[at+"p50_ms"], v[at+"p99_ms"] = t.quantile(50), t.quantile(99)
	v[at+"cpu_us"], v[at+"generator_cpu_us"] = perDelivery(d.server, deliveries), perDelivery(d.generator, deliveries)
	v[at+"others_cores"] = d.others()
	return orVerdict(err, t)
}

// batched is how many events go into one request at most (Pusher docs).
const batched = 10

// inBurst sends events as fast as the slowest watcher takes them: with a bounded
// number under way, so that the rate is one that could go on for ever.
func (b *bench) inBurst(ctx context.Context, s subject, v values) error {
	p, c, pub, err := b.crowded(ctx, s, b.watchers, eventBytes)
	if err != nil {
		return err
	}
	defer p.Stop()
	defer c.leave()
	defer pub.close()
	return errors.Join(b.burstOf(ctx, p, c, pub, 1, "burst_", v), b.burstOf(ctx, p, c, pub, batched, "batches_", v))
}

func (b *bench) burstOf(ctx context.Context, p *process, c *crowd, pub *publisher, batch int, at string, v values) error {
	t := newTally(len(c.watchers), 100_000, b.window)
	c.follow(t)
	spent := look(p)
	events, err := pub.asFast(ctx, t, b.burst, batch)
	if err == nil {
		err = t.wait(ctx)
	}
	d := spent.end()
	deliveries := float64(events * len(c.watchers))
	v[at+"per_s"] = deliveries / time.Duration(t.last.Load()).Seconds()
	v[at+"cpu_us"], v[at+"generator_cpu_us"] = perDelivery(d.server, deliveries), perDelivery(d.generator, deliveries)
	v[at+"others_cores"] = d.others()
	v[at+"lost"] = float64(t.lost.Load() + t.missing.Load())
	return orVerdict(err, t)
}

// crowded starts the subject with a crowd in one channel, and lets both compile and
// allocate what they will need. What it returns is the caller's to end.
func (b *bench) crowded(ctx context.Context, s subject, n, size int) (*process, *crowd, *publisher, error) {
	p, err := b.start(ctx, s)
	if err != nil {
		return nil, nil, nil, err
	}
	c, err := gather(ctx, p.Addr, n)
	if err != nil {
		p.Stop()
		return nil, nil, nil, err
	}
	pub := newPublisher(p.Addr, size)
	t := newTally(n, warmUp, warmUp)
	c.follow(t)
	for event := range warmUp {
		if err = t.expect(ctx, event, time.Now()); err == nil {
			err = pub.publish(event, 1)
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = orVerdict(t.wait(ctx), t)
	}
	if err != nil {
		pub.close()
		c.leave()
		p.Stop()
		return nil, nil, nil, fmt.Errorf("warm up: %w", err)
	}
	return p, c, pub, nil
}

func orVerdict(err error, t *tally) error {
	if err != nil {
		return err
	}
	return t.verdict()
}

func perDelivery(d time.Duration, n float64) float64 { return float64(d.Microseconds()) / n }
