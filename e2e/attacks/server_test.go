package attacks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/process"
)

const (
	webhookToken  = "a-webhook-token-of-the-attacks-0123456789abcdef"
	webhookSecret = "a-webhook-secret-of-the-attacks-0123456789abcdef"
	adminToken    = "an-admin-token-of-the-attacks-0123456789abcdef"
	webhookPath   = "/api/webhooks/courier"
)

// A server is one run of the binary after another on the same data.
type server struct {
	t      *testing.T
	run    *process.Server
	port   int
	url    string
	addr   string
	out    *process.Output
	env    []string
	prefix []string
	client *http.Client
}

// serve starts a server on a data folder of its own, with settings of its own.
func serve(t *testing.T, settings ...string) *server {
	t.Helper()
	return serveIn(t, t.TempDir(), nil, settings...)
}

func serveIn(t *testing.T, dir string, prefix []string, settings ...string) *server {
	t.Helper()
	if testing.Short() {
		t.Skip("attacks take their time; run without -short")
	}
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		t: t, port: port, out: &process.Output{}, prefix: prefix,
		client: &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		env: append([]string{
			"HOME=" + dir, "DATA_DIR=" + dir, "APP_ENV=production", "SHIPROCKET_IP_CHECK=off", "DRAIN_SECONDS=0", "PUBLIC_URL=https://track.shop.example",
			"SHIPROCKET_WEBHOOK_TOKEN=" + webhookToken, "SHIPROCKET_WEBHOOK_SECRET=" + webhookSecret, "ADMIN_TOKEN=" + adminToken,
		}, settings...),
	}
	s.start()
	t.Cleanup(func() {
		s.run.Kill()
		s.client.CloseIdleConnections()
		said := s.out.String()
		for _, secret := range []string{webhookToken, webhookSecret, adminToken} {
			if strings.Contains(said, secret) {
				t.Error("a secret is in the log")
			}
		}
		if strings.Contains(said, "panic") || strings.Contains(said, "goroutine ") || strings.Contains(said, "DATA RACE") {
			t.Error("the server panicked")
		}
		if t.Failed() {
			t.Logf("log of the server:\n%s", said[max(0, len(said)-4000):])
		}
	})
	return s
}

func (s *server) start() {
	s.t.Helper()
	run, err := process.Start(s.port, s.out, s.env, s.prefix...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.run, s.url, s.addr = run, run.URL, strings.TrimPrefix(run.URL, "http://")
	if err := run.Ready(30 * time.Second); err != nil {
		s.t.Fatalf("%v\n%s", err, s.out)
	}
}

// stop asks the server to end, and waits until it has.
func (s *server) stop() {
	s.t.Helper()
	if err := s.run.Terminate(); err != nil {
		s.t.Fatal(err)
	}
	s.ended()
}

// ended waits for the end of a server that was asked to end.
func (s *server) ended() {
	s.t.Helper()
	if code, err := s.run.ExitCode(time.Minute); err != nil || code != 0 {
		s.t.Fatalf("exit code %d, %v", code, err)
	}
}

// An answer is what the server said; status 0 if it said nothing.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (s *server) do(ctx context.Context, method, path string, body []byte, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, read}, err
}

// push posts a webhook with these headers; no answer is status 0.
func (s *server) push(body []byte, headers ...string) answer {
	a, err := s.do(s.t.Context(), http.MethodPost, webhookPath, body, headers...)
	if err != nil {
		return answer{}
	}
	return a
}

// proven posts a webhook with a good token.
func (s *server) proven(body []byte) answer { return s.push(body, "x-api-key", webhookToken) }

// admin makes a call with the admin token, and reads the answer into v.
func (s *server) admin(path string, v any) {
	s.t.Helper()
	a, err := s.do(s.t.Context(), http.MethodGet, path, nil, "Authorization", "Bearer "+adminToken)
	if err == nil && a.status == http.StatusOK {
		err = json.Unmarshal(a.body, v)
	}
	if err != nil || a.status != http.StatusOK {
		s.t.Fatalf("%s: %d %s %v", path, a.status, a.body, err)
	}
}

type row struct{ EventID, Status, Reason, Peer, OrderID, Error string }

type page struct {
	Data       []row
	Total      int
	NextCursor string
}

// rows is the whole log that a query finds.
func (s *server) rows(query string) []row {
	s.t.Helper()
	var all []row
	for cursor := ""; ; {
		var p page
		s.admin("/api/webhooks/logs?limit=200&"+query+"&cursor="+cursor, &p)
		all = append(all, p.Data...)
		if cursor = p.NextCursor; cursor == "" {
			return all
		}
	}
}

// total is how many rows a query finds.
func (s *server) total(query string) int {
	s.t.Helper()
	var p page
	s.admin("/api/webhooks/logs?limit=1&"+query, &p)
	return p.Total
}

// settled waits until nothing is pending.
func (s *server) settled() {
	s.t.Helper()
	s.await(3*time.Minute, "empty queue", func() bool { return s.total("status=pending") == 0 })
}

func (s *server) await(limit time.Duration, what string, ok func() bool) {
	s.t.Helper()
	const pause = 10 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for range limit / pause { // looks are counted: a machine that stands still does not use them up
		if ok() {
			return
		}
		<-tick.C
	}
	s.t.Fatalf("no %s within %s", what, limit)
}

// dial opens a connection of an attacker's.
func (s *server) dial() (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if runtime.GOOS == "linux" { // attackers have an address of their own
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}
	}
	return d.DialContext(s.t.Context(), "tcp", s.addr)
}

// signature is that of body under the secret, in hexadecimal.
func signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// event is a push of one parcel, in the shape of the current documentation.
func event(awb string, sr int, status string, at time.Time) []byte {
	ist := at.In(time.FixedZone("IST", 5*3600+1800))
	return fmt.Appendf(nil, `{"awb":%q,"courier_name":"Delhivery Surface","current_status":%q,"current_timestamp":%q,"order_id":%q,"sr_order_id":%d,`+
		`"scans":[{"date":%q,"status":"X","activity":"Bag added","location":"Jaipur (Rajasthan)","sr-status":"NA"}],"is_return":0,"channel_id":1}`,
		awb, status, ist.Format("02 01 2006 15:04:05"), "N-"+awb, sr, ist.Format(time.DateTime))
}
