package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/process"
)

// Tokens of the servers under test.
const (
	webhookToken = "e2e-webhook-token-0123456789abcdef0123456789"
	adminToken   = "e2e-admin-token-0123456789abcdef0123456789ab"
	appKey       = "e2e-app-key"
	appSecret    = "e2e-app-secret"
)

func TestMain(m *testing.M) {
	code := m.Run()
	process.Forget()
	os.Exit(code)
}

// A server is one run of `waybill serve`, or several on the same data.
type server struct {
	t    testing.TB
	url  string
	port int
	dir  string
	run  *process.Server
	log  *process.Output
}

func binary(t testing.TB) string {
	t.Helper()
	path, err := process.Binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// serve starts the binary on a data folder and waits until it is ready. It is
// killed when the test ends.
func serve(t testing.TB, dir string, settings ...string) *server {
	t.Helper()
	s := &server{t: t, dir: dir, port: freePort(t), log: &process.Output{}}
	s.start(settings)
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("log of the server:\n%s", tail(s.log.String(), 4000))
		}
	})
	return s
}

func (s *server) start(settings []string) {
	s.t.Helper()
	run, err := process.Start(s.port, s.log, append([]string{
		"HOME=" + s.dir, "DATA_DIR=" + s.dir, "APP_ENV=production", "SHIPROCKET_IP_CHECK=off", "DRAIN_SECONDS=0",
		"SHIPROCKET_WEBHOOK_TOKEN=" + webhookToken, "ADMIN_TOKEN=" + adminToken,
		"SOKETI_APP_ID=e2e", "SOKETI_APP_KEY=" + appKey, "SOKETI_APP_SECRET=" + appSecret, "LOG_LEVEL=debug",
	}, settings...))
	if err != nil {
		s.t.Fatal(err)
	}
	s.run, s.url = run, run.URL
	if err := run.Ready(15 * time.Second); err != nil {
		s.t.Fatalf("%v\n%s", err, s.log)
	}
}

// kill ends the process at once, as a crash does.
func (s *server) kill() { s.run.Kill() }

// stop asks the process to end and returns its exit code.
func (s *server) stop() int {
	s.t.Helper()
	if err := s.run.Terminate(); err != nil {
		s.t.Fatal(err)
	}
	code, err := s.run.ExitCode(30 * time.Second)
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

// await polls until ok, and fails the test when that takes too long.
func (s *server) await(limit time.Duration, what string, ok func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			s.t.Fatalf("no %s within %s\n%s", what, limit, tail(s.log.String(), 4000))
		}
		<-tick.C
	}
}

// An answer is what the server said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

func (s *server) do(ctx context.Context, method, path string, body []byte, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, read}, err
}

// push posts a webhook with a good token.
func (s *server) push(body string, headers ...string) answer {
	s.t.Helper()
	a, err := s.do(s.t.Context(), "POST", "/api/webhooks/courier", []byte(body), append([]string{"x-api-key", webhookToken}, headers...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// admin makes a call with the admin token.
func (s *server) admin(method, path, body string) answer {
	s.t.Helper()
	a, err := s.do(s.t.Context(), method, path, []byte(body), "Authorization", "Bearer "+adminToken)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

type logRow struct {
	ID, EventID, Status, Reason, Result, OrderID, DuplicateOf string
	Attempts                                                  int
}

type logPage struct {
	Success     bool
	Data        []logRow
	Total       int
	TotalPages  int
	CurrentPage int
}

func (s *server) logs(query string) logPage {
	s.t.Helper()
	var p logPage
	s.admin("GET", "/api/webhooks/logs?"+query, "").json(s.t, &p)
	return p
}

// settled waits until nothing is pending.
func (s *server) settled() {
	s.t.Helper()
	s.await(20*time.Second, "empty queue", func() bool { return s.logs("status=pending&limit=1").Total == 0 })
}

type shopOrder struct {
	ID, Number, Status, TrackingURL string
	Version                         int64
	Shipments                       []map[string]any
}

// order is the one with this number.
func (s *server) order(number string) shopOrder {
	s.t.Helper()
	var found struct{ Data []shopOrder }
	s.admin("GET", "/api/orders?number="+number, "").json(s.t, &found)
	if len(found.Data) != 1 {
		s.t.Fatalf("%d orders with number %s", len(found.Data), number)
	}
	return found.Data[0]
}

func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "…" + s[len(s)-n:]
}

// event is a push of one parcel, in the shape of the current documentation.
func event(awb string, sr int, number, status string, at time.Time) string {
	ist := at.In(time.FixedZone("IST", 5*3600+1800))
	return fmt.Sprintf(`{"awb":%q,"courier_name":"Delhivery Surface","current_status":%q,"current_timestamp":%q,"order_id":%q,"sr_order_id":%d,`+
		`"etd":%q,"scans":[{"date":%q,"status":"X","activity":%q,"location":"Jaipur_Sez_GW (Rajasthan)","sr-status":"NA","sr-status-label":"NA"}],"is_return":0,"channel_id":1}`,
		awb, status, ist.Add(6*time.Second).Format("02 01 2006 15:04:05"), number, sr,
		ist.AddDate(0, 0, 2).Format(time.DateTime), ist.Format(time.DateTime), "Parcel is "+strings.ToLower(status))
}
