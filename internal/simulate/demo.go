package simulate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// DemoOptions are what to show and where.
type DemoOptions struct {
	URL     string // of the server, without a path
	Token   string // sent as x-api-key when not empty
	Secret  string // signs each push when not empty
	Client  *http.Client
	Parcels int           // how many are on their way at a time; one of each kind when zero
	Pace    time.Duration // between two steps of one parcel, on average; 7 s when zero, not under 5 s
	Seed    uint64        // of the parcels and of their order; drawn when zero

	// OnParcel is told of each parcel when its first push has been
	// acknowledged; its order exists as soon as that push is applied. The demo
	// stands still while it runs.
	OnParcel func(Parcel)
	// OnPush is told of each push that was acknowledged, with its status word.
	OnPush func(Parcel, string)
}

const (
	leastPace = 5 * time.Second // four scans of a step have a second each
	// Of the pushes of a live parcel some come late, after the next one, and
	// some come twice.
	demoLate, demoIdentical, demoSimilar = 0.12, 0.10, 0.05
)

// Demo moves a dozen parcels of all kinds through their journeys, minutes long
// and live: each step is dated with the moment it is sent at. The first parcels
// come with days of history behind them; when one has ended, another begins.
//
// Demo goes on until ctx ends, and then returns nil. It gives up when the
// server refuses a push or has not answered one for a minute.
func Demo(ctx context.Context, o DemoOptions) error {
	if o.Seed == 0 {
		o.Seed = 1 + rand.Uint64N(1<<40)
	}
	if o.Parcels <= 0 {
		o.Parcels = len(journeys)
	}
	if o.Pace == 0 {
		o.Pace = 7 * time.Second
	}
	o.Pace = max(o.Pace, leastPace)
	s, err := newPoster(o.URL, o.Token, o.Secret, o.Client, 2)
	if err != nil {
		return err
	}
	defer s.idle()
	d := &demo{DemoOptions: o, poster: s, shop: openShop(o.Seed), rng: stream(o.Seed, streamDemo)}
	return d.run(ctx)
}

// demo is a small discrete simulation that runs on the real clock: what is to
// be done next waits in agenda.
type demo struct {
	DemoOptions
	poster *poster
	shop   shop
	rng    *rand.Rand
	begun  int // parcels so far
	agenda []task
}

type task struct {
	at time.Time
	do func(ctx context.Context, now time.Time) error
}

func (d *demo) run(ctx context.Context) error {
	for range d.Parcels {
		if err := d.begin(ctx, true); err != nil {
			return unlessDone(ctx, err)
		}
	}
	for {
		next := 0
		for i := range d.agenda {
			if d.agenda[i].at.Before(d.agenda[next].at) {
				next = i
			}
		}
		t := d.agenda[next]
		d.agenda = append(d.agenda[:next], d.agenda[next+1:]...)
		if err := pauseFor(ctx, time.Until(t.at)); err != nil {
			return unlessDone(ctx, err)
		}
		if err := t.do(ctx, time.Now()); err != nil {
			return unlessDone(ctx, err)
		}
	}
}

// unlessDone is the error, if it is not just the end of ctx.
func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

func (d *demo) after(wait time.Duration, do func(context.Context, time.Time) error) {
	d.agenda = append(d.agenda, task{time.Now().Add(wait), do})
}

// about is a time around the mean, from half of it to one and a half.
func (d *demo) about(mean time.Duration) time.Duration {
	return mean/2 + d.upTo(mean)
}

func (d *demo) upTo(most time.Duration) time.Duration {
	return time.Duration(d.rng.Int64N(int64(most)))
}

// begin sets the next parcel on its way. One with a past is sent that past at
// once and goes on from there, with two steps left at least.
func (d *demo) begin(ctx context.Context, withPast bool) error {
	j := &journeys[d.begun%len(journeys)]
	p := d.shop.parcel(d.begun, j)
	d.begun++
	if withPast {
		steps := max(1, min(len(j.steps)-2, int(float64(len(j.steps))*(0.3+0.6*d.rng.Float64()))))
		p.recall(steps, time.Now().Add(-10*time.Minute-d.upTo(30*time.Minute)))
		for n := range steps {
			if err := d.send(ctx, p, n, retelling{}); err != nil {
				return err
			}
		}
		d.after(2*time.Second+d.upTo(d.Pace), d.stepOf(p))
		return nil
	}
	return d.stepOf(p)(ctx, time.Now())
}

// stepOf takes the parcel's next step now, and puts down what follows.
func (d *demo) stepOf(p *parcel) func(context.Context, time.Time) error {
	return func(ctx context.Context, now time.Time) error {
		n := len(p.moments)
		p.happen(now.Add(-time.Second), now)
		if p.done() {
			d.after(d.about(15*time.Second), func(ctx context.Context, _ time.Time) error { return d.begin(ctx, false) })
			return d.send(ctx, p, n, retelling{})
		}
		gap := max(d.about(d.Pace), p.room()+time.Second)
		d.after(gap, d.stepOf(p))

		sendIt := func(again retelling) func(context.Context, time.Time) error {
			return func(ctx context.Context, _ time.Time) error { return d.send(ctx, p, n, again) }
		}
		switch chance := d.rng.Float64(); {
		case n > 0 && chance < demoLate:
			d.after(gap+time.Second+d.upTo(2*time.Second), sendIt(retelling{}))
			return nil
		case chance < demoLate+demoIdentical:
			d.after(time.Second+d.upTo(2*time.Second), sendIt(retelling{}))
		case chance < demoLate+demoIdentical+demoSimilar && p.retellable(n):
			d.after(2*time.Second, sendIt(retelling{told: p.moments[n].told.Add(time.Second), drift: true}))
		}
		return d.send(ctx, p, n, retelling{})
	}
}

// send pushes step n and tells the caller.
func (d *demo) send(ctx context.Context, p *parcel, n int, again retelling) error {
	label := p.journey.steps[n].status.label
	out := d.poster.send(ctx, p.body(n, again))
	switch {
	case out.refusal != nil:
		return fmt.Errorf("push %s of %s: refused: %w", label, p.Number, out.refusal)
	case !out.acknowledged:
		return fmt.Errorf("push %s of %s: %w", label, p.Number, out.err)
	}
	if n == 0 && !p.announced && d.OnParcel != nil {
		p.announced = true
		d.OnParcel(p.Parcel)
	}
	if d.OnPush != nil {
		d.OnPush(p.Parcel, label)
	}
	return nil
}
