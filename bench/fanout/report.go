package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A report is what is written to bench/results. It names the kind of machine,
// never the machine.
type report struct {
	Date     string              `json:"date"`
	Host     string              `json:"host"`
	CPU      string              `json:"cpu"`
	Versions map[string]string   `json:"versions"`
	Setup    map[string]any      `json:"setup"`
	Took     string              `json:"took"`
	Busy     string              `json:"loadAverageBefore"` // of the last minute: neighbours
	Notes    []string            `json:"notes"`
	Rounds   []map[string]values `json:"rounds"`
	crowds   []int
	idle     []int
	leavers  int
	joins    int
}

func newReport(ctx context.Context, b *bench) *report {
	r := &report{
		Date: time.Now().UTC().Format(time.DateOnly), Host: fmt.Sprintf("%s-%s-%dcpu", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		CPU: cpuModel(), crowds: b.crowds, idle: b.idle, leavers: b.leavers, joins: b.joins,
		Versions: map[string]string{"go": runtime.Version(), "node": output(ctx, "node", "--version"), "ws": wsVersion(b.root)},
		Setup: map[string]any{
			"rounds": b.rounds, "crowds": b.crowds, "pacedDeliveriesPerSecond": b.paced, "pacedFor": b.hold.String(), "eventBytes": eventBytes,
			"burstWatchers": b.watchers, "burstWindow": b.window, "burstFor": b.burst.String(), "idle": b.idle, "idleFor": b.rest.String(),
			"joins": b.joins, "stalledEvents": b.stalled, "stalledEventBytes": stalledBytes, "stalledEventsPerSecond": stalledRate,
			"besideTheStalled": besides, "drained": b.leavers, "drainWithin": b.drain.String(), "openFiles": b.openFiles,
		},
	}
	r.Versions["commit"] = os.Getenv("BENCH_COMMIT")
	if r.Versions["commit"] == "" {
		r.Versions["commit"] = output(ctx, "git", "-C", b.root, "describe", "--always", "--dirty")
	}
	raw, _ := os.ReadFile("/proc/loadavg")
	r.Busy, _, _ = strings.Cut(string(raw), " ")
	return r
}

func cpuModel() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(raw), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "\t: "))
}

func wsVersion(root string) string {
	var pkg struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	raw, _ := os.ReadFile(filepath.Join(root, "bench", "node-fanout", "package.json"))
	_ = json.Unmarshal(raw, &pkg)
	return pkg.Dependencies["ws"]
}

// output is the first line that a command prints; empty if it cannot.
func output(ctx context.Context, name string, args ...string) string {
	out, _ := exec.CommandContext(ctx, name, args...).Output()
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
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

// markdown is the report as a page: the median of the rounds and, where they
// differ, the least and the most.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Fan-out, %s, %s\n\n", r.Date, r.Host)
	fmt.Fprintf(&b, "%s. Go %s, Node.js %s, ws %s; commit %s. Load average before: %s.\n", r.CPU, strings.TrimPrefix(r.Versions["go"], "go"),
		r.Versions["node"], r.Versions["ws"], r.Versions["commit"], r.Busy)
	fmt.Fprintf(&b, "Median of the rounds (least to most), of which there were %d; ratios are of one round. Server and generator share the cores.\n\n", len(r.Rounds))
	b.WriteString("| | Waybill | Node.js, ws | Waybill ÷ ws |\n|---|---:|---:|---:|\n")
	for _, row := range r.rows() {
		ours := cell(r.each(func(round map[string]values) float64 { return row.of(round, waybill) }), row.digits)
		theirs := cell(r.each(func(round map[string]values) float64 { return row.of(round, peer) }), row.digits)
		ratio := ""
		if !row.even {
			ratio = cell(r.each(func(round map[string]values) float64 { return row.of(round, waybill) / row.of(round, peer) }), 2)
		}
		if ours+theirs != "" {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", row.title, ours, theirs, ratio)
		}
	}
	for _, n := range r.Notes {
		b.WriteString("\n- " + n)
	}
	if len(r.Notes) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// each is a number of each round that has it, sorted.
func (r *report) each(of func(round map[string]values) float64) (all []float64) {
	for _, round := range r.Rounds {
		if v := of(round); !math.IsNaN(v) && !math.IsInf(v, 0) {
			all = append(all, v)
		}
	}
	slices.Sort(all)
	return all
}

func cell(sorted []float64, digits int) string {
	if len(sorted) == 0 {
		return ""
	}
	n := len(sorted)
	text := fmt.Sprintf("%.*f", digits, (sorted[(n-1)/2]+sorted[n/2])/2)
	least, most := fmt.Sprintf("%.*f", digits, sorted[0]), fmt.Sprintf("%.*f", digits, sorted[n-1])
	if least != most {
		text += " (" + least + " to " + most + ")"
	}
	return text
}

// write keeps the report as JSON with every measurement, and as a page.
func (r *report) write(folder, table string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the results: %w", err)
	}
	path := filepath.Join(folder, "fanout-"+r.Date+"-"+r.Host)
	if err := os.WriteFile(path+".json", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.WriteFile(path+".md", []byte(table), 0o600)
}
