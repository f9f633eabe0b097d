package app

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/webazaar/waybill/internal/config"
)

func examined(t *testing.T, cfg *config.Config, loaded error) (string, error) {
	t.Helper()
	out := &lines{}
	err := Doctor(t.Context(), cfg, loaded, out)
	if s := out.String(); strings.Contains(s, webhookToken) || strings.Contains(s, adminToken) {
		t.Errorf("a secret is printed: %s", s)
	}
	return out.String(), err
}

func says(t *testing.T, out string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(out, part) {
			t.Errorf("%q is not said in\n%s", part, out)
		}
	}
}

func TestDoctorFindsNothing(t *testing.T) {
	t.Parallel()
	cfg := settings(t, t.TempDir(), "PUBLIC_URL=https://tracking.shop.example")
	cfg.Port = 1 // nobody is there
	out, err := examined(t, cfg, nil)
	if err != nil || strings.Contains(out, "WRONG") {
		t.Errorf("%v:\n%s", err, out)
	}
	says(t, out, "the settings are valid", "Shiprocket's form takes https://tracking.shop.example/api/webhooks/courier", "no server answers", "has no database yet",
		"not looked at", "Nothing is wrong.")
	if entries, err := os.ReadDir(cfg.DataDir); err != nil || len(entries) > 0 {
		t.Errorf("doctor made %v, %v", entries, err)
	}
	for _, s := range cfg.Summary() { // every setting, explained
		says(t, out, s.Name, s.Explain)
	}
}

// What is said about pushes from other addresses is what becomes of them.
func TestDoctorOnOtherAddresses(t *testing.T) {
	t.Parallel()
	for check, says := range map[string]string{
		"enforce": "what comes from them is kept and waits until they are allowed", "warn": "what comes from them is taken and flagged",
		"off": "the sender's address is not looked at",
	} {
		cfg := settings(t, t.TempDir(), "SHIPROCKET_IP_CHECK="+check, "SHIPROCKET_ALLOWED_IPS=13.234.161.44")
		cfg.Port = 1
		if out, _ := examined(t, cfg, nil); !strings.Contains(out, says) {
			t.Errorf("%s: %q is not said in\n%s", check, says, out)
		}
	}
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	cfg, loaded := config.Load([]string{
		"PORT=seventeen", "DATA_DIR=/dev/null/data", "PUBLIC_URL=https://shiprocket-hooks.example", "ADMIN_TOKEN=short",
	}, config.Production)
	out, err := examined(t, cfg, loaded)
	if !errors.Is(err, ErrFindings) {
		t.Errorf("doctor: %v", err)
	}
	says(t, out, "WRONG", "PORT", "ADMIN_TOKEN", "SHIPROCKET_WEBHOOK_TOKEN", "/dev/null/data", "thing(s) to mend", "shiprocket")
	if strings.Contains(out, "Nothing is wrong.") || strings.Contains(out, "the settings are valid") {
		t.Errorf("it is said that all is well:\n%s", out)
	}
}

// Beside a running server it asks that server, and looks into its data.
func TestDoctorBesideAServer(t *testing.T) {
	t.Parallel()
	cfg := settings(t, t.TempDir())
	a, _ := started(t, cfg)
	beside := besides(t, a)
	out, err := examined(t, beside, nil)
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	says(t, out, "connect with the app key "+a.AppKey(), "is ready", "opens and is up to date", "takes watchers", "PUBLIC_URL is not set", "none was ever kept", "no push was refused for its proof")

	a.api.Drain()
	out, err = examined(t, beside, nil)
	if !errors.Is(err, ErrFindings) {
		t.Errorf("beside a server that is not ready: %v", err)
	}
	says(t, out, "is not ready (503 Service Unavailable)")
}

// An address that is none is told once, and a port that another service has is
// not taken for a server of ours.
func TestDoctorBesideAnotherService(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	at, err := url.Parse(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	cfg, loaded := config.Load([]string{
		"HOST=127.0.0.1", "PORT=" + at.Port(), "DATA_DIR=" + t.TempDir(), "ADMIN_TOKEN=" + adminToken,
		"SHIPROCKET_WEBHOOK_TOKEN=" + webhookToken, "PUBLIC_URL=https://track.example/shop",
	}, config.Production)
	out, err := examined(t, cfg, loaded)
	found(t, out, err, "something follows the host name", "it is not waybill that answers: another service has this port",
		"refused pushes (401) are not looked at: no server runs here", "\n2 thing(s) to mend.")
}

// besides are the settings that the doctor of a running server is given.
func besides(t *testing.T, a *App, more ...string) *config.Config {
	t.Helper()
	at, err := url.Parse(a.URL())
	if err != nil {
		t.Fatal(err)
	}
	cfg := settings(t, a.cfg.DataDir, more...)
	if cfg.Port, err = strconv.Atoi(at.Port()); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"https://tracking.shop.example/api/webhooks/courier":    "",
		"https://tracking.shop.example/api/webhooks/shiprocket": "shiprocket",
		"https://krishna.example/hook":                          "kr",
		"https://newsroom.example/hook":                         "sr",
		"http://localhost:5000/api/webhooks/courier":            "localhost",
		"not a url": "",
	} {
		out := &lines{}
		err := CheckURL(target, out)
		good := target == "https://tracking.shop.example/api/webhooks/courier"
		if good != (err == nil) || !good && !errors.Is(err, ErrFindings) || !strings.Contains(strings.ToLower(out.String()), want) || out.String() == "" {
			t.Errorf("%s: %v, %q", target, err, out.String())
		}
		if good && out.String() != "Shiprocket's form takes this URL.\n" {
			t.Errorf("%q", out.String())
		}
	}
}
