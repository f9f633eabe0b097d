package bus

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"

	"github.com/webazaar/waybill/internal/pusher"
)

// outboxBytes bounds what is sent at once.
const outboxBytes = 1 << 20

// outbox sends what several callers have at the same time together, in order. What
// takes time is asking at all: a round trip to Redis, and in PostgreSQL the commit,
// which it does for one transaction of notifications after the other.
type outbox struct {
	sender string // of this outbox alone
	queue  chan letter
	closed chan struct{}
	once   sync.Once
	sends  sync.WaitGroup
}

type letter struct {
	ctx      context.Context // it travels to another goroutine, and not further
	messages []pusher.Message
	sent     chan error
}

func newOutbox() *outbox {
	return &outbox{
		sender: strconv.FormatUint(rand.Uint64(), 36),
		queue:  make(chan letter, 1024), closed: make(chan struct{}),
	}
}

// start has a goroutine send by the function given until the outbox is closed.
func (o *outbox) start(send func(ctx context.Context, number uint64, messages []pusher.Message) error) {
	o.sends.Go(func() { o.run(send) })
}

// close waits for what is being sent; nothing more is.
func (o *outbox) close() {
	o.once.Do(func() { close(o.closed) })
	o.sends.Wait()
}

func (o *outbox) isClosed() bool {
	select {
	case <-o.closed:
		return true
	default:
		return false
	}
}

// send returns when the messages were sent, or ctx is done.
func (o *outbox) send(ctx context.Context, messages []pusher.Message) error {
	l := letter{ctx: ctx, messages: messages, sent: make(chan error, 1)}
	select {
	case o.queue <- l:
	case <-o.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-l.sent:
		return err
	case <-o.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run sends until the outbox is closed. Send may number the messages from number on.
func (o *outbox) run(send func(ctx context.Context, number uint64, messages []pusher.Message) error) {
	var number uint64
	for {
		var letters []letter
		select {
		case <-o.closed:
			return
		case l := <-o.queue:
			letters = append(letters, l)
		}
		if o.isClosed() {
			return // of two that are ready, select takes either
		}
		letters = o.more(letters)
		var messages []pusher.Message
		for _, l := range letters {
			if l.ctx.Err() == nil { // else nobody waits for it
				messages = append(messages, l.messages...)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := send(ctx, number, messages)
		cancel()
		number += uint64(len(messages))
		for _, l := range letters {
			l.sent <- err
		}
	}
}

// more takes what waits already.
func (o *outbox) more(letters []letter) []letter {
	size := 0
	for {
		for _, m := range letters[len(letters)-1].messages {
			size += len(m.Data)
		}
		if size >= outboxBytes {
			return letters
		}
		select {
		case l := <-o.queue:
			letters = append(letters, l)
		default:
			return letters
		}
	}
}
