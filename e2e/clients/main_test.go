package clients

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/e2e/process"
)

// patience is how long anything may take on a machine that is busy.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	code := m.Run()
	for _, d := range drivers {
		d.stop()
	}
	shared.stop()
	process.Forget()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // it is one
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// needNode makes sure that the npm packages are there: a failure in CI, a named
// skip elsewhere.
func needNode(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("node_modules/pusher-js"); err != nil {
		missing(t, "e2e/clients/node_modules is missing: run `make packages`")
	}
}

func needChromium(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(chromium()); err != nil {
		missing(t, "Chromium is missing: run scripts/chromium, or set CHROMIUM")
	}
}

func chromium() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
