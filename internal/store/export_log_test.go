package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
)

func TestExport(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		none := func([]inbox.Webhook) error { t.Error("of an empty log there is something to export"); return nil }
		if err := s.Export(ctxOf(t), store.Filter{}, none); err != nil {
			t.Fatal(err)
		}
		mixed(t, s, 120)
		for want, filter := range map[int]store.Filter{480: {}, 120: {Status: inbox.Failed}, 160: {AWB: "M1"}, 111: {Q: "-x-1", From: noon}, 0: {AWB: "nobody"}} {
			got, last := 0, ""
			err := s.Export(ctxOf(t), filter, func(rows []inbox.Webhook) error {
				for _, w := range rows {
					if w.ID <= last || len(w.Body) == 0 {
						t.Errorf("row %s after %s, with body %q", w.ID, last, w.Body)
					}
					last = w.ID
				}
				if len(rows) > 200 {
					t.Errorf("%d rows at once", len(rows))
				}
				got += len(rows)
				return nil
			})
			if err != nil || got != want {
				t.Errorf("%+v: %d rows, %v; want %d", filter, got, err, want)
			}
		}
		enough := errors.New("enough")
		calls := 0
		err := s.Export(ctxOf(t), store.Filter{}, func([]inbox.Webhook) error { calls++; return enough })
		if !errors.Is(err, enough) || calls != 1 {
			t.Errorf("after an error: %d calls, %v", calls, err)
		}
		ctx, cancel := context.WithCancel(ctxOf(t))
		err = s.Export(ctx, store.Filter{}, func([]inbox.Webhook) error { cancel(); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after its context: %v", err)
		}
	})
}
