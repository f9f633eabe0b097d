package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
)

func (r *room) replayer(woken func()) *inbox.Replayer {
	return inbox.NewReplayer(inbox.ReplayerOptions{
		Log: r.store, Wake: woken, Logger: slog.New(slog.NewTextHandler(r.lines, nil)), Now: r.clock.read,
	})
}

func (r *room) replay(rate int, f store.Filter) store.Replay {
	r.t.Helper()
	job, err := r.store.CreateReplay(r.t.Context(), r.clock.read(), store.Replay{Filter: f, Rate: rate})
	if err != nil {
		r.t.Fatal(err)
	}
	return job
}

// A job keeps to its rate, gives way to live pushes, and ends.
func TestReplayKeepsToItsRateAndGivesWay(t *testing.T) {
	t.Parallel()
	r := setup(t)
	for i := range 30 {
		r.push([]byte(fmt.Sprintf(`{"awb":"R%d","current_status":"IN TRANSIT"}`, i)))
	}
	r.work()
	r.clock.add(time.Hour)
	job := r.replay(50, store.Filter{Status: inbox.Processed})
	woken := 0
	p := r.replayer(func() { woken++ })
	next := func() time.Duration {
		t.Helper()
		wait, err := p.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	if wait := next(); wait != 200*time.Millisecond || woken != 1 {
		t.Errorf("after ten of fifty a second it waits %v, woken %d times", wait, woken)
	}

	r.push([]byte(`{"awb":"LIVE","current_status":"IN TRANSIT"}`))
	r.clock.add(3 * time.Second)
	for range 2 {
		if wait := next(); wait > time.Second || wait < 100*time.Millisecond {
			t.Errorf("behind a live push it looks again after %v", wait)
		}
	}
	if got, err := r.store.Replay(t.Context(), job.ID); err != nil || got.Done != 10 || !got.Held {
		t.Errorf("while a push waits: %+v, %v", got, err)
	}
	r.work()
	for range 3 {
		next()
	}
	got, err := r.store.Replay(t.Context(), job.ID)
	if err != nil || got.Done != 30 || got.Held || got.State != inbox.ReplayDone {
		t.Errorf("at the end: %+v, %v", got, err)
	}
	if wait := next(); wait < time.Second {
		t.Errorf("without a job it looks again after %v", wait)
	}
	r.work()
	if depth, err := r.store.Depth(t.Context()); err != nil || depth[inbox.Processed] != 31 {
		t.Errorf("%v, %v", depth, err)
	}
	if !strings.Contains(r.lines.String(), "msg=replay.done") {
		t.Error("the log does not tell of its end")
	}
}

// Run finds a job by itself or by a signal, and ends with its context.
func TestReplayRuns(t *testing.T) {
	t.Parallel()
	r := setup(t)
	for i := range 5 {
		r.push([]byte(fmt.Sprintf(`{"awb":"R%d","current_status":"IN TRANSIT"}`, i)))
	}
	r.work()
	r.clock.add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	woken, ended := make(chan struct{}, 9), make(chan error, 1)
	p := r.replayer(func() { woken <- struct{}{} })
	go func() { ended <- p.Run(ctx) }()
	r.replay(1000, store.Filter{Status: inbox.Processed})
	p.Wake()
	<-woken
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// failing is a log whose steps fail.
type failing struct{ inbox.ReplayLog }

func (failing) OpenReplay(context.Context, string) (inbox.ReplayJob, bool, error) {
	return inbox.ReplayJob{}, false, errors.New("the database is away")
}

func TestReplayWaitsAfterAnError(t *testing.T) {
	t.Parallel()
	p := inbox.NewReplayer(inbox.ReplayerOptions{Log: failing{}, Wake: func() {}, Logger: slog.New(slog.DiscardHandler)})
	if wait, err := p.Step(t.Context()); err == nil || wait < time.Second {
		t.Errorf("it tries again after %v, %v", wait, err)
	}
}
