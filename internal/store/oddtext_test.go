package store_test

import (
	"testing"

	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// Ids and search words come from outside, and anything may stand in them: what
// a database would refuse is only not found.
func TestWhatIsNoTextIsNotFound(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		o := apply(t, s, told{awb: "A", sr: "S", number: "N", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon})[0]
		for _, odd := range []string{"\x00", "\xff", "\x00" + o.OrderID, o.OrderID + "\x00", "A\x00", "N\xff"} {
			for name, ask := range map[string]func() error{
				"snapshot":      func() error { _, err := s.Snapshot(ctx, odd); return err },
				"order":         func() error { _, err := s.Order(ctx, odd); return err },
				"webhook":       func() error { _, err := s.Webhook(ctx, odd); return err },
				"retry":         func() error { return s.Retry(ctx, odd, false) },
				"dismiss":       func() error { return s.Dismiss(ctx, odd, noon, "") },
				"replay":        func() error { _, err := s.Replay(ctx, odd); return err },
				"cancel replay": func() error { return s.CancelReplay(ctx, odd, noon) },
				"erase":         func() error { return s.ErasePersonalData(ctx, odd) },
			} {
				if err := ask(); tracking.ErrorCode(err) != tracking.NotFound {
					t.Errorf("%s %q: %v", name, odd, err)
				}
			}
			for name, filter := range map[string]store.Filter{"awb": {AWB: odd}, "order": {OrderID: odd}} {
				if found, err := s.Webhooks(ctx, filter, 1, 10); err != nil || len(found.Rows) != 0 {
					t.Errorf("the log by %s %q: %d rows, %v", name, odd, len(found.Rows), err)
				}
			}
			for name, filter := range map[string]store.Filter{"before": {Before: odd}, "for": {Q: odd}} {
				if _, err := s.Webhooks(ctx, filter, 1, 10); err != nil {
					t.Errorf("the log %s %q: %v", name, odd, err)
				}
			}
			if _, err := s.Audit(ctx, store.AuditFilter{Before: odd}, 1, 10); err != nil {
				t.Errorf("the audit before %q: %v", odd, err)
			}
			if found, err := s.OrdersByNumber(ctx, odd); err != nil || len(found) != 0 {
				t.Errorf("orders by number %q: %v, %v", odd, found, err)
			}
			if _, err := s.Candidates(ctx, []string{odd}); err != nil {
				t.Errorf("candidates by number %q: %v", odd, err)
			}
		}
		if _, _, err := s.Register(ctx, noon, tracking.Registration{Number: "N\x002", SR: "S\x002", AWBs: []string{"A\x002"}}); err != nil {
			t.Errorf("a registration with odd texts: %v", err)
		}
	})
}
