package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// eventless is for how long no event may come before the rest counts as lost.
const eventless = 10 * time.Second

// A tally counts that each of many watchers receives each of many events, once
// and in order, and how long after they were due.
type tally struct {
	began  time.Time
	due    []atomic.Int64 // by event: nanoseconds since began
	left   []atomic.Int32 // by event: how many watchers have not received it
	next   []int          // by watcher: the event it must receive next; its reader's alone
	window chan struct{}  // events that some have not received; nil is no bound
	mayGo  bool           // that a watcher goes is no reason to stop publishing

	last     atomic.Int64 // when something came: nanoseconds since began
	missing  atomic.Int64 // deliveries to come, of the events that were published
	lost     atomic.Int64 // left out between two events of a watcher
	extra    atomic.Int64 // repeated, or come late
	departed atomic.Int64 // watchers whose connections ended
	why      atomic.Pointer[error]

	latencies [16]latencies // one would be fought for
}

type latencies struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

// newTally counts at most so many events; no more than window of them are under
// way at a time, if that is not 0.
func newTally(watchers, events, window int) *tally {
	t := &tally{began: time.Now(), due: make([]atomic.Int64, events), left: make([]atomic.Int32, events), next: make([]int, watchers)}
	for i := range t.latencies {
		t.latencies[i].h = hdrhistogram.New(1, (2 * time.Minute).Microseconds(), 3)
	}
	if window > 0 {
		t.window = make(chan struct{}, window)
	}
	return t
}

// expect says that the event is about to be published, and was due then. It waits
// for room in the window, and fails if none comes or a watcher is gone.
func (t *tally) expect(ctx context.Context, event int, due time.Time) error {
	if t.window != nil {
		lost := time.NewTimer(eventless)
		defer lost.Stop()
		select {
		case t.window <- struct{}{}:
		case <-lost.C:
			return fmt.Errorf("event %d: no room in the window within %s, %d deliveries are missing", event, eventless, t.missing.Load())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := t.absent(); err != nil && !t.mayGo {
		return err
	}
	t.due[event].Store(int64(due.Sub(t.began)))
	t.left[event].Store(int32(len(t.next)))
	t.missing.Add(int64(len(t.next)))
	return nil
}

// received is called by the watcher's reader.
func (t *tally) received(watcher, event int, at time.Time) {
	expected := t.next[watcher]
	if event < expected || event >= len(t.due) {
		t.extra.Add(1)
		return
	}
	since := int64(at.Sub(t.began))
	t.lost.Add(int64(event - expected))
	t.missing.Add(int64(expected - event - 1))
	t.next[watcher] = event + 1
	for ; expected <= event; expected++ { // what was left out does not hold up the window
		if t.left[expected].Add(-1) == 0 && t.window != nil {
			<-t.window
		}
	}
	l := &t.latencies[watcher%len(t.latencies)]
	l.mu.Lock()
	_ = l.h.RecordValue(max(1, (since-t.due[event].Load())/1000))
	l.mu.Unlock()
	for last := t.last.Load(); since > last && !t.last.CompareAndSwap(last, since); last = t.last.Load() {
	}
}

// gone is called by a watcher's reader when its connection has ended.
func (t *tally) gone(why error) {
	t.why.CompareAndSwap(nil, &why)
	t.departed.Add(1)
}

// absent is the error of watchers that are gone, if there are any.
func (t *tally) absent() error {
	if n := t.departed.Load(); n > 0 {
		return fmt.Errorf("%d watchers are gone; the first: %w", n, *t.why.Load())
	}
	return nil
}

// wait returns when everything that was published has come, or will not come.
func (t *tally) wait(ctx context.Context) error {
	for t.missing.Load() > 0 {
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
		if err := t.absent(); err != nil {
			return err
		}
		if quiet := time.Since(t.began) - time.Duration(t.last.Load()); quiet > eventless {
			return fmt.Errorf("%d deliveries did not come", t.missing.Load())
		}
	}
	return nil
}

// verdict says whether everything came once and in order.
func (t *tally) verdict() error {
	if lost, missing, extra := t.lost.Load(), t.missing.Load(), t.extra.Load(); lost+missing+extra > 0 {
		return fmt.Errorf("%d deliveries were left out, %d did not come, %d came twice or late", lost, missing, extra)
	}
	return nil
}

// quantile of the latencies, in milliseconds.
func (t *tally) quantile(q float64) float64 {
	all := hdrhistogram.New(1, (2 * time.Minute).Microseconds(), 3)
	for i := range t.latencies {
		l := &t.latencies[i]
		l.mu.Lock()
		all.Merge(l.h)
		l.mu.Unlock()
	}
	return float64(all.ValueAtQuantile(q)) / 1000
}
