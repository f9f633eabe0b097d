package store_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// journeys are the pushes of a few orders: plain ones, one that turns back, one
// that is booked anew under another AWB, one whose first pushes tell only the
// AWB.
func journeys() []told {
	var all []told
	steps := []tracking.Milestone{tracking.Created, tracking.PickedUp, tracking.InTransit, tracking.OutForDelivery, tracking.DeliveryFailed, tracking.OutForDelivery, tracking.Delivered}
	back := []tracking.Milestone{tracking.Created, tracking.PickedUp, tracking.InTransit, tracking.DeliveryFailed, tracking.RTOInitiated, tracking.RTOInTransit, tracking.RTODelivered}
	for o := range 6 {
		awb, sr := fmt.Sprintf("AWB%d", o), fmt.Sprintf("SR%d", o)
		way := steps
		if o == 1 {
			way = back
		}
		var scans []tracking.Scan
		for i, m := range way {
			at := noon.Add(time.Duration(i*7+o-100) * time.Hour)
			scans = append(scans, scanAt(awb, at, "step "+strconv.Itoa(i), m))
			p := told{awb: awb, sr: sr, number: "N" + sr, milestone: m, label: tracking.LabelOf(m), at: at, eta: "2026-03-2" + strconv.Itoa(i)}
			p.scans = append(p.scans, scans...)
			if o == 2 && i == 0 {
				p.awb, p.scans = "OLD", nil
			}
			if o == 3 && i < 3 {
				p.sr, p.number = "", ""
			}
			all = append(all, p)
		}
	}
	return all
}

// story applies pushes as workers would, in batches of at most size.
func story(t *testing.T, s *store.Store, pushes []told, workers, size int) {
	t.Helper()
	storyOf(t, []*store.Store{s}, pushes, workers, size)
}

// storyOf is story told to several stores that have one database.
func storyOf(t *testing.T, stores []*store.Store, pushes []told, workers, size int) {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(len(pushes)))
	var wg sync.WaitGroup
	for i, p := range pushes {
		wg.Go(func() {
			w := pushed(fmt.Sprintf("%d", i), strconv.Itoa(i))
			w.ReceivedAt = noon.Add(time.Duration(i) * time.Millisecond)
			w.AWB, w.SROrderID, w.OrderNumber = p.awb, p.sr, p.number
			if _, err := stores[i%len(stores)].Append(ctxOf(t), w); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for worker := range workers {
		s := stores[worker%len(stores)]
		wg.Go(func() {
			for left.Load() > 0 { // what another has locked is passed over, so none claimed is not the end
				claimed, err := s.Claim(ctxOf(t), size, noon.Add(time.Hour))
				if err != nil {
					t.Error(err)
					return
				}
				left.Add(-int64(len(claimed)))
				var batch []inbox.Application
				for _, w := range claimed {
					i, err := strconv.Atoi(string(w.Body))
					if err != nil {
						t.Error(err)
					}
					batch = append(batch, inbox.Application{WebhookID: w.ID, Evidence: pushes[i].evidence()})
				}
				applied, err := s.Apply(ctxOf(t), noon, batch, auto)
				if err != nil {
					t.Error(err)
					return
				}
				for _, a := range applied {
					if a.Err != nil || a.Status != inbox.Processed {
						t.Errorf("applied: %+v", a)
					}
				}
			}
		})
	}
	wg.Wait()
}

// beliefs are what is believed of each order, by its number, without the ids
// that are made up.
func beliefs(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for o := range 6 {
		number := fmt.Sprintf("NSR%d", o)
		found, err := s.OrdersByNumber(ctxOf(t), number)
		if err != nil || len(found) != 1 {
			t.Fatalf("orders with number %s: %d, %v", number, len(found), err)
		}
		shown := *found[0].Snapshot
		for _, m := range []any{found[0].Believe(), found[0].Snapshot.Shipments} {
			encoded, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			var anything any
			if err := json.Unmarshal(encoded, &anything); err != nil {
				t.Fatal(err)
			}
			encoded, err = json.MarshalIndent(withoutIDs(anything), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			all[number] += string(encoded)
		}
		if shown.Version != found[0].Version {
			t.Errorf("%s: the snapshot is of version %d, the order of %d", number, shown.Version, found[0].Version)
		}
	}
	return all
}

func withoutIDs(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "id")
		for _, inner := range v {
			withoutIDs(inner)
		}
	case []any:
		for _, inner := range v {
			withoutIDs(inner)
		}
	}
	return v
}

func TestApplyInAnyOrderEndsInTheSameBelief(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		pushes := journeys()
		plain := b.Open(t)
		story(t, plain, pushes, 1, 1)
		want := beliefs(t, plain)
		for seed := range 4 {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				s := b.Another(t).Open(t)
				dice := rand.New(rand.NewPCG(uint64(seed), 7))
				shuffled := append([]told(nil), pushes...)
				for range len(pushes) / 2 {
					shuffled = append(shuffled, pushes[dice.IntN(len(pushes))])
				}
				dice.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
				story(t, s, shuffled, 4, 1+seed*5)
				if diff := cmp.Diff(want, beliefs(t, s)); diff != "" {
					t.Errorf("belief differs from that of the plain order (-plain +shuffled):\n%s", diff)
				}
				versionsHaveNoGaps(t, s)
			})
		}
	})
}

// versionsHaveNoGaps checks the effects of every order: in the order of their
// commits its versions rise by one, from one to the present one. An order that
// was merged goes on in another, from the higher of their versions.
func versionsHaveNoGaps(t *testing.T, s *store.Store) {
	t.Helper()
	effects, err := s.Effects(ctxOf(t), tracking.LiveUpdate, 10000)
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]int64{}
	for _, e := range effects {
		u := e.Update
		before := last[u.OrderID]
		for _, alias := range u.Aliases {
			before = max(before, last[alias])
		}
		if u.Version != before+1 {
			t.Errorf("order %s goes from version %d to %d", u.OrderID, before, u.Version)
		}
		last[u.OrderID] = u.Version
	}
	for id, version := range last {
		o, err := s.Order(ctxOf(t), id)
		if err != nil {
			t.Fatal(err)
		}
		if o.ID == id && o.Version != version {
			t.Errorf("order %s is at version %d; its watchers were told of %d", id, o.Version, version)
		}
	}
}
