package shiprocket_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/tracking"
)

var update = flag.Bool("update", false, "rewrite the readings in testdata/golden")

// receipt is when every body of a golden case was received.
var receipt = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// separator parts a golden file: the push above, our reading below.
const separator = "\n---\n"

// goldenBody is the push of a golden case.
func goldenBody(tb testing.TB, name string) []byte {
	tb.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", "golden", name+".txt"))
	if err != nil {
		tb.Fatal(err)
	}
	body, _, _ := bytes.Cut(file, []byte(separator))
	return body
}

func goldenNames(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) == 0 {
		tb.Fatalf("golden cases: %v, %v", files, err)
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(filepath.Base(f), ".txt")
	}
	return names
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, name := range goldenNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("testdata", "golden", name+".txt")
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			body, want, _ := strings.Cut(string(file), separator)
			got := render([]byte(body))
			if *update {
				if err := os.WriteFile(path, []byte(body+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("reading differs\n got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// render is a whole reading as text, one fact a line, what is not told left
// out.
func render(body []byte) string {
	var out strings.Builder
	line := func(name string, value any) {
		if s := fmt.Sprint(value); s != "" && s != "0" && s != "false" {
			fmt.Fprintf(&out, "%s: %s\n", name, s)
		}
	}
	moment := func(name string, t time.Time) {
		if !t.IsZero() {
			line(name, t.Format(time.RFC3339))
		}
	}
	head, err := shiprocket.ReadHead(body, receipt)
	line("event id", head.EventID)
	line("event day", head.EventTime.Format(time.DateOnly))
	line("status word", head.CurrentStatus)
	if err != nil {
		line("error", err)
		return out.String()
	}
	push, err := shiprocket.Interpret(body, receipt)
	if err != nil {
		line("error", err)
		return out.String()
	}
	line("kind", push.Kind)
	line("placeholder", push.Placeholder)
	line("unknown status", push.UnknownStatus)
	r := push.Evidence.Reading
	line("awb", r.AWB)
	line("return awb", r.ReturnAWB)
	line("sr", r.SR)
	line("maybe sr", r.MaybeSR)
	line("number", r.Number)
	line("channel", r.ChannelID)
	line("forward ref", r.ForwardRef)
	line("direction", r.Direction)
	line("milestone", r.Milestone)
	line("label", r.Label)
	line("raw", r.Raw)
	line("released", r.Released)
	moment("event time", r.EventTime)
	line("taken from", r.TimeSource)
	moment("processed at", r.ProcessedAt)
	line("courier", r.Courier)
	line("eta", r.ETA)
	moment("delivered at", r.DeliveredAt)
	line("undelivered reason", r.UndeliveredReason)
	line("proof of delivery", r.ProofOfDelivery)
	line("attempts", r.Attempts)
	line("scans", len(push.Evidence.Scans))
	for _, s := range push.Evidence.Scans {
		fmt.Fprintf(&out, "  %d %s [%s] %q at %q%s\n", s.Position, s.At.Format(time.RFC3339), s.Code, s.Activity, s.Location, meaning(s))
	}
	for _, f := range push.Faults {
		fmt.Fprintf(&out, "fault: %s in %s %q x%d\n", f.Code, f.Field, f.Value, f.Count)
	}
	return out.String()
}

func meaning(s tracking.Scan) string {
	if s.Milestone == "" && s.Label == "" {
		return ""
	}
	return fmt.Sprintf(" = %s (%s)", s.Milestone, s.Label)
}
