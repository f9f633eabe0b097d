package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestDismissAll(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		const each = 150 // more than two slices
		for i := range each {
			for _, status := range []inbox.Status{inbox.Failed, inbox.Parked, inbox.Rejected, inbox.Ignored} {
				w := pushed(fmt.Sprint(status, i), "body")
				w.Status, w.ReceivedAt = status, noon.Add(-time.Hour)
				if _, err := s.Append(ctx, w); err != nil {
					t.Fatal(err)
				}
			}
		}
		later := kept(t, s, "later", inbox.Failed, inbox.NoReason, noon.Add(time.Hour))
		open := func(want int) {
			t.Helper()
			p, err := s.PreviewDismissal(ctx, store.Filter{}, 3)
			if err != nil || p.Matched() != want || !p.Exact || len(p.Samples) != min(want, 3) {
				t.Errorf("to dismiss: %+v, %v; want %d", p, err, want)
			}
		}
		open(3*each + 1)
		if d, err := s.DismissAll(ctx, store.Filter{}, noon, "none", -1); err != nil || d.Done != 0 || !d.More {
			t.Errorf("without any time: %+v, %v", d, err)
		}
		if d, err := s.DismissAll(ctx, store.Filter{Status: inbox.Rejected, To: noon}, noon, "a leaked token", time.Minute); err != nil || d.Done != each || d.More {
			t.Errorf("the rejected: %+v, %v", d, err)
		}
		open(2*each + 1)
		if d, err := s.DismissAll(ctx, store.Filter{}, noon, "", time.Minute); err != nil || d.Done != 2*each || d.More {
			t.Errorf("the others: %+v, %v", d, err)
		}
		open(1) // it came after that was said
		if w, err := s.Webhook(ctx, later); err != nil || !w.DismissedAt.IsZero() {
			t.Errorf("what came later: %+v, %v", w, err)
		}
		found, err := s.Webhooks(ctx, store.Filter{Status: inbox.Rejected}, 1, 1)
		if err != nil || found.Total != each || found.Rows[0].DismissedNote != "a leaked token" {
			t.Errorf("a dismissed one: %+v, %v", found, err)
		}
		yes := true
		for _, f := range []store.Filter{{Status: inbox.Processed}, {Dismissed: &yes}} {
			if _, err := s.DismissAll(ctx, f, noon, "", time.Minute); tracking.ErrorCode(err) != tracking.Invalid {
				t.Errorf("%+v: %v", f, err)
			}
		}
	})
}
