package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/webazaar/waybill/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	webhookToken = "a-webhook-token-of-the-tests-0123456789"
	adminToken   = "an-admin-token-of-the-tests-0123456789"
)

// settings are valid ones for a server on a free port of this machine.
func settings(t testing.TB, dir string, more ...string) *config.Config {
	t.Helper()
	cfg, err := config.Load(append([]string{
		"HOST=127.0.0.1", "PORT=0", "DATA_DIR=" + dir, "SHIPROCKET_WEBHOOK_TOKEN=" + webhookToken, "ADMIN_TOKEN=" + adminToken,
	}, more...), config.Development)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// started is a running app that is stopped when the test ends, if the test has
// not stopped it.
func started(t testing.TB, cfg *config.Config) (a *App, logged *lines) {
	t.Helper()
	logged = &lines{}
	a, err := Start(context.Background(), cfg, slog.New(slog.NewTextHandler(logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return a, logged
}

// client keeps no connections, so that none is left when a test ends.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}

func do(t testing.TB, method, url, body string, headers ...string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// until polls for what the app brings about by itself.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !holds() {
		select {
		case <-poll.C:
		case <-limit:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// lines is what was logged or printed.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
