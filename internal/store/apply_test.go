package store_test

import (
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

func TestApplyTellsAnOrdersStory(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		hour := func(n int) time.Time { return noon.Add(time.Duration(n-48) * time.Hour) }
		picked := told{
			awb: "A1", sr: "S1", number: "N1", milestone: tracking.PickedUp, label: "PICKED UP", at: hour(1),
			scans: []tracking.Scan{scanAt("A1", hour(1), "Picked up", tracking.PickedUp)},
		}
		transit := told{
			awb: "A1", sr: "S1", number: "N1", milestone: tracking.InTransit, label: "IN TRANSIT", at: hour(5),
			scans: []tracking.Scan{scanAt("A1", hour(1), "Picked up", tracking.PickedUp), scanAt("A1", hour(5), "Bagged", tracking.InTransit)},
		}
		delivered := told{awb: "A1", sr: "S1", milestone: tracking.Delivered, label: "DELIVERED", at: hour(30)}
		late := told{awb: "A1", sr: "S1", milestone: tracking.OutForDelivery, label: "OUT FOR DELIVERY", at: hour(20)}
		odd := told{awb: "A1", milestone: "", label: "", at: hour(31)}

		first := apply(t, s, picked)[0]
		if first.Status != inbox.Processed || first.OrderID == "" || len(first.Updates) != 1 || first.Result != "a new order; status is now PICKED UP; 1 new scan" {
			t.Errorf("first push: %+v", first)
		}
		cases := []struct {
			push   told
			reason inbox.Reason
			result string
		}{
			{transit, "", "status is now IN TRANSIT; 1 new scan"},
			{transit, inbox.NothingNew, "nothing new: this was known already"},
			{delivered, "", "status is now DELIVERED"},
			{late, inbox.Late, "late: added to the timeline, status stays DELIVERED"},
		}
		for _, c := range cases {
			got := apply(t, s, c.push)[0]
			if got.OrderID != first.OrderID || got.Reason != c.reason || got.Result != c.result {
				t.Errorf("%s: %+v\nwant %s %q", c.push.label, got, c.reason, c.result)
			}
		}
		apps := intake(t, s, odd)
		apps[0].Unknown = true
		apps[0].Evidence.Reading.Raw = "Gone Fishing"
		got, err := s.Apply(ctxOf(t), noon, apps, auto)
		if err != nil || got[0].Reason != inbox.UnknownStatus {
			t.Errorf("unknown status: %+v, %v", got, err)
		}

		o, err := s.Order(ctxOf(t), first.OrderID)
		if err != nil {
			t.Fatal(err)
		}
		if o.Snapshot.Milestone != tracking.Delivered || o.Snapshot.OrderStatus != tracking.OrderDelivered || len(o.Readings) != 5 || len(o.Scans) != 2 {
			t.Errorf("order: %+v", o.Snapshot)
		}
		effects, err := s.Effects(ctxOf(t), tracking.LiveUpdate, 100)
		if err != nil || len(effects) != int(o.Version) {
			t.Errorf("%d effects for version %d: %v", len(effects), o.Version, err)
		}
		for i, e := range effects {
			if e.Update.Version != int64(i+1) || e.Update.OrderID != first.OrderID || e.Kind != "live" {
				t.Errorf("effect %d: %+v", i, e)
			}
		}
	})
}

func TestApplyKeepsThePoisonedOneApart(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		push := func(awb string) told {
			return told{awb: awb, sr: "S" + awb, milestone: tracking.InTransit, label: "IN TRANSIT", at: noon.Add(-time.Hour)}
		}
		apps := intake(t, s, push("1"), push("2"), push("3"), push("1"))
		apps[1].WebhookID = "01ARZ3NDEKTSV4RRFFQ69G5FAV" // no such row: it cannot be marked
		applied, err := s.Apply(ctxOf(t), noon, apps, auto)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range applied {
			if (a.Err != nil) != (i == 1) || a.WebhookID != apps[i].WebhookID {
				t.Errorf("webhook %d: %+v", i, a)
			}
		}
		if applied[3].Reason != inbox.NothingNew {
			t.Errorf("the repeat within the batch: %+v", applied[3])
		}
		if found, err := s.Webhooks(ctxOf(t), store.Filter{OrderID: "S2"}, 1, 10); err != nil || found.Total != 0 {
			t.Errorf("the poisoned one left a trace: %+v, %v", found, err)
		}
		effects, err := s.Effects(ctxOf(t), tracking.LiveUpdate, 10)
		if err != nil || len(effects) != 2 {
			t.Errorf("%d effects, %v; want those of the two that stand", len(effects), err)
		}
		depth, err := s.Depth(ctxOf(t))
		if err != nil || depth[inbox.Processed] != 3 || depth[inbox.Pending] != 1 {
			t.Errorf("counted %v, %v", depth, err)
		}
	})
}

