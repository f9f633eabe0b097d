package examples

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/e2e/process"
)

// Tokens of the servers under test.
const (
	webhookToken = "examples-webhook-token-0123456789abcdef01234567"
	adminToken   = "examples-admin-token-0123456789abcdef0123456789"
	appKey       = "examples-app-key"
)

// patience is how long anything may take on a machine that is busy.
const patience = 30 * time.Second

// A waybill is `waybill serve` on one port and one data folder, again and again.
type waybill struct {
	t    *testing.T
	url  string
	port int
	dir  string
	shop string // the origin of the shop
	log  *process.Output
	run  *process.Server
}

// serve starts the program for the shop with this origin. It is killed when the
// test ends.
func serve(t *testing.T, port int, shop string) *waybill {
	t.Helper()
	w := &waybill{t: t, port: port, dir: t.TempDir(), shop: shop, log: &process.Output{}}
	w.start(port)
	t.Cleanup(func() {
		w.run.Kill()
		if t.Failed() {
			t.Logf("log of the server:\n%s", w.log)
		}
	})
	return w
}

func (w *waybill) start(port int) {
	w.t.Helper()
	run, err := process.Start(port, w.log, []string{
		"HOME=" + w.dir, "DATA_DIR=" + w.dir, "SHIPROCKET_IP_CHECK=off", "DRAIN_SECONDS=0", "ALLOWED_ORIGINS=" + w.shop,
		"SHIPROCKET_WEBHOOK_TOKEN=" + webhookToken, "ADMIN_TOKEN=" + adminToken,
		"SOKETI_APP_ID=examples", "SOKETI_APP_KEY=" + appKey, "SOKETI_APP_SECRET=examples-app-secret",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.run, w.url = run, run.URL
	if err := run.Ready(patience); err != nil {
		w.t.Fatalf("%v\n%s", err, w.log)
	}
}

// isAwayFor kills the server and brings it back on its port; the status came where
// nobody who watches could hear of it.
func (w *waybill) isAwayFor(p *parcel, status string) {
	w.t.Helper()
	w.run.Kill()
	w.start(freePort(w.t))
	_, before := w.find(p.number)
	w.push(p, status)
	await(w.t, status+" in the order", func() bool {
		_, now := w.find(p.number)
		return now > before
	})
	w.run.Kill()
	w.start(w.port)
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func origin(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }

// variables are what a front end for Soketi has in its environment.
func variables(port int) []string {
	return []string{
		"NEXT_PUBLIC_SOKETI_KEY=" + appKey, "NEXT_PUBLIC_SOKETI_HOST=127.0.0.1", fmt.Sprintf("NEXT_PUBLIC_SOKETI_PORT=%d", port),
		"NEXT_PUBLIC_SOKETI_TLS=false", "NEXT_PUBLIC_SOKETI_CLUSTER=",
	}
}

func (w *waybill) do(method, path, body string, headers ...string) []byte {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("%s %s: %d, %v: %s", method, path, res.StatusCode, err, read)
	}
	return read
}

// bringing is what a tracker tells of OUT FOR DELIVERY and of nothing else; the
// words themselves stand among the steps from the first.
const bringing = "The courier is bringing it to you"

// A parcel is pushed about again and again; each push is an hour after the last.
type parcel struct {
	number string
	sr     int
	at     time.Time
}

func newParcel(number string, sr int) *parcel {
	return &parcel{number: number, sr: sr, at: time.Now().Add(-8 * time.Hour).Truncate(time.Second)}
}

func (p *parcel) awb() string { return fmt.Sprintf("EXAMPLE%d", p.sr) }

// push tells of a status, and returns when it was answered with 200.
func (w *waybill) push(p *parcel, status string) time.Time {
	w.t.Helper()
	p.at = p.at.Add(time.Hour)
	ist := p.at.In(time.FixedZone("IST", 5*3600+1800))
	w.do(http.MethodPost, "/api/webhooks/courier", fmt.Sprintf(`{"awb":%q,"courier_name":"Delhivery Surface","current_status":%q,"current_timestamp":%q,`+
		`"order_id":%q,"sr_order_id":%d,"etd":%q,"scans":[{"date":%q,"activity":"Bag received at hub","location":"Jaipur_Sez_GW (Rajasthan)"}],"channel_id":1}`,
		p.awb(), status, ist.Format("02 01 2006 15:04:05"), p.number, p.sr,
		ist.AddDate(0, 0, 2).Format(time.DateTime), ist.Format(time.DateTime)),
		"x-api-key", webhookToken)
	return time.Now()
}

// find is the id and the version of the order with this number, none before its
// first push is worked off.
func (w *waybill) find(number string) (id string, version int) {
	w.t.Helper()
	var found struct {
		Data []struct {
			ID      string
			Version int
		}
	}
	body := w.do(http.MethodGet, "/api/orders?number="+number, "", "Authorization", "Bearer "+adminToken)
	if err := json.Unmarshal(body, &found); err != nil {
		w.t.Fatal(err)
	}
	if len(found.Data) != 1 {
		return "", 0
	}
	return found.Data[0].ID, found.Data[0].Version
}

// order waits until there is an order with this number, and returns its id.
func (w *waybill) order(number string) (id string) {
	w.t.Helper()
	await(w.t, "order "+number, func() bool {
		var version int
		id, version = w.find(number)
		return version > 0
	})
	return id
}

// await polls until ok, and fails the test when that takes too long.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %s", what, patience)
		}
		<-tick.C
	}
}

// get is the body of a page of a shop.
func get(t *testing.T, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
