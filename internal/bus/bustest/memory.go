package bustest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/webazaar/waybill/internal/pusher"
)

// Memory is a cluster whose nodes are in this process: what the others are
// compared with.
type Memory struct {
	bus sync.Mutex // held while a message is delivered

	mu       sync.Mutex
	nodes    []*MemoryNode
	occupied map[string]string // channel to who has to settle it, "" while somebody sits there
	infos    map[[2]string][]byte
	last     map[string]kept
}

type kept struct {
	message pusher.Message
	until   time.Time
}

// NewMemory returns a cluster without nodes.
func NewMemory() *Memory {
	return &Memory{occupied: make(map[string]string), infos: make(map[[2]string][]byte), last: make(map[string]kept)}
}

// MemoryNode is a node of a Memory.
type MemoryNode struct {
	memory   *Memory
	name     string
	receiver pusher.Receiver // nil unless open
	follows  map[string]bool
	seats    map[string]int
	members  map[[2]string]int // channel and user
}

var _ pusher.Cluster = (*MemoryNode)(nil)

// Node returns another node, not yet open.
func (m *Memory) Node() *MemoryNode {
	return &MemoryNode{memory: m, follows: make(map[string]bool), seats: make(map[string]int), members: make(map[[2]string]int)}
}

var errNotOpen = errors.New("not open")

// Open is as pusher.Cluster says.
func (n *MemoryNode) Open(_ context.Context, node string, r pusher.Receiver) error {
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	n.name, n.receiver = node, r
	n.memory.nodes = append(n.memory.nodes, n)
	return nil
}

// Close is as pusher.Cluster says.
func (n *MemoryNode) Close() error {
	n.memory.bus.Lock()
	defer n.memory.bus.Unlock()
	heir, d := n.memory.bury(n)
	if heir != nil {
		heir.Departed(d)
	}
	return nil
}

// bury takes out what the node had, and returns who is to be told of it.
func (m *Memory) bury(n *MemoryNode) (pusher.Receiver, pusher.Departure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n.receiver == nil {
		return nil, pusher.Departure{}
	}
	n.receiver = nil
	m.nodes = slices.DeleteFunc(m.nodes, func(other *MemoryNode) bool { return other == n })
	heir := ""
	if len(m.nodes) > 0 {
		heir = m.nodes[0].name
	}
	d := pusher.Departure{Members: make(map[string][]pusher.Member)}
	for channel := range n.seats {
		if m.sum(channel) == 0 {
			m.occupied[channel] = n.name
		}
	}
	for channel, settler := range m.occupied {
		if settler == n.name {
			m.occupied[channel] = heir
			d.Emptied = append(d.Emptied, channel)
		}
	}
	for place := range n.members {
		if m.conns(place) == 0 {
			d.Members[place[0]] = append(d.Members[place[0]], pusher.Member{User: place[1], Info: m.infos[place]})
			delete(m.infos, place)
		}
	}
	if heir == "" {
		return nil, d
	}
	return m.nodes[0].receiver, d
}

func (m *Memory) sum(channel string) int {
	total := 0
	for _, n := range m.nodes {
		total += n.seats[channel]
	}
	return total
}

func (m *Memory) conns(place [2]string) int {
	total := 0
	for _, n := range m.nodes {
		total += n.members[place]
	}
	return total
}

// Follow is as pusher.Bus says.
func (n *MemoryNode) Follow(_ context.Context, channel string) error {
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	if n.receiver == nil {
		return errNotOpen
	}
	n.follows[channel] = true
	return nil
}

// Unfollow is as pusher.Bus says.
func (n *MemoryNode) Unfollow(channel string) {
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	delete(n.follows, channel)
}

// Publish is as pusher.Bus says.
func (n *MemoryNode) Publish(_ context.Context, messages []pusher.Message) error {
	n.memory.bus.Lock()
	defer n.memory.bus.Unlock()
	for _, m := range messages {
		n.memory.mu.Lock()
		var to []pusher.Receiver
		for _, other := range n.memory.nodes {
			if other.follows[m.Channel] {
				to = append(to, other.receiver)
			}
		}
		open := n.receiver != nil
		n.memory.mu.Unlock()
		if !open {
			return errNotOpen
		}
		for _, r := range to {
			r.Deliver(m)
		}
	}
	return nil
}

// step locks the census, unless the node is not open.
func (n *MemoryNode) step() (unlock func(), err error) {
	n.memory.mu.Lock()
	if n.receiver == nil {
		n.memory.mu.Unlock()
		return nil, errNotOpen
	}
	return n.memory.mu.Unlock, nil
}

