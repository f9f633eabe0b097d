package pusher

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// shards is a power of two, and large enough that a fan-out to one crowded
// channel seldom stands in the way of another channel.
const shards = 128

// hub knows who watches what on this node. A channel's order is made here: all
// that happens to a channel happens under the lock of its shard.
type hub struct {
	seed   maphash.Seed
	shards [shards]shard
	seats  atomic.Int64
}

type shard struct {
	mu       sync.Mutex
	channels map[string]*channel
	_        [48]byte // its own cache line
}

// channel exists while somebody sits in it.
type channel struct {
	name  string
	seats []*seat
}

// seat is one connection's subscription to one channel. It knows its place, so
// that leaving a channel of ten thousand costs the same as leaving one of two.
type seat struct {
	conn    *conn
	channel *channel
	place   int
}

func newHub() *hub {
	h := &hub{seed: maphash.MakeSeed()}
	for i := range h.shards {
		h.shards[i].channels = make(map[string]*channel)
	}
	return h
}

func (h *hub) shard(channel string) *shard {
	return &h.shards[maphash.String(h.seed, channel)&(shards-1)]
}

// join seats c in the channel and queues the frame that tells it so; no event of
// the channel can come between or before.
func (h *hub) join(c *conn, name string, welcome []byte) *seat {
	sh := h.shard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	ch := sh.channels[name]
	if ch == nil {
		ch = &channel{name: name}
		sh.channels[name] = ch
	}
	s := &seat{conn: c, channel: ch, place: len(ch.seats)}
	ch.seats = append(ch.seats, s)
	h.seats.Add(1)
	c.push(welcome)
	return s
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
	if last == 0 {
		delete(sh.channels, ch.name)
	}
	h.seats.Add(-1)
}

// deliver queues the message for everyone in its channel but the excepted one,
// and returns for how many. It waits for no one.
func (h *hub) deliver(m Message) int {
	sh := h.shard(m.Channel)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	ch := sh.channels[m.Channel]
	if ch == nil {
		return 0
	}
	frame := eventFrame(m.Channel, m.Event, m.Data)
	n := 0
	for _, s := range ch.seats {
		if s.conn.id != m.Except && s.conn.push(frame) {
			n++
		}
	}
	return n
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

// each calls f for every channel that is watched on this node, shard by shard, so
// the whole is no single moment's picture. F must not call the hub.
func (h *hub) each(f func(name string, watchers int)) {
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		for name, ch := range sh.channels {
			f(name, len(ch.seats))
		}
		sh.mu.Unlock()
	}
}

func (h *hub) channels() int {
	n := 0
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		n += len(sh.channels)
		sh.mu.Unlock()
	}
	return n
}
