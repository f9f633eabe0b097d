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
	flushing sync.Mutex // held over a report: two at once might arrive in the wrong order
	failing  bool       // the last report; said once, not each time

	mu        sync.Mutex
	settling  []settling // oldest first
	exits     []exit
	departed  []Departure
	forgotten bool
	owing     time.Time           // when to look next whether what is owed can be given; zero when nothing is
	counting  map[string]struct{} // channels whose watchers are to be told their number

	toldMany map[string]time.Time // the keeper's own: when a large channel was told

	// anew is held by whoever enters or leaves a presence channel, and altogether
	// while all members are entered again.
	anew sync.RWMutex
}

// exit is a member's connection that the census was not told is gone.
type exit struct{ channel, user string }

func newKeeper(s *Server) *keeper {
	return &keeper{server: s, counting: make(map[string]struct{}), toldMany: make(map[string]time.Time)}
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
	departed, forgotten := k.departed, k.forgotten
	k.departed, k.forgotten = nil, false
	k.mu.Unlock()

	if forgotten {
		k.enterAnew()
	}
	for _, d := range departed {
		k.mourn(d)
	}
	ok := k.exit()
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

// mourn tells of what ended with another node.
func (k *keeper) mourn(d Departure) {
	for channel, members := range d.Members {
		k.server.gone(channel, members)
	}
	k.settleLater(d.Emptied)
}

// exit takes those out of the census whose connections are gone; false is when the
// cluster could not be asked.
func (k *keeper) exit() bool {
	k.anew.RLock()
	defer k.anew.RUnlock()
	for {
		k.mu.Lock()
		if len(k.exits) == 0 {
			k.exits = nil
			k.mu.Unlock()
			return true
		}
		e := k.exits[0]
		k.exits = k.exits[1:]
		k.mu.Unlock()
		if !k.server.exit(e.channel, e.user) {
			return false // it has put it back
		}
	}
}

// enterAnew puts everything of this node into a census that holds nothing of it.
// Nobody enters or leaves meanwhile, so it goes on until it has done so: what was
// entered must not be entered twice.
func (k *keeper) enterAnew() {
	k.anew.Lock()
	defer k.anew.Unlock()
	k.server.hub.noteAll()
	k.mu.Lock()
	k.exits = nil // of what is not there
	k.mu.Unlock()
	type entry struct {
		channel string
		member  Member
	}
	var here []entry
	k.server.hub.each(func(ch *channel) {
		for _, s := range ch.seats {
			if s.member != nil {
				here = append(here, entry{ch.name, s.member.Member})
			}
		}
	})
	var added []Message
	for i := 0; i < len(here); {
		ctx, cancel := k.server.bounded()
		_, first, err := k.server.opts.Cluster.Enter(ctx, here[i].channel, here[i].member, 0)
		cancel()
		if err != nil {
			if k.pause() {
				return // the end, or forgotten once more
			}
			continue
		}
		if first {
			added = append(added, memberMessage(eventMemberAdded, here[i].channel, here[i].member))
		}
		i++
	}
	k.server.tell(added...)
}

// pause waits before the cluster is asked again, and says whether there is no more
// use in it.
func (k *keeper) pause() bool {
	timer := time.NewTimer(retryAfter)
	defer timer.Stop()
	select {
	case <-k.server.stop:
		return true
	case <-timer.C:
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.forgotten
}
