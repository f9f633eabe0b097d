package examples

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/e2e/node"
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
	for _, folder := range append(folders, "..") { // the browser is driven from there
		node.Need(t, folder)
	}
	node.NeedChromium(t)
}
