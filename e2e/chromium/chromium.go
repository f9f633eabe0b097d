// Package chromium drives the system's Chromium for tests, by driver.mjs. It
// promises that a browser ends with the test that opened it.
package chromium

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/webazaar/waybill/e2e/node"
)

// A Page is a browser with one page.
type Page struct {
	t       testing.TB
	program *node.Program
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
	script := driver(t)
	node.Need(t, filepath.Join(filepath.Dir(script), ".."))
	node.NeedChromium(t)
	program, err := node.Start(os.Stderr, []string{"CHROMIUM=" + node.Chromium()}, script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(program.Stop) // the driver closes Chromium and ends
	return &Page{t, program}
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
	return &Page{t, p.program}
}

// Do carries out a command; the test ends if that fails.
func (p *Page) Do(command string, args Args) Seen {
	p.t.Helper()
	line := Args{"command": command}
	for name, value := range args {
		line[name] = value
	}
	if err := p.program.Write(line); err != nil {
		p.t.Fatal(err)
	}
	seen, ok := node.Next[Seen](p.program)
	if !ok {
		p.t.Fatal("the browser ended")
	}
	if seen.Error != "" {
		p.t.Fatalf("%s %v: %s", command, args, seen.Error)
	}
	return seen
}
