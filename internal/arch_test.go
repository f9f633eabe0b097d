package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/webazaar/waybill/"

// rooms says what each room may import of the others. Arrows point towards
// tracking, never from it. A new room gets its line here first.
var rooms = map[string][]string{
	"cmd/waybill":         {"internal/app", "internal/config"},
	"internal/app":        {"*"},
	"internal/httpapi":    {"internal/access", "internal/inbox", "internal/live", "internal/shiprocket", "internal/store", "internal/tracking", "web"},
	"internal/inbox":      {"internal/shiprocket", "internal/tracking"},
	"internal/shiprocket": {"internal/tracking"},
	"internal/tracking":   {},
	"internal/store":      {"internal/tracking", "internal/inbox", "internal/access"}, // of inbox and access the row types only
	"internal/live":       {"internal/tracking", "internal/pusher"},
	"internal/pusher":     {},
	"internal/bus":        {"internal/pusher"},
	"internal/config":     {},
	"internal/access":     {},
	"internal/simulate":   {},
	"web":                 {"internal/tracking"},

	"internal/bus/bustest":     {"internal/pusher"},
	"internal/store/storetest": {"internal/store", "internal/inbox", "internal/tracking"},
}

// standardOnly are rooms that import nothing but the standard library.
var standardOnly = []string{"internal/tracking", "internal/shiprocket", "internal/access", "web"}

type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func TestRoomsImportWhatTheTableSays(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		room, inside := strings.CutPrefix(p.ImportPath, module)
		if !inside || strings.HasPrefix(room, "e2e") || strings.HasPrefix(room, "bench") || room == "internal" {
			continue
		}
		allowed, known := rooms[room]
		if !known {
			t.Errorf("%s is not in the table of rooms", room)
			continue
		}
		for _, path := range p.Imports {
			other, ours := strings.CutPrefix(path, module)
			switch {
			case ours && !slices.Contains(allowed, other) && !slices.Contains(allowed, "*"):
				t.Errorf("%s imports %s, which the table does not allow", room, other)
			case !ours && slices.Contains(standardOnly, room) && strings.Contains(strings.Split(path, "/")[0], "."):
				t.Errorf("%s imports %s; it may import the standard library only", room, path)
			}
		}
	}
}

func TestNoRoomForLeftovers(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name := p.ImportPath[strings.LastIndex(p.ImportPath, "/")+1:]
		if slices.Contains([]string{"util", "utils", "common", "helpers", "models", "types", "constants"}, name) {
			t.Errorf("%s: name it after its thing", p.ImportPath)
		}
	}
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, e.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 5 {
		t.Fatalf("only %d packages listed", len(all))
	}
	return all
}
