package bus_test

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/webazaar/waybill/internal/bus"
	"github.com/webazaar/waybill/internal/bus/bustest"
	"github.com/webazaar/waybill/internal/pusher"
)

var (
	paceFlag = flag.Int("bus.pace", 2000, "messages a second of BenchmarkPaced")
	forFlag  = flag.Duration("bus.for", 5*time.Second, "how long BenchmarkPaced publishes")
)

// timed measures from Publish to Deliver on another node.
type timed struct {
	*bustest.Recorder

	mu        sync.Mutex
	latencies *hdrhistogram.Histogram
	delivered atomic.Int64
}

func (r *timed) Deliver(m pusher.Message) {
	took := time.Now().UnixNano() - int64(binary.LittleEndian.Uint64(m.Data)) //nolint:gosec // a time
	r.mu.Lock()
	_ = r.latencies.RecordValue(took / 1000)
	r.mu.Unlock()
	r.delivered.Add(1)
}

// pair is a publisher, and a watcher of the channels, on nodes of one cluster.
func pair(b *testing.B, kind string, channels []string) (pusher.Cluster, *timed) {
	b.Helper()
	var open func(name string, r pusher.Receiver) pusher.Cluster
	switch kind {
	case "redis":
		address := redisURL(b)
		app := redisApp(b, address)
		open = func(name string, r pusher.Receiver) pusher.Cluster {
			n, err := bus.NewRedis(bus.RedisOptions{URL: address, Prefix: "waybill_test", App: app})
			if err == nil {
				err = n.Open(b.Context(), name, r)
			}
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	case "postgres":
		address := postgresURL(b)
		open = func(name string, r pusher.Receiver) pusher.Cluster {
			n, err := bus.NewPostgres(bus.PostgresOptions{URL: address})
			if err == nil {
				err = n.Open(b.Context(), name, r)
			}
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	watcher := &timed{Recorder: bustest.NewRecorder(), latencies: hdrhistogram.New(1, 60_000_000, 3)}
	from, to := open("from", bustest.NewRecorder()), open("to", watcher)
	b.Cleanup(func() {
		for _, n := range []pusher.Cluster{from, to} {
			if err := n.Close(); err != nil {
				b.Error(err)
			}
		}
	})
	for _, channel := range channels {
		if err := to.Follow(b.Context(), channel); err != nil {
			b.Fatal(err)
		}
	}
	return from, watcher
}

func benchChannels(n int) []string {
	channels := make([]string, n)
	for i := range channels {
		channels[i] = fmt.Sprint("order-", i)
	}
	return channels
}

// stamped is an update of usual size.
func stamped(channel string) pusher.Message {
	data := make([]byte, 1500)
	binary.LittleEndian.PutUint64(data, uint64(time.Now().UnixNano())) //nolint:gosec // a time
	return pusher.Message{Channel: channel, Event: "shipping.updated", Data: data}
}

// BenchmarkPaced publishes at a rate, whatever comes of it, and reports how long it
// took until a watcher's node had it.
func BenchmarkPaced(b *testing.B) {
	for _, kind := range []string{"redis", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			channels := benchChannels(1000)
			from, watcher := pair(b, kind, channels)
			total := int(float64(*paceFlag) * forFlag.Seconds())
			var publishers sync.WaitGroup
			late := hdrhistogram.New(1, 60_000_000, 3) // how late the machine lets anything be
			began := time.Now()
			for i := range total {
				due := began.Add(time.Duration(i) * time.Second / time.Duration(*paceFlag))
				if wait := time.Until(due); wait > 0 {
					<-time.After(wait)
				}
				_ = late.RecordValue(time.Since(due).Microseconds())
				m := stamped(channels[i%len(channels)])
				publishers.Go(func() {
					if err := from.Publish(context.Background(), []pusher.Message{m}); err != nil {
						b.Error(err)
					}
				})
			}
			publishers.Wait()
			took := time.Since(began)
			drained(b, watcher, total)
			b.ReportMetric(float64(total)/took.Seconds(), "messages/s")
			b.ReportMetric(float64(late.ValueAtQuantile(99))/1000, "late-p99-ms")
			report(b, watcher)
		})
	}
}

// BenchmarkThroughput has many publishers who each wait for their own.
func BenchmarkThroughput(b *testing.B) {
	const publishers = 64
	for _, kind := range []string{"redis", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			channels := benchChannels(1000)
			from, watcher := pair(b, kind, channels)
			b.ResetTimer()
			var all sync.WaitGroup
			for p := range publishers {
				all.Go(func() {
					for i := p; i < b.N; i += publishers {
						if err := from.Publish(context.Background(), []pusher.Message{stamped(channels[i%len(channels)])}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			drained(b, watcher, b.N)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			report(b, watcher)
		})
	}
}

func drained(b *testing.B, watcher *timed, n int) {
	b.Helper()
	deadline := time.Now().Add(time.Minute)
	for watcher.delivered.Load() < int64(n) {
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d were delivered", watcher.delivered.Load(), n)
		}
		<-time.After(time.Millisecond)
	}
	if got := watcher.delivered.Load(); got != int64(n) {
		b.Errorf("%d were delivered of %d", got, n)
	}
}

func report(b *testing.B, watcher *timed) {
	watcher.mu.Lock()
	defer watcher.mu.Unlock()
	for _, q := range []float64{50, 99} {
		b.ReportMetric(float64(watcher.latencies.ValueAtQuantile(q))/1000, fmt.Sprintf("p%.0f-ms", q))
	}
}
