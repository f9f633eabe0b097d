package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// What is on its way when a buyer is forgotten, and what comes afterwards, is
// worked off and then emptied like what was there before.
func TestErasedOrdersStayErased(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		p := told{awb: "A", sr: "S", number: "N", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon.Add(-time.Hour)}
		o := apply(t, s, p)[0]
		p.milestone, p.label, p.at = tracking.OutForDelivery, "OUT FOR DELIVERY", noon
		waiting := intake(t, s, p)
		other := intake(t, s, told{awb: "B", sr: "S2", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon})

		// One that named it by Shiprocket's id alone, and was never applied.
		w := pushed("none-RIDER-Ravi", "Ravi 1")
		w.AWB, w.SROrderID, w.Status, w.Reason = "", "S", inbox.Rejected, inbox.Address
		if _, err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
		if err := s.ErasePersonalData(ctx, o.OrderID); err != nil {
			t.Fatal(err)
		}
		if applied, err := s.Apply(ctx, noon, append(waiting, other...), auto); err != nil || applied[0].OrderID != o.OrderID || applied[1].Err != nil {
			t.Fatal(applied, err)
		}
		p.milestone, p.label, p.at = tracking.Delivered, "DELIVERED", noon.Add(time.Minute)
		if later := apply(t, s, p)[0]; later.OrderID != o.OrderID || len(later.Updates) != 1 {
			t.Fatalf("what comes later: %+v", later)
		}

		found, err := s.Webhooks(ctx, store.Filter{}, 1, 10)
		if err != nil || len(found.Rows) != 5 {
			t.Fatal(found, err)
		}
		for i := range found.Rows {
			w, err := s.Webhook(ctx, found.Rows[i].ID)
			if err != nil {
				t.Fatal(err)
			}
			if kept := w.AWB == "B"; (w.Body != nil) != kept || (len(w.Headers) > 0) != kept || (w.Flags == "") != kept {
				t.Errorf("%s of %q: body %q, headers %v, flags %q", w.EventID, w.AWB+w.SROrderID, w.Body, w.Headers, w.Flags)
			}
		}
	})
}

