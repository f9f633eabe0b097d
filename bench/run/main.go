// Command run measures Waybill beside its peers: a ceiling that keeps nothing
// and a service in Node.js that does the same job the ordinary way. `make
// bench` calls it; bench/README.md says what is measured and how to read it.
//
//	go run ./bench/run [-quick] [-rounds N] [-out FOLDER]
//	go run ./bench/run -scenario rows -rows 1000000,10000000
//	go run ./bench/run -scenario fsync
//	go run ./bench/run -scenario retention
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
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
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are what the command line says.
type settings struct {
	quick       bool
	rounds      int
	connections int
	window      int
	rates       []int
	burst       time.Duration // as fast as it goes
	pipeline    time.Duration
	hold        time.Duration // at each rate
	database    string
}

func run(ctx context.Context) error {
	s := settings{connections: 64, window: 2048}
	flag.BoolVar(&s.quick, "quick", false, "one short round; writes no result")
	flag.IntVar(&s.rounds, "rounds", 3, "how many rounds")
	flag.StringVar(&s.database, "database", envOr("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"),
		"PostgreSQL to make databases in, as a user who may")
	out := flag.String("out", "", "folder for the results; bench/results by default, none with -quick")
	scenario := flag.String("scenario", "", "rows, pages, fsync or retention instead of the comparison")
	rows := flag.String("rows", "1000000", "rows of the log: with -scenario pages a number, with rows one or more with commas between")
	data := flag.String("data", "", "with -scenario pages: a data folder with that many rows; empty makes one and deletes it")
	flag.Parse()

	s.rates, s.burst, s.pipeline, s.hold = []int{500, 1000, 2000}, 3*time.Second, 3*time.Second, 3*time.Second
	if s.quick {
		s.rates, s.burst, s.pipeline, s.hold, s.rounds = []int{500, 2000}, 1500*time.Millisecond, 2*time.Second, 2*time.Second, 1
	}
	root, err := server.Root(ctx)
	if err != nil {
		return err
	}
	if *out == "" && !s.quick {
		*out = filepath.Join(root, "bench", "results")
	}
	dir, err := os.MkdirTemp("", "waybill-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := build(ctx, root, dir)
	if err != nil {
		return err
	}
	b.settings = s
	defer b.dropDatabases()
	switch *scenario {
	case "":
		return b.compare(ctx, *out)
	case "rows":
		return b.scenarioRows(ctx, *rows)
	case "pages":
		return b.scenarioPages(ctx, *rows, *data)
	case "fsync":
		return b.scenarioFsync(ctx)
	case "retention":
		return b.scenarioRetention(ctx)
	}
	return errors.New("no scenario is called " + *scenario + "; there are rows, pages, fsync and retention")
}

// compare runs the rounds and writes what came of them.
func (b *bench) compare(ctx context.Context, out string) error {
	began := time.Now()
	report := newReport(ctx, b)
	for n := range b.rounds {
		record.Say("round %d of %d", n+1, b.rounds)
		round, err := b.round(ctx, n)
		if err != nil {
			return err
		}
		report.Rounds = append(report.Rounds, round)
	}
	report.Notes = b.notes
	report.Took = time.Since(began).Round(time.Second).String()
	return report.Publish(out, "", report.page())
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
