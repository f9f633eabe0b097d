package app

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/config"
)

// found fails unless doctor finds something wrong and says all parts.
func found(t *testing.T, out string, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, ErrFindings) {
		t.Errorf("nothing is wrong: %v", err)
	}
	says(t, out, parts...)
}

func send(t *testing.T, a *App, token, body string) int {
	t.Helper()
	status, _ := do(t, "POST", a.URL()+"/api/webhooks/courier", body, "x-api-key", token)
	return status
}

const delivered = `{"awb":"A%d","current_status":"DELIVERED","order_id":"N%d","current_timestamp":"23 11 2025 10:00:00"}`

func TestDoctorOnPushesThatDoNotArrive(t *testing.T) {
	t.Parallel()
	setting := []string{"SHIPROCKET_IP_CHECK=enforce", "SHIPROCKET_ALLOWED_IPS=13.234.161.44"}
	a, _ := started(t, settings(t, t.TempDir(), setting...))
	beside := besides(t, a, setting...)
	for range 3 {
		if status := send(t, a, strings.Repeat("wrong", 10), "{}"); status != http.StatusUnauthorized {
			t.Fatal(status)
		}
	}
	out, err := examined(t, beside, nil)
	found(t, out, err, "3 push(es) since the server started were answered 401, and none had a good proof", "enter the address, then the token",
		"SHIPROCKET_ALLOWED_IPS lacks addresses that Shiprocket has published: 13.234.27.58", "none was ever kept")

	if status := send(t, a, webhookToken, fmt.Sprintf(delivered, 1, 1)); status != http.StatusForbidden {
		t.Fatal(status)
	}
	out, err = examined(t, beside, nil)
	found(t, out, err, "1 proven push(es) from 127.0.0.1 (by api_key) are kept as rejected", "POST /api/webhooks/addresses", "TRUSTED_PROXIES", "the last one came ", "answered 401, and 1 had a good proof")

	blind := besides(t, a, setting...)
	blind.AdminToken = config.Secret{}
	out, _ = examined(t, blind, nil)
	says(t, out, "refused pushes (401) are not looked at: that takes ADMIN_TOKEN or METRICS_ADDR")
	blind.AdminToken = blind.Shiprocket.WebhookTokens[0]
	out, _ = examined(t, blind, nil)
	says(t, out, "is ADMIN_TOKEN the server's?")
}

func TestDoctorOnDuplicates(t *testing.T) {
	t.Parallel()
	a, _ := started(t, settings(t, t.TempDir()))
	for i := range 2 * manyRepeats {
		if status := send(t, a, webhookToken, fmt.Sprintf(delivered, i/2, i/2)); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	out, err := examined(t, besides(t, a), nil)
	if err != nil {
		t.Errorf("repeats are not wrong: %v", err)
	}
	says(t, out, "of the newest 40 push(es) 20 are repeats (DELIVERED 20), 20 of them within a minute", "two webhooks point here")
}

// A proxy stands between browsers and the server, and each does one thing.
func TestDoctorOnLiveUpdatesThatDoNotArrive(t *testing.T) {
	t.Parallel()
	a, _ := started(t, settings(t, t.TempDir()))
	target, err := url.Parse(a.URL())
	if err != nil {
		t.Fatal(err)
	}
	behind := func(before http.HandlerFunc) string {
		forward := httputil.NewSingleHostReverseProxy(target)
		forward.Transport = client.Transport
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if before != nil {
				if before(w, r); w.Header().Get("X-Done") != "" {
					return
				}
			}
			forward.ServeHTTP(w, r)
		}))
		t.Cleanup(proxy.Close)
		return "PUBLIC_URL=" + proxy.URL
	}
	answers := func(status int, on string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, on) {
				w.Header().Set("X-Done", "yes")
				w.WriteHeader(status)
			}
		}
	}
	for _, c := range []struct {
		name    string
		setting []string
		want    []string
	}{
		{"all is passed", []string{behind(nil)}, []string{"/api/webhooks/courier leads here", "takes watchers from http://127.0.0.1"}},
		{"Upgrade is stripped", []string{behind(func(_ http.ResponseWriter, r *http.Request) { r.Header.Del("Upgrade") })}, []string{"WRONG ws://", "without the Upgrade header: a proxy strips it"}},
		{"/app/ is not passed", []string{behind(answers(502, "/app/"))}, []string{"WRONG ws://", "answers 502", "pass Upgrade and Connection on at /app/"}},
		{"nothing is passed", []string{behind(answers(404, "/"))}, []string{"courier answers 404, and it is not waybill that answers"}},
		{"another key", []string{behind(nil), "SOKETI_APP_KEY=another-key"}, []string{"knows no app key another-key"}},
		{"nobody there", []string{"PUBLIC_URL=http://127.0.0.1:1"}, []string{"cannot be reached from this machine", "in a browser's network tab"}},
		{"mixed content", []string{"PUBLIC_URL=https://127.0.0.1:1", "SOKETI_PUBLIC_TLS=false"}, []string{"WRONG pages of https://127.0.0.1:1 come over TLS, and browsers forbid them ws://127.0.0.1"}},
		{"private channels", []string{"PUBLIC_ORDER_CHANNELS=false"}, []string{"only those who join private-order-{orderId}"}},
	} {
		out, _ := examined(t, besides(t, a, c.setting...), nil)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not said in\n%s", c.name, want, out)
			}
		}
	}
}

