package store

import (
	"context"
	"maps"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/webazaar/waybill/internal/tracking"
)

// HotOrders compares every order that is kept in memory with what the database
// holds of it; it returns how many there are and how the first that is not the
// same differs.
func (s *Store) HotOrders(ctx context.Context) (n int, diff string, err error) {
	h := s.hot
	all := maps.Clone(h.old)
	maps.Copy(all, h.young)
	for seq, o := range all {
		stored, err := s.deskReader.loadOrders(ctx, []int64{seq}, "")
		if err != nil {
			return 0, "", err
		}
		same := cmp.Options{
			cmpopts.IgnoreUnexported(tracking.Order{}, tracking.Shipment{}, tracking.Reading{}, tracking.Scan{}),
			cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b string) bool { return a < b }),
		}
		diff := cmp.Diff(stored[seq].Order, o.Order, same) + cmp.Diff(stored[seq].known, o.known) +
			cmp.Diff(stored[seq].parts, o.parts, same)
		if o.changed || len(o.updates)+len(o.merged) > 0 || o.into != nil || o.seq != seq {
			diff += "it is not settled"
		}
		if diff != "" {
			return len(all), diff, nil
		}
	}
	return len(all), "", nil
}
