package live_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/pusher"
	"github.com/webazaar/waybill/internal/tracking"
)

// An event that the embedded server will never take holds up no other.
func TestEmbeddedRefusesOneEventOnly(t *testing.T) {
	t.Parallel()
	server, err := pusher.New(pusher.Options{App: pusher.App{ID: "1", Key: "key", Secret: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	outbox := &ledger{}
	for i, number := range []string{"N-1", strings.Repeat("9", 20_000), "N-3"} {
		outbox.commit(tracking.Effect{
			ID: int64(i + 1), Kind: tracking.LiveUpdate,
			Update: tracking.Update{OrderID: "order", OrderNumber: tracking.Text(number), Version: int64(i + 1)},
		})
	}
	var log strings.Builder
	d := live.NewDispatcher(live.Options{Outbox: outbox, Publisher: live.Embedded{Server: server}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if n, err := d.Dispatch(t.Context()); n != 3 || err != nil || len(outbox.effects) != 0 {
		t.Errorf("%d published, %v; %d are left", n, err, len(outbox.effects))
	}
	if !strings.Contains(log.String(), "live.lost") || !strings.Contains(log.String(), "events=2") {
		t.Errorf("logged %s", log.String())
	}
}
