package inbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
)

// A row that cannot be applied fails alone: its batch goes through, it is tried
// again after each back-off, and given up with every try on record.
func TestAPoisonedRowHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string]bool{"the webhook fails": false, "the batch fails": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const maxAttempts = 3
			r := setup(t, func(o *inbox.Options) {
				o.MaxAttempts = maxAttempts
				o.Backoff = func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute }
			})
			good := r.Inbox
			r.Inbox = r.another(func(o *inbox.Options) {
				o.Log, o.MaxAttempts = poisoned{r.store, "77666", whole}, maxAttempts
				o.Backoff = func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute }
			})
			for _, awb := range []string{"77001", "77002", "77666", "77003", "77004"} {
				r.push(body(awb, len(awb), "IN TRANSIT", "2026-11-22 10:00:00", "sr_order_id", awb))
			}
			r.work()
			var sick inbox.Webhook
			for _, w := range r.rows() {
				if w.AWB == "77666" {
					sick = w
				} else if w.Status != inbox.Processed {
					t.Errorf("%s is %s", w.AWB, w.Status)
				}
			}
			for attempt := 1; attempt <= maxAttempts; attempt++ {
				w := r.row(sick.ID)
				if w.Attempts != attempt || len(w.Tries) != attempt || !strings.HasSuffix(w.Error, "poisoned") || !strings.HasSuffix(w.Tries[attempt-1].Error, "poisoned") || !w.Tries[attempt-1].At.Equal(r.clock.read()) {
					t.Fatalf("after try %d: %d attempts, error %q, tries %v", attempt, w.Attempts, w.Error, w.Tries)
				}
				if attempt == maxAttempts {
					break
				}
				wait := time.Duration(attempt) * time.Minute
				if w.Status != inbox.Pending || !w.NextAttemptAt.Equal(r.clock.read().Add(wait)) {
					t.Errorf("after try %d: %s, due %s", attempt, w.Status, w.NextAttemptAt)
				}
				r.clock.add(wait - time.Millisecond)
				if n, err := r.Work(t.Context()); n != 0 || err != nil {
					t.Errorf("claimed %d before it was due, %v", n, err)
				}
				r.clock.add(time.Millisecond)
				r.work()
			}
			w := r.row(sick.ID)
			if w.Status != inbox.Failed || !w.NextAttemptAt.IsZero() || !strings.Contains(w.Result, "gave up") {
				t.Errorf("in the end: %s, due %s, %q", w.Status, w.NextAttemptAt, w.Result)
			}
			r.clock.add(24 * time.Hour)
			if n, err := r.Work(t.Context()); n != 0 || err != nil {
				t.Errorf("%d rows are claimed after the last try, %v", n, err)
			}
			// The same push, sent again, is taken as new; and a retry goes through
			// once what was wrong is right.
			if again := r.push(body("77666", 0, "IN TRANSIT", "2026-11-22 10:00:00", "sr_order_id", "77666")); again.Duplicate {
				t.Errorf("the repeat of a failed one: %+v", again)
			}
			if err := r.store.Retry(t.Context(), sick.ID, false); err != nil {
				t.Fatal(err)
			}
			r.Inbox = good
			r.work()
			if w := r.row(sick.ID); w.Status != inbox.Processed || w.Error != "" || len(w.Tries) != maxAttempts {
				t.Errorf("retried: %s, error %q, %d tries on record", w.Status, w.Error, len(w.Tries))
			}
		})
	}
}

// What a process held when it died is taken up by the next at its start; the
// attempt of what it was working on counts.
func TestStartTakesUpWhatWasLeft(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.push(body("77001", 501, "IN TRANSIT", "2026-11-22 10:00:00"))
	if claimed, err := r.store.Claim(t.Context(), 10, noon); err != nil || len(claimed) != 1 {
		t.Fatal(len(claimed), err)
	}
	r.push(body("77002", 502, "IN TRANSIT", "2026-11-22 10:00:00"))
	r.die()
	defer start(t, r.Inbox)()
	until(t, "both are processed", func() bool {
		depth, err := r.store.Depth(t.Context())
		return err == nil && depth[inbox.Processed] == 2
	})
	for _, w := range r.rows() {
		want := 1
		if w.AWB == "77001" {
			want = 2
		}
		if w.Attempts != want {
			t.Errorf("%s: %d attempts, want %d", w.EventID, w.Attempts, want)
		}
	}
}

// A row that ends the process whenever it is worked on is given up.
func TestARowThatKillsIsGivenUp(t *testing.T) {
	t.Parallel()
	few := func(o *inbox.Options) { o.MaxAttempts = 4 }
	r := setup(t, few)
	r.push(body("77001", 501, "IN TRANSIT", "2026-11-22 10:00:00"))
	for range 4 {
		if claimed, err := r.store.Claim(t.Context(), 10, noon); err != nil || len(claimed) != 1 {
			t.Fatal(len(claimed), err)
		}
		r.die(few)
		if n, err := r.store.Recover(t.Context()); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	}
	r.work()
	w := r.newest()
	if w.Status != inbox.Failed || len(w.Tries) != 1 || !strings.Contains(w.Error, "process ended") {
		t.Errorf("%s, error %q, tries %v", w.Status, w.Error, w.Tries)
	}
}

// A process that ends in good order has tried nothing of what it leaves.
func TestLeavingIsNoAttempt(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.push(body("77001", 501, "IN TRANSIT", "2026-11-22 10:00:00"))
	if claimed, err := r.store.Claim(t.Context(), 10, noon); err != nil || len(claimed) != 1 {
		t.Fatal(len(claimed), err)
	}
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	r.open()
	r.Inbox = r.another()
	r.work()
	if w := r.newest(); w.Status != inbox.Processed || w.Attempts != 1 {
		t.Errorf("%s after %d attempts", w.Status, w.Attempts)
	}
}

// Who comes back too late changes nothing.
func TestTooLateChangesNothing(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.push(body("77001", 501, "IN TRANSIT", "2026-11-22 10:00:00"))
	r.work()
	w := r.newest()
	if err := r.store.Fail(t.Context(), w.ID, r.clock.read(), "too late", r.clock.read(), true); err != nil {
		t.Fatal(err)
	}
	if w := r.newest(); w.Status != inbox.Processed || w.Error != "" {
		t.Errorf("%s, error %q", w.Status, w.Error)
	}
}
