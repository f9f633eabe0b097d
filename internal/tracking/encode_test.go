package tracking_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	. "github.com/webazaar/waybill/internal/tracking"
)

// What is written by hand has every field that the structs' tags name; that
// reading it back gives the same is the next test.
func TestEncodingFollowsTheTags(t *testing.T) {
	t.Parallel()
	whole := Snapshot{Shipments: []Shipment{{Legs: []Leg{{}}, TrackingHistory: []Entry{{}}}}}
	update := Update{Aliases: []string{"a"}, Shipment: &whole.Shipments[0]}
	encoded := append(whole.AppendJSON(nil), update.AppendJSON(nil)...)
	for _, typ := range []reflect.Type{reflect.TypeFor[Snapshot](), reflect.TypeFor[Shipment](), reflect.TypeFor[Leg](), reflect.TypeFor[Entry](), reflect.TypeFor[Update]()} {
		for _, f := range reflect.VisibleFields(typ) {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "" {
				continue
			}
			if !bytes.Contains(encoded, []byte(`"`+tag+`":`)) {
				t.Errorf("%s.%s is not encoded", typ.Name(), f.Name)
			}
		}
	}
}

func TestEncodingReadsBack(t *testing.T) {
	t.Parallel()
	text := rapid.Custom(func(t *rapid.T) Text {
		return Text(rapid.SampledFrom([]string{"", "plain", `"quoted" \ <b>&`, "हिन्दी", "😀\u2028", "tab\tnull\x00", "\x7f"}).Draw(t, "text"))
	})
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(1e9, 2e9).Draw(t, "seconds"), rapid.SampledFrom([]int64{0, 5e8, 123456000}).Draw(t, "nanos")).UTC()
	})
	maybe := rapid.Custom(func(t *rapid.T) *time.Time {
		if rapid.Bool().Draw(t, "none") {
			return nil
		}
		at := moment.Draw(t, "at")
		return &at
	})
	milestone := rapid.SampledFrom(append([]Milestone{""}, Milestones...))
	entry := rapid.Custom(func(t *rapid.T) Entry {
		return Entry{text.Draw(t, "s"), milestone.Draw(t, "m"), moment.Draw(t, "t"), text.Draw(t, "l"), text.Draw(t, "d"), "scan"}
	})
	shipment := rapid.Custom(func(t *rapid.T) Shipment {
		return Shipment{
			ID: string(text.Draw(t, "id")), Direction: Return, AWBCode: text.Draw(t, "awb"), CourierName: text.Draw(t, "courier"),
			Milestone: milestone.Draw(t, "m"), CurrentStatus: text.Draw(t, "label"), EstimatedDelivery: text.Draw(t, "eta"),
			FirstEstimatedDelivery: text.Draw(t, "first"), DeliveredAt: maybe.Draw(t, "at"), DeliveryAttempts: rapid.Int().Draw(t, "n"),
			UndeliveredReason: text.Draw(t, "reason"), ProofOfDelivery: text.Draw(t, "pod"), Corrected: rapid.Bool().Draw(t, "c"),
			Legs:            []Leg{{string(text.Draw(t, "leg")), LegRTO, text.Draw(t, "legCourier")}, {"B", LegForward, ""}},
			TrackingHistory: rapid.SliceOfN(entry, 1, 3).Draw(t, "history"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := Snapshot{
			OrderID: string(text.Draw(t, "id")), OrderNumber: text.Draw(t, "number"), Version: rapid.Int64().Draw(t, "v"),
			OrderStatus: rapid.SampledFrom([]OrderStatus{"", OrderShipped}).Draw(t, "status"), Milestone: milestone.Draw(t, "m"),
			CurrentStatus: text.Draw(t, "label"), AWBCode: text.Draw(t, "awb"), CourierName: text.Draw(t, "courier"),
			EstimatedDelivery: text.Draw(t, "eta"), DeliveredAt: maybe.Draw(t, "at"), UpdatedAt: moment.Draw(t, "updated"),
			Shipments: rapid.SliceOfN(shipment, 1, 2).Draw(t, "shipments"),
		}
		encoded, err := json.Marshal(&want)
		if err != nil {
			t.Fatal(err)
		}
		var got Snapshot
		if err := json.Unmarshal(encoded, &got); err != nil {
			t.Fatalf("%v in %s", err, encoded)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Shipment{})); diff != "" {
			t.Fatalf("%s\n%s", diff, encoded)
		}
		update := Update{
			OrderID: string(text.Draw(t, "id")), OrderNumber: want.OrderNumber, Version: want.Version, OrderStatus: want.OrderStatus,
			Aliases: rapid.SampledFrom([][]string{nil, {"a"}, {"a", "b"}}).Draw(t, "aliases"), StatusChanged: true, At: want.UpdatedAt,
			Shipment: rapid.SampledFrom([]*Shipment{nil, &want.Shipments[0]}).Draw(t, "shipment"),
		}
		var told Update
		if err := json.Unmarshal(update.AppendJSON(nil), &told); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(update, told, cmpopts.IgnoreUnexported(Shipment{})); diff != "" {
			t.Fatal(diff)
		}
		if bytes.ContainsAny(encoded, "<>") {
			t.Fatalf("markup in %s", encoded)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	o := NewOrder(noon)
	for _, e := range journeys(b)["J2"] {
		o.Add(e)
	}
	o.Revise(noon)
	var encoded []byte
	b.ReportAllocs()
	for b.Loop() {
		encoded = o.Snapshot.AppendJSON(encoded[:0])
	}
}
