package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Push is one webhook to send. Its body is made when asked for, so that a long
// plan stays small.
type Push struct {
	parcel *parcel
	step   int
	again  retelling
	repeat Repeat
}

// Repeat says whether a push tells anything that another one of its plan does
// not.
type Repeat int

// Repeats.
const (
	Original  Repeat = iota
	Identical        // the same bytes as its original
	Similar          // the same event with another current_timestamp and another spelling
)

// Parcel is whose push it is.
func (p Push) Parcel() Parcel { return p.parcel.Parcel }

// Label is the header's status word, as an original has it.
func (p Push) Label() string { return p.parcel.journey.steps[p.step].status.label }

// EventTime is when the event happened.
func (p Push) EventTime() time.Time { return p.parcel.moments[p.step].at }

// Repeat is what sort of repeat the push is.
func (p Push) Repeat() Repeat { return p.repeat }

// Body is the push as Shiprocket would send it; the same bytes each time.
func (p Push) Body() []byte { return p.parcel.body(p.step, p.again) }

const (
	// atOnce is how many parcels of a plan are on their way together.
	atOnce = 24
	// repeatWithin is how many places after its original a repeat comes at most.
	repeatWithin = 30
	// A shuffled plan moves a quarter of its pushes back by a few turns of all
	// parcels on their way, and a few of them much further.
	shuffledShare, shuffledBy = 0.25, 3 * atOnce
	lateShare, lateBy         = 0.03, 30 * atOnce
)

// Plan makes the pushes of o.Parcels whole journeys, in the order to send them
// in: many parcels mixed, each one's own pushes in order unless o.Shuffle. All
// journeys end within the day before o.Now, and nothing in a push is dated
// after it. The first parcels are one of each kind; the others are drawn, the
// happy ones most often. The same options make the same plan.
func Plan(o Options) ([]Push, error) {
	o, err := o.settled()
	if err != nil {
		return nil, err
	}
	pushes := mix(stream(o.Seed, streamOrder), o.parcels())
	spots := make([]spot, 0, len(pushes)+int(float64(len(pushes))*o.Duplicates))
	copies := stream(o.Seed, streamCopies)
	for i, p := range pushes {
		spots = append(spots, spot{float64(i), p})
		if copies.Float64() >= o.Duplicates {
			continue
		}
		p.repeat = Identical
		if p.parcel.retellable(p.step) && copies.IntN(5) < 2 {
			p.repeat = Similar
			later := time.Duration(1+copies.IntN(300)) * time.Second
			p.again = retelling{told: p.parcel.moments[p.step].told.Add(later), drift: copies.IntN(2) == 0}
		}
		spots = append(spots, spot{float64(i) + 0.5 + float64(copies.IntN(repeatWithin)), p})
	}
	if o.Shuffle {
		shuffle(stream(o.Seed, streamShuffle), spots)
	}
	slices.SortStableFunc(spots, func(a, b spot) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	plan := make([]Push, len(spots))
	for i, s := range spots {
		plan[i] = s.push
	}
	return plan, nil
}

// A spot is a push and its place in the plan.
type spot struct {
	at   float64
	push Push
}

// shuffle moves some pushes back, none further than lateBy places.
func shuffle(rng *rand.Rand, spots []spot) {
	for i := range spots {
		switch chance := rng.Float64(); {
		case chance < lateShare:
			spots[i].at += rng.Float64() * lateBy
		case chance < lateShare+shuffledShare:
			spots[i].at += rng.Float64() * shuffledBy
		}
	}
}

// mix takes turns among atOnce parcels until all of them are told.
func mix(rng *rand.Rand, parcels []*parcel) []Push {
	type turn struct {
		p    *parcel
		step int
	}
	var pushes []Push
	var going []turn
	for len(parcels) > 0 || len(going) > 0 {
		for len(going) < atOnce && len(parcels) > 0 {
			going = append(going, turn{p: parcels[0]})
			parcels = parcels[1:]
		}
		i := rng.IntN(len(going))
		t := &going[i]
		pushes = append(pushes, Push{parcel: t.p, step: t.step})
		if t.step++; t.step == len(t.p.moments) {
			going[i] = going[len(going)-1]
			going = going[:len(going)-1]
		}
	}
	return pushes
}

// parcels are the options' parcels, each at the end of its journey.
func (o Options) parcels() []*parcel {
	table := o.journeys()
	total := 0
	for _, j := range table {
		total += j.weight
	}
	s := openShop(o.Seed)
	draws := stream(o.Seed, streamDraws)
	all := make([]*parcel, o.Parcels)
	for n := range all {
		j := table[n%len(table)]
		if n >= len(table) {
			draw := draws.IntN(total)
			for _, j = range table {
				if draw -= j.weight; draw < 0 {
					break
				}
			}
		}
		p := s.parcel(n, j)
		p.recall(len(j.steps), ending(p.rng, o.Now))
		all[n] = p
	}
	return all
}

// ending is a time of the last 24 hours at which riders are about: from nine in
// the morning to eight in the evening, and long enough ago that the push and
// its repeats are not dated after now.
func ending(rng *rand.Rand, now time.Time) time.Time {
	latest := now.Add(-20 * time.Minute)
	end := latest.Add(-time.Duration(rng.Int64N(int64(8 * time.Hour)))).In(ist)
	if h := end.Hour(); h >= 9 && h < 20 {
		return end
	}
	evening := time.Date(end.Year(), end.Month(), end.Day(), 20, 0, 0, 0, ist)
	if end.Before(evening) {
		evening = evening.Add(-day)
	}
	return evening.Add(-time.Duration(rng.Int64N(int64(9 * time.Hour))))
}

// journeys are the rows of the table that the options ask for.
func (o Options) journeys() []*journey {
	var table []*journey
	for i := range journeys {
		if len(o.Kinds) == 0 || slices.Contains(o.Kinds, journeys[i].kind) {
			table = append(table, &journeys[i])
		}
	}
	return table
}

// settled are the options with defaults for what was left out.
func (o Options) settled() (Options, error) {
	if o.Parcels == 0 {
		o.Parcels = 50
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.Connections == 0 {
		o.Connections = 32
	}
	switch {
	case o.Parcels < 0:
		return o, fmt.Errorf("simulate: %d parcels", o.Parcels)
	case o.Duplicates < 0 || o.Duplicates > 1:
		return o, fmt.Errorf("simulate: the share of duplicates is from 0 to 1, not %g", o.Duplicates)
	case o.Rate < 0:
		return o, fmt.Errorf("simulate: a rate of %g pushes per second", o.Rate)
	case o.Connections < 0:
		return o, fmt.Errorf("simulate: %d connections", o.Connections)
	}
	for _, k := range o.Kinds {
		if journeyOf(k) == nil {
			return o, fmt.Errorf("simulate: no journey is called %q; there are %v", k, Kinds())
		}
	}
	return o, nil
}
