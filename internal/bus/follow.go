package bus

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// A link is a connection on which channels are listened to.
type link interface {
	// change listens to what is added and no longer to what is dropped, and
	// returns when that holds. With neither it asks whether the link is still up.
	change(ctx context.Context, add, drop []string) error
	// lost tells once why the link is down.
	lost() <-chan error
	// close ends it, and waits for the delivery that is under way.
	close()
}

// changesAtOnce bounds one change, and so how long it takes.
const changesAtOnce = 1000

// follows is what is to be followed, whatever link there is. One goroutine brings
// the link into line with it: what came while a change was under way goes into
// the next one together.
type follows struct {
	mu      sync.Mutex
	wanted  map[string]*follow
	pending map[string]*follow  // of wanted: what the link does not have yet
	dropped map[string]struct{} // not wanted: what it may still have
	wake    chan struct{}
}

type follow struct {
	began chan struct{} // closed when the link has it for the first time
	once  sync.Once
}

func newFollows() *follows {
	return &follows{
		wanted: make(map[string]*follow), pending: make(map[string]*follow),
		dropped: make(map[string]struct{}), wake: make(chan struct{}, 1),
	}
}

func (f *follows) want(channel string) *follow {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := &follow{began: make(chan struct{})}
	f.wanted[channel], f.pending[channel] = one, one
	delete(f.dropped, channel)
	f.nudge()
	return one
}

func (f *follows) drop(channel string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.wanted, channel)
	delete(f.pending, channel)
	f.dropped[channel] = struct{}{}
	f.nudge()
}

func (f *follows) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *follows) wants(channel string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wanted[channel] != nil
}

// settle brings the link into line.
func (f *follows) settle(ctx context.Context, l link) error {
	for {
		add, drop := f.next()
		if len(add)+len(drop) == 0 {
			return nil
		}
		if err := l.change(ctx, slices.Collect(maps.Keys(add)), drop); err != nil {
			return err // the link is given up, and all begins anew with the next one
		}
		for _, one := range add {
			one.once.Do(func() { close(one.began) })
		}
	}
}

func (f *follows) next() (add map[string]*follow, drop []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	add = make(map[string]*follow)
	for channel, one := range f.pending {
		if len(add) == changesAtOnce {
			break
		}
		add[channel] = one
		delete(f.pending, channel)
	}
	for channel := range f.dropped {
		if len(drop) == changesAtOnce {
			break
		}
		drop = append(drop, channel)
		delete(f.dropped, channel)
	}
	return add, drop
}

// restart is called for a link that has nothing yet.
func (f *follows) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = maps.Clone(f.wanted)
	clear(f.dropped)
}
