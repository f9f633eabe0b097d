package pusher

import (
	"math/rand/v2"
	"time"
)

// gapSteps is in how many slices, each about drainStep after the last, watchers
// are sent away who may have missed an event.
const gapSteps = 30

// receiver is the Server as its Cluster calls it, so that none of this is a method
// that an application could call.
type receiver struct{ server *Server }

var _ Receiver = receiver{}

func (r receiver) Deliver(m Message) {
	if n := r.server.hub.deliver(m); n > 0 {
		r.server.opts.Observer.Delivered(n)
	}
}

// Gap sends away everyone who watches something: what he missed he is not told, so
// he must connect, subscribe and read anew what is current. In slices, with jitter:
// pusher-js does so at once, and all nodes may have the same gap.
func (r receiver) Gap() {
	s := r.server
	missing := make(map[*conn]struct{})
	s.hub.each(func(ch *channel) {
		for _, st := range ch.seats {
			missing[st.conn] = struct{}{}
		}
	})
	watchers := make([]*conn, 0, len(missing))
	for c := range missing { // in no order, which is as well
		watchers = append(watchers, c)
	}
	s.opts.Observer.Gap(len(watchers))
	s.log.Warn("cluster.gap", "watchers", len(watchers))
	s.sendAwayLater(watchers, "events may have been lost")
}

// sendAwayLater sends the watchers away over some seconds, and does not wait for it.
func (s *Server) sendAwayLater(watchers []*conn, why string) {
	s.mu.Lock()
	if s.closed || len(watchers) == 0 {
		s.mu.Unlock()
		return
	}
	s.running.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.running.Done()
		size := max(drainSlice, (len(watchers)+gapSteps-1)/gapSteps)
		sendAway(watchers, why, size, jitter, s.stop)
	}()
}

// jitter is drainStep, more or less by half.
func jitter() time.Duration {
	return drainStep/2 + rand.N(drainStep)
}

func (r receiver) Forgotten() {
	k := r.server.keeper
	k.news(func() { k.forgotten = true })
}

// Departed leaves it to the keeper, or waits until all is told where that has ended:
// what one node was told no other will be.
func (r receiver) Departed(d Departure) {
	k := r.server.keeper
	over := false
	k.news(func() {
		if over = k.over; !over {
			k.departed = append(k.departed, d)
		}
	})
	if over {
		k.mourn(d)
	}
}
