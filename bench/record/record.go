// Package record is what a bench leaves behind: where it ran, what it measured,
// and what has to be told beside the numbers. It promises that the files of
// bench/results keep their form.
package record

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A Record is what is written to bench/results. It names the kind of machine,
// never the machine.
type Record struct {
	Date     string              `json:"date"`
	Host     string              `json:"host"`
	CPU      string              `json:"cpu"`
	Versions map[string]string   `json:"versions"`
	Setup    map[string]any      `json:"setup"`
	Took     string              `json:"took"`
	Busy     string              `json:"loadAverageBefore"` // of the last minute: neighbours
	Notes    Notes               `json:"notes"`
	Rounds   []map[string]Values `json:"rounds"` // by subject
}

// Values are measurements of one subject in one round, by name.
type Values map[string]float64

func (v Values) String() string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(v)) {
		text += fmt.Sprintf("%s %.4g  ", name, v[name])
	}
	return text
}

// Notes are what a record has to tell beside its numbers.
type Notes []string

// Add says something that the record has to tell too, once.
func (n *Notes) Add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if slices.Contains(*n, text) {
		return
	}
	*n = append(*n, text)
	Say("note: %s", text)
}

// Say tells who waits what is going on.
func Say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// New says where a bench of the module in root is about to run. The commit is
// BENCH_COMMIT, and what git says where that is not set.
func New(ctx context.Context, root string) Record {
	r := Record{
		Date: time.Now().UTC().Format(time.DateOnly), Host: fmt.Sprintf("%s-%s-%dcpu", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		CPU: cpuModel(), Versions: map[string]string{"go": runtime.Version(), "node": output(ctx, "node", "--version")},
	}
	r.Versions["commit"] = os.Getenv("BENCH_COMMIT")
	if r.Versions["commit"] == "" {
		r.Versions["commit"] = output(ctx, "git", "-C", root, "describe", "--always", "--dirty")
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

// output is the first line that a command prints; empty if it cannot.
func output(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}

// Publish prints the page. With a folder, it also keeps it there beside every
// measurement as JSON; the files' names begin with the prefix.
func (r *Record) Publish(folder, prefix, page string) error {
	fmt.Println(page)
	if folder == "" {
		return nil
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the results: %w", err)
	}
	path := filepath.Join(folder, prefix+r.Date+"-"+r.Host)
	if err := os.WriteFile(path+".json", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.WriteFile(path+".md", []byte(page), 0o600)
}
