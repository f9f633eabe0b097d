package store_test

import (
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
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
		effects, err := s.Effects(ctxOf(t), 100)
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
