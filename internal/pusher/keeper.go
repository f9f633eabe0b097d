package pusher

import (
	"context"
	"sync"
	"time"
)

// Times of the keeper.
const (
	reportEvery = 100 * time.Millisecond // the least time between two reports of seats
	retryAfter  = time.Second            // when the cluster could not be asked
)

// keeper keeps the cluster's census right about this node, in the background and
// in batches, so that no watcher waits for it. It sleeps while nothing changes.
type keeper struct {
	server   *Server
	flushing sync.Mutex // held over a report and what is told of it: two at once might come in the wrong order
	failing  bool       // the last report; said once, not each time

	mu        sync.Mutex
	settling  []settling // oldest first
	departed  []Departure
	over      bool // nobody works off what comes
	forgotten bool
	doubts    map[place]*doubt
	owing     time.Time           // when to look next whether what is owed can be given; zero when nothing is
	counting  map[string]struct{} // channels whose watchers are to be told their number

	toldMany map[string]time.Time // the keeper's own: when a large channel was told

	// anew is held by whoever enters or leaves a presence channel, and altogether
	// while a user's connections are counted anew.
	anew sync.RWMutex
}

func newKeeper(s *Server) *keeper {
	return &keeper{
		server: s, doubts: make(map[place]*doubt),
		counting: make(map[string]struct{}), toldMany: make(map[string]time.Time),
	}
}

// run works until stop is closed.
func (k *keeper) run(stop <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	changed := k.server.hub.changed
	for {
		select {
		case <-stop:
			return
		case <-changed:
			// Wait for more, and for no news but the end.
			changed = nil
			timer.Reset(reportEvery)
			continue
		case <-timer.C:
		}
		changed = k.server.hub.changed
		timer.Reset(k.round(time.Now()))
	}
}

// round does all that is due, and says in how long the next may be.
func (k *keeper) round(now time.Time) time.Duration {
	k.mu.Lock()
	departed, forgotten := len(k.departed), k.forgotten
	k.mu.Unlock()

	if forgotten {
		k.doubtAll()
	}
	for range departed {
		k.mournNext()
	}
	ok := k.recount()
	ctx, cancel := k.server.bounded()
	defer cancel()
	ok = k.flush(ctx) == nil && ok
	wait := time.Hour
	sooner := func(at time.Time) {
		if !at.IsZero() {
			wait = max(time.Millisecond, min(wait, at.Sub(now)))
		}
	}
	if !ok {
		sooner(now.Add(retryAfter))
	}
	sooner(k.server.hub.unfollow(now, k.server.opts.Cluster.Unfollow))
	sooner(k.settle(now))
	sooner(k.pay(now))
	sooner(k.count(now))
	return wait
}

// flush reports the seats that changed. What has been reported when it returns nil
// is all that had happened when it was called.
func (k *keeper) flush(ctx context.Context) error {
	k.flushing.Lock()
	defer k.flushing.Unlock()
	counts := k.server.hub.takeChanged()
	if len(counts) == 0 {
		return nil
	}
	occupied, emptied, err := k.server.opts.Cluster.Seats(ctx, counts)
	if err != nil {
		k.server.hub.noteAgain(counts)
		if !k.failing && !k.server.stopping() {
			k.server.log.Warn("cluster.seats_not_reported", "channels", len(counts), "error", err)
		}
		k.failing = true
		return err
	}
	k.failing = false
	k.began(occupied)
	k.settleLater(emptied)
	if k.server.opts.SubscriptionCount {
		k.mu.Lock()
		for name := range counts {
			if !internal(name) && kindOf(name).guard != presence {
				k.counting[name] = struct{}{}
			}
		}
		k.mu.Unlock()
	}
	return nil
}

// news notes what the cluster says, and has it worked off.
func (k *keeper) news(note func()) {
	k.mu.Lock()
	note()
	k.mu.Unlock()
	k.server.hub.wake()
}

// end works off what no other node will be told of, after run.
func (k *keeper) end() {
	k.mu.Lock()
	k.over = true
	departed := len(k.departed)
	k.mu.Unlock()
	for range departed {
		k.mournNext()
	}
}

// mournNext forgets a departure when it was told, and not in the middle.
func (k *keeper) mournNext() {
	k.mu.Lock()
	d := k.departed[0]
	k.mu.Unlock()
	k.mourn(d)
	k.mu.Lock()
	k.departed = k.departed[1:]
	k.mu.Unlock()
}

// mourn tells of what ended with another node.
func (k *keeper) mourn(d Departure) {
	for channel, members := range d.Members {
		k.server.gone(channel, members)
	}
	k.settleLater(d.Emptied)
}
