package bustest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

// Recorder is a pusher.Receiver that remembers what it was called with.
type Recorder struct {
	mu        sync.Mutex
	changed   chan struct{} // closed and made anew with each call
	messages  []pusher.Message
	gaps      int
	forgotten int
	departed  []pusher.Departure
	closed    bool // nothing may come any more
	late      int  // what came all the same
}

var _ pusher.Receiver = (*Recorder)(nil)

// NewRecorder returns one that was not called yet.
func NewRecorder() *Recorder { return &Recorder{changed: make(chan struct{})} }

func (r *Recorder) note(what func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		r.late++
	}
	what()
	close(r.changed)
	r.changed = make(chan struct{})
}

// Deliver remembers the message.
func (r *Recorder) Deliver(m pusher.Message) { r.note(func() { r.messages = append(r.messages, m) }) }

// Gap counts.
func (r *Recorder) Gap() { r.note(func() { r.gaps++ }) }

// Forgotten counts.
func (r *Recorder) Forgotten() { r.note(func() { r.forgotten++ }) }

// Departed remembers the departure.
func (r *Recorder) Departed(d pusher.Departure) {
	r.note(func() { r.departed = append(r.departed, d) })
}

// Messages returns what was delivered to the channel.
func (r *Recorder) Messages(channel string) []pusher.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.to(channel)
}

func (r *Recorder) to(channel string) []pusher.Message {
	var all []pusher.Message
	for _, m := range r.messages {
		if m.Channel == channel {
			all = append(all, m)
		}
	}
	return all
}

// Gaps returns how often Gap was called, and so on.
func (r *Recorder) Gaps() int { return r.count(func() int { return r.gaps }) }

// Forgets returns how often Forgotten was called.
func (r *Recorder) Forgets() int { return r.count(func() int { return r.forgotten }) }

// Departures returns what departed.
func (r *Recorder) Departures() []pusher.Departure {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.departed)
}

func (r *Recorder) count(of func() int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return of()
}

// await waits until is holds, which is asked under the lock, and after each call.
func (r *Recorder) await(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		r.mu.Lock()
		holds, changed := is(), r.changed
		r.mu.Unlock()
		if holds {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			r.mu.Lock()
			defer r.mu.Unlock()
			t.Fatalf("waited in vain for %s: %d messages, %d gaps, forgotten %d times, %d departures",
				what, len(r.messages), r.gaps, r.forgotten, len(r.departed))
		}
	}
}

// AwaitMessages waits for n messages to the channel, and returns all there are.
func (r *Recorder) AwaitMessages(t testing.TB, channel string, n int) []pusher.Message {
	t.Helper()
	r.await(t, "messages", func() bool { return len(r.to(channel)) >= n })
	return r.Messages(channel)
}

// AwaitGaps waits until Gap was called n times.
func (r *Recorder) AwaitGaps(t testing.TB, n int) {
	t.Helper()
	r.await(t, "a gap", func() bool { return r.gaps >= n })
}

// AwaitForgotten waits until Forgotten was called n times.
func (r *Recorder) AwaitForgotten(t testing.TB, n int) {
	t.Helper()
	r.await(t, "being forgotten", func() bool { return r.forgotten >= n })
}
