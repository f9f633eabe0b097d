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
