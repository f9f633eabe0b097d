package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/store"
	"github.com/webazaar/waybill/internal/store/storetest"
	"github.com/webazaar/waybill/internal/tracking"
)

// eachBench runs a benchmark on every database.
func eachBench(b *testing.B, bench func(b *testing.B, open func(b *testing.B) *store.Store)) {
	b.Helper()
	for name, backend := range map[string]func(testing.TB) *storetest.Backend{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			bench(b, func(b *testing.B) *store.Store {
				b.Helper()
				on := backend(b)
				on.Options.Logger = slog.New(slog.DiscardHandler)
				return on.Open(b)
			})
		})
	}
}

// BenchmarkAppend measures durable rows of 2.2 KB, as many callers wait at a
// time.
func BenchmarkAppend(b *testing.B) { eachBench(b, benchAppend) }

func benchAppend(b *testing.B, open func(b *testing.B) *store.Store) {
	b.Helper()
	body := strings.Repeat("x", 2200)
	for _, callers := range []int{1, 4, 16, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b)
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range callers {
				wg.Go(func() {
					for {
						i := next.Add(1)
						if i > int64(b.N) {
							return
						}
						w := pushed(fmt.Sprintf("59629792084-IN_TRANSIT-%d", i), body)
						w.ReceivedAt = time.Now()
						if _, err := s.Append(context.Background(), w); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			groups, rows := s.Groups()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(rows)/float64(groups), "rows/group")
		})
	}
}

// BenchmarkApply measures claiming and applying: every webhook is the fourth of
// its order, with five scans of which one is new.
func BenchmarkApply(b *testing.B) { eachBench(b, benchApply) }

func benchApply(b *testing.B, open func(b *testing.B) *store.Store) {
	b.Helper()
	for _, size := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := open(b)
			steps := []tracking.Milestone{tracking.Created, tracking.PickedUp, tracking.InTransit, tracking.InTransit}
			evidence := func(order, step int) tracking.Evidence {
				awb := fmt.Sprintf("AWB%d", order)
				var scans []tracking.Scan
				for i := range step + 2 {
					scans = append(scans, scanAt(awb, noon.Add(time.Duration(i-90)*time.Hour), fmt.Sprintf("Arrived at the hub, step %d", i), tracking.InTransit))
				}
				m := steps[step]
				return told{awb: awb, sr: "SR" + awb, number: "N" + awb, milestone: m, label: tracking.LabelOf(m), at: noon.Add(time.Duration(step-88) * time.Hour), scans: scans}.evidence()
			}
			fill := func(step int) {
				var wg sync.WaitGroup
				gate := make(chan struct{}, 256)
				for o := range b.N {
					gate <- struct{}{}
					wg.Go(func() {
						w := pushed(fmt.Sprintf("AWB%d-X-%d", o, step), fmt.Sprint(o))
						if _, err := s.Append(context.Background(), w); err != nil {
							b.Error(err)
						}
						<-gate
					})
				}
				wg.Wait()
			}
			work := func(step, size int) {
				for {
					claimed, err := s.Claim(context.Background(), size, noon)
					if err != nil {
						b.Fatal(err)
					}
					if len(claimed) == 0 {
						return
					}
					batch := make([]inbox.Application, len(claimed))
					for i, w := range claimed {
						var o int
						if _, err := fmt.Sscan(string(w.Body), &o); err != nil {
							b.Fatal(err)
						}
						batch[i] = inbox.Application{WebhookID: w.ID, Evidence: evidence(o, step)}
					}
					applied, err := s.Apply(context.Background(), noon, batch, auto)
					if err != nil {
						b.Fatal(err)
					}
					for _, a := range applied {
						if a.Err != nil {
							b.Fatal(a.Err)
						}
					}
				}
			}
			for step := range 3 {
				fill(step)
				work(step, 256)
			}
			fill(3)
			b.ResetTimer()
			work(3, size)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "webhooks/s")
		})
	}
}
