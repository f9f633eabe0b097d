package examples

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A browser is Chromium with one page.
type browser struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
}

type seen struct {
	Error           string
	Status          int
	Text            string
	Count           int
	At              int64 // milliseconds
	Opened, Open    int   // sockets
	Height, Content float64
	Problems        []string
}

type args = map[string]any

func openBrowser(t *testing.T) *browser {
	t.Helper()
	cmd := exec.Command("node", "browser.mjs") // it ends with its standard input
	cmd.Env = append(os.Environ(), "CHROMIUM="+chromium())
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
		_ = in.Close()
		late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		_ = cmd.Wait()
	})
	return &browser{t: t, in: in, out: bufio.NewReader(out)}
}

func (b *browser) do(command string, a args) seen {
	b.t.Helper()
	line := args{"command": command}
	for name, value := range a {
		line[name] = value
	}
	asked, err := json.Marshal(line)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(asked, '\n')); err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.out.ReadBytes('\n')
	if err != nil {
		b.t.Fatalf("the browser ended: %v", err)
	}
	var s seen
	if err := json.Unmarshal(answer, &s); err != nil {
		b.t.Fatal(err)
	}
	if s.Error != "" {
		b.t.Fatalf("%s %v: %s", command, a, s.Error)
	}
	return s
}

// open opens a page that has to be there.
func (b *browser) open(url string, a args) {
	b.t.Helper()
	given := args{"url": url}
	for name, value := range a {
		given[name] = value
	}
	if got := b.do("open", given); got.Status != 200 {
		b.t.Fatalf("%s: status %d", url, got.Status)
	}
}

// isLive pushes a status, and checks that its text is on the screen within a
// second of the answer.
func (b *browser) isLive(w *waybill, p *parcel, status, text string, a args) {
	b.t.Helper()
	look := args{"text": text}
	for name, value := range a {
		look[name] = value
	}
	b.do("lookOut", look)
	answered := w.push(p, status)
	took := time.UnixMilli(b.do("seen", nil).At).Sub(answered).Round(time.Millisecond)
	b.t.Logf("%q was on the screen %s after the push was answered", text, took)
	if took > 10*time.Second { // that was not the event but the next poll
		b.t.Errorf("%q took %s", text, took)
	}
}

// complaints are what the page wrote to its console, but for a server that was away.
func (b *browser) complaints() (found []string) {
	b.t.Helper()
	for _, p := range b.do("problems", nil).Problems {
		if !strings.Contains(p, "net::ERR_") && !strings.Contains(p, "WebSocket connection to") {
			found = append(found, p)
		}
	}
	return found
}

// fitsAPhone checks that at 320 px nothing has to be scrolled to the side.
func (b *browser) fitsAPhone(url, live string) {
	b.t.Helper()
	b.open(url, args{"width": 320, "height": 640})
	b.do("waitFor", args{"selector": live})
	if got := b.do("overflow", nil).Count; got > 0 {
		b.t.Errorf("%s is %d px wider than a screen of 320 px", url, got)
	}
}

// of is the same browser for a part of the test.
func (b *browser) of(t *testing.T) *browser {
	t.Helper()
	return &browser{t: t, in: b.in, out: b.out}
}