// Seats is as pusher.Census says.
func (n *MemoryNode) Seats(_ context.Context, seats map[string]int) (occupied, emptied []string, err error) {
	unlock, err := n.step()
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	for channel, count := range seats {
		n.seats[channel] = count
		if count == 0 {
			delete(n.seats, channel)
		}
		_, was := n.memory.occupied[channel]
		switch {
		case count > 0:
			n.memory.occupied[channel] = ""
			if !was {
				occupied = append(occupied, channel)
			}
		case was && n.memory.sum(channel) == 0:
			n.memory.occupied[channel] = n.name
			emptied = append(emptied, channel)
		}
	}
	return occupied, emptied, nil
}

// Settle is as pusher.Census says.
func (n *MemoryNode) Settle(_ context.Context, channels []string) (vacated []string, err error) {
	unlock, err := n.step()
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, channel := range channels {
		if n.memory.occupied[channel] != "" {
			delete(n.memory.occupied, channel)
			vacated = append(vacated, channel)
		}
	}
	return vacated, nil
}

// Counts is as pusher.Census says.
func (n *MemoryNode) Counts(_ context.Context, channels []string) (counts []int, err error) {
	unlock, err := n.step()
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, channel := range channels {
		counts = append(counts, n.memory.sum(channel))
	}
	return counts, nil
}

// Channels is as pusher.Census says.
func (n *MemoryNode) Channels(_ context.Context, prefix string) (map[string]int, error) {
	unlock, err := n.step()
	if err != nil {
		return nil, err
	}
	defer unlock()
	all := make(map[string]int)
	for _, other := range n.memory.nodes {
		for channel, count := range other.seats {
			if strings.HasPrefix(channel, prefix) {
				all[channel] += count
			}
		}
	}
	return all, nil
}

// Enter is as pusher.Census says.
func (n *MemoryNode) Enter(_ context.Context, channel string, m pusher.Member, limit int) (members []pusher.Member, first bool, err error) {
	unlock, err := n.step()
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	place := [2]string{channel, m.User}
	first = n.memory.conns(place) == 0
	if first {
		if limit > 0 && len(n.memory.membersOf(channel)) >= limit {
			return nil, false, pusher.ErrFull
		}
		n.memory.infos[place] = m.Info
	}
	n.members[place]++
	return n.memory.membersOf(channel), first, nil
}

// Exit is as pusher.Census says.
func (n *MemoryNode) Exit(_ context.Context, channel, user string) (last bool, err error) {
	unlock, err := n.step()
	if err != nil {
		return false, err
	}
	defer unlock()
	place := [2]string{channel, user}
	if n.members[place] == 0 {
		return false, nil
	}
	if n.members[place]--; n.members[place] == 0 {
		delete(n.members, place)
	}
	if n.memory.conns(place) > 0 {
		return false, nil
	}
	delete(n.memory.infos, place)
	return true, nil
}

// Members is as pusher.Census says.
func (n *MemoryNode) Members(_ context.Context, channel string) ([]pusher.Member, error) {
	unlock, err := n.step()
	if err != nil {
		return nil, err
	}
	defer unlock()
	return n.memory.membersOf(channel), nil
}

func (m *Memory) membersOf(channel string) []pusher.Member {
	var members []pusher.Member
	for place, info := range m.infos {
		if place[0] == channel {
			members = append(members, pusher.Member{User: place[1], Info: info})
		}
	}
	slices.SortFunc(members, func(a, b pusher.Member) int { return cmp.Compare(a.User, b.User) })
	return members
}

// Remember is as pusher.Census says.
func (n *MemoryNode) Remember(_ context.Context, m pusher.Message, ttl time.Duration) error {
	unlock, err := n.step()
	if err != nil {
		return err
	}
	defer unlock()
	n.memory.last[m.Channel] = kept{m, time.Now().Add(ttl)}
	return nil
}

// Recall is as pusher.Census says.
func (n *MemoryNode) Recall(_ context.Context, channel string) (m pusher.Message, ttl time.Duration, ok bool, err error) {
	unlock, err := n.step()
	if err != nil {
		return m, 0, false, err
	}
	defer unlock()
	k, ok := n.memory.last[channel]
	if ttl = time.Until(k.until); !ok || ttl <= 0 {
		return m, 0, false, nil
	}
	return k.message, ttl, true, nil
}
