package tracking_test

import (
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	. "github.com/webazaar/waybill/internal/tracking"
)

var ist = time.FixedZone("IST", 5*3600+1800)

// words are the milestones of the labels that the journeys use.
var words = map[string]Milestone{
	"NEW": Created, "PICKUP SCHEDULED": PickupScheduled, "MANIFEST GENERATED": PickupScheduled, "OUT FOR PICKUP": PickupScheduled,
	"PICKUP EXCEPTION": PickupProblem, "PICKED UP": PickedUp, "SHIPPED": InTransit, "IN TRANSIT": InTransit,
	"REACHED AT DESTINATION HUB": ReachedDestination, "OUT FOR DELIVERY": OutForDelivery, "UNDELIVERED": DeliveryFailed,
	"DELIVERED": Delivered, "DELAYED": InTransitProblem, "DELIVERY DELAYED": InTransitProblem, "MISROUTED": InTransitProblem,
	"UNTRACEABLE": InTransitProblem, "LOST": Lost, "DAMAGED": Damaged, "DISPOSED OFF": Disposed,
	"CANCELLATION REQUESTED": CancellationRequested, "CANCELED": Cancelled, "CANCELLED": Cancelled,
	"RTO INITIATED": RTOInitiated, "RTO IN TRANSIT": RTOInTransit, "RTO_OFD": RTOOutForDelivery, "RTO_NDR": RTODeliveryFailed,
	"RTO DELIVERED": RTODelivered, "RTO ACKNOWLEDGED": RTODelivered,
	"RETURN PENDING": ReturnCreated, "RETURN INITIATED": ReturnCreated, "RETURN PICKUP GENERATED": ReturnPickup,
	"RETURN OUT FOR PICKUP": ReturnPickup, "RETURN PICKUP EXCEPTION": ReturnPickup, "RETURN PICKED UP": ReturnPickedUp,
	"RETURN IN TRANSIT": ReturnInTransit, "RETURN OUT FOR DELIVERY": ReturnInTransit, "RETURN DELIVERED": ReturnDelivered,
	"RETURN ACKNOWLEGED": ReturnDelivered,
}

// scanIDs are the sr-status values that the journeys use.
var scanIDs = map[string]Milestone{
	"5": PickupScheduled, "6": InTransit, "7": Delivered, "10": RTODelivered, "12": Lost, "17": OutForDelivery, "18": InTransit,
	"19": PickupScheduled, "20": PickupProblem, "21": DeliveryFailed, "25": Damaged, "38": ReachedDestination, "39": InTransitProblem,
	"40": RTODeliveryFailed, "41": RTOOutForDelivery, "42": PickedUp, "44": Disposed, "76": InTransitProblem,
}

