package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestUnresolved(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		if all, err := s.Unresolved(ctx); err != nil || len(all) != 0 {
			t.Errorf("of an empty log: %+v, %v", all, err)
		}
		mixed(t, s, 5)
		first := kept(t, s, "U1", inbox.Rejected, inbox.Address, noon)
		kept(t, s, "U2", inbox.Rejected, inbox.Address, noon.Add(time.Hour))
		want := []inbox.Unresolved{
			{Status: inbox.Failed, Count: 5, Exact: true, Since: noon},
			{Status: inbox.Parked, Reason: inbox.Conflict, Count: 5, Exact: true, Since: noon.Add(time.Minute)},
			{Status: inbox.Rejected, Reason: inbox.Address, Count: 2, Exact: true, Since: noon},
			{Status: inbox.Rejected, Reason: inbox.NotJSON, Count: 5, Exact: true, Since: noon.Add(2 * time.Minute)},
		}
		if all, err := s.Unresolved(ctx); err != nil || !slices.Equal(all, want) {
			t.Errorf("%+v, %v; want %+v", all, err, want)
		}
		if err := s.Dismiss(ctx, first, noon, ""); err != nil {
			t.Fatal(err)
		}
		want[2].Count, want[2].Since = 1, noon.Add(time.Hour)
		if all, err := s.Unresolved(ctx); err != nil || !slices.Equal(all, want) {
			t.Errorf("after a dismissal: %+v, %v; want %+v", all, err, want)
		}
	})
}

func TestRejectedPeers(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		for i, peer := range []string{"203.0.113.1", "203.0.113.2", "203.0.113.2", "203.0.113.3", "203.0.113.4"} {
			w := pushed(fmt.Sprint("P", i), fmt.Sprint(i))
			w.Peer, w.Status, w.Reason = peer, inbox.Rejected, inbox.Address
			if peer == "203.0.113.4" {
				w.Reason = inbox.NotJSON
			}
			if _, err := s.Append(ctxOf(t), w); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"203.0.113.2", "203.0.113.1"}
		if got, err := s.RejectedPeers(ctxOf(t), 2); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	})
}

func TestSightings(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		met := func(now time.Time, value string, n int) []inbox.Sighting {
			t.Helper()
			var fresh []inbox.Sighting
			if n > 0 {
				fresh = []inbox.Sighting{{Code: inbox.UnknownStatusSeen, Value: value, Count: n, First: now, Last: now}}
			}
			all, err := s.Sightings(ctxOf(t), now, fresh)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		met(noon, "LOST IN SPACE", 2)
		got := met(noon.Add(time.Hour), "LOST IN SPACE", 3)
		want := inbox.Sighting{Code: inbox.UnknownStatusSeen, Value: "LOST IN SPACE", Count: 5, First: noon, Last: noon.Add(time.Hour)}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if got := met(noon.Add(26*time.Hour), "", 0); len(got) != 0 {
			t.Errorf("after a day: %+v", got)
		}
		for i := range 150 {
			got = met(noon.Add(48*time.Hour), fmt.Sprint("WORD ", i), 1)
		}
		sum := 0
		for _, one := range got {
			sum += one.Count
		}
		if len(got) != 101 || sum != 150 {
			t.Errorf("%d values with %d sightings are kept, want 101 with 150", len(got), sum)
		}
	})
}

func TestOpenParcels(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		open := func(want bool, when string) {
			t.Helper()
			if got, err := s.OpenParcels(ctxOf(t)); err != nil || got != want {
				t.Errorf("%s: %v, %v", when, got, err)
			}
		}
		open(false, "nothing was ever heard of")
		at := noon.Add(-time.Hour)
		apply(t, s, told{awb: "A", number: "N", milestone: tracking.InTransit, label: "IN TRANSIT", at: at})
		open(true, "one is on its way")
		apply(t, s, told{awb: "A", number: "N", milestone: tracking.Delivered, label: "DELIVERED", at: at.Add(time.Minute)})
		open(false, "it has come")

		// One that nobody told of any more, while others came and went.
		add := func(awb string, received time.Time, m tracking.Milestone) {
			t.Helper()
			p := told{awb: awb, milestone: m, label: tracking.LabelOf(m), at: received}
			w := pushed(awb, awb)
			w.AWB, w.ReceivedAt = awb, received
			if _, err := s.Append(ctxOf(t), w); err != nil {
				t.Fatal(err)
			}
			app := inbox.Application{WebhookID: mustClaim(t, s, 1, received.Add(time.Hour))[0].ID, Evidence: p.evidence()}
			if applied, err := s.Apply(ctxOf(t), received, []inbox.Application{app}, auto); err != nil || applied[0].Err != nil {
				t.Fatal(applied, err)
			}
		}
		add("B", noon.Add(time.Hour), tracking.InTransit)
		add("C", noon.Add(10*24*time.Hour), tracking.Delivered)
		open(true, "one was last heard of ten days before the newest")
		add("D", noon.Add(16*24*time.Hour), tracking.Delivered)
		open(false, "one was last heard of 16 days before the newest")
	})
}
