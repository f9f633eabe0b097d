package e2e

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
	Error    string
	Status   int
	Text     string
	Problems []string
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	needNode(t)
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	if _, err := os.Stat(chromium); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("Chromium is missing: run scripts/chromium")
		}
		t.Skip("Chromium is missing: run scripts/chromium, or set CHROMIUM")
	}
	cmd := exec.Command("node", "browser.mjs")
	cmd.Env = append(os.Environ(), "CHROMIUM="+chromium)
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
		in.Close() // the script closes Chromium and ends
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
		}
	})
	return &browser{t: t, in: in, out: bufio.NewReader(out)}
}

func (b *browser) do(command string, args map[string]any) seen {
	b.t.Helper()
	if args == nil {
		args = map[string]any{}
	}
	args["command"] = command
	line, err := json.Marshal(args)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(line, '\n')); err != nil {
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
		b.t.Fatalf("%s: %s", command, s.Error)
	}
	return s
}

// A buyer's page shows where the parcel is, moves while it is looked at, says
// the same without JavaScript, and loads nothing foreign.
func TestTrackingPage(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "SHOP_NAME=Test Shop")
	at := time.Now().Add(-5 * time.Hour).Truncate(time.Second)
	s.push(event("PAGE1", 31, "PAGE-1", "IN TRANSIT", at))
	s.settled()
	url := s.url + "/track/" + s.order("PAGE-1").ID

	b := openBrowser(t)
	if got := b.do("open", map[string]any{"url": url}); got.Status != 200 {
		t.Fatalf("status %d", got.Status)
	}
	b.do("waitForText", map[string]any{"text": "Live"})
	if text := b.do("text", nil).Text; !strings.Contains(text, "PAGE-1") || !strings.Contains(text, "PAGE1") {
		t.Errorf("order number or AWB is missing:\n%s", text)
	}
	sent := time.Now()
	s.push(event("PAGE1", 31, "PAGE-1", "OUT FOR DELIVERY", at.Add(time.Hour)))
	b.do("waitForText", map[string]any{"text": "Out for delivery"})
	t.Logf("a push was on the screen after %s", time.Since(sent).Round(time.Millisecond))
	s.push(event("PAGE1", 31, "PAGE-1", "DELIVERED", at.Add(2*time.Hour)))
	b.do("waitForText", map[string]any{"text": "Delivered on"})

	// The server goes and comes back: the page mends what it missed.
	s.kill()
	s.start(nil)
	s.push(event("PAGE1", 31, "PAGE-1", "RTO INITIATED", at.Add(3*time.Hour)))
	b.do("waitForText", map[string]any{"text": "going back", "timeout": 20_000})
	for _, p := range b.do("problems", nil).Problems {
		// The socket and the probes that fail while the server is away.
		if !strings.Contains(p, "ERR_CONNECTION_REFUSED") && !strings.Contains(p, "WebSocket") {
			t.Errorf("the page complains: %s", p)
		}
	}

	b.do("open", map[string]any{"url": url, "javaScript": false})
	if text := b.do("text", nil).Text; !strings.Contains(text, "PAGE1") || !strings.Contains(text, "going back") {
		t.Errorf("without JavaScript:\n%s", text)
	}
	if got := b.do("open", map[string]any{"url": s.url + "/track/nobody-knows-this-order-id"}); got.Status != 404 {
		t.Errorf("an unknown order: %d", got.Status)
	}
}