// journeys reads the pushes of every journey, in the order of arrival. Each
// push carries the whole scan history up to it, as real ones do.
func journeys(t testing.TB) map[string][]Evidence {
	t.Helper()
	f, err := os.Open("testdata/journeys.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	all := map[string][]Evidence{}
	history := map[string][]Scan{}
	for n, row := range rows[1:] {
		cell := func(name string) string { return row[column[name]] }
		journey, awb := cell("journey"), cell("awb")
		at, err := time.ParseInLocation("2006-01-02 15:04:05", cell("event_time_ist"), ist)
		if err != nil {
			t.Fatal(err)
		}
		at = at.UTC()
		id := Identity{AWB: awb, SR: "sr-" + journey, Number: "N-" + journey, ChannelID: "7", Direction: Forward}
		if cell("is_return") == "1" {
			id.Direction = Return
		}
		milestone, ok := words[strings.ToUpper(cell("current_status"))]
		if !ok {
			t.Fatalf("no milestone for %q", cell("current_status"))
		}
		r := Reading{
			Identity: id, Milestone: milestone, Label: strings.ToUpper(cell("current_status")), Raw: cell("current_status"),
			Facts:     Facts{Courier: cell("courier")},
			EventTime: at, TimeSource: FromTimestamp, ProcessedAt: at.Add(6 * time.Second), ReceivedAt: at.Add(time.Duration(n) * time.Hour),
		}
		if journey == "J4b" && cell("current_status") == "NEW" {
			r.Released = true
		}
		if journey == "J3" && cell("current_status") == "RTO IN TRANSIT" {
			r.ReturnAWB, r.UndeliveredReason, r.Attempts = "19041323362099", "COD Not Ready", 2
		}
		if cell("scan_status") != "" || cell("activity") != "" || cell("sr_status") != "" && cell("sr_status") != "NA" {
			r.TimeSource = FromScan
			s := Scan{
				AWB: awb, SR: id.SR, Number: id.Number, At: at, Code: cell("scan_status"), Activity: cell("activity"),
				Location: cell("location"), Milestone: scanIDs[cell("sr_status")], Position: len(history[awb]),
			}
			if s.Milestone != "" {
				s.Label = strings.ToUpper(cell("shipment_status"))
			}
			history[awb] = append(history[awb], s)
		}
		r.DeliveredAt = time.Time{}
		all[journey] = append(all[journey], Evidence{Reading: r, Scans: slices.Clone(history[awb])})
	}
	return all
}

// fold makes an order of the pushes and gives its belief as a snapshot.
func fold(pushes []Evidence) *Snapshot {
	o := &Order{ID: "order"}
	for _, e := range pushes {
		o.Add(e)
	}
	o.Revise(time.Unix(0, 0))
	return comparable(o.Snapshot)
}

// comparable leaves out what is minted or counted rather than believed.
func comparable(s *Snapshot) *Snapshot {
	c := *s
	c.Version, c.UpdatedAt = 0, time.Time{}
	c.Shipments = slices.Clone(s.Shipments)
	for i := range c.Shipments {
		c.Shipments[i].ID = ""
	}
	return &c
}

var ignoreDerivation = cmp.FilterPath(func(p cmp.Path) bool {
	name := p.Last().String()
	return strings.HasPrefix(name, ".") && name[1:2] == strings.ToLower(name[1:2])
}, cmp.Ignore())

func TestJourneys(t *testing.T) {
	t.Parallel()
	type leg struct {
		awb  string
		kind LegKind
	}
	tests := map[string]struct {
		milestone Milestone
		label     Text
		order     OrderStatus
		attempts  int
		legs      []leg
		delivered string
	}{
		"J1":  {Delivered, "DELIVERED", OrderDelivered, 0, []leg{{"141123221084922", LegForward}}, "2026-11-10T06:07:00Z"},
		"J2":  {Delivered, "DELIVERED", OrderDelivered, 2, []leg{{"19041424751540", LegForward}}, "2026-11-11T07:37:19Z"},
		"J3":  {RTODelivered, "RTO ACKNOWLEDGED", OrderCancelled, 2, []leg{{"19041323362066", LegForward}, {"19041323362099", LegRTO}}, ""},
		"J4a": {Cancelled, "CANCELED", OrderCancelled, 0, []leg{{"77914490001", LegForward}}, ""},
		"J4b": {PickedUp, "PICKED UP", OrderProcessing, 0, []leg{{"77914490002", LegReplaced}, {"7D9130001", LegForward}}, ""},
		"J5":  {Lost, "LOST", OrderCancelled, 0, []leg{{"1319460818628", LegForward}}, ""},
		"J6":  {Disposed, "DISPOSED OFF", OrderCancelled, 0, []leg{{"7D9128970", LegForward}}, ""},
		"J7":  {ReturnDelivered, "RETURN ACKNOWLEGED", "", 0, []leg{{"77151457062", LegReturn}}, ""},
		"J8":  {Delivered, "DELIVERED", OrderDelivered, 0, []leg{{"7D9128969", LegForward}}, "2026-11-17T08:35:00Z"},
	}
	all := journeys(t)
	if len(all) != len(tests) {
		t.Fatalf("journeys.csv has %d journeys, the table %d", len(all), len(tests))
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fold(all[name])
			if len(s.Shipments) != 1 {
				t.Fatalf("%d shipments, want 1", len(s.Shipments))
			}
			ship := s.Shipments[0]
			if ship.Milestone != want.milestone || ship.CurrentStatus != want.label || s.OrderStatus != want.order {
				t.Errorf("milestone %q, label %q, order %q; want %q, %q, %q",
					ship.Milestone, ship.CurrentStatus, s.OrderStatus, want.milestone, want.label, want.order)
			}
			if ship.DeliveryAttempts != want.attempts {
				t.Errorf("%d attempts, want %d", ship.DeliveryAttempts, want.attempts)
			}
			var legs []leg
			for _, l := range ship.Legs {
				legs = append(legs, leg{l.AWBCode, l.Kind})
			}
			if !slices.Equal(legs, want.legs) {
				t.Errorf("legs %v, want %v", legs, want.legs)
			}
			delivered := ""
			if ship.DeliveredAt != nil {
				delivered = ship.DeliveredAt.Format(time.RFC3339)
			}
			if delivered != want.delivered {
				t.Errorf("delivered at %q, want %q", delivered, want.delivered)
			}
			if ship.Corrected && name != "J6" {
				t.Error("marked as corrected")
			}
			if !slices.IsSortedFunc(ship.TrackingHistory, func(a, b Entry) int { return a.Timestamp.Compare(b.Timestamp) }) {
				t.Error("history is not oldest first")
			}
		})
	}
}

