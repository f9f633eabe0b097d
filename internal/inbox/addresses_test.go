package inbox_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/tracking"
)

// addressed is an inbox over the room's data that checks addresses, and what
// changes them: one process.
func (r *room) addressed() (*inbox.Inbox, *inbox.Addresses) {
	list := allow("13.234.161.44/32")
	i := r.another(func(o *inbox.Options) { o.Addresses = list })
	return i, r.addresses(list, i.Wake)
}

func (r *room) addresses(list *shiprocket.AllowList, wake func()) *inbox.Addresses {
	return inbox.NewAddresses(inbox.AddressOptions{Log: r.store, List: list, Wake: wake, Logger: slog.New(slog.NewTextHandler(r.lines, nil)), Now: r.clock.read})
}

// Allowed in one process, an address is allowed in another as soon as that has
// looked, and what it rejected meanwhile is released.
func TestAddressesOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	one, its := r.addressed()
	two, _ := r.addressed()
	body := func(awb string) []byte { return []byte(`{"awb":"` + awb + `","current_status":"IN TRANSIT"}`) }
	refused := func(i *inbox.Inbox, awb string) {
		t.Helper()
		if _, err := i.Receive(ctx, from(body(awb))); !errors.Is(err, inbox.ErrAddress) {
			t.Errorf("%s: %v, want %v", awb, err, inbox.ErrAddress)
		}
	}
	taken := func(i *inbox.Inbox, awb string) {
		t.Helper()
		if _, err := i.Receive(ctx, from(body(awb))); err != nil {
			t.Errorf("%s: %v", awb, err)
		}
	}
	refused(one, "A1")
	refused(two, "A2")
	prefix := netip.PrefixFrom(unlisted, 32)
	released, more, err := its.Allow(ctx, prefix, "me")
	if err != nil || released != 2 || more {
		t.Fatalf("released %d, more %v, %v", released, more, err)
	}
	taken(one, "A3")
	refused(two, "A4") // it has not heard of it yet

	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	woken := make(chan struct{}, 1)
	others := r.addresses(allow("13.234.161.44/32"), func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	go func() { ended <- others.Run(running) }()
	<-woken
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if found, err := r.store.Webhooks(ctx, store.Filter{Status: inbox.Rejected}, 1, 9); err != nil || found.Total != 0 {
		t.Errorf("still rejected: %+v, %v", found, err)
	}

	if err := its.Forget(ctx, prefix); err != nil {
		t.Fatal(err)
	}
	refused(one, "A5")
	if err := its.Forget(ctx, prefix); tracking.ErrorCode(err) != tracking.NotFound {
		t.Errorf("forget it twice: %v", err)
	}
	if err := its.Forget(ctx, netip.PrefixFrom(listed, 32)); tracking.ErrorCode(err) != tracking.Invalid {
		t.Errorf("forget one of the settings: %v", err)
	}
	if _, _, err := its.Allow(ctx, netip.PrefixFrom(listed, 32), "me"); err != nil {
		t.Errorf("allow one of the settings: %v", err)
	}
	if all, err := its.All(ctx); err != nil || len(all) != 1 || !all[0].At.IsZero() {
		t.Errorf("allowed: %+v, %v", all, err)
	}
}
