package live

import (
	"context"
	"errors"

	"github.com/webazaar/waybill/internal/pusher"
)

// Embedded publishes to the Pusher server in this process and, through the
// cluster that it is a node of, to those in others.
type Embedded struct{ Server *pusher.Server }

var _ BatchPublisher = Embedded{}

// Publish implements Publisher. When it returns nil the event was handed to
// every watcher's queue on this node, or to what carries it to all nodes.
func (e Embedded) Publish(ctx context.Context, m Message) error {
	return e.PublishAll(ctx, []Message{m})
}

// PublishAll implements BatchPublisher. An order's updates may come from several
// processes: with their versions the server puts them in order again. It publishes
// all or, when it will never take one of them, nothing: then each goes alone, and
// what is refused is left out and reported as a *Lost.
func (e Embedded) PublishAll(ctx context.Context, messages []Message) error {
	var all []pusher.Message
	for i := range messages {
		m := &messages[i]
		for _, channel := range m.Channels {
			all = append(all, pusher.Message{Channel: channel, Event: m.Event, Data: m.Data, Sequence: m.Version})
		}
	}
	err := e.Server.PublishMessages(ctx, all)
	if !refusedForGood(err) {
		return err
	}
	var lost Lost
	for i := range all {
		switch err := e.Server.PublishMessages(ctx, all[i:i+1]); {
		case refusedForGood(err):
			lost.Events++
			lost.Last = err
		case err != nil:
			return err
		}
	}
	return &lost
}

func refusedForGood(err error) bool {
	return errors.Is(err, pusher.ErrTooLarge) || errors.Is(err, pusher.ErrInvalidChannel) || errors.Is(err, pusher.ErrInvalidEvent)
}