// Any order of arrival, any repeats and any split over two halves that are
// merged later end in the same belief.
func TestArrivalDoesNotMatter(t *testing.T) {
	t.Parallel()
	for name, pushes := range journeys(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := fold(pushes)
			rapid.Check(t, func(t *rapid.T) {
				arrival := rapid.Permutation(pushes).Draw(t, "arrival")
				repeats := rapid.SliceOfN(rapid.SampledFrom(pushes), 0, 6).Draw(t, "repeats")
				for _, e := range repeats {
					// A repeat may carry a later current_timestamp and comes later.
					e.Reading.ProcessedAt = e.Reading.ProcessedAt.Add(time.Hour)
					e.Reading.ReceivedAt = e.Reading.ReceivedAt.Add(1000 * time.Hour)
					at := rapid.IntRange(0, len(arrival)).Draw(t, "at")
					arrival = slices.Insert(slices.Clone(arrival), at, e)
				}
				if diff := cmp.Diff(want, fold(arrival), ignoreDerivation); diff != "" {
					t.Fatalf("belief depends on arrival:\n%s", diff)
				}
				split := rapid.IntRange(0, len(arrival)).Draw(t, "split")
				a, b := &Order{ID: "order"}, &Order{ID: "other"}
				for _, e := range arrival[:split] {
					a.Add(e)
				}
				a.Revise(time.Unix(0, 0))
				for _, e := range arrival[split:] {
					b.Add(e)
				}
				b.Revise(time.Unix(0, 0))
				a.Absorb(b)
				a.Revise(time.Unix(0, 0))
				if diff := cmp.Diff(want, comparable(a.Snapshot), ignoreDerivation); diff != "" {
					t.Fatalf("belief depends on the split:\n%s", diff)
				}
			})
		})
	}
}

// The version rises by exactly one for every update, and there is an update
// when and only when the public view changed.
func TestVersionsHaveNoGaps(t *testing.T) {
	t.Parallel()
	for name, pushes := range journeys(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &Order{ID: "order"}
			version := int64(0)
			for i, e := range append(slices.Clone(pushes), pushes...) {
				before := o.Snapshot
				o.Add(e)
				updates := o.Revise(time.Unix(int64(i), 0))
				for _, u := range updates {
					version++
					if u.Version != version {
						t.Fatalf("push %d: version %d after %d", i, u.Version, version-1)
					}
				}
				changed := before == nil || cmp.Diff(comparable(before), comparable(o.Snapshot), ignoreDerivation) != ""
				if changed != (len(updates) == 1) {
					t.Errorf("push %d (%s): changed %v, %d updates", i, e.Reading.Raw, changed, len(updates))
				}
				if i >= len(pushes) && len(updates) > 0 {
					t.Errorf("push %s again made an update", strconv.Itoa(i))
				}
			}
		})
	}
}
