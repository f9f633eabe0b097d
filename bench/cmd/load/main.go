// Command load sends made-up pushes to a running server and says what came of
// them.
//
//	go run ./bench/cmd/load -url http://127.0.0.1:5000 -secret S -rate 1000 -duration 10s
//	go run ./bench/cmd/load -url … -secret S -admin T -watch shipments -key K -window 2048 -rate 0
//
// With -admin it waits until everything is worked off and checks that what was
// acknowledged is stored and processed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/webazaar/waybill/bench/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var o load.Options
	var plan load.PlanOptions
	var watch load.WatchOptions
	flag.StringVar(&o.URL, "url", "http://127.0.0.1:5000", "base address of the server")
	flag.StringVar(&plan.Secret, "secret", os.Getenv("SHIPROCKET_WEBHOOK_SECRET"), "signs each push")
	flag.StringVar(&watch.AdminToken, "admin", os.Getenv("ADMIN_TOKEN"), "admin token: checks the server's log")
	flag.Float64Var(&o.Rate, "rate", 500, "pushes per second; 0 sends as fast as answers come")
	flag.DurationVar(&o.Duration, "duration", 10*time.Second, "how long")
	flag.IntVar(&o.Connections, "connections", 64, "connections")
	flag.IntVar(&plan.PerParcel, "per-parcel", 4, "pushes of one parcel")
	flag.IntVar(&plan.Abreast, "abreast", 1000, "parcels on their way at a time")
	flag.IntVar(&plan.Number, "number", int(time.Now().Unix()%10_000), "names the parcels: other numbers, other parcels")
	flag.IntVar(&plan.Pushes, "pushes", 0, "how many at most; by default what rate and duration make, or 300,000")
	flag.StringVar(&watch.Channel, "watch", "", "channel to wait for events on: shipments or private-shipments")
	flag.StringVar(&watch.Key, "key", os.Getenv("SOKETI_APP_KEY"), "key of the realtime server")
	flag.StringVar(&watch.URL, "live", "", "base address of the realtime server; by default the server's")
	flag.IntVar(&o.Window, "window", 0, "pushes sent whose event has not come, at most; 0 is no bound")
	pid := flag.Int("pid", 0, "process of the server: tells its CPU and memory")
	flag.Parse()

	if plan.Pushes == 0 {
		plan.Pushes = 300_000
		if o.Rate > 0 {
			plan.Pushes = int(o.Rate * o.Duration.Seconds())
		}
	}
	var err error
	if o.Plan, err = load.NewPlan(plan); err != nil {
		return err
	}
	if watch.Channel != "" {
		watch.AuthURL = strings.TrimRight(o.URL, "/") + "/api/realtime/auth"
		if watch.URL == "" {
			watch.URL = o.URL
		}
		if o.Watcher, err = load.Watch(ctx, watch); err != nil {
			return err
		}
		defer o.Watcher.Close()
	}
	return measure(ctx, o, load.Log{URL: o.URL, AdminToken: watch.AdminToken}, *pid)
}

func measure(ctx context.Context, o load.Options, log load.Log, pid int) error {
	var before load.Counts
	var err error
	if log.AdminToken != "" {
		if before, err = log.Counts(ctx); err != nil {
			return err
		}
	}
	own, _ := load.CPU(os.Getpid())
	var server time.Duration
	if pid != 0 {
		if server, err = load.CPU(pid); err != nil {
			return err
		}
	}
	r, failed := load.Run(ctx, o)
	if r == nil {
		return failed
	}
	shortest, mean, longest := o.Plan.Sizes()
	fmt.Printf("bodies of %d to %d bytes, %d on average\n", shortest, longest, mean)
	fmt.Printf("sent %d in %s: acknowledged %d (%.0f/s), refused %d, unanswered %d\n",
		r.Sent, r.Took.Round(time.Millisecond), r.Acked, r.AcksPerSecond(), r.Refused, r.Unanswered)
	fmt.Println("ack  ", quantiles(r.Ack))
	if o.Watcher != nil {
		fmt.Printf("came back as events %d (%.0f/s)\nevent %s\n", r.Events, r.EventsPerSecond(), quantiles(r.Event))
	}
	if log.AdminToken != "" {
		after, err := log.Drained(ctx)
		if err == nil {
			err = r.Verify(before, after)
		}
		if err == nil {
			fmt.Printf("stored %d, processed %d: all that was acknowledged\n", after.Stored-before.Stored, after.Processed-before.Processed)
		}
		failed = errors.Join(failed, err)
	}
	if after, err := load.CPU(os.Getpid()); err == nil && r.Acked > 0 {
		fmt.Printf("CPU of this generator: %.0f µs a push\n", float64((after-own).Microseconds())/float64(r.Acked))
	}
	if pid != 0 && r.Acked > 0 {
		after, err := load.CPU(pid)
		now, highest, _ := load.Memory(pid)
		if err == nil {
			fmt.Printf("CPU of the server: %.0f µs a push; memory %d MB, at its highest %d MB\n",
				float64((after-server).Microseconds())/float64(r.Acked), now>>20, highest>>20)
		}
	}
	if r.First != nil {
		failed = errors.Join(failed, fmt.Errorf("the first push that failed: %w", r.First))
	}
	return failed
}

func quantiles(h *hdrhistogram.Histogram) string {
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return fmt.Sprintf("p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  most %.2f ms", ms(50), ms(90), ms(99), ms(99.9), float64(h.Max())/1000)
}
