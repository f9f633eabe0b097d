package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// audit are all entries, newest first.
func audit(t testing.TB, s *store.Store) []access.Entry {
	t.Helper()
	found, err := s.Audit(ctxOf(t), store.AuditFilter{}, 1, 1000)
	if err != nil || found.Total != len(found.Entries) || !found.TotalIsExact {
		t.Fatalf("%d of %d (exact %v), %v", len(found.Entries), found.Total, found.TotalIsExact, err)
	}
	return found.Entries
}

// An act that writes and its entry are one: both happen, once, or neither.
func TestActsAreRecordedWhereTheyWrite(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		w := pushed("E1", "{}")
		w.Status = inbox.Rejected
		if _, err := s.Append(ctxOf(t), w); err != nil {
			t.Fatal(err)
		}
		log, err := s.Webhooks(ctxOf(t), store.Filter{}, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		rejected := log.Rows[0]
		actor := access.Actor{TokenID: "T1", Name: "Asha's \x00laptop", Role: access.Shop}
		act := func(name access.Act, subject string, do func(ctx context.Context) error) (*access.Entry, error) {
			e := &access.Entry{At: noon.Add(time.Microsecond / 10), Actor: actor, Act: name, Subject: subject, Detail: "a detail", Peer: "2001:db8::1"}
			return e, do(access.WithEntry(ctxOf(t), e))
		}
		var o *tracking.Order
		entry, err := act(access.RegisterOrder, "N-1", func(ctx context.Context) (err error) {
			o, _, err = s.Register(ctx, noon, tracking.Registration{Number: "N-1"})
			return err
		})
		if err != nil || entry.ID == "" {
			t.Fatalf("%+v, %v", entry, err)
		}
		want := access.Entry{
			ID: entry.ID, At: noon, Actor: access.Actor{TokenID: "T1", Name: "Asha's laptop", Role: access.Shop},
			Act: access.RegisterOrder, Subject: o.ID, Detail: "a detail", Peer: "2001:db8::1", Outcome: access.Done,
		}
		if got := audit(t, s); len(got) != 1 || got[0] != want {
			t.Fatalf("%+v\nwant %+v", got, want)
		}
		for name, do := range map[access.Act]func(ctx context.Context) error{
			access.EraseOrder:   func(ctx context.Context) error { return s.ErasePersonalData(ctx, o.ID) },
			access.RetryWebhook: func(ctx context.Context) error { return s.Retry(ctx, rejected.ID, false) },
		} {
			if e, err := act(name, "x", do); err != nil || e.ID == "" {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
		if got := audit(t, s); len(got) != 3 {
			t.Errorf("%d entries after three acts", len(got))
		}
		// What did not happen left no entry; to say why is another matter.
		for name, do := range map[access.Act]func(ctx context.Context) error{
			access.EraseOrder:   func(ctx context.Context) error { return s.ErasePersonalData(ctx, "nobody") },
			access.RetryWebhook: func(ctx context.Context) error { return s.Retry(ctx, rejected.ID, false) },
			access.RevokeToken:  func(ctx context.Context) error { _, err := s.RevokeToken(ctx, "nobody", noon); return err },
		} {
			if e, err := act(name, "x", do); err == nil || e.ID != "" {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
		if got := audit(t, s); len(got) != 3 {
			t.Errorf("%d entries after three acts that failed", len(got))
		}
		// An act of several writes has one entry.
		_, err = act(access.RegisterOrder, "", func(ctx context.Context) error {
			for range 3 {
				if _, _, err := s.Register(ctx, noon, tracking.Registration{Number: "N-2"}); err != nil {
					return err
				}
			}
			return nil
		})
		if got := audit(t, s); err != nil || len(got) != 4 {
			t.Errorf("%d entries after an act of three writes, %v", len(got), err)
		}
	})
}

// Nothing is made or revoked that the audit would not know of.
func TestTokensNeedAnEntry(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		token := tokenOf(t, s, "one", noon, time.Time{})
		if _, err := s.CreateToken(ctxOf(t), access.Token{Name: "two", Role: access.Admin, CreatedAt: noon}); err == nil {
			t.Error("a token was made without an entry")
		}
		if _, err := s.RevokeToken(ctxOf(t), token.ID, noon); err == nil {
			t.Error("a token was revoked without an entry")
		}
		if live, err := s.LiveTokens(ctxOf(t), noon); err != nil || len(live) != 1 || live[0].ID != token.ID {
			t.Errorf("live: %v, %v", live, err)
		}
		if got := audit(t, s); len(got) != 1 || got[0].Subject != token.ID || got[0].Actor != access.CommandLine() {
			t.Errorf("%+v", got)
		}
	})
}

// The audit ends where it is told to, and of tokens nothing is kept for longer
// than what was done with them.
func TestOldAuditIsDeleted(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		for day := range 9 {
			if err := s.Record(ctx, &access.Entry{At: noon.AddDate(0, 0, day), Actor: access.CommandLine(), Act: access.ExportWebhooks, Subject: fmt.Sprint(day)}); err != nil {
				t.Fatal(err)
			}
		}
		for name, expires := range map[string]time.Time{"ended": noon.AddDate(0, 0, 1), "ends": noon.AddDate(0, 0, 8), "lives": {}} {
			tokenOf(t, s, name, noon, expires)
		}
		revoked := tokenOf(t, s, "revoked", noon, time.Time{})
		if _, err := s.RevokeToken(acting(t, access.RevokeToken), revoked.ID, noon); err != nil {
			t.Fatal(err)
		}
		before := noon.AddDate(0, 0, 4)
		for round, want := range []int{4, 4, 1, 0} { // four days, and five acts about tokens on the first
			if n, err := s.DeleteOldAudit(ctx, before, 4); err != nil || n != want {
				t.Fatalf("slice %d: %d, %v; want %d", round, n, err, want)
			}
		}
		left := audit(t, s)
		if len(left) != 5 || left[0].Subject != "8" || left[4].Subject != "4" {
			t.Errorf("left: %+v", left)
		}
		tokens, total, err := s.Tokens(ctx, 1, 10)
		if err != nil || total != 2 {
			t.Errorf("tokens left: %+v, %v", tokens, err)
		}
	})
}

