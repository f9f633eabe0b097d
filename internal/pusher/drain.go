package pusher

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// drainStep is the pause between two slices of a drain, and drainSlice the least
// number of connections in one: a small server need not take its time.
const (
	drainStep  = 100 * time.Millisecond
	drainSlice = 50
)

// closeGrace is how long Close lets connections write their close frames.
const closeGrace = time.Second

// Drain closes the server in an orderly way: newcomers are turned away, and the
// watchers are told to connect elsewhere (4200) in slices over most of the time
// ctx leaves, because pusher-js does so at once and all of them would arrive on
// the next node in the same moment. Publishing goes on meanwhile. The server is
// closed when Drain returns; the error is ctx's if connections had to be cut.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	watchers := make([]*conn, 0, s.accepted)
	for c := range s.conns {
		if c.counted {
			watchers = append(watchers, c)
		}
	}
	if s.empty == nil {
		s.empty = make(chan struct{})
		if s.accepted == 0 {
			close(s.empty)
		}
	}
	empty := s.empty
	s.mu.Unlock()

	sendAway(watchers, "server is shutting down", sliceSize(ctx, len(watchers)), func() time.Duration { return drainStep }, ctx.Done())
	var err error
	select {
	case <-empty:
	case <-ctx.Done():
		err = fmt.Errorf("drain watchers: %w", ctx.Err())
	}
	return errors.Join(err, s.Close())
}

// sendAway tells the watchers to connect anew, size of them at a time with a pause
// between, until stop is closed.
func sendAway(watchers []*conn, why string, size int, pause func() time.Duration, stop <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for len(watchers) > 0 {
		select {
		case <-timer.C:
		case <-stop:
			return
		}
		n := min(size, len(watchers))
		for _, c := range watchers[:n] {
			c.end(CodeReconnect, why, false)
		}
		watchers = watchers[n:]
		timer.Reset(pause())
	}
}

// sliceSize spreads n connections over the first three quarters of ctx's time;
// the rest is for the last of them to go.
func sliceSize(ctx context.Context, n int) int {
	steps := 1
	if deadline, ok := ctx.Deadline(); ok {
		steps = max(1, int(time.Until(deadline)*3/4/drainStep))
	}
	return max(drainSlice, (n+steps-1)/steps)
}

// Close tells all watchers to connect elsewhere (4200), cuts off those that have
// not gone within a second, and returns when nothing of the server runs any more.
// Webhooks that wait get one more try, for five seconds altogether.
// Publishing fails with ErrClosed from then on. A second call does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.running.Wait()
		return nil
	}
	s.closed = true
	close(s.stop)
	s.cancel()
	for c := range s.conns {
		c.end(CodeReconnect, "server is shutting down", false)
	}
	s.mu.Unlock()

	cut := time.AfterFunc(closeGrace, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.conns {
			_ = c.nc.Close()
		}
	})
	defer s.silence()
	defer time.AfterFunc(webhookDrain+closeGrace, s.silence).Stop()
	s.running.Wait()
	cut.Stop()
	s.keeper.end()
	s.webhooks.close()
	if err := s.opts.Cluster.Close(); err != nil {
		return fmt.Errorf("leave cluster: %w", err)
	}
	return nil
}
