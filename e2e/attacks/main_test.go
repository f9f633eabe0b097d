package attacks

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/e2e/process"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Attackers need as many files as connections, as far as this may go.
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
	code := m.Run()
	process.Forget()
	if testing.Verbose() {
		lines.print()
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// full says that outages last as long as they may in earnest.
func full() bool { return os.Getenv("ATTACKS") == "full" }

// openFiles is how many files this process may have open.
func openFiles(t testing.TB) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return int(min(limit.Cur, 1<<20))
}

// A line of the table is one attack.
type line struct {
	attack  string
	tried   string // what, and how often
	answers string // what came of it
	meanwhile
}

// lines is the table.
var lines table

type table struct {
	mu    sync.Mutex
	lines []line
}

// report adds the attack's line to the table, and fails the test if anything
// that was acknowledged is lost.
func report(t *testing.T, attack, tried, answers string, m meanwhile) {
	t.Helper()
	l := line{attack: attack, tried: tried, answers: answers, meanwhile: m}
	t.Logf("%s: %s; %s; %s", l.attack, tried, answers, m)
	if m.lost > 0 {
		t.Errorf("%d acknowledged pushes are lost", m.lost)
	}
	if m.acknowledged == 0 {
		t.Error("nothing was acknowledged meanwhile")
	}
	lines.mu.Lock()
	defer lines.mu.Unlock()
	lines.lines = append(lines.lines, l)
}

func (t *table) print() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		return
	}
	slices.SortFunc(t.lines, func(a, b line) int { return cmp.Compare(a.attack, b.attack) })
	fmt.Print("\n| attack | tried | what came of it | pushes meanwhile: acknowledged, turned away | lost | intake p50, p99 |\n|---|---|---|---|---|---|\n")
	for _, l := range t.lines {
		fmt.Printf("| %s | %s | %s | %d, %d | %d | %s, %s |\n", l.attack, l.tried, l.answers, l.acknowledged, l.refused, l.lost, round(l.p50), round(l.p99))
	}
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// counted writes how often each answer was given: 450 × 401, 50 × 429. Status 0
// is a connection that was closed without an answer.
func counted(answers map[int]int) string {
	var words []string
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		name := fmt.Sprint(status)
		if status == 0 {
			name = "closed"
		}
		words = append(words, fmt.Sprintf("%d × %s", answers[status], name))
	}
	return strings.Join(words, ", ")
}
