// Package chromium drives the system's Chromium for tests, by driver.mjs. It
// promises that a browser ends with the test that opened it.
package chromium

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience is how long a browser may take to end before it is killed.
const patience = 10 * time.Second

// Path is where Chromium is, or should be.
func Path() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}

// A Page is a browser with one page.
type Page struct {
	t   testing.TB
	in  io.WriteCloser
	out *bufio.Reader
}

// Args are what a command of driver.mjs takes.
type Args = map[string]any

// Seen is what a command answers; each fills its own part.
type Seen struct {
	Error    string
	Status   int
	Text     string
	Problems []string
	Count    int
	At       int64 // milliseconds

	Opened, Open    int     // sockets
	Height, Content float64 // of a frame, and of what is in it
	Scrolls         bool
}

// Open starts a browser. Without Chromium the test is skipped, but in CI it fails.
func Open(t testing.TB) *Page {
	t.Helper()
	if _, err := os.Stat(Path()); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("Chromium is missing: run scripts/chromium")
		}
		t.Skip("Chromium is missing: run scripts/chromium, or set CHROMIUM")
	}
	cmd := exec.Command("node", driver(t)) //nolint:noctx // it ends with its standard input
	cmd.Env = append(os.Environ(), "CHROMIUM="+Path())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // the driver closes Chromium and ends
		late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		_ = cmd.Wait()
	})
	return &Page{t: t, in: in, out: bufio.NewReader(out)}
}

// driver is the script, found from whichever folder of e2e a test runs in.
func driver(t testing.TB) string {
	t.Helper()
	for _, folder := range []string{"chromium", "../chromium"} {
		path := filepath.Join(folder, "driver.mjs")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("driver.mjs is not beside the tests")
	return ""
}

// Of is the same page for a part of the test.
func (p *Page) Of(t testing.TB) *Page {
	t.Helper()
	return &Page{t: t, in: p.in, out: p.out}
}

// Do carries out a command; the test ends if that fails.
func (p *Page) Do(command string, args Args) Seen {
	p.t.Helper()
	line := Args{"command": command}
	for name, value := range args {
		line[name] = value
	}
	asked, err := json.Marshal(line)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(asked, '\n')); err != nil {
		p.t.Fatal(err)
	}
	answer, err := p.out.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("the browser ended: %v", err)
	}
	var seen Seen
	if err := json.Unmarshal(answer, &seen); err != nil {
		p.t.Fatal(err)
	}
	if seen.Error != "" {
		p.t.Fatalf("%s %v: %s", command, args, seen.Error)
	}
	return seen
}
