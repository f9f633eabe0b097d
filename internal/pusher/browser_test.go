package pusher

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// browse opens a page with pusher-js in Chromium until the test ends. The page is
// served beside the server itself, as a shop would have it.
func (b *bundle) browse(t *testing.T, key string) *jsWatcher {
	t.Helper()
	w := &jsWatcher{t: t, lines: make(chan told, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page.html", func(rw http.ResponseWriter, r *http.Request) {
		http.ServeFile(rw, r, filepath.Join(pusherJS, "page.html"))
	})
	mux.HandleFunc("GET /pusher.min.js", func(rw http.ResponseWriter, r *http.Request) {
		http.ServeFile(rw, r, filepath.Join(pusherJS, "node_modules/pusher-js/dist/web/pusher.min.js"))
	})
	mux.HandleFunc("POST /pusher/auth", authEndpoint)
	mux.HandleFunc("POST /tell", func(_ http.ResponseWriter, r *http.Request) {
		var line told
		if err := json.NewDecoder(r.Body).Decode(&line); err == nil {
			w.lines <- line
		}
	})
	mux.Handle("/app/", b.Server)
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)

	cmd := exec.Command("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-dev-shm-usage", "--disable-background-networking", "--user-data-dir="+t.TempDir(), site.URL+"/page.html?key="+key)
	// A group of its own, so that all of its processes end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return w
}

func needBrowser(t *testing.T) {
	t.Helper()
	needPusherJS(t)
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("no browser here: %v", err)
	}
}

// The web build of pusher-js in a real browser, whose WebSocket tells less than
// node's and is stricter.
func TestBrowser(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	b := setup(t)
	w := b.browse(t, testApp.Key)
	id := w.connected()
	w.event("orders", "pusher:subscription_succeeded")
	w.event("presence-x", "pusher:subscription_error")
	b.publish(t, "orders", "update", `{"text":"रास्ते में"}`)
	if got := string(w.event("orders", "update").Data); got != `{"text":"रास्ते में"}` {
		t.Errorf("data %s", got)
	}
	for _, code := range []Code{CodeReconnect, CodeOverCapacity} {
		b.endAll(code)
		if again := w.connected(); again == id {
			t.Error("the same socket id again")
		}
		w.event("orders", "pusher:subscription_succeeded")
	}
	b.observer.mu.Lock()
	defer b.observer.mu.Unlock()
	if len(b.observer.closed) < 1 || b.observer.closed[0] != CodeReconnect {
		t.Errorf("closed %v", b.observer.closed)
	}
}

// A refused upgrade would leave the browser with 1006 and trying for ever.
func TestBrowserRefused(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	b := setup(t)
	w := b.browse(t, "nokey")
	w.await("error 4001", func(l told) bool { return l.Error != nil && *l.Error == int(CodeUnknownApp) })
	w.await("the end", func(l told) bool { return l.State == "disconnected" || l.State == "failed" })
}
