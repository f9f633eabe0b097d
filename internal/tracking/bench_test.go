package tracking_test

import (
	"testing"
	"time"

	. "github.com/webazaar/waybill/internal/tracking"
)

// BenchmarkRevise is what applying costs beside the database: one push with
// its whole history onto an order that knows nearly all of it.
func BenchmarkRevise(b *testing.B) {
	pushes := journeys(b)["J2"]
	last := pushes[len(pushes)-1]
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		o := NewOrder(time.Unix(0, 0))
		for _, e := range pushes[:len(pushes)-1] {
			o.Add(e)
		}
		o.Revise(time.Unix(0, 0))
		b.StartTimer()
		o.Add(last)
		o.Revise(time.Unix(1, 0))
	}
}
