package pusher

import (
	"cmp"
	"slices"
	"time"
)

// holdFor is how long a message that came too early waits for those before it,
// and holdMost how many of a channel may wait.
const (
	holdFor  = 100 * time.Millisecond
	holdMost = 1000
)

// held are messages of one channel that came before others they follow.
type held struct {
	messages []heldMessage // by sequence
	timer    *time.Timer
}

type heldMessage struct {
	Message
	until time.Time
}

// deliverInOrder delivers the message, and those that waited for it, or keeps it
// for a while. One that comes late is delivered at once: the watcher can tell, and
// to leave it out would be to lose it.
func (h *hub) deliverInOrder(sh *shard, ch *channel, m Message) int {
	if ch.sequence > 0 && m.Sequence > ch.sequence+1 {
		h.hold(sh, ch, m)
		if len(ch.held.messages) <= holdMost {
			return 0
		}
		return ch.release(time.Now().Add(holdFor))
	}
	ch.sequence = max(ch.sequence, m.Sequence)
	n := ch.deliver(m)
	if ch.held != nil {
		n += ch.release(time.Now())
	}
	return n
}

// hold keeps the message in its place. One timer serves all of a channel.
func (h *hub) hold(sh *shard, ch *channel, m Message) {
	if ch.held == nil {
		hd := new(held)
		hd.timer = time.AfterFunc(holdFor, func() {
			sh.mu.Lock()
			n := 0
			if ch.held == hd {
				n = ch.release(time.Now())
			}
			sh.mu.Unlock()
			if n > 0 && h.delivered != nil {
				h.delivered(n)
			}
		})
		ch.held = hd
	}
	i, _ := slices.BinarySearchFunc(ch.held.messages, m.Sequence, func(e heldMessage, s int64) int { return cmp.Compare(e.Sequence, s) })
	ch.held.messages = slices.Insert(ch.held.messages, i, heldMessage{m, time.Now().Add(holdFor)})
}

// release delivers what has waited long enough, all that belongs before it, and
// what follows without a hole.
func (ch *channel) release(now time.Time) int {
	n, hd := 0, ch.held
	ripe := 0
	for i, m := range hd.messages {
		if !m.until.After(now) {
			ripe = i + 1
		}
	}
	done := 0
	for i, m := range hd.messages {
		if i >= ripe && m.Sequence > ch.sequence+1 {
			break
		}
		ch.sequence = max(ch.sequence, m.Sequence)
		n += ch.deliver(m.Message)
		done++
	}
	hd.messages = slices.Delete(hd.messages, 0, done)
	if len(hd.messages) == 0 {
		ch.drop()
		return n
	}
	first := hd.messages[0].until
	for _, m := range hd.messages {
		if m.until.Before(first) {
			first = m.until
		}
	}
	hd.timer.Reset(first.Sub(now))
	return n
}

// drop forgets what is held, and the timer with it.
func (ch *channel) drop() {
	if ch.held != nil {
		ch.held.timer.Stop()
		ch.held = nil
	}
}
