package store

import (
	"context"
	"sync"
)

// A turn is the right to write. Intake goes first, but lets somebody else by
// after intakeAhead groups in a row, so that under a flood the work that has
// been taken in also gets done.
type turn struct {
	mu      sync.Mutex
	taken   bool
	ahead   int // groups of intake since another had his turn while others waited
	intake  []chan struct{}
	waiting []chan struct{}
}

const intakeAhead = 2

// take waits for the turn. It returns ctx's error, without the turn, if ctx
// ends first.
func (t *turn) take(ctx context.Context, intake bool) error {
	t.mu.Lock()
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return nil
	}
	granted := make(chan struct{})
	line := &t.waiting
	if intake {
		line = &t.intake
	}
	*line = append(*line, granted)
	t.mu.Unlock()
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	for i, c := range *line {
		if c == granted {
			*line = append((*line)[:i], (*line)[i+1:]...)
			t.mu.Unlock()
			return ctx.Err()
		}
	}
	t.mu.Unlock() // it was granted at the same moment
	t.release()
	return ctx.Err()
}

// release hands the turn on.
func (t *turn) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := &t.waiting
	switch {
	case len(t.intake) > 0 && (len(t.waiting) == 0 || t.ahead < intakeAhead):
		line = &t.intake
		t.ahead++
	case len(t.waiting) > 0:
		t.ahead = 0
	default:
		t.taken, t.ahead = false, 0
		return
	}
	next := (*line)[0]
	*line = (*line)[1:]
	close(next)
}
