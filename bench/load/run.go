package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Options are one run of the generator. URL and Plan are required.
type Options struct {
	URL  string // base address of the server
	Plan *Plan
	// Connections bound how many pushes are under way; default 64.
	Connections int
	// Rate is how many pushes are due each second (open loop). Zero sends the
	// next as soon as a connection is free (closed loop).
	Rate float64
	// Duration ends a closed loop, even if the plan is not; zero sends it whole.
	Duration time.Duration
	// Watcher, if there is one, is waited for: until each acknowledged push has
	// come back as an event, or no event came for a while.
	Watcher *Watcher
	// Window bounds how many pushes have been sent whose event has not come yet:
	// with it the server cannot run up a backlog. It needs a Watcher.
	Window int
}

// Result is what happened. Latencies are in microseconds: of pushes from the
// moment they were due to their answer, of events from there to their coming.
type Result struct {
	Sent, Acked, Refused, Unanswered int
	First                            error // the first refusal or push without an answer
	Took                             time.Duration
	Ack                              *hdrhistogram.Histogram

	Events     int
	EventsTook time.Duration // until the last of them
	Event      *hdrhistogram.Histogram
}

// AcksPerSecond is the rate at which pushes were acknowledged.
func (r *Result) AcksPerSecond() float64 { return float64(r.Acked) / r.Took.Seconds() }

// EventsPerSecond is the rate at which pushes came back as events.
func (r *Result) EventsPerSecond() float64 {
	if r.EventsTook == 0 {
		return 0
	}
	return float64(r.Events) / r.EventsTook.Seconds()
}

// eventless is for how long no event may come before the rest counts as lost.
const eventless = 20 * time.Second

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, (2 * time.Minute).Microseconds(), 3)
}

// Run sends the plan. It returns an error when the options make no sense, when
// ctx ends, or when the watcher broke; the result is of what was sent until then,
// and has the pushes that were refused or got no answer.
func Run(ctx context.Context, o Options) (*Result, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" {
		return nil, fmt.Errorf("the server's address %q is not like http://127.0.0.1:5000", o.URL)
	}
	if o.Connections == 0 {
		o.Connections = 64
	}
	if o.Window > 0 && o.Watcher == nil {
		return nil, errors.New("a window needs a watcher")
	}
	r := &run{Options: o, addr: u.Host, due: make([]atomic.Int64, o.Plan.n), result: Result{Ack: newHistogram(), Event: newHistogram()}}
	if o.Window > 0 {
		r.window = make(chan struct{}, o.Window)
	}
	r.began = time.Now()
	if o.Watcher != nil {
		r.eventCame = make(chan struct{}, 1)
		o.Watcher.follow(r.event)
		defer o.Watcher.follow(nil)
	}
	var senders sync.WaitGroup
	for range min(o.Connections, o.Plan.n) {
		senders.Go(func() { r.sender(ctx) })
	}
	senders.Wait()
	r.result.Took = time.Since(r.began)
	if err := ctx.Err(); err != nil {
		return &r.result, err
	}
	err = r.awaitEvents(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	return &r.result, err
}

type run struct {
	Options
	addr   string
	began  time.Time
	next   atomic.Int64
	due    []atomic.Int64 // by push: nanoseconds since began, plus one; 0 until sent
	window chan struct{}

	eventCame chan struct{}
	mu        sync.Mutex
	result    Result
}

// sender is one connection: it takes the next push, waits until it is due, and
// sends it.
func (r *run) sender(ctx context.Context) {
	c := conn{addr: r.addr}
	defer c.close()
	latencies := newHistogram()
	var sent, acked, refused, unanswered int
	var first error
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
sending:
	for ctx.Err() == nil {
		if r.Rate == 0 && r.Duration > 0 && time.Since(r.began) >= r.Duration {
			break
		}
		if !r.admit(ctx) {
			break
		}
		i := int(r.next.Add(1)) - 1
		if i >= r.Plan.n {
			break
		}
		due := time.Since(r.began)
		if r.Rate > 0 {
			due = time.Duration(float64(i) / r.Rate * float64(time.Second))
			if wait := due - time.Since(r.began); wait > 0 {
				timer.Reset(wait)
				select {
				case <-timer.C:
				case <-ctx.Done():
					break sending
				}
			}
		}
		r.due[i].Store(int64(due) + 1)
		sent++
		status, err := c.post(ctx, r.Plan, i)
		switch {
		case err != nil:
			unanswered++
		case status != http.StatusOK:
			refused++
			err = fmt.Errorf("answered %d", status)
		default:
			acked++
			_ = latencies.RecordValue((time.Since(r.began) - due).Microseconds())
		}
		if err != nil {
			r.leave()
			if first == nil {
				first = err
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Ack.Merge(latencies)
	r.result.Sent += sent
	r.result.Acked += acked
	r.result.Refused += refused
	r.result.Unanswered += unanswered
	if r.result.First == nil {
		r.result.First = first
	}
}

// admit waits for room in the window; false when none comes.
func (r *run) admit(ctx context.Context) bool {
	if r.window == nil {
		return true
	}
	select {
	case r.window <- struct{}{}:
		return true
	default:
	}
	lost := time.NewTimer(eventless)
	defer lost.Stop()
	select {
	case r.window <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-r.Watcher.broken:
	case <-lost.C:
	}
	return false
}

func (r *run) leave() {
	select {
	case <-r.window:
	default:
	}
}

// event is called by the watcher for each event that came.
func (r *run) event(awb string, version int, at time.Time) {
	i := r.Plan.index(awb, version)
	if i < 0 {
		return
	}
	due := r.due[i].Swap(0)
	if due == 0 {
		return // told twice, or never sent
	}
	since := at.Sub(r.began)
	r.mu.Lock()
	r.result.Events++
	r.result.EventsTook = max(r.result.EventsTook, since)
	_ = r.result.Event.RecordValue(max(1, (since - time.Duration(due-1)).Microseconds()))
	r.mu.Unlock()
	r.leave()
	select {
	case r.eventCame <- struct{}{}:
	default:
	}
}

// awaitEvents waits until every acknowledged push has come back as an event.
func (r *run) awaitEvents(ctx context.Context) error {
	if r.Watcher == nil {
		return nil
	}
	lost := time.NewTimer(eventless)
	defer lost.Stop()
	for {
		r.mu.Lock()
		missing := r.result.Acked - r.result.Events
		r.mu.Unlock()
		if missing <= 0 {
			return nil
		}
		select {
		case <-r.eventCame:
			lost.Reset(eventless)
		case <-ctx.Done():
			return ctx.Err()
		case <-r.Watcher.broken:
			return fmt.Errorf("the watcher broke with %d events to come: %w", missing, r.Watcher.err)
		case <-lost.C:
			return fmt.Errorf("%d acknowledged pushes have not come back as events", missing)
		}
	}
}
