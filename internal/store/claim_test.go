package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestClaimIsExclusive(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		const rows = 300
		var wg sync.WaitGroup
		for i := range rows {
			wg.Go(func() {
				if _, err := s.Append(ctxOf(t), pushed(fmt.Sprint(i), "b")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var mu sync.Mutex
		claims := map[string]int{}
		for worker := range 8 {
			wg.Go(func() {
				for {
					claimed, err := s.Claim(ctxOf(t), fmt.Sprint(worker), 7, noon, time.Minute)
					if err != nil {
						t.Error(err)
					}
					if len(claimed) == 0 {
						return
					}
					mu.Lock()
					for _, w := range claimed {
						claims[w.ID]++
						if w.Attempts != 1 {
							t.Errorf("attempts at the first claim: %d", w.Attempts)
						}
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(claims) != rows {
			t.Errorf("%d rows were claimed, want %d", len(claims), rows)
		}
		for id, n := range claims {
			if n != 1 {
				t.Errorf("%s was claimed %d times", id, n)
			}
		}
	})
}

func TestClaimTakesTheOldestAndItsLeaseEnds(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		for _, minute := range []int{3, 1, 2} {
			w := pushed(fmt.Sprint(minute), "b")
			w.ReceivedAt = noon.Add(time.Duration(minute) * time.Minute)
			if _, err := s.Append(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		now := noon.Add(10 * time.Minute)
		take := func(n int, now time.Time) []string {
			t.Helper()
			claimed, err := s.Claim(ctx, "me", n, now, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			var events []string
			for _, w := range claimed {
				events = append(events, w.EventID)
			}
			return events
		}
		if got := take(2, now); !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("claimed %v, want the two oldest", got)
		}
		if got := take(9, now); !slices.Equal(got, []string{"3"}) {
			t.Errorf("claimed %v, want what was left", got)
		}
		if due, err := s.NextDue(ctx); err != nil || !due.Equal(now.Add(time.Minute)) {
			t.Errorf("next due %v, %v; want the end of the leases", due, err)
		}
		if got := take(9, now.Add(59*time.Second)); len(got) != 0 {
			t.Errorf("claimed %v while leased", got)
		}
		// Any of them may have ended the process that held it: each comes alone,
		// and before what is new.
		if _, err := s.Append(ctx, pushed("4", `{"n":4}`)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"1", "2", "3", "4"} {
			if got := take(9, now.Add(time.Minute)); !slices.Equal(got, []string{want}) {
				t.Errorf("claimed %v after the leases, want %s alone", got, want)
			}
		}
		// Where others may be at work, nobody ends leases but his own.
		restarted, want := "me", 4
		if b.Options.URL != "" {
			if n, err := s.ReleaseLeases(ctx, "another holder"); err != nil || n != 0 {
				t.Errorf("another process released %d leases, %v; want none", n, err)
			}
		} else {
			restarted = "another holder"
		}
		if n, err := s.ReleaseLeases(ctx, restarted); err != nil || n != want {
			t.Errorf("a restart released %d leases, %v; want %d", n, err, want)
		}
		claimed, err := s.Claim(ctx, "me", 9, now, time.Minute)
		if err != nil || len(claimed) != 4 || claimed[3].Attempts != 3 {
			t.Errorf("after the restart: %+v, %v; want 4 rows, the last at its third attempt", claimed, err)
		}
	})
}

func TestFailRetryAndSettle(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		apps := intake(t, s, told{awb: "A", sr: "S", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon})
		id := apps[0].WebhookID
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		status := func(want inbox.Status) inbox.Webhook {
			t.Helper()
			w, err := s.Webhook(ctx, id)
			must(err)
			if w.Status != want {
				t.Errorf("status %s, want %s", w.Status, want)
			}
			depth, err := s.Depth(ctx)
			must(err)
			if len(depth) != 1 || depth[want] != 1 {
				t.Errorf("counted %v, want one %s", depth, want)
			}
			return w
		}
		refused := func(force bool, code tracking.Code) {
			t.Helper()
			if err := s.Retry(ctx, id, force); tracking.ErrorCode(err) != code {
				t.Errorf("retry: %v, want %s", err, code)
			}
		}
		next := noon.Add(2 * time.Hour)
		must(s.Fail(ctx, id, noon, "first cause", next, false))
		if w := status(inbox.Pending); !w.NextAttemptAt.Equal(next) || w.Error != "first cause" {
			t.Errorf("after a failed try: %+v", w)
		}
		if due, err := s.NextDue(ctx); err != nil || !due.Equal(next) {
			t.Errorf("next due %v, %v", due, err)
		}
		refused(false, tracking.Invalid)
		must(s.Fail(ctx, id, noon.Add(time.Minute), "second cause", next, true))
		if w := status(inbox.Failed); len(w.Tries) != 2 || w.Tries[0].Error != "first cause" || w.Tries[1].Error != "second cause" {
			t.Errorf("tries: %+v", w.Tries)
		}
		refused(false, "")
		if w := status(inbox.Pending); w.Attempts != 0 {
			t.Errorf("%d attempts after a retry", w.Attempts)
		}
		if n := len(claim(t, s, 9)); n != 1 {
			t.Fatalf("claimed %d", n)
		}
		if applied, err := s.Apply(ctx, noon, apps, auto); err != nil || applied[0].Err != nil {
			t.Fatal(applied, err)
		}
		if w := status(inbox.Processed); !w.ProcessedAt.Equal(noon) || w.OrderID == "" {
			t.Errorf("processed: %+v", w)
		}
		refused(false, tracking.Invalid)
		refused(true, "")
		claim(t, s, 9)
		if applied, err := s.Apply(ctx, noon, apps, auto); err != nil || applied[0].Reason != inbox.NothingNew {
			t.Fatal(applied, err)
		}
		must(s.Settle(ctx, id, noon, inbox.Parked, inbox.Placeholder, "too late"))
		must(s.Fail(ctx, id, noon, "too late", noon, true))
		status(inbox.Processed)
		if err := s.Retry(ctx, "01ARZ3NDEKTSV4RRFFQ69G5FAV", false); tracking.ErrorCode(err) != tracking.NotFound {
			t.Errorf("retry of nothing: %v", err)
		}
	})
}
