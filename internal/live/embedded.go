package live

import (
	"context"

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
// processes: with their versions the server puts them in order again.
func (e Embedded) PublishAll(ctx context.Context, messages []Message) error {
	var all []pusher.Message
	for i := range messages {
		m := &messages[i]
		for _, channel := range m.Channels {
			all = append(all, pusher.Message{Channel: channel, Event: m.Event, Data: m.Data, Sequence: m.Version})
		}
	}
	return e.Server.PublishMessages(ctx, all)
}
