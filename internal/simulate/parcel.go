package simulate

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Parcel is what may be known of a made-up parcel: the shop's number of its
// order, by which the order is found once its first push is applied, and what
// happens to it.
type Parcel struct {
	Number string
	Kind   Kind
	Title  string
}

// parcel is one order on its journey, with everything that has happened so far.
type parcel struct {
	Parcel
	journey   *journey
	channel   uint64
	legs      []parcelLeg
	family    family
	sparse    int // the step whose push comes with ids and a word only; -1 for none
	rng       *rand.Rand
	estimates []time.Time // by leg
	moments   []moment    // by step, as far as the journey has come
	announced bool        // of a demo: its first push was acknowledged
}

type parcelLeg struct {
	leg
	awb, returnAWB string
	sr             uint64
	courier        *courier
	route          route
}

// A moment is a step that has happened.
type moment struct {
	at       time.Time // the event
	told     time.Time // when Shiprocket handled it (current_timestamp)
	scans    []scan    // new with it
	estimate time.Time // the leg's, from here on
}

type scan struct {
	at                       time.Time
	code, activity, location string
	status                   status
}

// Streams of one seed, kept apart so that asking for a shuffle changes no
// parcel.
const (
	streamIdentity = iota
	streamOrder
	streamCopies
	streamShuffle
	streamDraws
	streamDemo
	streamParcels // and upwards: one a parcel
)

func stream(seed, n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }

// A shop gives out the names of one seed's parcels. Names of different seeds
// practically never meet, so many runs may go to one server.
type shop struct {
	seed    uint64
	tag     string
	base    uint64 // of serial numbers
	channel uint64
}

func openShop(seed uint64) shop {
	rng := stream(seed, streamIdentity)
	tag := strings.ToUpper(strconv.FormatUint(36*36*36*36+rng.Uint64N(35*36*36*36*36), 36))
	return shop{seed: seed, tag: tag, base: rng.Uint64N(1 << 62), channel: 1_000_000 + rng.Uint64N(8_000_000)}
}

// namesEach is how many serial numbers a parcel takes: of AWBs at most two legs
// and the way back of each.
const namesEach = 4

// parcel makes up the shop's n-th parcel, counted from 0. Nothing has happened
// to it yet.
func (s shop) parcel(n int, j *journey) *parcel {
	rng := stream(s.seed, streamParcels+uint64(n))
	serial := s.base + uint64(n)*namesEach
	p := &parcel{
		Parcel:  Parcel{Number: s.number(n, serial), Kind: j.kind, Title: j.title},
		journey: j, channel: s.channel, sparse: -1, rng: rng,
		estimates: make([]time.Time, len(j.legs)),
	}
	way := drawRoute(rng)
	carrier := rng.IntN(len(couriers))
	for i, l := range j.legs {
		if l.otherOne {
			carrier = (carrier + 1 + rng.IntN(len(couriers)-1)) % len(couriers)
		}
		pl := parcelLeg{leg: l, sr: 1_000_000_000 + (serial+uint64(l.sr))%8_999_999_999, courier: couriers[carrier], route: way}
		if l.reverse {
			pl.route = way.back()
		}
		if l.byHand {
			pl.courier, pl.route = byRider, way.across()
			pl.awb = fmt.Sprintf("%08x%016x", uint32(serial>>32), serial*0x9e3779b97f4a7c15)
		} else {
			pl.awb, pl.returnAWB = pl.courier.awb(serial+uint64(2*i)), pl.courier.awb(serial+uint64(2*i)+1)
		}
		p.legs = append(p.legs, pl)
	}
	switch chance := rng.Float64(); {
	case !j.plain:
	case chance < 0.08 && p.legs[0].courier.digits:
		p.family = familyB
	case chance < 0.25:
		p.sparse = 4 // the first IN TRANSIT; two such pushes would read the same
	}
	return p
}

// number is the shop's number, in the forms that live numbers have.
func (s shop) number(n int, serial uint64) string {
	switch n % 16 {
	case 7:
		return fmt.Sprintf("%d_%d", s.channel+77, serial%1_000_000_000_000)
	case 12:
		return fmt.Sprintf("%s-%d-C", s.tag, 1001+n)
	}
	return fmt.Sprintf("WB-%s-%d", s.tag, 1001+n)
}

// done reports whether the journey is at its end.
func (p *parcel) done() bool { return len(p.moments) == len(p.journey.steps) }

// step is the next step of the journey.
func (p *parcel) step() step { return p.journey.steps[len(p.moments)] }

// room is the least time the next step needs since the one before it, so that
// its scans have a second each.
func (p *parcel) room() time.Duration {
	return time.Duration(len(p.step().scans)+1) * time.Second
}

// happen takes the next step: at is when, told when Shiprocket handles it. Both
// are cut to seconds; at has to be room after the step before it.
func (p *parcel) happen(at, told time.Time) {
	st := p.step()
	l := &p.legs[st.leg]
	m := moment{at: at.In(ist).Truncate(time.Second), told: told.In(ist).Truncate(time.Second)}

	spacing := time.Minute
	if n := len(p.moments); n > 0 {
		spacing = m.at.Sub(p.moments[n-1].at)
	}
	spacing = max(time.Second, min(spacing/time.Duration(len(st.scans)+1), 45*time.Minute)).Truncate(time.Second)
	for i, line := range st.scans {
		code, activity := l.courier.say(line.act, p.rng)
		m.scans = append(m.scans, scan{
			at:   m.at.Add(-time.Duration(len(st.scans)-1-i) * spacing),
			code: code, activity: activity,
			location: l.courier.where(line.at, l.route.city(line.at)),
			status:   scanStatus[line.act],
		})
	}

	estimate := &p.estimates[st.leg]
	switch {
	case st.fact.unbooked:
	case l.byHand && estimate.IsZero():
		*estimate = m.at.Add(time.Hour)
	case estimate.IsZero():
		*estimate = m.at.Add(time.Duration(l.etaDays) * day)
	case st.fact.slipDays > 0:
		slip := time.Duration(st.fact.slipDays) * day
		*estimate = estimate.Add(slip)
		if estimate.Before(m.at) {
			*estimate = m.at.Add(slip)
		}
	}
	m.estimate = *estimate
	p.moments = append(p.moments, m)
}

// recall lets the next n steps have happened, the last of them at end, with the
// gaps of real life. lag says how long after an event Shiprocket handles it.
func (p *parcel) recall(n int, end time.Time) {
	steps := p.journey.steps[:n]
	gaps := make([]time.Duration, n)
	at := end
	for i := n - 1; i > 0; i-- {
		gaps[i] = time.Duration(float64(steps[i].gap) * (0.85 + 0.3*p.rng.Float64())).Truncate(time.Second)
		at = at.Add(-gaps[i])
	}
	for i := range n {
		at = at.Add(gaps[i])
		next := 20 * time.Minute
		if i+1 < n {
			next = gaps[i+1]
		}
		p.happen(at, at.Add(p.lag(next)))
	}
}

// lag is how long Shiprocket takes over an event: seconds, at times minutes, and
// never so long that the next event would be handled first.
func (p *parcel) lag(next time.Duration) time.Duration {
	lag := time.Duration(5+p.rng.IntN(30)) * time.Second
	if p.rng.IntN(15) == 0 {
		lag = time.Duration(3*60+p.rng.IntN(6*60)) * time.Second
	}
	return min(lag, next/2)
}
