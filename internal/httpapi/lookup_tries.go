package httpapi

import (
	"sync"
	"time"
)

// How often the contact of one order may be guessed, by all peers together: a
// buyer mistypes a few times; ten thousand endings of a phone take 27 years. Each
// process counts for itself.
const (
	// freeTries are answered at once; after each further one the next waits
	// firstWait, twice that, and so on up to longestWait.
	freeTries              = 5
	firstWait, longestWait = time.Minute, 24 * time.Hour
	// triesKept is how long wrong tries are remembered after the last: so long
	// that being forgotten is no way to more of them.
	triesKept = 30 * 24 * time.Hour
	// subjectsKept bounds the table. Who fills it with made-up numbers pushes
	// out those that were tried least, not the one he is after.
	subjectsKept = 50_000
)

// tries counts wrong claims by their subject. A subject that no order has is
// counted alike: waiting tells nothing.
type tries struct {
	mu    sync.Mutex
	of    map[string]*tried
	swept time.Time
}

type tried struct {
	times       int
	last, until time.Time
}

func newTries() *tries { return &tries{of: map[string]*tried{}} }

// begin counts a try before anyone knows whether it is right, so that a hundred
// at once are a hundred. It says how long to wait where it is one too many;
// that is not counted, and neither is one of no subject.
func (t *tries) begin(subject string, now time.Time) (wait time.Duration) {
	if subject == "" {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(now)
	s := t.of[subject]
	if s == nil {
		s = &tried{}
		t.of[subject] = s
	}
	if now.Before(s.until) {
		return s.until.Sub(now)
	}
	s.times++
	s.last = now
	s.until = now.Add(waitAfter(s.times))
	return 0
}

func waitAfter(times int) time.Duration {
	if times < freeTries {
		return 0
	}
	return min(longestWait, firstWait<<min(times-freeTries, 16))
}

// right takes back a try that was not wrong. What was counted before stays: a
// buyer who finds his order gives nobody else new guesses.
func (t *tries) right(subject string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.of[subject]; s != nil && s.times > 0 {
		s.times--
		s.until = s.last.Add(waitAfter(s.times))
	}
}

// sweep forgets what was not tried for long and, where that makes too little
// room, whoever has free tries left; at last everyone.
func (t *tries) sweep(now time.Time) {
	if now.Sub(t.swept) < time.Hour && len(t.of) < subjectsKept {
		return
	}
	t.swept = now
	for subject, s := range t.of {
		if now.Sub(s.last) > triesKept {
			delete(t.of, subject)
		}
	}
	if len(t.of) < subjectsKept {
		return
	}
	for subject, s := range t.of {
		if s.times < freeTries {
			delete(t.of, subject)
		}
	}
	if len(t.of) >= subjectsKept {
		clear(t.of)
	}
}
