package pusher

import "slices"

// Enter and Exit count, and the census cannot be asked for the count of one node.
// So where an answer was lost, or it is open under which lease something was done,
// this node's connections of the user are all taken out, which is done when they
// are taken out as often as they may have been put in, and those that are here are
// put in again.

// place is a user's in a presence channel.
type place struct{ channel, user string }

// doubt is that the census may be wrong about this node's connections of a user.
type doubt struct {
	extra int  // how many it may hold beyond those it should
	lost  bool // it was forgotten, and holds no others
	moved bool // by its answers he was gone or new meanwhile; others may not know that he is here
}

// doubt notes that a step for the user was not answered.
func (k *keeper) doubt(p place) {
	k.news(func() { k.doubted(p).extra++ })
}

// doubted is the place's doubt. K.mu is held.
func (k *keeper) doubted(p place) *doubt {
	d := k.doubts[p]
	if d == nil {
		d = new(doubt)
		k.doubts[p] = d
	}
	return d
}

// entered is called after each Enter: where the node was forgotten it is open
// whether that was before.
func (k *keeper) entered(p place) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.forgotten || k.doubts[p] != nil {
		k.doubted(p).extra++
	}
}

// doubtAll is what follows when the census holds nothing of this node any more.
func (k *keeper) doubtAll() {
	k.anew.Lock()
	defer k.anew.Unlock()
	k.server.hub.noteAll()
	here := make(map[place]struct{})
	k.server.hub.each(func(ch *channel) {
		for _, s := range ch.seats {
			if s.member != nil {
				here[place{ch.name, s.member.User}] = struct{}{}
			}
		}
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forgotten = false
	for p := range here {
		k.doubted(p).lost = true
	}
}

// recount works off the doubts; false is when the cluster could not be asked.
func (k *keeper) recount() bool {
	k.mu.Lock()
	places := make([]place, 0, len(k.doubts))
	for p := range k.doubts {
		places = append(places, p)
	}
	k.mu.Unlock()
	for _, p := range places {
		if k.server.stopping() || !k.recountOne(p) {
			return false
		}
	}
	return true
}

// recountOne keeps out those who enter or leave a presence channel for one user's
// steps only, and tells the others within it, so that it is told before what
// comes after.
func (k *keeper) recountOne(p place) (ok bool) {
	k.anew.Lock()
	defer k.anew.Unlock()
	k.mu.Lock()
	d := k.doubts[p]
	k.mu.Unlock()
	here := k.server.hub.membersAs(p)
	out := d.extra
	if !d.lost {
		out += len(here)
	}
	cluster := k.server.opts.Cluster
	for range out {
		ctx, cancel := k.server.bounded()
		last, err := cluster.Exit(ctx, p.channel, p.user)
		cancel()
		if err != nil {
			return false
		}
		d.moved = d.moved || last
	}
	// Forgotten again meanwhile, nobody knows what of this was before and what after.
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if ok && !k.forgotten {
			delete(k.doubts, p)
		} else {
			d.extra += len(here)
		}
	}()
	for _, m := range here {
		ctx, cancel := k.server.bounded()
		_, first, err := cluster.Enter(ctx, p.channel, m, 0)
		cancel()
		if err != nil {
			return false
		}
		d.moved = d.moved || first
	}
	if len(here) == 0 {
		return k.goneFor(p)
	}
	if d.moved {
		k.server.tell(memberMessage(eventMemberAdded, p.channel, here[0]))
	}
	return true
}

// goneFor tells the others that the user is gone, if he is: that he was the last
// may have been the answer that was lost.
func (k *keeper) goneFor(p place) bool {
	ctx, cancel := k.server.bounded()
	there, err := k.server.opts.Cluster.Members(ctx, p.channel)
	cancel()
	if err != nil {
		return false
	}
	if !slices.ContainsFunc(there, func(m Member) bool { return m.User == p.user }) {
		k.server.gone(p.channel, []Member{{User: p.user}})
	}
	return true
}

// membersAs are those who sit in the channel as the user.
func (h *hub) membersAs(p place) []Member {
	sh := h.shard(p.channel)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	ch := sh.channels[p.channel]
	if ch == nil {
		return nil
	}
	var members []Member
	for _, s := range ch.seats {
		if s.member != nil && s.member.User == p.user {
			members = append(members, s.member.Member)
		}
	}
	return members
}
