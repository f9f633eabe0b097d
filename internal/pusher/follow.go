package pusher

import (
	"context"
	"time"
)

// lingerFollowing is how long a channel is followed that nobody on this node
// watches any more: a page that is loaded anew leaves and comes back at once.
const lingerFollowing = 1500 * time.Millisecond

// turn is a Follow or Unfollow under way. All that join a channel meanwhile wait
// for the one turn, and share what came of it.
type turn struct {
	done chan struct{}
	err  error // may be read when done is closed
}

func newTurn() *turn { return &turn{done: make(chan struct{})} }

// sit gives the seat its place in a channel that is followed from before sit
// returns, so that whoever reads elsewhere what is current, after he heard of his
// success, misses nothing. The error is the cluster's; then there is no seat.
func (s *Server) sit(seat *seat, channel string, welcome []byte) error {
	for {
		wait, lead := s.hub.join(seat, channel, welcome)
		switch {
		case wait == nil:
			return nil
		case lead:
			ctx, cancel := s.bounded()
			err := s.opts.Cluster.Follow(ctx, channel)
			cancel()
			s.hub.followed(channel, wait, err)
		default:
			<-wait.done // bounded, because the leader's call is
		}
		if wait.err != nil {
			return wait.err
		}
	}
}

// followed ends the turn of a Follow.
func (h *hub) followed(name string, t *turn, err error) {
	sh := h.shard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	ch := sh.channels[name]
	ch.turning, ch.followed = nil, err == nil
	if err != nil {
		delete(sh.channels, name)
	}
	t.err = err
	close(t.done)
}

// unfollow ends the following of channels that nobody has watched for a while,
// and says when to call again; zero when there is nothing to wait for.
func (h *hub) unfollow(now time.Time, unfollow func(string)) (next time.Time) {
	for {
		h.emptyMu.Lock()
		if len(h.emptied) == 0 {
			h.emptied = nil
			h.emptyMu.Unlock()
			return time.Time{}
		}
		e := h.emptied[0]
		due := e.at.Add(lingerFollowing)
		if due.After(now) {
			h.emptyMu.Unlock()
			return due
		}
		h.emptied = h.emptied[1:]
		h.emptyMu.Unlock()
		h.unfollowOne(e, unfollow)
	}
}

// unfollowOne lets go of a channel, if nobody has come back. The cluster is called
// without the lock, because it delivers under locks of its own.
func (h *hub) unfollowOne(e emptied, unfollow func(string)) {
	ch := e.channel
	sh := h.shard(ch.name)
	sh.mu.Lock()
	// One that was entered and left again since is in the list a second time, and
	// goes a little early: its watchers are gone all the same.
	if sh.channels[ch.name] != ch || len(ch.seats) > 0 || !ch.followed || ch.turning != nil {
		sh.mu.Unlock()
		return
	}
	t := newTurn()
	ch.turning, ch.followed = t, false
	sh.mu.Unlock()

	unfollow(ch.name)

	sh.mu.Lock()
	defer sh.mu.Unlock()
	ch.turning = nil
	ch.drop()
	delete(sh.channels, ch.name)
	close(t.done)
}

// boundedBy makes contexts for single calls of the cluster, which end with ctx.
func boundedBy(ctx context.Context) func() (context.Context, context.CancelFunc) {
	return func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, clusterTimeout) }
}