// An order that turns out to be that of a buyer who was forgotten is forgotten,
// too, whichever of the two goes on.
func TestErasureHoldsThroughMergers(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		for _, erased := range []int{0, 1} {
			s := b.Open(t)
			ctx := ctxOf(t)
			awb, sr, number := fmt.Sprint("A", erased), fmt.Sprint("S", erased), fmt.Sprint("N", erased)
			one := told{
				awb: awb, milestone: tracking.PickedUp, label: "PICKED UP", at: noon.Add(-time.Hour),
				scans: []tracking.Scan{scanAt(awb, noon.Add(-time.Hour), "Picked up; name Ravi", tracking.PickedUp)},
			}
			two := told{
				sr: sr, number: number, milestone: tracking.Created, label: "NEW", at: noon.Add(-2 * time.Hour),
				scans: []tracking.Scan{scanAt("", noon.Add(-2*time.Hour), "Booked; name Ravi", tracking.Created)},
			}
			orders := []string{apply(t, s, one)[0].OrderID, apply(t, s, two)[0].OrderID}
			reg := tracking.Registration{Number: number, Contact: &tracking.Contact{Name: "Asha"}}
			if _, _, err := s.Register(ctx, noon, reg); err != nil {
				t.Fatal(err)
			}
			if err := s.ErasePersonalData(ctx, orders[erased]); err != nil {
				t.Fatal(err)
			}
			both := apply(t, s, told{awb: awb, sr: sr, number: number, milestone: tracking.InTransit, label: "IN TRANSIT", at: noon})[0]
			for _, id := range orders {
				o, err := s.Order(ctx, id)
				if err != nil || o.ID != both.OrderID || o.Contact != nil || len(o.Scans) != 2 {
					t.Fatalf("%+v, %v", o, err)
				}
				for _, scan := range o.Scans {
					if strings.Contains(scan.Activity+scan.Code, "Ravi") {
						t.Errorf("a scan says %q, %q", scan.Activity, scan.Code)
					}
				}
			}
			found, err := s.Webhooks(ctx, store.Filter{OrderID: both.OrderID}, 1, 10)
			if err != nil || len(found.Rows) != 3 {
				t.Fatal(found, err)
			}
			for i := range found.Rows {
				if w, err := s.Webhook(ctx, found.Rows[i].ID); err != nil || w.Body != nil || w.Flags != "erased" {
					t.Errorf("a webhook of it: %q, %q, %v", w.Body, w.Flags, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// Couriers name riders in the status word, too, and event ids are made of it.
func TestEraseStatusWords(t *testing.T) {
	t.Parallel()
	storetest.EachBackend(t, func(t *testing.T, b *storetest.Backend) {
		s := b.Open(t)
		ctx := ctxOf(t)
		w := pushed("A-On_its_way_Rider_Ravi_9876543210-2026", "body")
		w.AWB, w.CurrentStatus = "A", "On its way Rider Ravi 9876543210"
		if _, err := s.Append(ctx, w); err != nil {
			t.Fatal(err)
		}
		p := told{awb: "A", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon}
		applied, err := s.Apply(ctx, noon, []inbox.Application{{WebhookID: claim(t, s, 1)[0].ID, Evidence: p.evidence()}}, auto)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Append(ctx, w); err != nil || !again.Duplicate {
			t.Fatal(again, err)
		}
		if err := s.ErasePersonalData(ctx, applied[0].OrderID); err != nil {
			t.Fatal(err)
		}
		found, err := s.Webhooks(ctx, store.Filter{AWB: "A"}, 1, 10)
		if err != nil || len(found.Rows) != 2 {
			t.Fatal(found, err)
		}
		for _, row := range found.Rows {
			if row.CurrentStatus != "On its way" || row.EventID != "A-On_its_way-2026" {
				t.Errorf("%s: %q, %q", row.Status, row.CurrentStatus, row.EventID)
			}
		}
		if again, err := s.Append(ctx, w); err != nil || !again.Duplicate {
			t.Errorf("a repeat after erasure: %+v, %v", again, err)
		}
	})
}

// What was erased is not in SQLite's files either, where whoever gets hold of
// them could read it.
func TestErasedIsOverwritten(t *testing.T) {
	t.Parallel()
	b := storetest.SQLite(t)
	s := b.Open(t)
	ctx := ctxOf(t)
	const person, buyer = "Ravi of Lake View", "Asha of Hill View"
	p := told{
		awb: "A", sr: "S", number: "N", milestone: tracking.InTransit, label: "IN TRANSIT", at: noon,
		scans: []tracking.Scan{scanAt("A", noon, "Arrived; name "+person, tracking.InTransit)},
	}
	w := pushed("A-1", strings.Repeat(person+", ", 2000))
	w.AWB = "A"
	if _, err := s.Append(ctx, w); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(ctx, noon, []inbox.Application{{WebhookID: claim(t, s, 1)[0].ID, Evidence: p.evidence()}}, auto); err != nil {
		t.Fatal(err)
	}
	o, _, err := s.Register(ctx, noon, tracking.Registration{Number: "N", AWBs: []string{"A"}, Contact: &tracking.Contact{Name: buyer}})
	if err != nil {
		t.Fatal(err)
	}
	has := func() (traces int) {
		t.Helper()
		for _, name := range []string{"waybill.db", "waybill.db-wal"} {
			data, err := os.ReadFile(filepath.Join(b.DataDir, name))
			if err != nil {
				t.Fatal(err)
			}
			traces += bytes.Count(data, []byte(person)) + bytes.Count(data, []byte(buyer))
		}
		return traces
	}
	if has() == 0 {
		t.Fatal("what is to be erased is in no file")
	}
	if err := s.ErasePersonalData(ctx, o.ID); err != nil {
		t.Fatal(err)
	}
	if n := has(); n != 0 {
		t.Errorf("%d traces are left", n)
	}
}
