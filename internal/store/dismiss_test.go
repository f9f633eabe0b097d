package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// keep appends a webhook as it is and returns its id.
func keep(t testing.TB, s *store.Store, w inbox.Webhook) string {
	t.Helper()
	if _, err := s.Append(ctxOf(t), w); err != nil {
		t.Fatal(err)
	}
	found, err := s.Webhooks(ctxOf(t), store.Filter{Q: w.EventID}, 1, 1)
	if err != nil || len(found.Rows) != 1 {
		t.Fatalf("look up %s: %+v, %v", w.EventID, found, err)
	}
	return found.Rows[0].ID
}

// kept is keep for a webhook with a status, received at a time.
func kept(t testing.TB, s *store.Store, id string, status inbox.Status, reason inbox.Reason, at time.Time) string {
	t.Helper()
	w := pushed(id, `{"awb":"`+id+`"}`)
	w.AWB, w.Status, w.Reason, w.ReceivedAt = id, status, reason, at
	return keep(t, s, w)
}

func TestDismiss(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		old := noon.Add(-100 * 24 * time.Hour)
		var ids []string
		for i, status := range []inbox.Status{inbox.Failed, inbox.Parked, inbox.Rejected} {
			ids = append(ids, kept(t, s, fmt.Sprint("D", i), status, inbox.NoReason, old))
		}
		stays := kept(t, s, "D9", inbox.Failed, inbox.NoReason, old)
		for _, id := range ids {
			if err := s.Dismiss(ctx, id, noon, "a test of ours"); err != nil {
				t.Fatal(err)
			}
			w, err := s.Webhook(ctx, id)
			if err != nil || !w.DismissedAt.Equal(noon) || w.DismissedNote != "a test of ours" || !w.ProcessedAt.IsZero() || w.Status == inbox.Processed {
				t.Errorf("dismissed: %+v, %v", w, err)
			}
		}
		if err := s.Dismiss(ctx, ids[0], noon.Add(time.Hour), "said better"); err != nil {
			t.Fatal(err)
		}
		if w, err := s.Webhook(ctx, ids[0]); err != nil || w.DismissedNote != "said better" {
			t.Errorf("dismissed again: %+v, %v", w, err)
		}
		yes, no := true, false
		for want, filter := range map[int]store.Filter{3: {Dismissed: &yes}, 1: {Dismissed: &no}, 4: {}, 2: {Status: inbox.Failed}} {
			if found, err := s.Webhooks(ctx, filter, 1, 9); err != nil || len(found.Rows) != want || found.Total != want || !found.TotalIsExact {
				t.Errorf("%+v chooses %d of %d, %v; want %d", filter, len(found.Rows), found.Total, err, want)
			}
		}

		// Whatever puts it back to work ends the dismissal, whatever becomes of it.
		if err := s.Retry(ctx, ids[0], false); err != nil {
			t.Fatal(err)
		}
		if err := s.Dismiss(ctx, ids[0], noon, ""); tracking.ErrorCode(err) != tracking.Invalid {
			t.Errorf("dismiss what is pending: %v", err)
		}
		if got := claim(t, s, 1); len(got) != 1 || got[0].ID != ids[0] {
			t.Fatalf("claimed %+v", got)
		}
		if err := s.Fail(ctx, ids[0], noon, "it broke", noon, true); err != nil {
			t.Fatal(err)
		}
		if w, err := s.Webhook(ctx, ids[0]); err != nil || !w.DismissedAt.IsZero() || w.DismissedNote != "" || w.Status != inbox.Failed {
			t.Errorf("failed again: %+v, %v", w, err)
		}

		deleted := 0
		for range 3 {
			n, err := s.DeleteOld(ctx, noon.Add(-90*24*time.Hour), 1)
			if err != nil {
				t.Fatal(err)
			}
			deleted += n
		}
		depth, err := s.Depth(ctx)
		if err != nil || deleted != 2 || len(depth) != 1 || depth[inbox.Failed] != 2 {
			t.Errorf("deleted %d, left %v, %v", deleted, depth, err)
		}
		if _, err := s.Webhook(ctx, stays); err != nil {
			t.Errorf("nobody has dismissed it: %v", err)
		}
		if err := s.Dismiss(ctx, "nothing", noon, ""); tracking.ErrorCode(err) != tracking.NotFound {
			t.Errorf("dismiss nothing: %v", err)
		}
	})
}