func TestApplyMergesOrdersThatAreOne(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		at := func(h int) time.Time { return noon.Add(time.Duration(h-48) * time.Hour) }
		byAWB := apply(t, s, told{
			awb: "A", milestone: tracking.PickedUp, label: "PICKED UP", at: at(1),
			scans: []tracking.Scan{scanAt("A", at(1), "Picked up", tracking.PickedUp)},
		})[0]
		byNumber := apply(t, s, told{sr: "S", number: "N", milestone: tracking.Created, label: "NEW", at: at(0)})[0]
		if byAWB.OrderID == byNumber.OrderID {
			t.Fatal("two orders were one from the beginning")
		}
		both := apply(t, s, told{awb: "A", sr: "S", number: "N", milestone: tracking.InTransit, label: "IN TRANSIT", at: at(2)})[0]
		gone := byAWB.OrderID
		if both.OrderID == gone {
			gone = byNumber.OrderID
		}
		o, err := s.Order(ctx, gone)
		if err != nil {
			t.Fatal(err)
		}
		if o.ID != both.OrderID || len(o.Aliases) != 1 || o.Aliases[0] != gone || len(o.Readings) != 3 || len(o.Scans) != 1 {
			t.Errorf("merged order: %+v", o)
		}
		view, err := s.Snapshot(ctx, gone)
		if err != nil || view.OrderID != both.OrderID || view.Version != o.Version {
			t.Errorf("snapshot under the earlier id: %+v, %v", view, err)
		}
		if found, err := s.OrdersByNumber(ctx, "N"); err != nil || len(found) != 1 || found[0].ID != both.OrderID {
			t.Errorf("by number: %+v, %v", found, err)
		}
		after := apply(t, s, told{awb: "A", milestone: tracking.Delivered, label: "DELIVERED", at: at(9)})[0]
		if after.OrderID != both.OrderID {
			t.Errorf("after the merger the AWB leads to %s, want %s", after.OrderID, both.OrderID)
		}
		found, err := s.Webhooks(ctx, store.Filter{OrderID: both.OrderID}, 1, 10)
		if err != nil || found.Total != 4 || !found.TotalIsExact {
			t.Errorf("the log of the merged order: %d rows, %v; want 4", found.Total, err)
		}
		if _, err := s.Order(ctx, "nobody"); tracking.ErrorCode(err) != tracking.NotFound {
			t.Errorf("an order that is not there: %v", err)
		}
	})
}

func TestApplyParksConflictsAndTheUnknown(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		first := told{awb: "A1", sr: "S1", number: "N1", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon.Add(-2 * time.Hour)}
		second := told{awb: "A2", sr: "S2", number: "N2", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon.Add(-2 * time.Hour)}
		apply(t, s, first, second)
		before, err := s.Effects(ctx, tracking.LiveUpdate, 100)
		if err != nil {
			t.Fatal(err)
		}

		torn := apply(t, s, told{awb: "A1", sr: "S2", milestone: tracking.Delivered, label: "DELIVERED", at: noon})[0]
		if torn.Status != inbox.Parked || torn.Reason != inbox.Conflict || torn.OrderID != "" || len(torn.Result) < 20 {
			t.Errorf("ids of two orders: %+v", torn)
		}
		nameless := apply(t, s, told{milestone: tracking.Delivered, label: "DELIVERED", at: noon})[0]
		if nameless.Status != inbox.Parked || nameless.Reason != inbox.UnknownOrder {
			t.Errorf("no name at all: %+v", nameless)
		}
		if after, err := s.Effects(ctx, tracking.LiveUpdate, 100); err != nil || len(after) != len(before) {
			t.Errorf("%d effects after what was parked, %d before: %v", len(after), len(before), err)
		}
	})
}

func TestRegisterReleasesWhatWasParked(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		apps := intake(t, s,
			told{awb: "A1", sr: "S1", number: "77_N1", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon.Add(-time.Hour)},
			told{awb: "A9", sr: "S9", number: "N9", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon.Add(-time.Hour)},
			told{awb: "A2", milestone: tracking.Delivered, label: "DELIVERED", at: noon.Add(-time.Hour)})
		applied, err := s.Apply(ctx, noon, apps, inbox.ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range applied {
			if a.Status != inbox.Parked || a.Reason != inbox.UnknownOrder || a.Err != nil {
				t.Errorf("without an order: %+v", a)
			}
		}
		o, created, err := s.Register(ctx, noon, tracking.Registration{
			Number: "N1", AWBs: []string{"A2"}, Contact: &tracking.Contact{Name: "Asha", Phone: "9", Email: "a@b.c"},
		})
		if err != nil || !created || o.Number != "N1" {
			t.Fatalf("register: %+v, %v, %v", o, created, err)
		}
		released := claim(t, s, 10)
		if len(released) != 2 || released[0].AWB != "A1" || released[1].AWB != "A2" {
			t.Fatalf("released %+v, want A1 (by its number's tail) and A2 (by its AWB)", released)
		}
		applied, err = s.Apply(ctx, noon, []inbox.Application{apps[0], apps[2]}, inbox.ApplyOptions{})
		if err != nil || applied[0].Status != inbox.Processed || applied[0].OrderID != o.ID || applied[1].OrderID != o.ID {
			t.Errorf("after registration: %+v, %v", applied, err)
		}
		depth, err := s.Depth(ctx)
		if err != nil || depth[inbox.Parked] != 1 || depth[inbox.Processed] != 2 {
			t.Errorf("counted %v, %v", depth, err)
		}
		again, created, err := s.Register(ctx, noon, tracking.Registration{Number: "N1", ID: "brought-id-brought-id-1"})
		if err != nil || created || again.ID != "brought-id-brought-id-1" || again.Contact == nil || again.Contact.Name != "Asha" {
			t.Errorf("registered again: %+v, %v, %v", again, created, err)
		}
		if earlier, err := s.Order(ctx, o.ID); err != nil || earlier.ID != again.ID || earlier.Contact.Phone != "9" {
			t.Errorf("by the earlier id: %+v, %v", earlier, err)
		}
		if _, _, err := s.Register(ctx, noon, tracking.Registration{Number: "N2"}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Register(ctx, noon, tracking.Registration{Number: "N2", ID: o.ID}); tracking.ErrorCode(err) != tracking.Conflict {
			t.Errorf("an id that is another order's alias: %v", err)
		}
	})
}
