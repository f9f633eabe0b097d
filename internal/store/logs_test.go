package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestWebhooksFiltersAndPages(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		// 30 webhooks, one an hour: of AWBs A0 to A4 in turn; every tenth comes twice.
		for i := range 30 {
			w := pushed(fmt.Sprintf("A%d-IN_TRANSIT-%d", i%5, i), fmt.Sprint(i))
			w.ReceivedAt = noon.Add(time.Duration(i) * time.Hour)
			w.AWB, w.SROrderID, w.OrderNumber = fmt.Sprintf("A%d", i%5), fmt.Sprintf("S%d", i%5), fmt.Sprintf("N-%d", i%5)
			for range 1 + i%10/9 {
				if _, err := s.Append(ctx, w); err != nil {
					t.Fatal(err)
				}
			}
		}
		var batch []inbox.Application
		for _, w := range mustClaim(t, s, 5, noon.Add(100*time.Hour)) {
			p := told{awb: w.AWB, sr: w.SROrderID, number: w.OrderNumber, milestone: tracking.InTransit, label: "IN TRANSIT", at: w.ReceivedAt.Add(-time.Hour)}
			batch = append(batch, inbox.Application{WebhookID: w.ID, Evidence: p.evidence()})
		}
		applied, err := s.Apply(ctx, noon.Add(100*time.Hour), batch, auto)
		if err != nil {
			t.Fatal(err)
		}
		orderOfA0 := applied[0].OrderID

		cases := []struct {
			name   string
			filter store.Filter
			total  int
			exact  bool
		}{
			{"all", store.Filter{}, 33, true},
			{"a status", store.Filter{Status: inbox.Duplicate}, 3, true},
			{"another status", store.Filter{Status: inbox.Pending}, 25, true},
			{"an AWB", store.Filter{AWB: "A4"}, 9, true},
			{"an AWB and a status", store.Filter{AWB: "A4", Status: inbox.Duplicate}, 3, true},
			{"an unknown AWB", store.Filter{AWB: "A9"}, 0, true},
			{"an order", store.Filter{OrderID: orderOfA0}, 1, true},
			{"an order and another AWB", store.Filter{OrderID: orderOfA0, AWB: "A1"}, 0, true},
			{"a span", store.Filter{From: noon.Add(10 * time.Hour), To: noon.Add(20 * time.Hour)}, 11, true},
			{"an AWB in a span", store.Filter{AWB: "A0", From: noon.Add(10 * time.Hour), To: noon.Add(20 * time.Hour)}, 2, true},
			{"q: an AWB", store.Filter{Q: "A1"}, 6, true},
			{"q: an event id", store.Filter{Q: "A4-IN_TRANSIT-29"}, 2, true},
			{"q: an order's number", store.Filter{Q: "N-0"}, 1, true},
			{"q: an order's id", store.Filter{Q: orderOfA0}, 1, true},
			{"q: a part", store.Filter{Q: "transit-2"}, 12, true},
			{"q: a part with a wildcard", store.Filter{Q: "transit%2"}, 0, true},
			{"q: a part in an AWB's rows", store.Filter{AWB: "A4", Q: "transit-2"}, 3, true},
			{"q: SQL", store.Filter{Q: "'; DROP TABLE webhooks; --"}, 0, true},
		}
		for _, c := range cases {
			seen := map[string]bool{}
			var last string
			for page := 1; page <= 9; page++ {
				found, err := s.Webhooks(ctx, c.filter, page, 5)
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				if found.Total != c.total || found.TotalIsExact != c.exact {
					t.Errorf("%s: total %d, exact %v; want %d, %v", c.name, found.Total, found.TotalIsExact, c.total, c.exact)
				}
				if want := min(5, max(0, c.total-(page-1)*5)); len(found.Rows) != want {
					t.Errorf("%s: page %d has %d rows, want %d", c.name, page, len(found.Rows), want)
				}
				for _, w := range found.Rows {
					if seen[w.ID] || last != "" && w.ID > last {
						t.Errorf("%s: row %s comes again or out of order", c.name, w.ID)
					}
					seen[w.ID], last = true, w.ID
				}
			}
		}

		first, err := s.Webhooks(ctx, store.Filter{}, 1, 7)
		if err != nil {
			t.Fatal(err)
		}
		beyond, err := s.Webhooks(ctx, store.Filter{Before: first.Rows[6].ID}, 1, 7)
		if err != nil || len(beyond.Rows) != 7 || beyond.Rows[0].ID >= first.Rows[6].ID || beyond.Total != 33 {
			t.Errorf("beyond a row: %+v, %v", beyond, err)
		}
		byID, err := s.Webhooks(ctx, store.Filter{Q: first.Rows[3].ID}, 1, 7)
		if err != nil || byID.Total != 1 || byID.Rows[0].ID != first.Rows[3].ID {
			t.Errorf("by its id: %+v, %v", byID, err)
		}
	})
}

func TestWebhookShowsAllThatIsKept(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		w := pushed("E\x00vil-\xff-id", "{\x00\xff not text}")
		w.Flags, w.CurrentStatus = "unlisted_address", strings.Repeat("x", 5000)
		for range 2 {
			if _, err := s.Append(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		found, err := s.Webhooks(ctx, store.Filter{}, 1, 10)
		if err != nil || len(found.Rows) != 2 {
			t.Fatal(found, err)
		}
		copied, original := found.Rows[0], found.Rows[1]
		whole, err := s.Webhook(ctx, original.ID)
		if err != nil {
			t.Fatal(err)
		}
		if string(whole.Body) != string(w.Body) || whole.BodySHA256 != w.BodySHA256 || whole.Headers["Content-Type"] != "application/json" ||
			whole.EventID != "Evil--id" || !whole.ReceivedAt.Equal(noon) || whole.Flags != w.Flags || whole.Auth != w.Auth || whole.Peer != w.Peer {
			t.Errorf("the original: %+v", whole)
		}
		again, err := s.Webhook(ctx, copied.ID)
		if err != nil || again.Status != inbox.Duplicate || again.Body != nil || again.DuplicateOf != original.ID || again.Reason != inbox.SameEvent {
			t.Errorf("its duplicate: %+v, %v", again, err)
		}
		if _, err := s.Webhook(ctx, "nothing"); tracking.ErrorCode(err) != tracking.NotFound {
			t.Errorf("a row that is not there: %v", err)
		}
		oldest, err := s.OldestPending(ctx)
		newest, err2 := s.LastReceivedAt(ctx)
		if err != nil || err2 != nil || !oldest.Equal(noon) || !newest.Equal(noon) {
			t.Errorf("oldest pending %v, newest %v: %v, %v", oldest, newest, err, err2)
		}
	})
}
