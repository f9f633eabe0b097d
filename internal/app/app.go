package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/webazaar/waybill/internal/access"
	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/httpapi"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/pusher"
	"github.com/webazaar/waybill/internal/shiprocket"
	"github.com/webazaar/waybill/internal/store"
)

// App is a running Waybill.
type App struct {
	cfg       *config.Config
	log       *slog.Logger
	life      *lifecycle
	store     *store.Store
	guard     *access.Guard
	inbox     *inbox.Inbox
	addresses *inbox.Addresses
	replayer  *inbox.Replayer
	alarms    *inbox.Alarms
	pusherApp pusher.App
	realtime  *pusher.Server // nil when watchers go to an outside server alone
	effects   []*live.Dispatcher
	api       *httpapi.API
	conns     *httpapi.Connections
	addr      net.Addr
}

// Start builds everything and begins to serve; it has bound its address and is
// ready when it returns. Stop must be called in the end, also after an error of
// Wait.
func Start(ctx context.Context, cfg *config.Config, log *slog.Logger) (*App, error) {
	a := &App{cfg: cfg, log: log, life: newLifecycle(log), conns: httpapi.NewConnections(openFiles()-reservedFiles, log)}
	if err := a.start(ctx); err != nil {
		return nil, errors.Join(err, a.life.stop())
	}
	return a, nil
}

func (a *App) start(ctx context.Context) error {
	if err := a.openStore(ctx); err != nil {
		return err
	}
	registry := newRegistry(a)
	if err := a.startRealtime(ctx, registry); err != nil {
		return err
	}
	a.startPublishing()
	if err := a.startInbox(ctx, registry); err != nil {
		return err
	}
	a.life.background("retention", 10*time.Second, func(ctx context.Context) error {
		return Retain(ctx, a.store, Ages{Webhooks: a.cfg.Retention(), Audit: a.cfg.AuditRetention()}, a.log)
	})
	a.guard = access.New(access.Options{AdminToken: a.cfg.AdminToken.Reveal(), Tokens: a.store, Logger: a.log})
	a.life.background("tokens", 10*time.Second, a.guard.Run)
	return a.serve(ctx, registry)
}

func (a *App) openStore(ctx context.Context) error {
	options := storeOptions(a.cfg, a.log)
	options.EffectKinds, options.Committed = effectKinds(a.cfg), a.offer
	s, err := store.Open(ctx, options)
	if err != nil {
		return err
	}
	a.store = s
	a.life.onStop("store", 20*time.Second, func(context.Context) error { return s.Close() })
	return nil
}

// storeOptions name the database of the settings.
func storeOptions(cfg *config.Config, log *slog.Logger) store.Options {
	return store.Options{URL: cfg.DatabaseURL.Reveal(), DataDir: cfg.DataDir, Logger: log}
}

func (a *App) startInbox(ctx context.Context, registry prometheus.Registerer) error {
	list := shiprocket.NewAllowList(a.cfg.Shiprocket.AllowedIPs)
	checked := list
	if a.cfg.Shiprocket.IPCheck == config.Off {
		checked = nil
	}
	metrics := inbox.NewMetrics(registry)
	a.inbox = inbox.New(inbox.Options{
		Log:         a.store,
		Verifier:    shiprocket.NewVerifier(reveal(a.cfg.Shiprocket.WebhookTokens), reveal(a.cfg.Shiprocket.WebhookSecrets), a.cfg.Shiprocket.SignatureHeader),
		Addresses:   checked,
		WarnAddress: a.cfg.Shiprocket.IPCheck == config.Warn,
		Apply:       inbox.ApplyOptions{AutoCreate: a.cfg.AutoCreateOrders},
		Metrics:     metrics,
		Logger:      a.log,
	})
	a.addresses = inbox.NewAddresses(inbox.AddressOptions{Log: a.store, List: list, Wake: a.inbox.Wake, Logger: a.log})
	if err := a.addresses.Refresh(ctx); err != nil {
		return err
	}
	a.life.background("inbox", 20*time.Second, a.inbox.Run)
	a.life.background("addresses", 10*time.Second, a.addresses.Run)
	a.replayer = inbox.NewReplayer(inbox.ReplayerOptions{Log: a.store, Wake: a.inbox.Wake, Logger: a.log})
	a.life.background("replays", 10*time.Second, a.replayer.Run)
	a.alarms = inbox.NewAlarms(inbox.AlarmOptions{Log: a.store, Metrics: metrics, Logger: a.log, Silence: a.cfg.Silence()})
	a.life.background("alarms", 10*time.Second, a.alarms.Run)
	return nil
}

