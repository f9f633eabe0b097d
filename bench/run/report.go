package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
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
	rates    []int
}

func newReport(ctx context.Context, b *bench) *report {
	r := &report{
		Date: time.Now().UTC().Format(time.DateOnly), Host: fmt.Sprintf("%s-%s-%dcpu", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		CPU: cpuModel(), rates: b.rates, Versions: map[string]string{"go": runtime.Version(), "node": output(ctx, "node", "--version")},
	}
	r.Versions["commit"] = envOr("BENCH_COMMIT", output(ctx, "git", "-C", b.root, "describe", "--always", "--dirty"))
	if conn, err := pgx.Connect(ctx, b.database); err == nil {
		var version string
		if conn.QueryRow(ctx, `SHOW server_version`).Scan(&version) == nil {
			r.Versions["postgresql"] = version
		}
		for _, name := range []string{"fsync", "synchronous_commit"} {
			var value string
			if conn.QueryRow(ctx, `SHOW `+name).Scan(&value) == nil && value != "on" {
				b.note("PostgreSQL runs with %s=%s: what it answers is not durable, and its figures are not comparable", name, value)
			}
		}
		conn.Close(ctx)
	}
	raw, _ := os.ReadFile("/proc/loadavg")
	r.Busy, _, _ = strings.Cut(string(raw), " ")
	plan, err := b.plan(1000)
	if err == nil {
		shortest, mean, longest := plan.Sizes()
		r.Setup = map[string]any{
			"bodyBytes": []int{shortest, mean, longest}, "pushesPerParcel": 4, "parcelsAbreast": 1000,
			"connections": b.connections, "window": b.window, "burst": b.burst.String(), "pipeline": b.pipeline.String(),
			"atEachRate": b.hold.String(), "rounds": b.rounds,
		}
	}
	return r
}

func cpuModel() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(raw), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "\t: "))
}

// A column of the table.
type column struct{ title, subject string }

// A row of the table: a number made of one round's measurements for a subject.
// NaN is none.
type row struct {
	title  string
	digits int
	of     func(round map[string]values, subject string) float64
}

func value(round map[string]values, subject, name string) float64 {
	if v, ok := round[subject][name]; ok {
		return v
	}
	return math.NaN()
}

func plain(title, name string, digits int) row {
	return row{title, digits, func(r map[string]values, s string) float64 { return value(r, s, name) }}
}

// ratio divides by another subject's measurement of the same round.
func ratio(title, name, by, byName string, digits int) row {
	return row{title, digits, func(r map[string]values, s string) float64 {
		if s == by {
			return math.NaN()
		}
		return value(r, s, name) / value(r, by, byName)
	}}
}

// above takes off what the server that keeps nothing needs.
func above(title, name string) row {
	return row{title, 2, func(r map[string]values, s string) float64 {
		if s == ceiling {
			return value(r, s, name)
		}
		return value(r, s, name) - value(r, ceiling, name)
	}}
}

func (r *report) rows() []row {
	rows := []row{
		plain("durable acks/s, as fast as they go", "burst_acks_per_s", 0),
		ratio("… ÷ ceiling", "burst_acks_per_s", ceiling, "burst_acks_per_s", 3),
		ratio("… ÷ Node", "burst_acks_per_s", reference, "burst_acks_per_s", 1),
		plain("full pipeline, events/s", "pipeline_per_s", 0),
		ratio("… ÷ ceiling", "pipeline_per_s", ceiling, "burst_acks_per_s", 3),
		ratio("… ÷ Node", "pipeline_per_s", reference, "pipeline_per_s", 1),
	}
	for _, rate := range r.rates {
		at := fmt.Sprintf("open%d_", rate)
		rows = append(rows,
			above(fmt.Sprintf("ack p50 above the floor at %d/s, ms", rate), at+"ack_p50_ms"),
			above(fmt.Sprintf("ack p99 above the floor at %d/s, ms", rate), at+"ack_p99_ms"))
	}
	for _, rate := range r.rates {
		at := fmt.Sprintf("open%d_", rate)
		rows = append(rows,
			plain(fmt.Sprintf("push → event p50 at %d/s, ms", rate), at+"event_p50_ms", 2),
			plain(fmt.Sprintf("push → event p99 at %d/s, ms", rate), at+"event_p99_ms", 2))
	}
	return append(rows,
		plain("CPU µs per push, intake alone", "burst_cpu_us", 0),
		plain("CPU µs per event, full pipeline: the service", "pipeline_cpu_us", 0),
		plain("… its PostgreSQL sessions", "pipeline_database_cpu_us", 0),
		plain("… its realtime server, if another process", "pipeline_live_cpu_us", 0),
		plain("memory idle, MB", "rss_idle_mb", 0),
		plain("memory at its highest, MB", "rss_loaded_mb", 0),
		plain("start to ready, ms", "ready_ms", 0),
		plain("stripped binary, MB", "binary_mb", 1),
		plain("cores that others took, burst", "burst_others_cores", 1),
		plain("… full pipeline", "pipeline_others_cores", 1),
	)
}

// markdown is the report as a page: the median of the rounds and, where they
// differ, the least and the most.
func (r *report) markdown() string {
	columns := []column{
		{"Waybill, SQLite", sqlite},
		{"… intake alone", intake},
		{"Waybill, PostgreSQL", postgres},
		{"Node + PostgreSQL", reference},
		{"ceiling", ceiling},
	}
	columns = slices.DeleteFunc(columns, func(c column) bool {
		return !slices.ContainsFunc(r.Rounds, func(round map[string]values) bool { return round[c.subject] != nil })
	})
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, %s\n\n", r.Date, r.Host)
	fmt.Fprintf(&b, "%s. Go %s, Node.js %s, PostgreSQL %s; commit %s. Load average before: %s.\n", r.CPU, strings.TrimPrefix(r.Versions["go"], "go"),
		r.Versions["node"], r.Versions["postgresql"], r.Versions["commit"], r.Busy)
	fmt.Fprintf(&b, "Median of the rounds (least to most), of which there were %d; ratios are of one round. Server and generator share the cores.\n\n", len(r.Rounds))
	b.WriteString("| |")
	for _, c := range columns {
		b.WriteString(" " + c.title + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(columns)) + "\n")
	for _, row := range r.rows() {
		cells, some := "", false
		for _, c := range columns {
			text := r.cell(row, c.subject)
			some = some || text != ""
			cells += " " + text + " |"
		}
		if some {
			b.WriteString("| " + row.title + " |" + cells + "\n")
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

func (r *report) cell(row row, subject string) string {
	var all []float64
	for _, round := range r.Rounds {
		if v := row.of(round, subject); !math.IsNaN(v) && !math.IsInf(v, 0) {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	text := fmt.Sprintf("%.*f", row.digits, median(all))
	least, most := fmt.Sprintf("%.*f", row.digits, all[0]), fmt.Sprintf("%.*f", row.digits, all[len(all)-1])
	if least != most {
		text += " (" + least + " to " + most + ")"
	}
	return text
}

// median of sorted numbers.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
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
	path := filepath.Join(folder, r.Date+"-"+r.Host)
	if err := os.WriteFile(path+".json", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.WriteFile(path+".md", []byte(table), 0o600)
}
