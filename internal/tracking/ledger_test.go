package tracking_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	. "github.com/webazaar/waybill/internal/tracking"
)

// ledger keeps orders the way a store does: found by identifier, merged where
// pushes show them to be one.
type ledger struct {
	orders map[string]*Order
	clock  time.Time
}

func newLedger() *ledger { return &ledger{orders: map[string]*Order{}, clock: time.Unix(0, 0)} }

func (l *ledger) found(lookups []Identifier) []*Order {
	var found []*Order
	for _, o := range l.orders {
		for _, id := range o.Identifiers() {
			if slices.ContainsFunc(lookups, func(k Identifier) bool { return k.Kind == id.Kind && k.Value == id.Value }) {
				found = append(found, o)
				break
			}
		}
	}
	return found
}

func (l *ledger) apply(e Evidence) Verdict {
	l.clock = l.clock.Add(time.Second)
	v := Resolve(e.Reading.Identity, l.found(e.Reading.Lookups()))
	if v.Conflict != "" {
		return v
	}
	if v.Order == nil {
		v.Order = NewOrder(l.clock)
		l.orders[v.Order.ID] = v.Order
	}
	for _, loser := range v.Merge {
		v.Order.Absorb(loser)
		delete(l.orders, loser.ID)
	}
	v.Order.Add(e)
	v.Order.Revise(l.clock)
	return v
}

// belief is every order's public view without what is minted, by content.
func (l *ledger) belief() []*Snapshot {
	var all []*Snapshot
	for _, o := range l.orders {
		s := comparable(o.Snapshot)
		s.OrderID = ""
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Snapshot) int { return strings.Compare(string(a.OrderNumber), string(b.OrderNumber)) })
	return all
}

// Pushes of many orders, mixed, some of them sparse, end as the same orders
// in the same state, whatever the order of arrival.
func TestIdentityDoesNotDependOnArrival(t *testing.T) {
	t.Parallel()
	var pushes []Evidence
	all := journeys(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for i, e := range all[name] {
			if name == "J7" { // the return of J1's parcel
				e.Reading.Number = "N-J1"
			}
			switch {
			case e.Reading.AWB != "" && i%4 == 1 && name != "J4b": // names its AWB alone
				e.Reading.SR, e.Reading.Number, e.Reading.ChannelID = "", "", ""
			case e.Reading.AWB != "" && i%4 == 2: // no Shiprocket id
				e.Reading.SR = ""
			case i%4 == 3: // no channel
				e.Reading.ChannelID = ""
			}
			for j := range e.Scans {
				e.Scans[j].SR, e.Scans[j].Number = e.Reading.SR, e.Reading.Number
			}
			pushes = append(pushes, e)
		}
	}
	want := newLedger()
	for _, e := range pushes {
		if v := want.apply(e); v.Conflict != "" {
			t.Fatalf("conflict on %+v: %s", e.Reading.Identity, v.Conflict)
		}
	}
	if n := len(want.orders); n != 8 {
		t.Fatalf("%d orders, want 8: nine journeys, one of them the return of another's parcel", n)
	}
	rapid.Check(t, func(t *rapid.T) {
		got := newLedger()
		for _, e := range rapid.Permutation(append(slices.Clone(pushes), pushes[:10]...)).Draw(t, "arrival") {
			if v := got.apply(e); v.Conflict != "" {
				t.Fatalf("conflict on %+v: %s", e.Reading.Identity, v.Conflict)
			}
		}
		if diff := cmp.Diff(want.belief(), got.belief(), ignoreDerivation); diff != "" {
			t.Fatalf("orders depend on arrival:\n%s", diff)
		}
	})
}

