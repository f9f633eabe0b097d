package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
)

// Everything that was acknowledged is stored, and everything stored is worked
// off, while many receive at once.
func TestAcknowledgedIsStoredIsProcessed(t *testing.T) {
	t.Parallel()
	r := setup(t, func(o *inbox.Options) { o.Batch = 32 })
	stop := start(t, r.Inbox)
	const receivers, each, parcels = 16, 40, 25
	var originals, duplicates atomic.Int64
	var wg sync.WaitGroup
	for n := range receivers {
		wg.Go(func() {
			for i := range each {
				// Two receivers send each body: one of the two is a duplicate.
				n := n / 2
				awb := fmt.Sprintf("77%03d", (n*each+i)%parcels)
				receipt, err := r.Receive(t.Context(), proven(body(awb, 100+(n*each+i)%parcels, "IN TRANSIT", fmt.Sprintf("2026-11-2%d 10:%02d:00", n%3, i))))
				switch {
				case err != nil:
					t.Errorf("receive: %v", err)
				case receipt.Duplicate:
					duplicates.Add(1)
				default:
					originals.Add(1)
				}
			}
		})
	}
	wg.Wait()
	until(t, "nothing is pending", func() bool {
		depth, err := r.store.Depth(t.Context())
		return err == nil && depth[inbox.Pending] == 0
	})
	stop()
	depth, err := r.store.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if originals.Load()+duplicates.Load() != receivers*each ||
		depth[inbox.Processed] != int(originals.Load()) || depth[inbox.Duplicate] != int(duplicates.Load()) || len(depth) != 2 {
		t.Errorf("acknowledged %d and %d duplicates; in the log: %v", originals.Load(), duplicates.Load(), depth)
	}
}

func TestRunStopsPromptly(t *testing.T) {
	t.Parallel()
	r := setup(t, func(o *inbox.Options) { o.Sweep = time.Hour })
	for i := range 300 {
		r.push(body(fmt.Sprintf("77%03d", i), 100+i, "IN TRANSIT", "2026-11-22 10:00:00"))
	}
	stop := start(t, r.Inbox)
	until(t, "work has begun", func() bool {
		depth, err := r.store.Depth(t.Context())
		return err == nil && depth[inbox.Processed] > 0
	})
	stop() // fails the test if Run does not end
}

// A flaky log is a log of which the test says what each call does.
type flaky struct {
	inbox.Log
	claim   func() ([]inbox.Webhook, error)
	nextDue func() time.Time
}

func (f flaky) Claim(context.Context, int, time.Time) ([]inbox.Webhook, error) { return f.claim() }
func (f flaky) NextDue() time.Time                                             { return f.nextDue() }
func (f flaky) Recover(context.Context) (int, error)                           { return 0, nil }

// looks runs an inbox over the log for a span of time and returns when it
// looked for work.
func looks(t *testing.T, f flaky, span time.Duration) []time.Duration {
	t.Helper()
	began := time.Now()
	var at []time.Duration
	claim := f.claim
	f.claim = func() ([]inbox.Webhook, error) {
		at = append(at, time.Since(began))
		return claim()
	}
	i := inbox.New(inbox.Options{
		Log: f, Verifier: shiprocket.NewVerifier([]string{token}, nil, ""), Logger: slog.New(slog.DiscardHandler), Sweep: 5 * time.Second,
	})
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	if err := i.Run(ctx); err != nil {
		t.Errorf("run: %v", err)
	}
	return at
}

// Rows that nobody signalled are found: by their due time, and by the sweep.
func TestRunWakesByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		due := time.Now().Add(1500 * time.Millisecond)
		at := looks(t, flaky{
			claim:   func() ([]inbox.Webhook, error) { return nil, nil },
			nextDue: func() time.Time { return due },
		}, 1600*time.Millisecond)
		if len(at) < 2 || at[0] != 0 || at[1] != 1500*time.Millisecond {
			t.Errorf("looked for work at %v, want at 0 s and 1.5 s", at)
		}
		at = looks(t, flaky{
			claim:   func() ([]inbox.Webhook, error) { return nil, nil },
			nextDue: func() time.Time { return time.Now().Add(time.Hour) },
		}, 16*time.Second)
		if fmt.Sprint(at) != "[0s 5s 10s 15s]" {
			t.Errorf("looked for work at %v, want every 5 s", at)
		}
	})
}

// A log that fails is asked again, but not as fast as it fails.
func TestRunIsPatientWithAFailingLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		overdue := time.Now().Add(-time.Hour)
		at := looks(t, flaky{
			claim:   func() ([]inbox.Webhook, error) { return nil, errors.New("the disk is gone") },
			nextDue: func() time.Time { return overdue },
		}, time.Minute)
		if len(at) < 10 || len(at) > 100 {
			t.Errorf("asked %d times in a minute", len(at))
		}
	})
}

func TestRunEndsWhenItCannotBegin(t *testing.T) {
	t.Parallel()
	r := setup(t)
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context()); err == nil {
		t.Error("run ended well over a closed store")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Errorf("run under an ended context: %v", err)
	}
}
