package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/webazaar/waybill/internal/tracking"
)

// troubleEvery is how often the log is told that pushes still cannot be kept.
// Each of them is answered 503 and comes again: a line for every one would
// fill the disk whose fullness may be the trouble.
const troubleEvery = time.Minute

// trouble tells when pushes cannot be kept, and when they can again: once as it
// begins, now and then while it lasts, once as it ends.
type trouble struct {
	log    *slog.Logger
	lasts  atomic.Bool // so that in good times nobody waits for the lock
	mu     sync.Mutex
	since  time.Time
	told   time.Time
	turned int // pushes turned away since it began
}

// over is called when a push was kept.
func (t *trouble) over(now time.Time) {
	if !t.lasts.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lasts.Swap(false) {
		t.log.Info("intake.recovered", "after_s", int(now.Sub(t.since).Seconds()), "turned_away", t.turned)
	}
}

// met is called with why a push could not be kept, and returns the answer.
func (t *trouble) met(err error, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	begins := !t.lasts.Swap(true)
	if begins {
		t.since, t.turned = now, 0
	}
	t.turned++
	if begins || now.Sub(t.told) >= troubleEvery {
		t.told = now
		t.log.Error("intake.refusing", "error", err, "turned_away", t.turned, "for_s", int(now.Sub(t.since).Seconds()),
			"what", "pushes cannot be kept and are answered 503, so that they come again",
			"mend", "free space on the disk, or bring the database back; nothing has to be restarted")
	}
	answer := &httpError{http.StatusServiceUnavailable, string(tracking.Unavailable), "the database is not available"}
	if e, ok := errors.AsType[*tracking.Error](err); ok {
		answer.message = e.Message
	}
	return answer
}

// notKept reports whether err means that the push could not be kept for now.
func notKept(err error) bool {
	return tracking.ErrorCode(err) == tracking.Unavailable || errors.Is(err, context.DeadlineExceeded)
}
