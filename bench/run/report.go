package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/webazaar/waybill/bench/record"
)

type values = record.Values

// A report is the record and how its page is laid out.
type report struct {
	record.Record
	rates []int
}

func newReport(ctx context.Context, b *bench) *report {
	r := &report{Record: record.New(ctx, b.root), rates: b.rates}
	if conn, err := pgx.Connect(ctx, b.database); err == nil {
		var version string
		if conn.QueryRow(ctx, `SHOW server_version`).Scan(&version) == nil {
			r.Versions["postgresql"] = version
		}
		for _, name := range []string{"fsync", "synchronous_commit"} {
			var value string
			if conn.QueryRow(ctx, `SHOW `+name).Scan(&value) == nil && value != "on" {
				b.notes.Add("PostgreSQL runs with %s=%s: what it answers is not durable, and its figures are not comparable", name, value)
			}
		}
		conn.Close(ctx)
	}
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

// page is the report as a page. Its table has the columns that were measured, and
// the rows that any of them has a number for.
func (r *report) page() string {
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
	b.WriteString("| |")
	for _, c := range columns {
		b.WriteString(" " + c.title + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(columns)) + "\n")
	for _, row := range r.rows() {
		cells, some := "", false
		for _, c := range columns {
			text := r.Cell(row.digits, func(round map[string]values) float64 { return row.of(round, c.subject) })
			some = some || text != ""
			cells += " " + text + " |"
		}
		if some {
			b.WriteString("| " + row.title + " |" + cells + "\n")
		}
	}
	return r.Page("", "PostgreSQL "+r.Versions["postgresql"], b.String())
}
