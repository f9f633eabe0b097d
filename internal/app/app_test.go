package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/tracking"
)

func push(t testing.TB, a *App, awb, status string) {
	t.Helper()
	code, body := do(t, http.MethodPost, a.URL()+"/api/webhooks/courier",
		fmt.Sprintf(`{"awb":%q,"order_id":"N-%s","current_status":%q,"date":"2026-01-22 10:00:00"}`, awb, awb, status), "x-api-key", webhookToken)
	if code != http.StatusOK {
		t.Fatalf("push: %d %s", code, body)
	}
}

// tracked waits for the order of a push and returns its id and milestone.
func tracked(t testing.TB, a *App, awb string) (id, milestone string) {
	t.Helper()
	until(t, "the push is worked off", func() bool {
		_, body := do(t, http.MethodGet, a.URL()+"/api/orders?number=N-"+awb, "", "Authorization", "Bearer "+adminToken)
		var found struct {
			Data []struct {
				ID        string
				Shipments []struct{ Milestone string }
			}
		}
		if err := json.Unmarshal([]byte(body), &found); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if len(found.Data) == 0 || len(found.Data[0].Shipments) == 0 {
			return false
		}
		id, milestone = found.Data[0].ID, found.Data[0].Shipments[0].Milestone
		return true
	})
	return id, milestone
}

// From a push to what a buyer sees, and again after a restart on the same data.
func TestStartServesAndStops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, logged := started(t, settings(t, dir, "METRICS_ADDR=127.0.0.1:0"))
	if code, body := do(t, http.MethodGet, a.URL()+"/readyz", ""); code != http.StatusOK {
		t.Errorf("ready: %d %s", code, body)
	}
	push(t, a, "77001", "OUT FOR DELIVERY")
	id, milestone := tracked(t, a, "77001")
	if milestone != "out_for_delivery" {
		t.Errorf("milestone %s", milestone)
	}
	until(t, "its effects are carried out", func() bool {
		effects, err := a.store.Effects(t.Context(), tracking.LiveUpdate, 1)
		return err == nil && len(effects) == 0
	})
	key, url := a.AppKey(), a.URL()
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	if res, err := client.Get(url + "/healthz"); err == nil {
		res.Body.Close()
		t.Error("it still answers after its stop")
	}
	if l := logged.String(); strings.Contains(l, webhookToken) || strings.Contains(l, adminToken) || strings.Contains(l, "level=ERROR") {
		t.Errorf("log: %s", l)
	}

	b, _ := started(t, settings(t, dir))
	if b.AppKey() != key || key == "" {
		t.Errorf("the app key was %q and is %q: pages that are open lose their server", key, b.AppKey())
	}
	if code, body := do(t, http.MethodGet, b.URL()+"/api/track/"+id, ""); code != http.StatusOK || !strings.Contains(body, "out_for_delivery") {
		t.Errorf("after a restart: %d %s", code, body)
	}
}

// Told to stop, it first says that it is not ready, and still answers.
func TestReadinessEndsFirst(t *testing.T) {
	t.Parallel()
	a, _ := started(t, settings(t, t.TempDir()))
	a.life.mu.Lock()
	last := len(a.life.stops) - 1
	readiness := a.life.stops[last]
	a.life.stops = a.life.stops[:last]
	names := make([]string, 0, last)
	for _, s := range a.life.stops {
		names = append(names, s.name)
	}
	a.life.mu.Unlock()
	if got := strings.Join(names, " "); readiness.name != "readiness" || got != "store realtime live inbox addresses replays alarms retention tokens http" {
		t.Errorf("stops: %s, %s", got, readiness.name)
	}
	if err := readiness.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, body := do(t, http.MethodGet, a.URL()+"/readyz", ""); code != http.StatusServiceUnavailable || !strings.Contains(body, `"unavailable"`) {
		t.Errorf("ready: %d %s", code, body)
	}
	if code, _ := do(t, http.MethodGet, a.URL()+"/healthz", ""); code != http.StatusOK {
		t.Errorf("healthy: %d", code)
	}
	push(t, a, "77001", "IN TRANSIT")
	if _, milestone := tracked(t, a, "77001"); milestone != "in_transit" {
		t.Errorf("milestone %s", milestone)
	}
}

// A balancer is given time to notice: everything is answered until it has
// passed, each connection for the last time.
func TestStopLeavesTimeToNotice(t *testing.T) {
	t.Parallel()
	a, _ := started(t, settings(t, t.TempDir(), "DRAIN_SECONDS=1"))
	began, stopped := time.Now(), make(chan error, 1)
	go func() { stopped <- a.Stop() }()
	until(t, "it is not ready", func() bool {
		code, _ := do(t, http.MethodGet, a.URL()+"/readyz", "")
		return code == http.StatusServiceUnavailable
	})
	push(t, a, "77001", "IN TRANSIT")
	if _, milestone := tracked(t, a, "77001"); milestone != "in_transit" {
		t.Errorf("milestone %s", milestone)
	}
	kept := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
	res, err := kept.Get(a.URL() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if !res.Close {
		t.Error("the connection is kept for another request")
	}
	if err := <-stopped; err != nil || time.Since(began) < time.Second {
		t.Errorf("stopped after %s: %v", time.Since(began), err)
	}
}

// What cannot start leaves nothing behind that is running or locked.
func TestStartThatFails(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	running, _ := started(t, settings(t, t.TempDir()))
	port := running.URL()[strings.LastIndex(running.URL(), ":")+1:]
	dir := t.TempDir()
	fails := func(cfg *config.Config, says string) {
		t.Helper()
		if a, err := Start(t.Context(), cfg, log); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("start: %v, want %q", err, says)
			if a != nil {
				_ = a.Stop()
			}
		}
	}
	fails(settings(t, dir, "PORT="+port), "is another process there? Stop it, or choose another PORT")
	fails(settings(t, dir, "METRICS_ADDR=127.0.0.1:"+port), "choose another METRICS_ADDR")
	fails(settings(t, dir, "HOST=192.0.2.1"), "HOST must name one of its own")
	fails(settings(t, dir, "DATABASE_URL=postgres://127.0.0.1:1/waybill"), "open the PostgreSQL database")
	fails(settings(t, running.cfg.DataDir), "open the data folder")
	started(t, settings(t, dir)) // the folder is free
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	a, _ := started(t, settings(t, t.TempDir()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Wait(ctx); err != nil {
		t.Errorf("wait: %v", err)
	}
}

// Serve runs until it is told to stop, with its settings in the log and no
// secret among them.
func TestServe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	logged := &lines{}
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, settings(t, t.TempDir()), slog.New(slog.NewJSONHandler(logged, nil))) }()
	until(t, "it is ready", func() bool { return strings.Contains(logged.String(), `"app.ready"`) })
	cancel()
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
	l := logged.String()
	for _, part := range []string{`"app.settings"`, `"DATA_DIR"`, `"app.stopping"`} {
		if !strings.Contains(l, part) {
			t.Errorf("%s is not in the log", part)
		}
	}
	if strings.Contains(l, webhookToken) || strings.Contains(l, adminToken) {
		t.Error("a secret is in the log")
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	cfg, out := settings(t, t.TempDir()), &lines{}
	for range 2 {
		if err := Migrate(t.Context(), cfg, slog.New(slog.DiscardHandler), out); err != nil {
			t.Fatal(err)
		}
	}
	said := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(said) != 2 || said[0] != said[1] || !strings.HasPrefix(said[0], "schema version ") || said[0] == "schema version 0" {
		t.Errorf("said %q", said)
	}
}
