package pusher

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// memoryCensus is the census of the nodes of one process. Whatever is asked of it
// happens under one lock and is short.
type memoryCensus struct {
	mu       sync.Mutex
	channels map[string]*memoryChannel           // occupied ones: somebody sits there, or Settle is due
	members  map[string]map[string]*memoryMember // by presence channel and user
	last     map[string]remembered
	sweepAt  int // how many last events there may be before those that expired are looked for
}

// memoryCount is how many of something each node has. There are few nodes.
type memoryCount []struct {
	node *memoryNode
	n    int
}

// memoryChannel is who sits in a channel.
type memoryChannel struct{ seats memoryCount }

// memoryMember is a user in a presence channel, and his connections.
type memoryMember struct {
	info        []byte
	connections memoryCount
}

type remembered struct {
	message Message
	until   time.Time
}

func newMemoryCensus() *memoryCensus {
	return &memoryCensus{
		channels: make(map[string]*memoryChannel),
		members:  make(map[string]map[string]*memoryMember),
		last:     make(map[string]remembered),
		sweepAt:  1000,
	}
}

func (c memoryCount) of(node *memoryNode) int {
	for _, e := range c {
		if e.node == node {
			return e.n
		}
	}
	return 0
}

func (c memoryCount) total() int {
	n := 0
	for _, e := range c {
		n += e.n
	}
	return n
}

func (c *memoryCount) set(node *memoryNode, n int) {
	for i := range *c {
		if (*c)[i].node != node {
			continue
		}
		if (*c)[i].n = n; n == 0 {
			*c = slices.Delete(*c, i, i+1)
		}
		return
	}
	if n > 0 {
		*c = append(*c, struct {
			node *memoryNode
			n    int
		}{node, n})
	}
}

func (n *memoryNode) Seats(ctx context.Context, seats map[string]int) (occupied, emptied []string, err error) {
	if err := n.open(ctx); err != nil {
		return nil, nil, err
	}
	c := n.memory.census
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, count := range seats {
		ch := c.channels[name]
		if ch == nil {
			if count == 0 {
				continue
			}
			ch = new(memoryChannel)
			c.channels[name] = ch
			occupied = append(occupied, name)
		}
		ch.seats.set(n, count)
		if ch.seats.total() == 0 { // said again, it is answered again
			emptied = append(emptied, name)
		}
	}
	return occupied, emptied, nil
}

func (n *memoryNode) Settle(ctx context.Context, channels []string) (vacated []string, err error) {
	if err := n.open(ctx); err != nil {
		return nil, err
	}
	c := n.memory.census
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range channels {
		if ch := c.channels[name]; ch != nil && ch.seats.total() == 0 {
			delete(c.channels, name)
			vacated = append(vacated, name)
		}
	}
	return vacated, nil
}

func (n *memoryNode) Counts(ctx context.Context, channels []string) ([]int, error) {
	if err := n.open(ctx); err != nil {
		return nil, err
	}
	c := n.memory.census
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := make([]int, len(channels))
	for i, name := range channels {
		if ch := c.channels[name]; ch != nil {
			counts[i] = ch.seats.total()
		}
	}
	return counts, nil
}

func (n *memoryNode) Channels(ctx context.Context, prefix string) (map[string]int, error) {
	if err := n.open(ctx); err != nil {
		return nil, err
	}
	c := n.memory.census
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := make(map[string]int)
	for name, ch := range c.channels {
		if total := ch.seats.total(); total > 0 && strings.HasPrefix(name, prefix) {
			counts[name] = total
		}
	}
	return counts, nil
}

func (n *memoryNode) Enter(ctx context.Context, channel string, m Member, limit int) (members []Member, first bool, err error) {
	if err := n.open(ctx); err != nil {
		return nil, false, err
	}
	c := n.memory.census
	c.mu.Lock()
	defer c.mu.Unlock()
	in := c.members[channel]
	user := in[m.User]
	if user == nil {
		if limit > 0 && len(in) >= limit {
			return nil, false, ErrFull
		}
		if in == nil {
			in = make(map[string]*memoryMember)
			c.members[channel] = in
		}
		user, first = &memoryMember{info: m.Info}, true
		in[m.User] = user
	}
	user.connections.set(n, user.connections.of(n)+1)
	return sortedMembers(in), first, nil
}

func (n *memoryNode) Exit(ctx context.Context, channel, user string) (last bool, err error) {
	if err := n.open(ctx); err != nil {
		return false, err
	}
	c := n.memory.census
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.members[channel][user]
	if m == nil || m.connections.of(n) == 0 {
		return false, nil
	}
	m.connections.set(n, m.connections.of(n)-1)
	return c.gone(channel, user), nil
}

// gone forgets a user who has no connection in the channel any more, and says
// whether he was one.
func (c *memoryCensus) gone(channel, user string) bool {
	if len(c.members[channel][user].connections) > 0 {
		return false
	}
	delete(c.members[channel], user)
	if len(c.members[channel]) == 0 {
		delete(c.members, channel)
	}
	return true
}

func (n *memoryNode) Members(ctx context.Context, channel string) ([]Member, error) {
	if err := n.open(ctx); err != nil {
		return nil, err
	}
	c := n.memory.census
	c.mu.Lock()
	defer c.mu.Unlock()
	return sortedMembers(c.members[channel]), nil
}

func sortedMembers(in map[string]*memoryMember) []Member {
	members := make([]Member, 0, len(in))
	for user, m := range in {
		members = append(members, Member{User: user, Info: m.info})
	}
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.User, b.User) })
	return members
}

func (n *memoryNode) Remember(ctx context.Context, m Message, ttl time.Duration) error {
	if err := n.open(ctx); err != nil {
		return err
	}
	c := n.memory.census
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.last[m.Channel] = remembered{m, now.Add(ttl)}
	// A channel that nobody asks for again would be kept for ever.
	if len(c.last) > c.sweepAt {
		for name, r := range c.last {
			if !now.Before(r.until) {
				delete(c.last, name)
			}
		}
		c.sweepAt = max(1000, 2*len(c.last))
	}
	return nil
}

func (n *memoryNode) Recall(ctx context.Context, channel string) (m Message, ttl time.Duration, ok bool, err error) {
	if err := n.open(ctx); err != nil {
		return m, 0, false, err
	}
	c := n.memory.census
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.last[channel]
	if left := time.Until(r.until); ok && left > 0 {
		return r.message, left, true, nil
	}
	delete(c.last, channel)
	return m, 0, false, nil
}

// leave takes out all that the node has, and returns what ended by that.
func (c *memoryCensus) leave(n *memoryNode) Departure {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := Departure{Members: make(map[string][]Member)}
	for name, ch := range c.channels {
		// One that was empty before it may have been about to settle.
		if ch.seats.set(n, 0); len(ch.seats) == 0 {
			left.Emptied = append(left.Emptied, name)
		}
	}
	for channel, in := range c.members {
		for user, m := range in {
			if m.connections.of(n) == 0 {
				continue
			}
			m.connections.set(n, 0)
			if c.gone(channel, user) {
				left.Members[channel] = append(left.Members[channel], Member{User: user, Info: m.info})
			}
		}
	}
	return left
}
