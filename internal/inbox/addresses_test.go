package inbox_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

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

// An address that is put into the settings releases what it sent before, as one
// that is allowed by a call does.
func TestAddressesOfTheSettingsRelease(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ctx := t.Context()
	before, _ := r.addressed()
	if _, err := before.Receive(ctx, from([]byte(`{"awb":"A1","current_status":"IN TRANSIT"}`))); !errors.Is(err, inbox.ErrAddress) {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	woken := make(chan struct{}, 1)
	restarted := r.addresses(allow(unlisted.String()+"/32"), func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	go func() { ended <- restarted.Run(running) }()
	select {
	case <-woken:
	case <-time.After(20 * time.Second):
		t.Error("nothing was released")
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if found, err := r.store.Webhooks(ctx, store.Filter{Status: inbox.Rejected}, 1, 9); err != nil || found.Total != 0 {
		t.Errorf("still rejected: %+v, %v", found, err)
	}
}

// endless is a log of rows that were rejected from one address.
type endless struct {
	inbox.AddressLog
	left  int
	looks chan struct{}
}

func (e *endless) AllowedAddresses(context.Context) ([]inbox.AllowedAddress, error) {
	select {
	case e.looks <- struct{}{}:
	default:
	}
	return nil, nil
}

func (e *endless) ReleaseAddresses(context.Context, []netip.Prefix, string) (released int, last string, err error) {
	released = min(e.left, 256)
	e.left -= released
	if e.left > 0 {
		last = "more"
	}
	return released, last, nil
}

// What a call says will follow by itself does, also for an address of the
// settings, which has nothing to be remembered by.
func TestWhatIsReleasedLaterFollows(t *testing.T) {
	t.Parallel()
	log := &endless{looks: make(chan struct{}, 1)}
	running, stop := context.WithCancel(t.Context())
	a := inbox.NewAddresses(inbox.AddressOptions{
		Log: log, List: allow("13.234.161.44/32"), Logger: slog.New(slog.DiscardHandler), Every: time.Millisecond,
		Wake: func() {
			if log.left == 0 {
				stop()
			}
		},
	})
	once, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(once) }()
	<-log.looks
	<-log.looks // what there was at the start is done with
	end()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	log.left = 12_000
	released, more, err := a.Allow(t.Context(), netip.MustParsePrefix("13.234.161.44/32"), "me")
	if err != nil || !more || released >= 12_000 {
		t.Fatalf("released %d, more %v, %v", released, more, err)
	}
	late := time.AfterFunc(20*time.Second, stop)
	defer late.Stop()
	if err := a.Run(running); err != nil {
		t.Fatal(err)
	}
	if log.left > 0 {
		t.Errorf("%d rows were never released", log.left)
	}
}
