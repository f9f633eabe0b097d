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

func TestDeleteOldKeepsWhatIsNotResolved(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		add := func(id string, status inbox.Status, at time.Time) {
			t.Helper()
			w := pushed(id, id)
			w.Status, w.ReceivedAt = status, at
			if _, err := s.Append(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		old := noon.Add(-100 * 24 * time.Hour)
		for i, status := range []inbox.Status{inbox.Failed, inbox.Parked, inbox.Rejected, inbox.Ignored, inbox.Ignored} {
			add(fmt.Sprint("old", i), status, old)
		}
		add("done", inbox.Pending, old)
		done := mustClaim(t, s, 1, noon)
		if err := s.Settle(ctx, done[0].ID, old, inbox.Processed, "", "done"); err != nil {
			t.Fatal(err)
		}
		add("done", inbox.Pending, old) // its duplicate
		add("waits", inbox.Pending, old)
		add("new", inbox.Ignored, noon)

		before := noon.Add(-90 * 24 * time.Hour)
		for round, want := range []int{3, 1, 0} {
			n, err := s.DeleteOld(ctx, before, 3)
			if err != nil || n != want {
				t.Fatalf("slice %d: deleted %d, %v; want %d", round, n, err, want)
			}
		}
		depth, err := s.Depth(ctx)
		if err != nil || depth[inbox.Failed]+depth[inbox.Parked]+depth[inbox.Rejected]+depth[inbox.Pending] != 4 || depth[inbox.Ignored] != 1 || len(depth) != 5 {
			t.Errorf("left: %v, %v", depth, err)
		}
		if found, err := s.Webhooks(ctx, store.Filter{}, 1, 50); err != nil || found.Total != 5 || len(found.Rows) != 5 {
			t.Errorf("the log has %d rows and counts %d, %v; want 5", len(found.Rows), found.Total, err)
		}
		// The key has outlived the row: a very late repeat is still known.
		again, err := s.Append(ctx, pushed("done", "done"))
		if err != nil || !again.Duplicate || again.Status != inbox.Processed {
			t.Errorf("a repeat of what was deleted: %+v, %v", again, err)
		}
	})
}

func TestErasePersonalDataLeavesNone(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		at := noon.Add(-time.Hour)
		p := told{
			awb: "A", sr: "S", number: "N", milestone: tracking.InTransit, label: "IN TRANSIT", at: at,
			scans: []tracking.Scan{scanAt("A", at, "Arrived; name Ravi 9876543210", tracking.InTransit)},
		}
		o := apply(t, s, p)[0]
		if _, _, err := s.Register(ctx, noon, tracking.Registration{Number: "N", Contact: &tracking.Contact{Name: "Asha"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.ErasePersonalData(ctx, o.OrderID); err != nil {
			t.Fatal(err)
		}
		check := func() {
			t.Helper()
			left, err := s.Order(ctx, o.OrderID)
			if err != nil || left.Contact != nil || len(left.Scans) != 1 {
				t.Fatalf("after erasure: %+v, %v", left, err)
			}
			for _, scan := range left.Scans {
				if scan.Activity != "Arrived" {
					t.Errorf("a scan still says %q", scan.Activity)
				}
			}
		}
		check()
		found, err := s.Webhooks(ctx, store.Filter{OrderID: o.OrderID}, 1, 10)
		if err != nil || len(found.Rows) != 1 {
			t.Fatal(found, err)
		}
		w, err := s.Webhook(ctx, found.Rows[0].ID)
		if err != nil || w.Body != nil || len(w.Headers) != 0 || w.Flags != "erased" {
			t.Errorf("its webhook: %+v, %v", w, err)
		}
		if err := s.Retry(ctx, w.ID, true); tracking.ErrorCode(err) != tracking.Invalid {
			t.Errorf("retry of an erased webhook: %v", err)
		}
		if again := apply(t, s, p)[0]; again.Reason != inbox.NothingNew {
			t.Errorf("the same push after erasure: %+v", again)
		}
		check()
		if err := s.ErasePersonalData(ctx, "nobody"); tracking.ErrorCode(err) != tracking.NotFound {
			t.Errorf("erasing nobody: %v", err)
		}
	})
}

func TestRetentionTimeGoesOnLittleByLittle(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		year := noon.AddDate(1, 0, 0)
		for _, round := range []struct {
			now   time.Time
			ahead time.Duration
			want  time.Time
		}{
			{noon, 0, noon}, // the first ever
			{noon.Add(10 * time.Minute), 2 * time.Hour, noon.Add(10 * time.Minute)},
			{year, 0, noon.Add(10 * time.Minute)},
			{year, 2 * time.Hour, noon.Add(130 * time.Minute)},
			{noon.Add(time.Hour), 2 * time.Hour, noon.Add(time.Hour)}, // set right
			{year, 2 * time.Hour, noon.Add(3 * time.Hour)},
		} {
			if at, err := s.RetentionTime(ctxOf(t), round.now, round.ahead); err != nil || !at.Equal(round.want) {
				t.Errorf("at %v retention goes by %v, %v; want %v", round.now, at, err, round.want)
			}
		}
	})
}
