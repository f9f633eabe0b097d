package main

import (
	"context"
	"fmt"
	"time"
)

// resting is what connections cost that do nothing, each subscribed to a channel of
// its own as a buyer's page is.
func (b *bench) resting(ctx context.Context, s subject, v values) error {
	p, err := b.start(ctx, s)
	if err != nil {
		return err
	}
	defer p.Stop()
	c := &crowd{addr: p.Addr}
	defer func() { c.leave() }()
	if err := p.collect(ctx); err != nil {
		return err
	}
	before, _ := p.memory()
	for i, n := range b.idle {
		from := len(c.watchers)
		if err := c.open(ctx, n-from); err != nil {
			return err
		}
		if err := c.subscribe(ctx, from, func(i int) string { return fmt.Sprintf("order-%08d", i) }); err != nil {
			return err
		}
		c.listen(from)
		if i == len(b.idle)-1 {
			spent := look(p)
			if err := pause(ctx, b.rest); err != nil {
				return err
			}
			d := spent.end()
			v["idle_cpu_ms_per_s"] = float64(d.server.Milliseconds()) / d.took.Seconds()
			v["idle_others_cores"] = d.others()
		}
		at := fmt.Sprintf("idle%d_", nominal(n))
		now, _ := p.memory()
		v[at+"kb"] = (now - before) / 1024 / float64(n)
		if err := p.collect(ctx); err != nil {
			return err
		}
		now, _ = p.memory()
		v[at+"collected_kb"] = (now - before) / 1024 / float64(n)
	}
	return nil
}

// nominal is the number of connections that was asked for, where the limit of open
// files allowed a little less.
func nominal(n int) int { return (n + 499) / 500 * 500 }

// joining is what it costs that many come, join one channel, and leave again.
func (b *bench) joining(ctx context.Context, s subject, v values) error {
	p, err := b.start(ctx, s)
	if err != nil {
		return err
	}
	defer p.Stop()
	if err := p.collect(ctx); err != nil {
		return err
	}
	files := p.files()
	before, _ := p.memory()
	c := &crowd{addr: p.Addr}
	defer func() { c.leave() }()

	spent := look(p)
	if err := c.open(ctx, b.joins); err != nil {
		return err
	}
	connecting := spent.end()
	spent = look(p)
	if err := c.subscribe(ctx, 0, func(int) string { return busy }); err != nil {
		return err
	}
	joining := spent.end()
	c.listen(0)
	if err := p.collect(ctx); err != nil {
		return err
	}
	now, _ := p.memory()

	spent = look(p)
	c.leave()
	for p.files() > files {
		if time.Since(spent.began) > answerWithin {
			return fmt.Errorf("%d connections are still there %s after everybody left", p.files()-files, answerWithin)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	leaving := spent.end()
	v["joins_connect_cpu_s"], v["joins_connect_s"] = connecting.server.Seconds(), connecting.took.Seconds()
	v["joins_cpu_s"], v["joins_s"] = joining.server.Seconds(), joining.took.Seconds()
	v["joins_leave_cpu_s"], v["joins_leave_s"] = leaving.server.Seconds(), leaving.took.Seconds()
	v["joins_collected_kb"] = (now - before) / 1024 / float64(b.joins)
	v["joins_others_cores"] = connecting.others()
	return nil
}
