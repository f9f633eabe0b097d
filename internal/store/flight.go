package store

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// A flight is what was decided and is not committed yet, where there is one
// writer: the next decision is made on top of it while it is written.
// Decisions are written in the order in which they were made. If one cannot be
// written, those made on top of it are void, and are made anew.
type flight struct {
	mu      sync.Mutex
	changes []*changeset  // oldest first
	last    chan struct{} // closed when all that was decided so far is in the database or void
	voids   int           // how often a decision could not be written
	numbers int64         // given out to decisions
	settled int64         // up to this number, all are in the database or void
	hushed  chan struct{} // set while someone waits that nothing be in flight; closed when he has waited
	hushing int           // how many do

	// Whoever has the turn to decide has these.
	broken  bool  // a decision was given up with orders in hand that are in flight
	lastSeq int64 // the newest order's key; 0: ask the database
}

// errVoid is why a decision is made anew.
var errVoid = errors.New("what it was made on top of could not be written")

// begin notes a decision and returns what to wait for before it is written,
// and what to close when it is settled.
func (f *flight) begin(c *changeset) (before <-chan struct{}, settled chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, settled = f.last, make(chan struct{})
	f.last = settled
	f.numbers++
	c.number = f.numbers
	f.changes = append(f.changes, c)
	return before, settled
}

func (f *flight) end(c *changeset, settled chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = slices.DeleteFunc(slices.Clone(f.changes), func(other *changeset) bool { return other == c })
	f.settled = c.number
	close(settled)
}

// settledUpTo is the number of the last decision that is no longer in flight.
func (f *flight) settledUpTo() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settled
}

// state is what is in flight, and how often something could not be written.
func (f *flight) state() (changes []*changeset, last <-chan struct{}, voids int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changes, f.last, f.voids
}

// void gives up all that is in flight: it was made on top of what could not be
// written. Nothing is to be decided on top of it any more.
func (f *flight) void() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.voids++
	f.changes = nil
}

// hush has nobody decide ahead until speak is called.
func (f *flight) hush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hushing++; f.hushing == 1 {
		f.hushed = make(chan struct{})
	}
}

func (f *flight) speak() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hushing--; f.hushing == 0 {
		close(f.hushed)
		f.hushed = nil
	}
}

// quiet is what to wait for before deciding ahead; nil if for nothing.
func (f *flight) quiet() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hushed
}

// settle waits until nothing is in flight. The caller has the turn to decide,
// and gives it away while he waits: who could not write needs it. Nobody else
// decides ahead meanwhile, or under a flood there would be something in flight
// whenever he looks.
func (s *Store) settle(ctx context.Context) error {
	s.flight.hush()
	defer s.flight.speak()
	for {
		changes, last, _ := s.flight.state()
		if len(changes) == 0 {
			s.flight.broken = false
			return nil
		}
		s.decider.release()
		<-last
		if err := s.decider.take(context.WithoutCancel(ctx), false); err != nil {
			return err
		}
	}
}

// decideAhead makes a decision while earlier ones are written, and writes it
// when they are. make is called again when one of them could not be written.
func (s *Store) decideAhead(ctx context.Context, make func(ctx context.Context, t *tx) (*changeset, error)) error {
	for {
		if quiet := s.flight.quiet(); quiet != nil {
			select {
			case <-quiet:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := s.decider.take(ctx, false); err != nil {
			return err
		}
		err := s.decideNext(ctx, make)
		if !errors.Is(err, errVoid) {
			return err
		}
	}
}

// decideNext is one try of decideAhead. It gives the turn to decide away.
func (s *Store) decideNext(ctx context.Context, make func(ctx context.Context, t *tx) (*changeset, error)) error {
	c, before, settled, voids, err := s.decideOnTop(ctx, make)
	s.decider.release()
	if err != nil {
		return err
	}
	if before != nil {
		<-before
	}
	err = errVoid
	if _, _, now := s.flight.state(); now == voids {
		err = s.transact(ctx, ordinary, func(ctx context.Context, t *tx) error { return s.carryOut(ctx, t, c) })
	}
	if err != nil && !errors.Is(err, errVoid) {
		// What is in memory stands on what is not in the database.
		if taken := s.decider.take(context.WithoutCancel(ctx), false); taken == nil {
			s.flight.void()
			s.flight.lastSeq = 0
			s.hot.clear()
			s.decider.release()
		}
	}
	s.flight.end(c, settled)
	return err
}

// decideOnTop makes a decision on top of what is in flight.
func (s *Store) decideOnTop(ctx context.Context, make func(ctx context.Context, t *tx) (*changeset, error)) (
	c *changeset, before <-chan struct{}, settled chan struct{}, voids int, err error,
) {
	if s.flight.broken {
		if err := s.settle(ctx); err != nil {
			return nil, nil, nil, 0, err
		}
	}
	if s.closed.Load() {
		return nil, nil, nil, 0, errClosed
	}
	s.hot.forget(s.flight.settledUpTo())
	s.deskReader.ahead, _, voids = s.flight.state()
	if c, err = make(context.WithoutCancel(ctx), s.deskReader); err != nil {
		s.flight.broken = true
		s.hot.clear()
		return nil, nil, nil, 0, err
	}
	before, settled = s.flight.begin(c)
	for _, o := range c.desk.touched {
		o.decided = c.number
	}
	s.hot.put(c.desk)
	return c, before, settled, voids, nil
}

// overlay corrects what the database says about who is known under names by
// what was decided since.
func overlay(ahead []*changeset, names []name, held map[name][]holder) {
	for _, c := range ahead {
		for _, n := range names {
			for _, h := range c.named[n] {
				i := slices.IndexFunc(held[n], func(known holder) bool { return known.channel == h.channel })
				if i < 0 {
					held[n] = append(held[n], h)
				} else {
					held[n][i] = h
				}
			}
			for i, h := range held[n] {
				if into, ok := c.absorbed[h.seq]; ok {
					held[n][i].seq = into
				}
			}
		}
	}
}
