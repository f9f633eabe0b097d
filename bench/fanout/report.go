package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/webazaar/waybill/bench/record"
)

// A report is the record and how its page is laid out.
type report struct {
	record.Record
	crowds  []int
	idle    []int
	leavers int
	joins   int
}

func newReport(ctx context.Context, b *bench) *report {
	r := &report{Record: record.New(ctx, b.root), crowds: b.crowds, idle: b.idle, leavers: b.leavers, joins: b.joins}
	r.Versions["ws"] = wsVersion(b.root)
	r.Setup = map[string]any{
		"rounds": b.rounds, "crowds": b.crowds, "pacedDeliveriesPerSecond": b.paced, "pacedFor": b.hold.String(), "eventBytes": eventBytes,
		"burstWatchers": b.watchers, "burstWindow": b.window, "burstFor": b.burst.String(), "idle": b.idle, "idleFor": b.rest.String(),
		"joins": b.joins, "stalledEvents": b.stalled, "stalledEventBytes": stalledBytes, "stalledEventsPerSecond": stalledRate,
		"besideTheStalled": besides, "drained": b.leavers, "drainWithin": b.drain.String(), "openFiles": b.openFiles,
	}
	return r
}

func wsVersion(root string) string {
	var pkg struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	raw, _ := os.ReadFile(filepath.Join(root, "bench", "node-fanout", "package.json"))
	_ = json.Unmarshal(raw, &pkg)
	return pkg.Dependencies["ws"]
}

// A row of the table is one measurement, or the sum of several; part begins the
// rows of one server run.
type row struct {
	title  string
	digits int
	names  []string
	even   bool // a ratio says nothing
}

func (r *report) rows() (rows []row) {
	add := func(digits int, title string, names ...string) {
		rows = append(rows, row{title: title, digits: digits, names: names})
	}
	tell := func(digits int, title string, names ...string) {
		rows = append(rows, row{title: title, digits: digits, names: names, even: true})
	}
	for _, n := range r.crowds {
		at := fmt.Sprintf("paced%d_", n)
		add(1, fmt.Sprintf("**%d watchers**, publish → receipt p50, ms", n), at+"p50_ms")
		add(1, "… p99, ms", at+"p99_ms")
		add(1, "… CPU µs per delivery", at+"cpu_us")
		tell(1, "… cores that others took", at+"others_cores")
	}
	for _, at := range []string{"burst_", "batches_"} {
		title := "**burst**, deliveries/s"
		if at == "batches_" {
			title = fmt.Sprintf("**burst in batches of %d**, deliveries/s", batched)
		}
		add(0, title, at+"per_s")
		add(1, "… CPU µs per delivery", at+"cpu_us")
		tell(0, "… deliveries lost", at+"lost")
		tell(1, "… cores that others took", at+"others_cores")
	}
	for _, n := range r.idle {
		at := fmt.Sprintf("idle%d_", nominal(n))
		add(1, fmt.Sprintf("**%d idle**, KB each", n), at+"kb")
		add(1, "… after a collection", at+"collected_kb")
	}
	tell(1, "… CPU ms in a second of rest", "idle_cpu_ms_per_s")
	add(2, fmt.Sprintf("**%d joins of one channel**, CPU s, all of it", r.joins), "joins_connect_cpu_s", "joins_cpu_s")
	add(2, "… the connections of that", "joins_connect_cpu_s")
	add(2, "… by the clock, s", "joins_connect_s", "joins_s")
	add(1, "… KB each, after a collection", "joins_collected_kb")
	add(2, "… leaving, CPU s", "joins_leave_cpu_s")
	tell(1, "… cores that others took", "joins_others_cores")
	add(1, fmt.Sprintf("**two stalled**, the other %d: p50, ms", besides), "stalled_p50_ms")
	add(1, "… p99, ms", "stalled_p99_ms")
	add(1, "… p99 before they stalled, ms", "stalled_without_p99_ms")
	tell(1, "… memory grew by, MB", "stalled_mb")
	tell(0, "… events that the one has who wakes up half-way", "stalled_first_got")
	tell(0, "… and is closed with then", "stalled_first_code")
	tell(0, "… lost without his being told", "stalled_first_lost")
	tell(0, "… events that the one has who wakes up in the end", "stalled_second_got")
	tell(0, "… and is closed with then", "stalled_second_code")
	tell(0, "… lost without his being told", "stalled_second_lost")
	tell(1, "… cores that others took", "stalled_others_cores")
	tell(2, fmt.Sprintf("**shutdown with %d watchers**, s", r.leavers), "drain_s")
	tell(2, "… share told 4200", "drain_told_share")
	tell(2, "… first sent away after, s", "drain_first_s")
	tell(2, "… last, s", "drain_last_s")
	tell(0, "… most within 100 ms", "drain_most_at_once")
	return rows
}

func (w row) of(round map[string]values, subject string) (sum float64) {
	for _, name := range w.names {
		v, ok := round[subject][name]
		if !ok {
			return math.NaN()
		}
		sum += v
	}
	return sum
}

// page is the report as a page. Its table has the rows that were measured.
func (r *report) page() string {
	var b strings.Builder
	b.WriteString("| | Waybill | Node.js, ws | Waybill ÷ ws |\n|---|---:|---:|---:|\n")
	for _, row := range r.rows() {
		ours := r.Cell(row.digits, func(round map[string]values) float64 { return row.of(round, waybill) })
		theirs := r.Cell(row.digits, func(round map[string]values) float64 { return row.of(round, peer) })
		ratio := ""
		if !row.even {
			ratio = r.Cell(2, func(round map[string]values) float64 { return row.of(round, waybill) / row.of(round, peer) })
		}
		if ours+theirs != "" {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.title, ours, theirs, ratio)
		}
	}
	return r.Page("Fan-out, ", "ws "+r.Versions["ws"], b.String())
}