func TestAuditFiltersAndPages(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		// 40 entries, two at a time, an hour apart; every fourth was refused.
		for i := range 40 {
			e := access.Entry{At: noon.Add(time.Duration(i/2) * time.Hour), Act: access.RetryWebhook, Subject: fmt.Sprint(i)}
			if i%4 == 0 {
				e.Act, e.Outcome = access.RevokeToken, "forbidden"
			}
			if err := s.Record(ctx, &e); err != nil || e.ID == "" {
				t.Fatal(e, err)
			}
		}
		for name, c := range map[string]struct {
			filter store.AuditFilter
			total  int
		}{
			"all":            {store.AuditFilter{}, 40},
			"an act":         {store.AuditFilter{Act: access.RevokeToken}, 10},
			"no such act":    {store.AuditFilter{Act: "' OR 1=1 --"}, 0},
			"a span":         {store.AuditFilter{From: noon.Add(5 * time.Hour), To: noon.Add(10 * time.Hour)}, 10},
			"an act, a span": {store.AuditFilter{Act: access.RevokeToken, From: noon.Add(5 * time.Hour), To: noon.Add(10 * time.Hour)}, 2},
			"the future":     {store.AuditFilter{From: noon.AddDate(1, 0, 0)}, 0},
		} {
			n, last := 0, ""
			for page := 1; page <= 7; page++ {
				found, err := s.Audit(ctx, c.filter, page, 7)
				if err != nil || found.Total != c.total || !found.TotalIsExact {
					t.Fatalf("%s: %d, exact %v, %v; want %d", name, found.Total, found.TotalIsExact, err, c.total)
				}
				for _, e := range found.Entries {
					if last != "" && e.ID >= last {
						t.Errorf("%s: entry %s out of order", name, e.Subject)
					}
					n, last = n+1, e.ID
				}
			}
			filter := c.filter
			for range 7 { // and by the cursor
				found, err := s.Audit(ctx, filter, 1, 7)
				if err != nil || found.Total != c.total {
					t.Fatalf("%s: %d, %v", name, found.Total, err)
				}
				n += len(found.Entries)
				if len(found.Entries) > 0 {
					filter.Before = found.Entries[len(found.Entries)-1].ID
				}
			}
			if n != 2*c.total {
				t.Errorf("%s: pages and cursor led to %d entries, want twice %d", name, n, c.total)
			}
		}
		if newest := audit(t, s)[0]; newest.Subject != "39" || newest.Outcome != access.Done {
			t.Errorf("the newest is %+v", newest)
		}
	})
}

// Many act at once; every act that came back as done has its one entry.
func TestManyActAtOnce(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for j := range 10 {
					e := &access.Entry{At: noon, Act: access.RegisterOrder}
					if _, _, err := s.Register(access.WithEntry(ctxOf(t), e), noon, tracking.Registration{Number: fmt.Sprint("N-", (i+j)%5)}); err != nil || e.ID == "" {
						t.Errorf("%+v, %v", e, err)
					}
				}
			})
		}
		all.Wait()
		subjects := map[string]int{}
		for _, e := range audit(t, s) {
			subjects[e.Subject]++
		}
		if len(subjects) != 5 {
			t.Errorf("acts concerned %v, want 5 orders", subjects)
		}
		for order, n := range subjects {
			if n != 16 {
				t.Errorf("order %q has %d entries, want 16", order, n)
			}
		}
	})
}
