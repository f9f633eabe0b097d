package record_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/webazaar/waybill/bench/record"
)

// What was measured once can be read for ever: a file of bench/results is the
// same when it is read and written again.
func TestResultsKeepTheirForm(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../results/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no results: %v", err)
	}
	for _, path := range paths {
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r record.Record
		d := json.NewDecoder(bytes.NewReader(kept))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		folder := filepath.Join(t.TempDir(), "results")
		if err := r.Publish(folder, "again-", "a page"); err != nil {
			t.Fatal(err)
		}
		again, err := os.ReadFile(filepath.Join(folder, "again-"+r.Date+"-"+r.Host+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(kept, again) {
			t.Errorf("%s is written as\n%s", path, again)
		}
	}
}

func TestAPageTellsWhereAndWhatBeside(t *testing.T) {
	t.Parallel()
	r := record.Record{
		Date: "2026-01-02", Host: "linux-amd64-2cpu", CPU: "A processor", Busy: "0.50", Rounds: make([]map[string]record.Values, 3),
		Versions: map[string]string{"go": "go1.26.0", "node": "v20.0.0", "commit": "abc"},
	}
	const want = `# Fan-out, 2026-01-02, linux-amd64-2cpu

A processor. Go 1.26.0, Node.js v20.0.0, ws 8.0.0; commit abc. Load average before: 0.50.
Median of the rounds (least to most), of which there were 3; ratios are of one round. Server and generator share the cores.

| a table |
`
	if page := r.Page("Fan-out, ", "ws 8.0.0", "| a table |\n"); page != want {
		t.Errorf("%s", page)
	}
	r.Notes.Add("a peer is %s", "left out")
	r.Notes.Add("it was noisy")
	r.Notes.Add("a peer is left out")
	if page := r.Page("Fan-out, ", "ws 8.0.0", "| a table |\n"); page != want+"\n- a peer is left out\n- it was noisy\n" {
		t.Errorf("%s", page)
	}
}

func TestACellTellsTheMedianAndHowFarTheRoundsLie(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rounds []float64
		digits int
		want   string
	}{
		{nil, 1, ""},
		{[]float64{math.NaN(), math.Inf(1)}, 1, ""},
		{[]float64{2}, 1, "2.0"},
		{[]float64{3, 1, 2}, 0, "2 (1 to 3)"},
		{[]float64{4, 1, math.NaN(), 2, 3}, 1, "2.5 (1.0 to 4.0)"},
		{[]float64{2.01, 2.02, 1.99}, 1, "2.0"},
	} {
		var r record.Record
		for _, v := range c.rounds {
			r.Rounds = append(r.Rounds, map[string]record.Values{"waybill": {"per_s": v}})
		}
		if text := r.Cell(c.digits, func(round map[string]record.Values) float64 { return round["waybill"]["per_s"] }); text != c.want {
			t.Errorf("%v: %q, want %q", c.rounds, text, c.want)
		}
	}
}
