package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopsRunInReverse(t *testing.T) {
	t.Parallel()
	l := newLifecycle(slog.New(slog.DiscardHandler))
	var order []string
	for _, name := range []string{"store", "inbox", "http"} {
		l.onStop(name, time.Second, func(context.Context) error {
			order = append(order, name)
			return fmt.Errorf("%s is stuck", name)
		})
	}
	err := l.stop()
	if got := strings.Join(order, " "); got != "http inbox store" {
		t.Errorf("stopped %s", got)
	}
	for _, name := range order {
		if !strings.Contains(err.Error(), "stop "+name+": "+name+" is stuck") {
			t.Errorf("%v does not tell of %s", err, name)
		}
	}
	if err := l.stop(); err != nil || len(order) != 3 {
		t.Errorf("a second stop: %v, %d stops in all", err, len(order))
	}
}

// A part that does not stop holds the others up for its limit and no longer.
func TestStopsAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLifecycle(slog.New(slog.DiscardHandler))
		let := make(chan struct{})
		stopped := false
		l.onStop("store", time.Second, func(context.Context) error { stopped = true; return nil })
		l.background("stubborn", 3*time.Second, func(context.Context) error { <-let; return nil })
		began := time.Now()
		err := l.stop()
		if took := time.Since(began); took != 3*time.Second || !stopped || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stubborn") {
			t.Errorf("after %s: %v; the store was stopped: %v", took, err, stopped)
		}
		close(let)
	})
}

func TestBackgroundEndsWithItsStop(t *testing.T) {
	t.Parallel()
	l := newLifecycle(slog.New(slog.DiscardHandler))
	ended := false
	l.background("part", time.Second, func(ctx context.Context) error {
		<-ctx.Done()
		ended = true
		return nil
	})
	if err := l.stop(); err != nil || !ended {
		t.Errorf("%v; it ended: %v", err, ended)
	}
	select {
	case err := <-l.failed:
		t.Errorf("a part that was stopped counts as failed: %v", err)
	default:
	}
}

// A part that ends before it is told to, well or not, ends the wait of the
// whole; the first to fail is the one that is told of.
func TestAPartThatFailsEndsWait(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]error{"with an error": errors.New("no disk"), "without one": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &App{life: newLifecycle(slog.New(slog.DiscardHandler))}
			a.life.background("inbox", time.Second, func(context.Context) error { return end })
			err := a.Wait(t.Context())
			if !errors.Is(err, errStopped) || end != nil && !errors.Is(err, end) || !strings.Contains(err.Error(), "inbox ended by itself") {
				t.Errorf("wait: %v", err)
			}
			a.life.background("live", time.Second, func(context.Context) error { return errors.New("later") })
			_ = a.Stop() // a failure that nobody waits for any more blocks nothing
		})
	}
}
