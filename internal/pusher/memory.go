package pusher

import (
	"context"
	"slices"
	"sync"
)

// NewMemoryCluster returns the Cluster of a node that is alone: it waits for
// nothing, fails only after Close, and a message is queued for every watcher when
// Publish returns.
func NewMemoryCluster() Cluster {
	return NewMemoryClusters(1)[0]
}

// NewMemoryClusters returns the Clusters of n nodes in this process, which share
// their memory: for tests, and to try out what several nodes do.
func NewMemoryClusters(n int) []Cluster {
	m := &memoryBus{alone: n == 1, census: newMemoryCensus()}
	clusters := make([]Cluster, n)
	for i := range clusters {
		clusters[i] = &memoryNode{memory: m}
	}
	return clusters
}

// memoryBus is what the nodes share. Its lock guards who is there and who follows
// what; to deliver is to read it.
type memoryBus struct {
	alone  bool // one node: it is handed everything, and nobody notes what it follows
	mu     sync.RWMutex
	nodes  []*memoryNode // open ones
	census *memoryCensus
}

// memoryNode is one node's Cluster.
type memoryNode struct {
	memory   *memoryBus
	receiver Receiver // nil when not open
	follows  map[string]struct{}
	told     sync.WaitGroup // departures, while the receiver works them off
}

var _ Cluster = (*memoryNode)(nil)

func (n *memoryNode) Open(_ context.Context, _ string, r Receiver) error {
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	n.receiver, n.follows = r, make(map[string]struct{})
	n.memory.nodes = append(n.memory.nodes, n)
	return nil
}

func (n *memoryNode) Close() error {
	n.memory.mu.Lock()
	n.memory.nodes = slices.DeleteFunc(n.memory.nodes, func(other *memoryNode) bool { return other == n })
	n.memory.mu.Unlock()
	n.told.Wait()
	n.memory.mu.Lock()
	n.receiver, n.follows = nil, nil
	n.memory.mu.Unlock()
	n.depart()
	return nil
}

// open says why the node cannot be asked, or nil.
func (n *memoryNode) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n.memory.mu.RLock()
	defer n.memory.mu.RUnlock()
	if n.receiver == nil {
		return ErrClosed
	}
	return nil
}

// depart takes all that the node had out of the census, and tells another node.
func (n *memoryNode) depart() {
	left := n.memory.census.leave(n)
	n.memory.mu.RLock()
	i := slices.IndexFunc(n.memory.nodes, func(other *memoryNode) bool { return other != n })
	if i < 0 {
		n.memory.mu.RUnlock()
		return
	}
	heir := n.memory.nodes[i]
	heir.told.Add(1)
	defer heir.told.Done()
	n.memory.mu.RUnlock()
	heir.receiver.Departed(left)
}

func (n *memoryNode) Follow(ctx context.Context, channel string) error {
	if n.memory.alone {
		return ctx.Err()
	}
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	if n.receiver == nil {
		return ErrClosed
	}
	n.follows[channel] = struct{}{}
	return nil
}

func (n *memoryNode) Unfollow(channel string) {
	if n.memory.alone {
		return
	}
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	delete(n.follows, channel)
}

// Publish delivers on the caller's goroutine. Two callers at once for one channel
// are put in order by each node's hub, which holds the channel while it delivers.
func (n *memoryNode) Publish(ctx context.Context, messages []Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n.memory.mu.RLock()
	defer n.memory.mu.RUnlock()
	if n.receiver == nil {
		return ErrClosed
	}
	if n.memory.alone {
		for _, m := range messages {
			n.receiver.Deliver(m)
		}
		return nil
	}
	for _, m := range messages {
		for _, other := range n.memory.nodes {
			if _, ok := other.follows[m.Channel]; ok {
				other.receiver.Deliver(m)
			}
		}
	}
	return nil
}