func (a *App) serve(ctx context.Context, registry *prometheus.Registry) error {
	secret, err := a.store.KeptSecret(ctx, "watch.secret", rand.Text())
	if err != nil {
		return fmt.Errorf("keep the secret of watch tokens: %w", err)
	}
	publicURL := ""
	if a.cfg.PublicURL != nil {
		publicURL = a.cfg.PublicURL.String()
	}
	socket := a.cfg.BrowserSocket()
	metrics := metricsHandler(registry)
	a.api = httpapi.New(httpapi.Options{
		Inbox: a.inbox, Addresses: a.addresses, Replayer: a.replayer, Alarms: a.alarms, Store: a.store,
		Guard: a.guard, WatchTokens: access.NewWatchTokens(secret),
		RealtimeServer: a.realtimeHandler(), Connections: a.conns, Metrics: metrics, Logger: a.log,
		Realtime:  httpapi.Realtime{Key: a.pusherApp.Key, Host: socket.Host, Port: socket.Port, TLS: socket.TLS, Authorize: a.pusherApp.AuthorizeChannel},
		Shop:      httpapi.Shop{Name: a.cfg.Shop.Name, LogoURL: a.cfg.Shop.LogoURL, Color: a.cfg.Shop.Color, SupportURL: a.cfg.Shop.SupportURL},
		PublicURL: publicURL, TrustedProxies: a.cfg.TrustedProxies, AllowedOrigins: a.cfg.AllowedOrigins,
		ShopOrderIDs: a.cfg.ShopOrderIDs, PublicChannels: a.cfg.PublicOrderChannels,
	})
	if a.cfg.MetricsAddr != "" {
		few := httpapi.NewConnections(metricsConnections, a.log)
		if _, err := a.listen(ctx, "metrics", a.cfg.MetricsAddr, metrics, few); err != nil {
			return err
		}
	}
	a.addr, err = a.listen(ctx, "http", a.cfg.Addr(), a.api, a.conns)
	if err != nil {
		return err
	}
	// Registered last, so it is the first to happen: balancers look elsewhere
	// while everything is still answered, for as long as they need to notice.
	a.life.onStop("readiness", a.cfg.Drain()+time.Second, func(ctx context.Context) error {
		a.api.Drain()
		select {
		case <-time.After(a.cfg.Drain()):
		case <-ctx.Done():
		}
		return nil
	})
	return nil
}

// listen serves h at an address until the app stops.
func (a *App) listen(ctx context.Context, name, addr string, h http.Handler, conns *httpapi.Connections) (net.Addr, error) {
	listened, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	l, _ := listened.(*net.TCPListener) // what "tcp" makes
	if err != nil {
		return nil, fmt.Errorf("listen for %s at %s: %w; %s", name, addr, err, otherAddress(name, err))
	}
	server := httpapi.NewServer(h, a.log)
	served := make(chan error, 1)
	go func() {
		err := conns.Serve(server, l)
		if !errors.Is(err, http.ErrServerClosed) {
			a.life.fail(fmt.Errorf("serve %s: %w", name, err))
		}
		served <- err
	}()
	a.life.onStop(name, 15*time.Second, func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		if served := <-served; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	})
	return l.Addr(), nil
}

// otherAddress is the mend for an address that cannot be listened at.
func otherAddress(name string, err error) string {
	host, port := "HOST", "PORT"
	if name == "metrics" {
		host, port = "METRICS_ADDR", "METRICS_ADDR"
	}
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address: " + host + " must name one of its own, or 0.0.0.0 for all"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not listen there: choose a " + port + " above 1023, and let a proxy have the lower one"
	default:
		return "is another process there? Stop it, or choose another " + port
	}
}

// Wait blocks until ctx is done (nil) or a part of the app has failed.
func (a *App) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.life.failed:
		return err
	}
}

// Stop ends everything in reverse order of its start.
func (a *App) Stop() error { return a.life.stop() }

// URL is where the app can be reached from this machine, without a trailing
// slash.
func (a *App) URL() string {
	host, port, err := net.SplitHostPort(a.addr.String())
	if err != nil {
		return "http://" + a.addr.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// AppKey is the public key that browsers connect to the realtime server with.
func (a *App) AppKey() string { return a.pusherApp.Key }

func reveal(secrets []config.Secret) []string {
	shown := make([]string, 0, len(secrets))
	for _, s := range secrets {
		shown = append(shown, s.Reveal())
	}
	return shown
}
