package inbox_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/simulate"
	"github.com/webazaar/waybill/internal/tracking"
)

// Whole journeys as real bodies end in the same belief however they arrive:
// shuffled, repeated, from many senders at once, worked off in batches of any
// size by any number of workers.
func TestArrivalDoesNotMatter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		seed                      uint64
		batch, workers, receivers int
	}{
		{1, 1, 2, 4}, {2, 256, 1, 8}, {3, 7, 4, 16},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("seed %d, batch %d, %d workers", tt.seed, tt.batch, tt.workers), func(t *testing.T) {
			t.Parallel()
			o := simulate.Options{Seed: tt.seed, Parcels: len(simulate.Kinds()), Now: noon}
			want := arrived(t, o, 256, 1, 1)
			o.Shuffle, o.Duplicates = true, 0.3
			got := arrived(t, o, tt.batch, tt.workers, tt.receivers)
			if len(want) < o.Parcels {
				t.Fatalf("%d orders of %d parcels", len(want), o.Parcels)
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(tracking.Shipment{})); diff != "" {
				t.Errorf("belief depends on arrival (-in order, +shuffled):\n%s", diff)
			}
		})
	}
}

// arrived is what is believed in the end, by order number, when the pushes of a
// plan are received and worked off at the same time. What is minted or counts
// arrivals is left out.
func arrived(t *testing.T, o simulate.Options, batch, workers, receivers int) map[string]tracking.Snapshot {
	t.Helper()
	plan, err := simulate.Plan(o)
	if err != nil {
		t.Fatal(err)
	}
	r := setup(t)
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	signals := make([]chan struct{}, workers)
	for i := range signals {
		signals[i] = make(chan struct{}, 1)
		worker := r.another(func(o *inbox.Options) { o.Batch = batch })
		working.Go(func() {
			for ctx.Err() == nil {
				n, err := worker.Work(ctx)
				if err != nil && ctx.Err() == nil {
					t.Errorf("work: %v", err)
					return
				}
				if n == 0 {
					select {
					case <-signals[i]:
					case <-ctx.Done():
					}
				}
			}
		})
	}
	queue := make(chan simulate.Push)
	var receiving sync.WaitGroup
	for range receivers {
		receiving.Go(func() {
			for p := range queue {
				if _, err := r.Receive(t.Context(), proven(p.Body())); err != nil {
					t.Errorf("receive: %v", err)
				}
				for _, s := range signals {
					select {
					case s <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	for _, p := range plan {
		queue <- p
	}
	close(queue)
	receiving.Wait()
	until(t, "nothing is pending", func() bool {
		depth, err := r.store.Depth(t.Context())
		return err == nil && depth[inbox.Pending] == 0
	})
	stop()
	working.Wait()

	depth, err := r.store.Depth(t.Context())
	if err != nil || depth[inbox.Processed]+depth[inbox.Duplicate] != len(plan) {
		t.Errorf("of %d pushes became %v, %v", len(plan), depth, err)
	}
	return r.beliefs(plan)
}

func (r *room) beliefs(plan []simulate.Push) map[string]tracking.Snapshot {
	r.t.Helper()
	all := map[string]tracking.Snapshot{}
	for _, p := range plan {
		number := p.Parcel().Number
		if _, seen := all[number]; seen {
			continue
		}
		orders, err := r.store.OrdersByNumber(r.t.Context(), number)
		if err != nil || len(orders) != 1 {
			r.t.Errorf("%s: %d orders, %v", number, len(orders), err)
			continue
		}
		s := r.snapshot(orders[0].ID)
		if s.Version != orders[0].Version {
			r.t.Errorf("%s: version %d, its snapshot %d", number, orders[0].Version, s.Version)
		}
		s.OrderID, s.Version, s.UpdatedAt = "", 0, noon
		for i := range s.Shipments {
			s.Shipments[i].ID = ""
		}
		slices.SortFunc(s.Shipments, func(a, b tracking.Shipment) int { return strings.Compare(string(a.AWBCode), string(b.AWBCode)) })
		all[number] = s
	}
	return all
}
