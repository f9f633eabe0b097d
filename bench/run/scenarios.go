package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/webazaar/waybill/bench/load"
	"github.com/webazaar/waybill/bench/record"
)

// scenarioRows compares intake into an empty log with intake into a long one,
// and says how soon a server with a long log is ready.
func (b *bench) scenarioRows(ctx context.Context, rows string) error {
	for text := range strings.SplitSeq(rows, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < samples {
			return fmt.Errorf("-rows: %q is no number of at least %d", text, samples)
		}
		n -= n % (fillAtOnce * 4)
		full, err := b.filled(ctx, n, 89*day, time.Hour)
		if err != nil {
			return err
		}
		p, err := b.start(ctx, b.waybillEnv(full), b.waybill, "serve")
		if err != nil {
			return err
		}
		ready := p.Ready
		p.Stop()
		empty, err := b.dataDir()
		if err != nil {
			return err
		}
		var into, there []float64
		for i := range b.rounds {
			dirs := []string{empty, full}
			if i%2 == 1 {
				slices.Reverse(dirs)
			}
			for _, dir := range dirs {
				acks, _, err := b.intake(ctx, dir, 0)
				if err != nil {
					return err
				}
				if dir == full {
					there = append(there, acks)
				} else {
					into = append(into, acks)
				}
			}
		}
		var ratios []float64
		for i := range there {
			ratios = append(ratios, there[i]/into[i])
		}
		fmt.Printf("%d rows there: %s acks/s, empty: %s acks/s, ratio %s; start to ready %.0f ms\n",
			n, spread(there, 0), spread(into, 0), spread(ratios, 2), milliseconds(ready))
		if err := os.RemoveAll(full); err != nil {
			return err
		}
	}
	return nil
}

// intake sends to a server that works nothing off: as fast as it goes, or at a
// rate. It returns acks a second and the 99th percentile in milliseconds.
func (b *bench) intake(ctx context.Context, dir string, rate float64, args ...string) (acks, p99 float64, err error) {
	p, err := b.start(ctx, b.waybillEnv(dir), b.serve, append([]string{"-intake"}, args...)...)
	if err != nil {
		return 0, 0, err
	}
	defer p.Stop()
	s := &subject{name: intake, main: p}
	b.warm(ctx, s, 1000)
	o := load.Options{Rate: rate, Duration: b.burst}
	pushes := int(b.burst.Seconds() * float64(s.fastest()))
	if rate > 0 {
		pushes = int(b.hold.Seconds() * rate)
	}
	if o.Plan, err = b.plan(pushes); err != nil {
		return 0, 0, err
	}
	r, _, err := b.measured(ctx, s, o)
	if err != nil {
		return 0, 0, err
	}
	return r.AcksPerSecond(), quantile(r, 99), nil
}

// scenarioFsync makes every sync of the disk take 10 ms longer.
func (b *bench) scenarioFsync(ctx context.Context) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		fmt.Println("fsync: left out, there is no strace to slow system calls with")
		return nil //nolint:nilerr // left out is no failure
	}
	for _, program := range []struct {
		name string
		args []string
	}{{"intake alone", []string{b.serve, "-intake"}}, {"full pipeline", []string{b.waybill, "serve"}}} {
		for _, connections := range []int{64, 256} {
			dir, err := b.dataDir()
			if err != nil {
				return err
			}
			// -D: the server is our own child, strace the one beside it.
			args := append([]string{
				"-D", "-f", "-qq", "--seccomp-bpf", "-o", os.DevNull,
				"-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:delay_enter=10000",
			}, program.args...)
			p, err := b.start(ctx, b.waybillEnv(dir), strace, args...)
			if err != nil {
				return fmt.Errorf("start under strace: %w", err)
			}
			plan, err := b.plan(100_000)
			if err != nil {
				return err
			}
			r, err := load.Run(ctx, load.Options{URL: p.URL, Plan: plan, Connections: connections, Duration: b.burst})
			if err != nil {
				return err
			}
			fmt.Printf("fsync + 10 ms, %s, %d connections: %.0f acks/s, p50 %.1f ms, p99 %.1f ms, refused %d\n",
				program.name, connections, r.AcksPerSecond(), quantile(r, 50), quantile(r, 99), r.Refused+r.Unanswered)
			p.Stop()
		}
	}
	return nil
}

// scenarioRetention compares the slowest answers while old rows are deleted
// with those while nothing is.
func (b *bench) scenarioRetention(ctx context.Context) error {
	const rows, rate = 200_000, 2000
	old, err := b.filled(ctx, rows, 200*day, 100*day)
	if err != nil {
		return err
	}
	var quiet, busy []float64
	for range b.rounds {
		_, p99, err := b.intake(ctx, old, rate)
		if err != nil {
			return err
		}
		quiet = append(quiet, p99)
		if _, p99, err = b.intake(ctx, old, rate, "-retain", (90 * day).String()); err != nil {
			return err
		}
		busy = append(busy, p99)
	}
	fmt.Printf("retention, %d old rows, %d/s: p99 %s ms while it deletes, %s ms without\n", rows, rate, spread(busy, 2), spread(quiet, 2))
	return nil
}

// spread is the median and, of several, the least and the most.
func spread(all []float64, digits int) string {
	sorted := slices.Sorted(slices.Values(all))
	text := fmt.Sprintf("%.*f", digits, record.Median(sorted))
	if len(sorted) > 1 {
		text += fmt.Sprintf(" (%.*f to %.*f)", digits, sorted[0], digits, sorted[len(sorted)-1])
	}
	return text
}
