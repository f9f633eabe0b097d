package pusher

import (
	"context"
	"sync"
)

// Message is one event on its way to the watchers of one channel. Nobody writes
// to Data after the message was handed over.
type Message struct {
	Channel string
	Event   string
	Data    []byte // sent as a JSON string, whatever it holds
	Except  string // socket id of the one watcher that is left out, on whichever node it is; or empty
}

// Broker carries published messages to every node of a cluster, this one
// included. A Server publishes through it and in no other way.
type Broker interface {
	// Open begins delivery: until Close, each message published on any node is
	// passed to deliver once, and one caller's messages for one channel in the order
	// of its Publish calls. Deliver does not block and may be called from several
	// goroutines. Called once.
	Open(deliver func(Message)) error
	// Publish has handed on all messages when it returns nil. On an error some of
	// them may have been delivered.
	Publish(ctx context.Context, messages []Message) error
	// Close ends delivery: deliver is not called after it returns.
	Close() error
}

// NewMemoryBroker returns the Broker of a single node: Publish has delivered when
// it returns.
func NewMemoryBroker() Broker {
	return &memoryBroker{}
}

type memoryBroker struct {
	mu      sync.RWMutex
	deliver func(Message)
}

var _ Broker = (*memoryBroker)(nil)

func (b *memoryBroker) Open(deliver func(Message)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deliver = deliver
	return nil
}

// Publish delivers on the caller's goroutine. Two callers at once for one channel
// are put in order by the hub, which holds the channel while it delivers.
func (b *memoryBroker) Publish(ctx context.Context, messages []Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.deliver == nil {
		return ErrClosed
	}
	for _, m := range messages {
		b.deliver(m)
	}
	return nil
}

func (b *memoryBroker) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deliver = nil
	return nil
}