func TestResolve(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	push := func(id Identity, m Milestone, hours int) Evidence {
		if id.Direction == "" {
			id.Direction = Forward
		}
		when := at.Add(time.Duration(hours) * time.Hour)
		return Evidence{Reading: Reading{
			Identity: id, Milestone: m, Label: strings.ToUpper(string(m)), EventTime: when, TimeSource: FromDate,
			ProcessedAt: when, ReceivedAt: when,
		}}
	}
	tests := []struct {
		name     string
		before   []Evidence
		push     Evidence
		orders   int
		conflict string
		check    func(*testing.T, *Order)
	}{
		{
			name:   "same number, other Shiprocket order: another shipment",
			before: []Evidence{push(Identity{AWB: "A", SR: "5", Number: "N", ChannelID: "1"}, Delivered, 0)},
			push:   push(Identity{AWB: "B", SR: "6", Number: "N", ChannelID: "1"}, InTransit, 1), orders: 1,
			check: func(t *testing.T, o *Order) {
				if n := len(o.Snapshot.Shipments); n != 2 || o.Snapshot.OrderStatus != OrderShipped || o.Snapshot.AWBCode != "B" {
					t.Errorf("%d shipments, %s, AWB %s", n, o.Snapshot.OrderStatus, o.Snapshot.AWBCode)
				}
			},
		},
		{
			name:   "same number, other channel: another order",
			before: []Evidence{push(Identity{AWB: "A", SR: "5", Number: "N", ChannelID: "1"}, InTransit, 0)},
			push:   push(Identity{AWB: "B", SR: "6", Number: "N", ChannelID: "2"}, InTransit, 1), orders: 2,
		},
		{
			name:   "AWB under another open shipment",
			before: []Evidence{push(Identity{AWB: "A", SR: "5", Number: "N"}, InTransit, 0)},
			push:   push(Identity{AWB: "A", SR: "6", Number: "M"}, InTransit, 1), orders: 1, conflict: "known under another open shipment",
		},
		{
			name:   "AWB used again after its shipment ended",
			before: []Evidence{push(Identity{AWB: "A", SR: "5", Number: "N"}, Delivered, 0)},
			push:   push(Identity{AWB: "A", SR: "6", Number: "M"}, InTransit, 1), orders: 2,
		},
		{
			name: "ids that point at different orders",
			before: []Evidence{
				push(Identity{AWB: "A", SR: "5", Number: "N"}, InTransit, 0),
				push(Identity{AWB: "B", SR: "6", Number: "M"}, InTransit, 0),
			},
			push: push(Identity{SR: "5", Number: "M"}, Delivered, 1), orders: 2, conflict: "different orders",
		},
		{
			name: "two orders that turn out to be one",
			before: []Evidence{
				push(Identity{AWB: "A"}, InTransit, 0),
				push(Identity{SR: "5", Number: "N"}, PickedUp, -1),
			},
			push: push(Identity{AWB: "A", SR: "5", Number: "N"}, OutForDelivery, 1), orders: 1,
			check: func(t *testing.T, o *Order) {
				if len(o.Aliases) != 1 || len(o.Snapshot.Shipments) != 1 || o.Snapshot.Milestone != OutForDelivery {
					t.Errorf("aliases %v, %d shipments, %s", o.Aliases, len(o.Snapshot.Shipments), o.Snapshot.Milestone)
				}
			},
		},
		{
			name:   "a lone all-digit order_id that is Shiprocket's",
			before: []Evidence{push(Identity{AWB: "A", SR: "13905399", Number: "N"}, PickupScheduled, 0)},
			push:   push(Identity{Number: "13905399", MaybeSR: "13905399"}, Cancelled, 1), orders: 1,
			check: func(t *testing.T, o *Order) {
				if o.Snapshot.OrderStatus != OrderCancelled || o.Snapshot.OrderNumber != "N" {
					t.Errorf("%s, number %s", o.Snapshot.OrderStatus, o.Snapshot.OrderNumber)
				}
			},
		},
		{
			name:   "the same, the other way round",
			before: []Evidence{push(Identity{Number: "13905399", MaybeSR: "13905399"}, Cancelled, 1)},
			push:   push(Identity{AWB: "A", SR: "13905399", Number: "N"}, PickupScheduled, 0), orders: 1,
			check: func(t *testing.T, o *Order) {
				if o.Snapshot.OrderStatus != OrderCancelled || o.Snapshot.OrderNumber != "N" || len(o.Snapshot.Shipments) != 1 {
					t.Errorf("%s, number %s, %d shipments", o.Snapshot.OrderStatus, o.Snapshot.OrderNumber, len(o.Snapshot.Shipments))
				}
			},
		},
		{
			name: "names only an order with two open shipments",
			before: []Evidence{
				push(Identity{AWB: "A", SR: "5", Number: "N"}, InTransit, 0),
				push(Identity{AWB: "B", SR: "6", Number: "N"}, InTransit, 0),
			},
			push: push(Identity{Number: "N"}, Delivered, 1), orders: 1, conflict: "several open shipments",
		},
		{
			name:   "a second AWB after the first was picked up is a second parcel",
			before: []Evidence{push(Identity{AWB: "A", SR: "5", Number: "N"}, InTransit, 0)},
			push:   push(Identity{AWB: "B", SR: "5", Number: "N"}, InTransit, 1), orders: 1,
			check: func(t *testing.T, o *Order) {
				if n := len(o.Snapshot.Shipments); n != 2 {
					t.Errorf("%d shipments, want 2", n)
				}
			},
		},
		{
			name:   "a second AWB read as RTO is the way back",
			before: []Evidence{push(Identity{AWB: "A", SR: "5", Number: "N"}, InTransit, 0)},
			push:   push(Identity{AWB: "B", SR: "5", Number: "N"}, RTOInTransit, 1), orders: 1,
			check: func(t *testing.T, o *Order) {
				s := o.Snapshot.Shipments
				if len(s) != 1 || s[0].AWBCode != "A" || len(s[0].Legs) != 2 || s[0].Legs[1].Kind != LegRTO {
					t.Errorf("%+v", s)
				}
			},
		},
		{
			name:   "a return that names the order joins it and leaves its status",
			before: []Evidence{push(Identity{AWB: "A", SR: "5", Number: "N"}, Delivered, 0)},
			push:   push(Identity{AWB: "R", SR: "9", Number: "N", Direction: Return}, ReturnDelivered, 9), orders: 1,
			check: func(t *testing.T, o *Order) {
				s := o.Snapshot
				if len(s.Shipments) != 2 || s.OrderStatus != OrderDelivered || s.AWBCode != "A" || s.Shipments[1].DeliveredAt != nil {
					t.Errorf("%d shipments, %s, AWB %s", len(s.Shipments), s.OrderStatus, s.AWBCode)
				}
			},
		},
		{
			name:   "a return by forward_order_id, before the order is known",
			before: []Evidence{push(Identity{AWB: "R", SR: "9", Number: "R-1", ForwardRef: "5", Direction: Return}, ReturnPickup, 9)},
			push:   push(Identity{AWB: "A", SR: "5", Number: "N"}, Delivered, 0), orders: 1,
		},
		{
			name:   "a late push for a replaced AWB moves nothing",
			before: []Evidence{push(Identity{AWB: "A", SR: "5"}, PickupScheduled, 0), push(Identity{AWB: "B", SR: "5"}, PickedUp, 2)},
			push:   push(Identity{AWB: "A", SR: "5"}, PickupProblem, 3), orders: 1,
			check: func(t *testing.T, o *Order) {
				s := o.Snapshot
				if s.Milestone != PickedUp || s.AWBCode != "B" || s.Shipments[0].Legs[0].Kind != LegReplaced || len(s.Shipments[0].TrackingHistory) != 3 {
					t.Errorf("%s, AWB %s, %+v", s.Milestone, s.AWBCode, s.Shipments[0].Legs)
				}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			for _, e := range tt.before {
				if v := l.apply(e); v.Conflict != "" {
					t.Fatal(v.Conflict)
				}
			}
			v := l.apply(tt.push)
			if (tt.conflict == "") != (v.Conflict == "") || !strings.Contains(v.Conflict, tt.conflict) {
				t.Errorf("conflict %q, want %q", v.Conflict, tt.conflict)
			}
			if len(l.orders) != tt.orders {
				t.Errorf("%d orders, want %d", len(l.orders), tt.orders)
			}
			if tt.check != nil && v.Order != nil {
				tt.check(t, v.Order)
			}
		})
	}
}

