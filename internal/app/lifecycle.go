package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// lifecycle starts and stops what a process consists of. Whatever is started
// registers its stop at once; stops run in reverse order, each within its
// limit.
type lifecycle struct {
	log    *slog.Logger
	failed chan error // a part ended that should not have

	mu    sync.Mutex
	stops []stop
}

type stop struct {
	name  string
	limit time.Duration
	run   func(context.Context) error
}

func newLifecycle(log *slog.Logger) *lifecycle {
	return &lifecycle{log: log, failed: make(chan error, 1)}
}

// onStop registers what ends a part.
func (l *lifecycle) onStop(name string, limit time.Duration, run func(context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stops = append(l.stops, stop{name, limit, run})
}

// background runs a part until the lifecycle stops it. A part that ends before
// that ends the process.
func (l *lifecycle) background(name string, limit time.Duration, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := run(ctx)
		if ctx.Err() == nil {
			l.fail(fmt.Errorf("%s ended by itself: %w", name, errors.Join(err, errStopped)))
		}
		done <- err
	}()
	l.onStop(name, limit, func(limited context.Context) error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-limited.Done():
			return limited.Err()
		}
	})
}

var errStopped = errors.New("stopped")

func (l *lifecycle) fail(err error) {
	select {
	case l.failed <- err:
	default:
	}
}

// stop runs all stops, last started first, and returns what went wrong.
func (l *lifecycle) stop() error {
	l.mu.Lock()
	stops := l.stops
	l.stops = nil
	l.mu.Unlock()
	var errs []error
	for i := len(stops) - 1; i >= 0; i-- {
		s := stops[i]
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), s.limit)
		if err := s.run(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", s.name, err))
		}
		cancel()
		l.log.Debug("app.stopped", "part", s.name, "took_ms", time.Since(began).Milliseconds())
	}
	return errors.Join(errs...)
}
