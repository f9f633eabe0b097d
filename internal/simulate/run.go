package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Options are what to send and where to. Plan needs no server.
type Options struct {
	Parcels    int     // 50 when zero
	Kinds      []Kind  // all when empty
	Shuffle    bool    // send out of order
	Duplicates float64 // share of pushes that are sent again, 0 to 1
	// Seed makes the parcels: the same one makes the same parcels. Sent to one
	// server again at another time they are told anew, with other times, so Run
	// draws a seed when it is zero, and reports it.
	Seed uint64
	Now  time.Time // the moment the plan is made for; the present one when zero

	URL         string  // of the server, without a path
	Token       string  // sent as x-api-key when not empty
	Secret      string  // signs each push when not empty
	AdminToken  string  // lets Run count what was stored and processed
	Rate        float64 // pushes per second; as many as the connections take when zero
	Connections int     // 32 when zero; 1 keeps each parcel's pushes in order
	Client      *http.Client
	Out         io.Writer // progress and result; nowhere when nil
}

// Report is what a Run came to.
type Report struct {
	Seed         uint64
	Parcels      int
	Planned      int // pushes, repeats included
	Acknowledged int // answered 200
	Duplicates   int // of these: answered as already processed
	Refused      int // answered with a refusal that stands
	Unanswered   int // no good answer within a minute of trying
	Retries      int
	Took         time.Duration
	Log          *LogCounts // what the log gained; nil without an admin token
}

// hopeless is after how many refusals, without one push acknowledged, there is
// no point in going on.
const hopeless = 20

// Run sends a Plan and reports what came of it. Pushes leave at the given rate
// whether or not earlier ones are answered, as long as a connection is free.
//
// The error is not nil when ctx ended early, when a push was refused or never
// answered, and, given an admin token, when the log holds less than was
// acknowledged or something in it was not worked off. The report holds either way.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Seed == 0 {
		o.Seed = 1 + rand.Uint64N(1_000_000)
	}
	o, err := o.settled()
	if err != nil {
		return Report{}, err
	}
	s, err := newPoster(o.URL, o.Token, o.Secret, o.Client, o.Connections)
	if err != nil {
		return Report{}, err
	}
	defer s.idle()
	plan, err := Plan(o)
	if err != nil {
		return Report{}, err
	}

	t := &tally{report: Report{Seed: o.Seed, Parcels: o.Parcels, Planned: len(plan)}}
	log := logReader{s, o.AdminToken}
	var before LogCounts
	if o.AdminToken != "" {
		if before, err = log.counts(ctx); err != nil {
			return t.report, err
		}
	}
	began := time.Now()
	sent := t.shown(o.Out, began, func() error { return t.sendAll(ctx, s, o, plan) })
	report := t.report
	report.Took = time.Since(began)
	errs := []error{sent, t.problem()}
	if o.AdminToken != "" && sent == nil {
		after, err := log.drained(ctx, before)
		if err == nil {
			gained := after.minus(before)
			report.Log = &gained
			err = gained.problem(report.Acknowledged)
		}
		errs = append(errs, err)
	}
	if o.Out != nil {
		if _, err := fmt.Fprint(o.Out, report); err != nil {
			errs = append(errs, fmt.Errorf("write report: %w", err))
		}
	}
	return report, errors.Join(errs...)
}

// tally counts outcomes as they come.
type tally struct {
	mu     sync.Mutex
	report Report
	first  error // the first refusal or push without an answer
}

func (t *tally) add(out outcome) (goOn bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.report
	r.Retries += out.retries
	switch {
	case out.acknowledged:
		r.Acknowledged++
		if out.duplicate {
			r.Duplicates++
		}
		return true
	case out.refusal != nil:
		r.Refused++
		out.err = out.refusal
	default:
		r.Unanswered++
	}
	if t.first == nil {
		t.first = out.err
	}
	return r.Acknowledged > 0 || r.Refused+r.Unanswered < hopeless
}

func (t *tally) counts() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report
}

func (t *tally) problem() error {
	r := t.report
	if r.Refused+r.Unanswered == 0 {
		return nil
	}
	return fmt.Errorf("%d pushes refused and %d without an answer, the first: %w", r.Refused, r.Unanswered, t.first)
}

// sendAll sends the plan and returns when everything under way is answered. It
// gives up when ctx ends, or when no push at all is taken.
func (t *tally) sendAll(ctx context.Context, s *poster, o Options, plan []Push) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	limiter := rate.NewLimiter(rate.Inf, 1)
	if o.Rate > 0 {
		limiter = rate.NewLimiter(rate.Limit(o.Rate), max(1, int(o.Rate/50)))
	}
	var senders sync.WaitGroup
	defer senders.Wait()
	todo := make(chan Push)
	defer close(todo)
	for range min(o.Connections, len(plan)) {
		senders.Go(func() {
			for p := range todo {
				out := s.send(ctx, p.Body())
				if out.err != nil && ctx.Err() != nil {
					continue // interrupted, which is no answer
				}
				if !t.add(out) {
					stop(errHopeless)
				}
			}
		})
	}
	for _, p := range plan {
		if limiter.Wait(ctx) != nil {
			return context.Cause(ctx)
		}
		select {
		case todo <- p:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

var errHopeless = errors.New("gave up: the server takes none of the pushes")
