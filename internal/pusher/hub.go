package pusher

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// shards is a power of two, and large enough that a fan-out to one crowded
// channel seldom stands in the way of another channel.
const shards = 128

// hub knows who watches what on this node. A channel's order is made here: all
// that happens to a channel happens under the lock of its shard.
type hub struct {
	seed   maphash.Seed
	shards [shards]shard
	seats  atomic.Int64 // of clients' own channels

	changed   chan struct{} // has room for one; told that there are changes for the keeper
	delivered func(int)     // for what is delivered late, out of hold

	emptyMu sync.Mutex
	emptied []emptied // channels that were left by their last watcher, oldest first
}

type shard struct {
	mu       sync.Mutex
	channels map[string]*channel
	changed  []string // channels whose number of seats the cluster was not told yet
	_        [24]byte // its own cache line
}

// channel exists while it is followed, or somebody is about to sit in it.
type channel struct {
	name     string
	seats    []*seat
	followed bool
	turning  *turn // a Follow or Unfollow is under way
	changed  bool  // its name is in the shard's list

	sequence int64 // of the newest message, if its publisher counts
	held     *held // messages that came too early
	missed   time.Time
}

// seat is one connection's place in one channel. It knows where it is, so that
// leaving a channel of ten thousand costs the same as leaving one of two.
type seat struct {
	conn    *conn
	channel *channel
	place   int
	member  *membership // in a presence channel
	pending *pending
	muted   bool // of a user who signed in and did not subscribe to his messages
}

// pending is what is delivered to a seat whose watcher has not been told yet that
// he has it.
type pending struct {
	frames [][]byte
	events bool // there are some of a publisher among them
}

// emptied is a channel that nobody sits in, and since when.
type emptied struct {
	channel *channel
	at      time.Time
}

func newHub() *hub {
	h := &hub{seed: maphash.MakeSeed(), changed: make(chan struct{}, 1)}
	for i := range h.shards {
		h.shards[i].channels = make(map[string]*channel)
	}
	return h
}

func (h *hub) shard(channel string) *shard {
	return &h.shards[maphash.String(h.seed, channel)&(shards-1)]
}

// wake tells the keeper that there is something to do.
func (h *hub) wake() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// join gives the seat its place in the channel and queues the frame that tells its
// watcher so, if any; no event of the channel can come between or before. When the
// channel is not followed there is no place yet: the turn is what to wait for, and
// lead says that the caller has to bring it about.
func (h *hub) join(s *seat, name string, welcome []byte) (wait *turn, lead bool) {
	sh := h.shard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	ch := sh.channels[name]
	if ch == nil {
		ch = &channel{name: name}
		sh.channels[name] = ch
	}
	if !ch.followed && carried(name) {
		if ch.turning != nil {
			return ch.turning, false
		}
		ch.turning = newTurn()
		return ch.turning, true
	}
	s.channel, s.place = ch, len(ch.seats)
	ch.seats = append(ch.seats, s)
	if !internal(name) {
		h.seats.Add(1)
	}
	h.note(sh, ch)
	if welcome != nil {
		s.conn.push(welcome)
	}
	return nil, false
}

// note sees to it that the cluster is told of the channel's number of seats.
func (h *hub) note(sh *shard, ch *channel) {
	if ch.changed || !counted(ch.name) {
		return
	}
	ch.changed = true
	sh.changed = append(sh.changed, ch.name)
	h.wake()
}

// welcome tells the watcher that he has the seat, by frames, and then what was
// delivered to it meanwhile. Last is the channel's last event, if it keeps one;
// events that came meanwhile are newer.
func (h *hub) welcome(s *seat, frame, last []byte) {
	sh := h.shard(s.channel.name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	p := s.pending
	s.pending = nil
	if frame != nil {
		s.conn.push(frame)
	}
	if last != nil && !p.events {
		s.conn.push(last)
	}
	for _, f := range p.frames {
		s.conn.push(f)
	}
}

// waits says whether something was delivered to the pending seat.
func (h *hub) waits(s *seat) bool {
	sh := h.shard(s.channel.name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return len(s.pending.frames) > 0
}

// mute and unmute say whether the seat is handed events; what is meant for the
// node itself it always gets.
func (h *hub) mute(s *seat) {
	sh := h.shard(s.channel.name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.muted = true
}

func (h *hub) unmute(s *seat, welcome []byte) {
	sh := h.shard(s.channel.name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.muted = false
	s.conn.push(welcome)
}

// leave frees the seat. No event of the channel is queued for it from then on.
func (h *hub) leave(s *seat) {
	ch := s.channel
	sh := h.shard(ch.name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	last := len(ch.seats) - 1
	moved := ch.seats[last]
	ch.seats[s.place], moved.place = moved, s.place
	ch.seats[last] = nil
	ch.seats = ch.seats[:last]
	if !internal(ch.name) {
		h.seats.Add(-1)
	}
	h.note(sh, ch)
	if last > 0 {
		return
	}
	ch.seats = nil
	if !carried(ch.name) {
		delete(sh.channels, ch.name)
		return
	}
	h.emptyMu.Lock()
	h.emptied = append(h.emptied, emptied{ch, time.Now()})
	h.emptyMu.Unlock()
	h.wake()
}

// missedLast says whether it is news that the channel keeps no last event; it is
// not within cacheMissEvery of the last time.
func (h *hub) missedLast(s *seat, now time.Time) bool {
	sh := h.shard(s.channel.name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if now.Sub(s.channel.missed) < cacheMissEvery {
		return false
	}
	s.channel.missed = now
	return true
}

// count returns how many connections of this node watch the channel.
func (h *hub) count(name string) int {
	sh := h.shard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if ch := sh.channels[name]; ch != nil {
		return len(ch.seats)
	}
	return 0
}

// each calls f for every channel that somebody sits in on this node, shard by
// shard, so the whole is no single moment's picture. F must not call the hub.
func (h *hub) each(f func(*channel)) {
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		for _, ch := range sh.channels {
			if len(ch.seats) > 0 {
				f(ch)
			}
		}
		sh.mu.Unlock()
	}
}

// channels counts those that are clients' own.
func (h *hub) channels() int {
	n := 0
	h.each(func(ch *channel) {
		if !internal(ch.name) {
			n++
		}
	})
	return n
}

// takeChanged returns the channels whose number of seats changed since it was last
// called, and the number.
func (h *hub) takeChanged() map[string]int {
	counts := make(map[string]int)
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		for _, name := range sh.changed {
			counts[name] = 0
			if ch := sh.channels[name]; ch != nil {
				ch.changed = false
				counts[name] = len(ch.seats)
			}
		}
		sh.changed = sh.changed[:0]
		sh.mu.Unlock()
	}
	return counts
}

// noteAll makes takeChanged return all channels that somebody sits in.
func (h *hub) noteAll() {
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		for _, ch := range sh.channels {
			if len(ch.seats) > 0 {
				h.note(sh, ch)
			}
		}
		sh.mu.Unlock()
	}
}

// noteAgain makes takeChanged return these channels once more.
func (h *hub) noteAgain(counts map[string]int) {
	for name := range counts {
		sh := h.shard(name)
		sh.mu.Lock()
		if ch := sh.channels[name]; ch != nil {
			h.note(sh, ch)
		} else {
			sh.changed = append(sh.changed, name)
		}
		sh.mu.Unlock()
	}
	h.wake()
}
