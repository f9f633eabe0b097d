package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/webazaar/waybill/bench/load"
	"github.com/webazaar/waybill/bench/record"
)

// round starts every subject anew and takes each measurement of all of them
// before the next: what is compared was measured within seconds.
func (b *bench) round(ctx context.Context, n int) (map[string]values, error) {
	names := []string{ceiling, intake, sqlite, postgres, reference}
	all := map[string]values{}
	var subjects []*subject
	defer func() {
		for _, s := range subjects {
			s.stop()
		}
	}()
	for _, name := range names {
		s, err := b.open(ctx, name)
		if err != nil {
			return nil, err
		}
		if s != nil {
			subjects = append(subjects, s)
			all[name] = values{"ready_ms": milliseconds(s.main.Ready)}
		}
	}
	warmUp := 2000
	if b.quick {
		warmUp = 500
	}
	for _, s := range subjects {
		now, _, err := load.Memory(s.main.Pid())
		if err != nil {
			b.notes.Add("memory is not measured: %v", err)
		}
		all[s.name]["rss_idle_mb"] = megabytes(now)
		b.warm(ctx, s, warmUp)
	}
	// Whoever comes first in a measurement is another one each round.
	turned := append(slices.Clone(subjects[n%len(subjects):]), subjects[:n%len(subjects)]...)
	phases := []phase{{"burst", b.inBurst}, {"pipeline", b.inPipeline}}
	for _, rate := range b.rates {
		phases = append(phases, phase{fmt.Sprintf("open%d", rate), func(ctx context.Context, s *subject) (values, error) { return b.atRate(ctx, s, rate) }})
	}
	for _, p := range phases {
		for _, s := range turned {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			got, err := p.measure(ctx, s)
			if err != nil {
				b.notes.Add("%s of %s: %v", p.name, s.name, err)
			}
			for name, v := range got {
				all[s.name][p.name+"_"+name] = v
			}
			if len(got) > 0 {
				record.Say("  %-9s %-17s %s", p.name, s.name, got)
			}
		}
	}
	for _, s := range subjects {
		_, highest, _ := load.Memory(s.main.Pid())
		all[s.name]["rss_loaded_mb"] = megabytes(highest)
	}
	if info, err := os.Stat(b.waybill); err == nil {
		all[sqlite]["binary_mb"] = megabytes(info.Size())
	}
	return all, nil
}

type phase struct {
	name    string
	measure func(ctx context.Context, s *subject) (values, error)
}

func (b *bench) plan(pushes int) (*load.Plan, error) {
	b.plans++
	return load.NewPlan(load.PlanOptions{Pushes: pushes, Number: b.plans, Secret: secret})
}

// warm lets a subject compile, allocate and open what it will need.
func (b *bench) warm(ctx context.Context, s *subject, pushes int) {
	plan, err := b.plan(pushes)
	if err == nil {
		_, err = load.Run(ctx, load.Options{URL: s.main.URL, Plan: plan, Connections: b.connections, Watcher: s.watcher})
	}
	if err != nil {
		b.notes.Add("warming up %s: %v", s.name, err)
	}
}

// fastest is more than any of the subjects manages in a second: plans of that
// length do not end before their time.
func (s *subject) fastest() int {
	switch s.name {
	case ceiling:
		return 90_000
	case reference:
		return 10_000
	}
	return 40_000
}

// keeps reports whether the subject keeps and works off what it is sent.
func (s *subject) keeps() bool { return s.name != ceiling && s.name != intake }

// inBurst sends as fast as answers come, and lets what has run up be worked off
// afterwards.
func (b *bench) inBurst(ctx context.Context, s *subject) (values, error) {
	plan, err := b.plan(int(b.burst.Seconds() * float64(s.fastest())))
	if err != nil {
		return nil, err
	}
	r, d, err := b.measured(ctx, s, load.Options{Plan: plan, Duration: b.burst})
	if r == nil || r.Acked == 0 {
		return nil, err
	}
	v := values{"acks_per_s": r.AcksPerSecond(), "ack_p99_ms": quantile(r, 99), "generator_cpu_us": perEvent(d.generator, r.Acked), "others_cores": d.others()}
	if !s.keeps() {
		v["cpu_us"] = perEvent(d.main, r.Acked)
	}
	return v, err
}

// inPipeline keeps a bounded number of pushes on their way from request to
// event, so that what comes out is what can go on for ever.
func (b *bench) inPipeline(ctx context.Context, s *subject) (values, error) {
	if !s.keeps() {
		return nil, nil
	}
	plan, err := b.plan(int(b.pipeline.Seconds() * float64(s.fastest())))
	if err != nil {
		return nil, err
	}
	r, d, err := b.measured(ctx, s, load.Options{Plan: plan, Duration: b.pipeline, Watcher: s.watcher, Window: b.window})
	if r == nil || r.Events == 0 {
		return nil, err
	}
	v := values{"per_s": r.EventsPerSecond(), "cpu_us": perEvent(d.main, r.Events), "generator_cpu_us": perEvent(d.generator, r.Events), "others_cores": d.others()}
	if s.live != nil {
		v["live_cpu_us"] = perEvent(d.live, r.Events)
	}
	if s.database != "" {
		v["database_cpu_us"] = perEvent(d.database(), r.Events)
	}
	return v, err
}

// atRate sends at a rate, whatever the subject makes of it.
func (b *bench) atRate(ctx context.Context, s *subject, rate int) (values, error) {
	if s.name == intake {
		return nil, nil
	}
	plan, err := b.plan(int(b.hold.Seconds() * float64(rate)))
	if err != nil {
		return nil, err
	}
	r, d, err := b.measured(ctx, s, load.Options{Plan: plan, Rate: float64(rate), Watcher: s.watcher})
	if r == nil || r.Acked == 0 {
		return nil, err
	}
	v := values{"ack_p50_ms": quantile(r, 50), "ack_p99_ms": quantile(r, 99), "cpu_us": perEvent(d.main, r.Acked), "others_cores": d.others()}
	if r.Events > 0 {
		v["event_p50_ms"] = float64(r.Event.ValueAtQuantile(50)) / 1000
		v["event_p99_ms"] = float64(r.Event.ValueAtQuantile(99)) / 1000
	}
	return v, err
}

// measured runs the load and verifies what became of it. The error says what is
// wrong; the result holds either way.
func (b *bench) measured(ctx context.Context, s *subject, o load.Options) (*load.Result, spent, error) {
	o.URL, o.Connections = s.main.URL, b.connections
	var counted load.Counts
	var err error
	if s.keeps() {
		if counted, err = s.log.Counts(ctx); err != nil {
			return nil, spent{}, err
		}
	}
	before, began := b.spent(ctx, s), time.Now()
	r, err := load.Run(ctx, o)
	if r == nil {
		return nil, spent{}, err
	}
	d := b.spent(ctx, s).since(before)
	d.took = time.Since(began)
	if err == nil && r.Refused+r.Unanswered > 0 {
		err = fmt.Errorf("%d pushes were refused and %d not answered; the first: %w", r.Refused, r.Unanswered, r.First)
	}
	if s.keeps() {
		after, drained := s.log.Drained(ctx)
		if drained == nil {
			drained = r.Verify(counted, after)
		}
		if drained != nil {
			err = fmt.Errorf("acknowledged = stored = processed does not hold: %w", drained)
		}
	}
	return r, d, err
}

func quantile(r *load.Result, q float64) float64 { return float64(r.Ack.ValueAtQuantile(q)) / 1000 }

func perEvent(d time.Duration, n int) float64 { return float64(d.Microseconds()) / float64(n) }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
