package store_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
		for range 8 {
			wg.Go(func() {
				for {
					claimed, err := s.Claim(ctxOf(t), 7, noon)
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

func TestClaimTakesTheFirstAndRecoverWhatWasLeft(t *testing.T) {
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
			claimed, err := s.Claim(ctx, n, now)
			if err != nil {
				t.Fatal(err)
			}
			var events []string
			for _, w := range claimed {
				events = append(events, w.EventID)
			}
			return events
		}
		if got := take(2, now); !slices.Equal(got, []string{"3", "1"}) {
			t.Errorf("claimed %v, want the two that came first", got)
		}
		if got := take(9, now); !slices.Equal(got, []string{"2"}) {
			t.Errorf("claimed %v, want what was left", got)
		}
		if got := take(9, now.Add(time.Hour)); len(got) != 0 {
			t.Errorf("claimed %v again", got)
		}
		if _, err := s.Append(ctx, pushed("4", `{"n":4}`)); err != nil {
			t.Fatal(err)
		}
		s = b.Kill(t, s)
		// It has held 4, and worked on the others: any of those may have ended it,
		// so each comes alone, and by turns with what is new.
		if n, err := s.Recover(ctx); err != nil || n != 4 {
			t.Errorf("recovered %d rows, %v; want 4", n, err)
		}
		var order []string
		for range 5 {
			order = append(order, strings.Join(take(9, now), " "))
		}
		if slices.Sort(order); !slices.Equal(order, []string{"", "1", "2", "3", "4"}) {
			t.Errorf("after the end of the process: %q, want each alone", order)
		}
		s = b.Kill(t, s)
		if n, err := s.Recover(ctx); err != nil || n != 4 {
			t.Errorf("recovered %d rows, %v; want 4", n, err)
		}
		attempts := map[string]int{}
		for range 4 {
			claimed, err := s.Claim(ctx, 9, now)
			if err != nil || len(claimed) != 1 {
				t.Fatalf("claimed %d, %v; want one alone", len(claimed), err)
			}
			attempts[claimed[0].EventID] = claimed[0].Attempts
		}
		if want := map[string]int{"1": 3, "2": 3, "3": 3, "4": 2}; !maps.Equal(attempts, want) {
			t.Errorf("attempts %v, want %v", attempts, want)
		}
	})
}

// What more than fits into memory is pushed, and what another process leaves,
// is claimed from the table.
func TestClaimBeyondMemory(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		const rows = 40
		big := strings.Repeat("x", 1<<20)
		for i := range rows {
			if _, err := s.Append(ctx, pushed(fmt.Sprint(i), big)); err != nil {
				t.Fatal(err)
			}
		}
		seen := map[string]bool{}
		for len(seen) < rows {
			claimed, err := s.Claim(ctx, 7, noon)
			if err != nil || len(claimed) == 0 {
				t.Fatalf("claimed nothing after %d rows, %v", len(seen), err)
			}
			for _, w := range claimed {
				if seen[w.ID] || w.Attempts != 1 || len(w.Body) != len(big) {
					t.Errorf("%s: again %v, attempt %d, %d bytes", w.EventID, seen[w.ID], w.Attempts, len(w.Body))
				}
				seen[w.ID] = true
			}
		}
		// Taken back for want of the database, all can be claimed again.
		s.Return(slices.Collect(maps.Keys(seen)))
		for range rows {
			claimed, err := s.Claim(ctx, 1, noon)
			if err != nil || len(claimed) != 1 || claimed[0].Attempts != 1 {
				t.Fatalf("claimed %d again, %v", len(claimed), err)
			}
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
		if n := len(mustClaim(t, s, 9, next.Add(-time.Microsecond))); n != 0 {
			t.Errorf("claimed %d before it was due", n)
		}
		if due := s.NextDue(); !due.Equal(next) {
			t.Errorf("next due %v, want %v", due, next)
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

// A clock that was far ahead and was set right delays nothing: neither what it
// dated when it came, nor what it put off.
func TestAClockSetBackDelaysNothing(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		wrong := noon.AddDate(1, 0, 0)
		for _, id := range []string{"fails", "waits"} {
			w := pushed(id, id)
			w.ReceivedAt = wrong
			if _, err := s.Append(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		fails := mustClaim(t, s, 1, wrong)[0]
		if err := s.Fail(ctx, fails.ID, wrong, "no luck", wrong.Add(time.Second), false); err != nil {
			t.Fatal(err)
		}
		s = b.Kill(t, s) // what waits is left to the table
		if _, err := s.Recover(ctx); err != nil {
			t.Fatal(err)
		}
		tries := map[string]int{}
		for range 4 { // by turns with what is fresh, and after one look
			claimed, err := s.Claim(ctx, 10, noon)
			if err != nil {
				t.Fatal(err)
			}
			for i := range claimed {
				tries[claimed[i].EventID] = claimed[i].Attempts
			}
		}
		if want := map[string]int{"waits": 1, "fails": 2}; !maps.Equal(tries, want) {
			t.Errorf("claimed after the clock was set right: %v, want %v", tries, want)
		}
	})
}
