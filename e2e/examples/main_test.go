package examples

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/e2e/chromium"
	"github.com/webazaar/waybill/e2e/process"
)

// The folders of the examples, and what is built for them.
const (
	nextjs    = "../../examples/nextjs"
	plainHTML = "../../examples/plain-html"
	tracker   = "../../web/tracker"
)

func TestMain(m *testing.M) {
	code := m.Run()
	process.Forget()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // it is one
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// need makes sure that the npm packages of these folders and Chromium are there:
// a failure in CI, a named skip elsewhere.
func need(t *testing.T, folders ...string) {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		missing(t, "Node.js is missing: install Node.js 20 or newer")
	}
	for _, folder := range append(folders, "..") { // the browser is driven from there
		if _, err := os.Stat(folder + "/node_modules"); err != nil {
			missing(t, folder+"/node_modules is missing: run `make packages`")
		}
	}
	if _, err := os.Stat(chromium.Path()); err != nil {
		missing(t, "Chromium is missing: run scripts/chromium, or set CHROMIUM")
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