func TestWebhooksByReason(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		for i := range 6 {
			kept(t, s, fmt.Sprint("R", i), inbox.Parked, []inbox.Reason{inbox.Conflict, inbox.UnknownOrder, inbox.Placeholder}[i%3], noon.Add(time.Duration(i)*time.Minute))
		}
		for _, c := range []struct {
			filter store.Filter
			want   int
		}{
			{store.Filter{Reason: inbox.Conflict}, 2},
			{store.Filter{Reason: inbox.Conflict, Status: inbox.Parked}, 2},
			{store.Filter{Reason: inbox.Conflict, Status: inbox.Failed}, 0},
			{store.Filter{Reason: inbox.Conflict, AWB: "R3"}, 1},
			{store.Filter{Reason: inbox.Conflict, AWB: "R4"}, 0},
			{store.Filter{Reason: inbox.Conflict, Q: "R3"}, 1},
			{store.Filter{Reason: inbox.Conflict, From: noon.Add(time.Minute)}, 1},
		} {
			if found, err := s.Webhooks(ctxOf(t), c.filter, 1, 9); err != nil || found.Total != c.want || len(found.Rows) != c.want || !found.TotalIsExact {
				t.Errorf("%+v: %d of %d, %v; want %d", c.filter, len(found.Rows), found.Total, err, c.want)
			}
		}
	})
}

// What few rows have is found beneath all the others, however many came since.
func TestRareRowsAreFoundBeneathManyOthers(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		parked := kept(t, s, "P", inbox.Parked, inbox.Conflict, noon)
		unknown := kept(t, s, "U", inbox.Processed, inbox.UnknownStatus, noon)
		settled := kept(t, s, "S", inbox.Failed, inbox.NoReason, noon)
		if err := s.Dismiss(ctxOf(t), settled, noon, "a test of ours"); err != nil {
			t.Fatal(err)
		}
		failed := kept(t, s, "F", inbox.Failed, inbox.NoReason, noon)
		const many = 10_050 // more than is looked into where no index leads
		var together sync.WaitGroup
		for lane := range 64 {
			together.Go(func() {
				for i := lane; i < many; i += 64 {
					w := pushed(fmt.Sprint("M", i), `{}`)
					w.Status, w.Reason, w.ReceivedAt = inbox.Ignored, inbox.Ping, noon.Add(time.Hour)
					if _, err := s.Append(ctxOf(t), w); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		together.Wait()
		yes, no := true, false
		for _, c := range []struct {
			name   string
			filter store.Filter
			want   string
		}{
			{"by reason", store.Filter{Reason: inbox.Conflict}, parked},
			{"by reason of a processed one", store.Filter{Reason: inbox.UnknownStatus}, unknown},
			{"dismissed", store.Filter{Dismissed: &yes}, settled},
			{"failed and not dismissed", store.Filter{Status: inbox.Failed, Dismissed: &no}, failed},
			{"by reason and a part of its status word", store.Filter{Reason: inbox.Conflict, Q: "transit"}, parked},
		} {
			found, err := s.Webhooks(ctxOf(t), c.filter, 1, 9)
			if err != nil || len(found.Rows) != 1 || found.Rows[0].ID != c.want || found.Total != 1 {
				t.Errorf("%s: %d of %d rows, %v; want %s", c.name, len(found.Rows), found.Total, err, c.want)
			}
		}
		if found, err := s.Webhooks(ctxOf(t), store.Filter{Reason: inbox.Ping}, 1, 9); err != nil || found.Total != many || !found.TotalIsExact {
			t.Errorf("pings: %d, exact %v, %v", found.Total, found.TotalIsExact, err)
		}
	})
}
