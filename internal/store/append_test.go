package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestAppendGroupsConcurrentCallers(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		const callers, each = 200, 5
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := range each {
					w := pushed(fmt.Sprintf("%d-%d", c, i), fmt.Sprintf(`{"n":%d}`, c*each+i))
					kept, err := s.Append(ctxOf(t), w)
					if err != nil || kept.Duplicate || kept.Status != inbox.Pending || kept.EventID != w.EventID {
						t.Errorf("append: %+v, %v", kept, err)
					}
				}
			})
		}
		wg.Wait()
		groups, rows := s.Groups()
		if rows != callers*each || groups >= rows/2 {
			t.Errorf("%d rows in %d transactions; want %d rows in far fewer", rows, groups, callers*each)
		}
		seen := map[string]bool{}
		for _, w := range claim(t, s, 2*callers*each) {
			seen[w.EventID] = len(w.Body) > 0
		}
		if len(seen) != callers*each {
			t.Errorf("%d rows are there, want %d", len(seen), callers*each)
		}
	})
}

func TestAppendKeepsOneOriginal(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		var wg sync.WaitGroup
		answers := make([]inbox.Appended, 50)
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = s.Append(ctxOf(t), pushed("A-IN_TRANSIT-1", `{"a":1}`)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		originals := 0
		for _, a := range answers {
			if !a.Duplicate {
				originals++
			}
			if a.EventID != "A-IN_TRANSIT-1" || a.Status != inbox.Pending {
				t.Errorf("answer %+v", a)
			}
		}
		if claimed := claim(t, s, 100); originals != 1 || len(claimed) != 1 {
			t.Errorf("%d originals were answered and %d can be claimed, want 1 and 1", originals, len(claimed))
		}
	})
}

func TestAppendDuplicateRules(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		add := func(w inbox.Webhook) inbox.Appended {
			t.Helper()
			kept, err := s.Append(ctx, w)
			if err != nil {
				t.Fatal(err)
			}
			return kept
		}
		add(pushed("E", `{"body":1}`))

		other := add(pushed("E", `{"body":2}`))
		if other.Duplicate || !strings.HasPrefix(other.EventID, "E-") || len(other.EventID) != len("E-")+8 {
			t.Errorf("another body under the same id: %+v", other)
		}
		if again := add(pushed("E", `{"body":2}`)); !again.Duplicate || again.EventID != other.EventID {
			t.Errorf("the other body again: %+v", again)
		}

		first := claim(t, s, 10)
		if len(first) != 2 {
			t.Fatalf("claimed %d", len(first))
		}
		fail := func(id string) {
			t.Helper()
			if err := s.Fail(ctx, id, noon, "no", noon, true); err != nil {
				t.Fatal(err)
			}
		}
		fail(first[0].ID)
		if again := add(pushed(first[0].EventID, string(first[0].Body))); again.Duplicate {
			t.Errorf("the repeat of a failed one was not taken as new: %+v", again)
		}
		if again := add(pushed(first[0].EventID, string(first[0].Body))); !again.Duplicate || again.Status != inbox.Pending {
			t.Errorf("the repeat of the new one: %+v", again)
		}
		if err := s.Settle(ctx, first[1].ID, noon, inbox.Parked, inbox.Conflict, "x"); err != nil {
			t.Fatal(err)
		}
		if again := add(pushed(first[1].EventID, string(first[1].Body))); !again.Duplicate || again.Status != inbox.Parked {
			t.Errorf("the repeat of a parked one: %+v", again)
		}

		ping, refused := pushed("P", `{"ping":1}`), pushed("R", `{"refused":1}`)
		ping.Status, ping.Reason = inbox.Ignored, inbox.Ping
		refused.Status, refused.Reason = inbox.Rejected, inbox.Address
		for range 2 {
			if kept := add(ping); kept.Duplicate || kept.Status != inbox.Ignored {
				t.Errorf("a ping: %+v", kept)
			}
			if kept := add(refused); kept.Duplicate || kept.Status != inbox.Rejected {
				t.Errorf("a refused push: %+v", kept)
			}
		}
		refused.Status, refused.Reason = inbox.Pending, ""
		if kept := add(refused); kept.Duplicate {
			t.Errorf("the push after its refused twin: %+v", kept)
		}
	})
}

func TestAppendRefusesOneBadRowAlone(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				w := pushed(fmt.Sprint(i), fmt.Sprint(i))
				if i%20 == 7 {
					w.Status = "nonsense"
				}
				if _, err := s.Append(ctxOf(t), w); (err != nil) != (i%20 == 7) {
					t.Errorf("row %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := len(claim(t, s, 100)); n != 57 {
			t.Errorf("%d rows were kept, want 57", n)
		}
	})
}

func TestAppendIsBoundedAndHeedsContexts(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		b.Options.QueueRows = 1
		s := b.Open(t)
		ended, end := context.WithCancel(t.Context())
		end()
		if _, err := s.Append(ended, pushed("E", "e")); !errors.Is(err, context.Canceled) {
			t.Errorf("append with a context that has ended: %v", err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		kept, refused := 0, 0
		for i := range 200 {
			wg.Go(func() {
				_, err := s.Append(ctxOf(t), pushed(fmt.Sprint(i), "b"))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					kept++
				case tracking.ErrorCode(err) == tracking.Unavailable:
					refused++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(claim(t, s, 500)); n != kept || kept+refused != 200 || kept == 0 {
			t.Errorf("%d rows are there; %d were acknowledged and %d refused", n, kept, refused)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Append(ctxOf(t), pushed("late", "l")); tracking.ErrorCode(err) != tracking.Unavailable {
			t.Errorf("append after close: %v", err)
		}
	})
}