func TestDoctorOnAnOutsideServer(t *testing.T) {
	t.Parallel()
	soketi := []string{"SOKETI_APP_ID=shop", "SOKETI_APP_KEY=shop-key", "SOKETI_APP_SECRET=shop-secret-0123456789"}
	outside, _ := started(t, settings(t, t.TempDir(), soketi...))
	at, err := url.Parse(outside.URL())
	if err != nil {
		t.Fatal(err)
	}
	examine := func(more ...string) (string, error) {
		t.Helper()
		cfg := settings(t, t.TempDir(), append([]string{
			"LIVE=external", "SOKETI_HOST=127.0.0.1", "SOKETI_PORT=" + at.Port(), "SOKETI_PUBLIC_HOST=127.0.0.1", "SOKETI_PUBLIC_PORT=" + at.Port(),
		}, more...)...)
		cfg.Port = 1 // nobody is there
		out, err := examined(t, cfg, nil)
		if strings.Contains(out, "shop-secret") || strings.Contains(out, "auth_signature") {
			t.Errorf("a secret is printed: %s", out)
		}
		return out, err
	}
	out, err := examine(soketi...)
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	says(t, out, "takes app shop with this key and secret", "takes watchers")
	out, err = examine(soketi[0], soketi[1], "SOKETI_APP_SECRET=shop-secret-that-is-another")
	found(t, out, err, "refuses the signature (401)", "clocks")
	out, err = examine("SOKETI_APP_ID=other", soketi[1], soketi[2])
	found(t, out, err, "WRONG the outside server", "app")
	out, err = examine(append([]string{"SOKETI_PORT=1"}, soketi...)...)
	found(t, out, err, "the outside server at 127.0.0.1:1 cannot be reached", "check SOKETI_HOST")
}

func TestDoctorOnTheDatabase(t *testing.T) {
	t.Parallel()
	a, _ := started(t, settings(t, t.TempDir()))
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	cfg := settings(t, a.cfg.DataDir)
	cfg.Port = 1 // nobody is there
	file := filepath.Join(cfg.DataDir, "waybill.db")
	out, err := examined(t, cfg, nil)
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	says(t, out, "opens and is up to date (schema version ", " left; the database takes ")

	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err = examined(t, cfg, nil)
	found(t, out, err, "may be used by others (mode 0644)", "chmod go= "+file)
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}

	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	out, err = examined(t, cfg, nil)
	found(t, out, err, "has the schema of a newer waybill (version 9999", "restore a backup from before")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("no database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = examined(t, cfg, nil)
	found(t, out, err, "WRONG "+cfg.DataDir)

	// A server that has another folder open is not this one's.
	other, _ := started(t, settings(t, t.TempDir()))
	beside := besides(t, other)
	beside.DataDir = t.TempDir()
	out, err = examined(t, beside, nil)
	found(t, out, err, "give doctor the settings of the server, DATA_DIR above all")
}