// A push that names only the order is folded where its times put it, like all
// others.
func TestAPushThatNamesOnlyTheOrderKeepsItsPlace(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	told := func(awb string, m Milestone, handled time.Duration) Evidence {
		return Evidence{Reading: Reading{
			Identity: Identity{AWB: awb, Number: "N", Direction: Forward}, Milestone: m, Label: string(m),
			EventTime: at, TimeSource: FromScan, ProcessedAt: at.Add(handled),
		}}
	}
	o := NewOrder(at)
	o.Add(told("A", OutForDelivery, 2*time.Minute))
	o.Add(told("", InTransit, time.Minute))
	if s := o.Believe().Shipments; len(s) != 1 || s[0].Milestone != OutForDelivery {
		t.Errorf("%+v; want what the carrier handled last", s)
	}
}

// An AWB that a courier uses again names its new parcel; what is still said of
// the old one, by Shiprocket's id, is no conflict.
func TestAnAWBUsedAgain(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	told := func(sr string, m Milestone, after time.Duration) Evidence {
		return Evidence{Reading: Reading{
			Identity: Identity{AWB: "A", SR: sr, Number: "N-" + sr, Direction: Forward}, Milestone: m, Label: string(m),
			EventTime: at.Add(after), TimeSource: FromScan,
		}}
	}
	l := newLedger()
	first := l.apply(told("1", Delivered, time.Hour)).Order
	second := l.apply(told("2", InTransit, 1000*time.Hour)).Order
	if first == nil || second == nil || first == second {
		t.Fatalf("%+v, %+v", first, second)
	}
	late := l.apply(told("1", OutForDelivery, 0))
	if late.Conflict != "" || late.Order != first || len(first.Believe().Shipments[0].TrackingHistory) != 2 {
		t.Errorf("what came late of the first parcel: %q", late.Conflict)
	}
	if s := second.Believe().Shipments; len(s) != 1 || s[0].Milestone != InTransit || len(s[0].TrackingHistory) != 1 {
		t.Errorf("the second parcel: %+v", s)
	}
	// A third parcel may not take it while the second one is under way.
	if v := l.apply(told("3", InTransit, 1001*time.Hour)); v.Conflict == "" {
		t.Error("two open parcels have one AWB")
	}
}

// What was erased from evidence does not make it new when it is told again, not
// even after a merger.
func TestMergedOrdersKnowWhatIsToldAgain(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	e := Evidence{
		Reading: Reading{
			Identity: Identity{AWB: "A", Direction: Forward}, Facts: Facts{UndeliveredReason: "refused by Asha", Attempts: 1},
			Milestone: DeliveryFailed, Label: "UNDELIVERED", EventTime: at, TimeSource: FromScan,
		},
		Scans: []Scan{{AWB: "A", At: at, Activity: "refused by Asha", Milestone: DeliveryFailed}},
	}
	other := NewOrder(at)
	other.Add(e)
	for _, r := range other.Readings {
		r.UndeliveredReason = "refused"
	}
	for _, s := range other.Scans {
		s.Activity = "refused"
	}
	var o Order
	o.Absorb(other)
	if n := o.Add(e); n != 0 || len(o.Readings) != 1 || len(o.Scans) != 1 {
		t.Errorf("%d of it is new, there are %d readings and %d scans; want it known", n, len(o.Readings), len(o.Scans))
	}
}
