package live

import (
	"context"

	"github.com/webazaar/waybill/internal/pusher"
)

// Embedded publishes to the Pusher server in this process.
type Embedded struct{ Server *pusher.Server }

var _ Publisher = Embedded{}

// Publish implements Publisher. It has handed the event to every watcher's
// queue when it returns.
func (e Embedded) Publish(ctx context.Context, m Message) error {
	return e.Server.Publish(ctx, m.Channels, m.Event, m.Data, "")
}
