// Command fanout measures the Pusher server inside Waybill beside a plain Node.js
// server on ws: many watchers, bursts, idle connections, joins, a watcher that
// stops reading, and a shutdown. `make bench-fanout` calls it; bench/README.md says
// what is measured and how to read it.
//
//	go run ./bench/fanout [-quick] [-rounds N] [-only NAMES] [-out FOLDER] [-profiles FOLDER]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/webazaar/waybill/bench/record"
	"github.com/webazaar/waybill/bench/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

// settings are how much is measured.
type settings struct {
	rounds    int
	crowds    []int         // watchers of one channel, paced
	paced     int           // deliveries a second to each crowd
	hold      time.Duration // for so long
	watchers  int           // in a burst
	window    int           // events under way in a burst
	burst     time.Duration
	idle      []int // idle connections
	rest      time.Duration
	joins     int
	stalled   int // events of 4 KB while one watcher stalls
	leavers   int // watchers of a server that is shut down
	drain     time.Duration
	openFiles int
	profiles  string // folder for the profiles of Waybill's server
}

func full() settings {
	return settings{
		rounds: 3, crowds: []int{1000, 5000}, paced: 20_000, hold: 5 * time.Second, watchers: 1000, window: 128, burst: 3 * time.Second,
		idle: []int{10_000, 20_000}, rest: 10 * time.Second, joins: 10_000, stalled: 6000, leavers: 5000, drain: 8 * time.Second,
	}
}

func quick() settings {
	return settings{
		rounds: 1, crowds: []int{200}, paced: 4000, hold: time.Second, watchers: 200, window: 128, burst: time.Second,
		idle: []int{500, 1000}, rest: time.Second, joins: 1000, stalled: 6000, leavers: 500, drain: 2 * time.Second,
	}
}

// bench is one run of this command.
type bench struct {
	settings
	root, dir string // of the module; for everything temporary
	notes     record.Notes
}

type values = record.Values

// A measurement starts a subject of its own and puts what it finds into values; the
// error says what is wrong, and the values hold either way.
type measurement struct {
	name string
	of   func(ctx context.Context, s subject, v values) error
}

func run(ctx context.Context) error {
	short := flag.Bool("quick", false, "one short round with few watchers; writes no result")
	rounds := flag.Int("rounds", 0, "how many rounds, 3 by default")
	out := flag.String("out", "", "folder for the results; bench/results by default, none with -quick or -only")
	only := flag.String("only", "", "measure these alone: paced, burst, idle, joins, stalled, drain, with commas between")
	profiles := flag.String("profiles", "", "folder for profiles of Waybill's server, which slow it down")
	flag.Parse()

	b := &bench{settings: full()}
	if *short {
		b.settings = quick()
	}
	b.profiles = *profiles
	if *rounds > 0 {
		b.rounds = *rounds
	}
	var err error
	if b.root, err = server.Root(ctx); err != nil {
		return err
	}
	if *out == "" && !*short && *only == "" {
		*out = filepath.Join(b.root, "bench", "results")
	}
	if b.dir, err = os.MkdirTemp("", "waybill-fanout-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.fitFiles(); err != nil {
		return err
	}
	measurements, err := choose(b.measurements(), *only)
	if err != nil {
		return err
	}
	return b.compare(ctx, measurements, *out)
}

// fitFiles bounds the idle connections by the files that a process may have open.
func (b *bench) fitFiles() (err error) {
	if b.openFiles, err = raiseFiles(); err != nil {
		return err
	}
	const own = 100 // what a process needs beside its connections
	for i, n := range b.idle {
		if most := b.openFiles - own; n > most {
			b.notes.Add("a process may open %d files here, so that %d idle connections are measured and not %d", b.openFiles, most, n)
			b.idle[i] = most
		}
	}
	return nil
}

func (b *bench) measurements() []measurement {
	return []measurement{
		{"paced", b.atPace}, {"burst", b.inBurst}, {"idle", b.resting}, {"joins", b.joining}, {"stalled", b.stalling}, {"drain", b.draining},
	}
}

func choose(all []measurement, only string) ([]measurement, error) {
	if only == "" {
		return all, nil
	}
	var chosen []measurement
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(m measurement) bool { return m.name == name })
		if i < 0 {
			return nil, errors.New("no measurement is called " + name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// compare runs the rounds and writes what came of them. Each measurement is taken
// of all subjects before the next; who comes first changes from round to round.
func (b *bench) compare(ctx context.Context, measurements []measurement, out string) error {
	began := time.Now()
	subjects, err := b.subjects(ctx)
	if err != nil {
		return err
	}
	report := newReport(ctx, b)
	for n := range b.rounds {
		record.Say("round %d of %d", n+1, b.rounds)
		round := map[string]values{}
		for _, s := range subjects {
			round[s.name] = values{}
		}
		for _, m := range measurements {
			for i := range subjects {
				s := subjects[(i+n)%len(subjects)]
				v := values{}
				err := m.of(ctx, s, v)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err != nil {
					b.notes.Add("round %d, %s of %s: %v", n+1, m.name, s.name, err)
				}
				maps.Copy(round[s.name], v)
				record.Say("  %-8s %-8s %s", m.name, s.name, v)
			}
		}
		report.Rounds = append(report.Rounds, round)
	}
	report.Notes = b.notes
	report.Took = time.Since(began).Round(time.Second).String()
	return report.Publish(out, "fanout-", report.page())
}
