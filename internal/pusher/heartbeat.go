package pusher

import (
	"sync"
	"time"
)

// heartbeat finds the connections whose client has fallen silent. It is a wheel of
// slots, turned by one ticker: a connection lies in the slot of the tick at which
// it must be looked at next, which for one that talks is once per silence, so ten
// thousand connections cost some fifty looks a second and no timers.
type heartbeat struct {
	started time.Time
	silence time.Duration // without a frame from the client, until we ping
	pong    time.Duration // from then until we close
	tick    time.Duration

	authorize time.Duration // how long a client may stay without a signature; 0 is for ever

	mu    sync.Mutex
	slots [][]*conn
	hand  int // the slot of the latest tick
}

// beat is a connection's place in the wheel; guarded by the wheel's lock.
type beat struct {
	slot, place int           // place is -1 when it is in none
	pinged      time.Duration // when we pinged, since the start; 0 when no pong is due
	heard       time.Duration // what conn.heard was then
}

func newHeartbeat(activityTimeout, pongTimeout, authorize time.Duration) *heartbeat {
	h := &heartbeat{
		started:   time.Now(),
		silence:   activityTimeout + activityTimeout/2,
		pong:      pongTimeout,
		authorize: authorize,
	}
	shortest := min(h.silence, h.pong)
	if authorize > 0 {
		shortest = min(shortest, authorize)
	}
	h.tick = min(max(shortest/8, 5*time.Millisecond), time.Second)
	h.slots = make([][]*conn, max(h.ticks(h.silence), h.ticks(h.pong))+1)
	return h
}

// now is the time since the wheel began to turn.
func (h *heartbeat) now() time.Duration {
	return time.Since(h.started)
}

func (h *heartbeat) ticks(d time.Duration) int {
	return max(1, int((d+h.tick-1)/h.tick))
}

// run turns the wheel until stop is closed.
func (h *heartbeat) run(stop <-chan struct{}) {
	ticker := time.NewTicker(h.tick)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			h.turn(h.now())
		}
	}
}

// add puts a new connection into the wheel.
func (h *heartbeat) add(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	after := h.silence
	if h.authorize > 0 {
		after = min(after, h.authorize)
	}
	h.place(c, after)
}

// remove takes the connection out; it may have been out already.
func (h *heartbeat) remove(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.beat.place < 0 {
		return
	}
	slot := h.slots[c.beat.slot]
	last := len(slot) - 1
	slot[c.beat.place] = slot[last]
	slot[c.beat.place].beat.place = c.beat.place
	slot[last] = nil
	h.slots[c.beat.slot] = slot[:last]
	c.beat.place = -1
}

func (h *heartbeat) place(c *conn, after time.Duration) {
	i := (h.hand + h.ticks(after)) % len(h.slots)
	c.beat.slot, c.beat.place = i, len(h.slots[i])
	h.slots[i] = append(h.slots[i], c)
}

// turn moves the hand by one slot and looks at the connections in it.
func (h *heartbeat) turn(now time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hand = (h.hand + 1) % len(h.slots)
	due := h.slots[h.hand]
	h.slots[h.hand] = nil
	for _, c := range due {
		c.beat.place = -1
		if after := h.look(c, now); after > 0 {
			h.place(c, after)
		}
	}
}

// look pings a silent client, or gives up on one that left a ping unanswered, and
// says when to look again; 0 is never. Only frames from the client count: one
// that is sent to all the time does not ping by itself (pusher-js 8.6).
func (h *heartbeat) look(c *conn, now time.Duration) time.Duration {
	if h.authorize > 0 && !c.authorized.Load() {
		left := h.authorize - time.Since(c.opened)
		if left <= 0 {
			c.dismiss("Connection not authorized within timeout.")
			return 0
		}
		return min(left, h.lookAlive(c, now))
	}
	return h.lookAlive(c, now)
}

func (h *heartbeat) lookAlive(c *conn, now time.Duration) time.Duration {
	heard := time.Duration(c.heard.Load())
	if heard != c.beat.heard {
		c.beat.pinged = 0
	}
	if c.beat.pinged == 0 {
		if idle := now - heard; idle < h.silence {
			return h.silence - idle
		}
		c.push(pingFrame)
		c.beat.pinged, c.beat.heard = now, heard
		return h.pong
	}
	if waited := now - c.beat.pinged; waited < h.pong {
		return h.pong - waited
	}
	c.end(CodePongMissing, "pong reply not received in time", true)
	return 0
}
