package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// Every update makes an effect of each kind, and each kind is done on its own.
func TestEffectsByKind(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		ctx := ctxOf(t)
		var committed []tracking.Effect
		b.Options.EffectKinds = []string{tracking.LiveUpdate, tracking.LiveExternal}
		b.Options.Committed = func(effects []tracking.Effect) { committed = append(committed, effects...) }
		s := b.Open(t)
		effects := func(s *store.Store, kind string) []tracking.Effect {
			t.Helper()
			found, err := s.Effects(ctx, kind, 100)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		push := func(h int, m tracking.Milestone) told {
			return told{awb: "A", sr: "S", milestone: m, label: tracking.LabelOf(m), at: noon.Add(time.Duration(h-48) * time.Hour)}
		}
		apply(t, s, push(1, tracking.PickedUp), push(2, tracking.InTransit), push(3, tracking.Delivered))
		if len(committed) != 6 {
			t.Errorf("%d effects were told of, want two for each of three updates", len(committed))
		}
		var done []int64
		for _, kind := range b.Options.EffectKinds {
			found := effects(s, kind)
			if len(found) != 3 {
				t.Fatalf("%d effects of kind %s, want 3", len(found), kind)
			}
			for i, e := range found {
				if e.Kind != kind || e.Update.Version != int64(i+1) || i > 0 && e.ID <= found[i-1].ID {
					t.Errorf("effect %d of kind %s: %+v", i, kind, e)
				}
			}
			var told []int64
			for _, e := range committed {
				if e.Kind == kind {
					told = append(told, e.ID)
				}
			}
			if kept := []int64{found[0].ID, found[1].ID, found[2].ID}; !slices.Equal(kept, told) {
				t.Errorf("effects of kind %s have ids %v, but %v were told", kind, kept, told)
			}
			if kind == tracking.LiveUpdate {
				for _, e := range found {
					done = append(done, e.ID)
				}
			}
		}
		if err := s.DeleteEffects(ctx, done); err != nil {
			t.Fatal(err)
		}
		if live, external := effects(s, tracking.LiveUpdate), effects(s, tracking.LiveExternal); len(live) != 0 || len(external) != 3 {
			t.Errorf("%d and %d effects are left, want none and 3", len(live), len(external))
		}
		reopen := func(kinds ...string) *store.Store {
			t.Helper()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			b.Options.EffectKinds = kinds
			s = b.Open(t)
			return s
		}
		if n := len(effects(reopen(), tracking.LiveExternal)); n != 3 {
			t.Errorf("opened without kinds, %d effects are left, want 3", n)
		}
		if n := len(effects(reopen(tracking.LiveUpdate), tracking.LiveExternal)); n != 0 {
			t.Errorf("%d effects are left of a kind that is no longer wanted", n)
		}
	})
}
