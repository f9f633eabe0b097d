package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/webazaar/waybill/internal/config"
	"github.com/webazaar/waybill/internal/live"
	"github.com/webazaar/waybill/internal/pusher"
	"github.com/webazaar/waybill/internal/tracking"
)

// updatesExpire is how long an outside server may be away before updates for
// it are dropped: its watchers read the snapshot when it is back.
const updatesExpire = time.Hour

// effectKinds are those that LIVE asks for. Each is carried out by itself, so
// that an outside server that is down holds up nobody else.
func effectKinds(cfg *config.Config) []string {
	var kinds []string
	if cfg.Live.Embedded() {
		kinds = append(kinds, tracking.LiveUpdate)
	}
	if cfg.Live.External() {
		kinds = append(kinds, tracking.LiveExternal)
	}
	return kinds
}

// startRealtime starts the Pusher server, unless watchers go to an outside one
// alone.
func (a *App) startRealtime(ctx context.Context, registry *prometheus.Registry) error {
	if err := a.choosePusherApp(ctx); err != nil {
		return err
	}
	if !a.cfg.Live.Embedded() {
		return nil
	}
	cluster, err := a.newCluster(registry)
	if err != nil {
		return err
	}
	a.realtime, err = pusher.New(pusher.Options{
		App: a.pusherApp, Logger: a.log,
		MaxConnections:    a.conns.Watchers(),
		AllowedOrigins:    nil, // an order's page may stand on any origin; its id is the right to watch
		ClientEvents:      a.cfg.PusherClientEvents,
		SubscriptionCount: a.cfg.PusherCounts,
		Webhooks:          webhookTargets(a.cfg.PusherWebhookURLs),
		Observer:          newWatcherMetrics(registry),
		Cluster:           cluster,
	})
	if err != nil {
		return fmt.Errorf("start the realtime server: %w", err)
	}
	a.life.onStop("realtime", 15*time.Second, a.realtime.Drain)
	return nil
}

// webhookTargets are those of the settings, each of which wants everything.
func webhookTargets(urls []config.Secret) []pusher.WebhookTarget {
	var targets []pusher.WebhookTarget
	for _, u := range urls {
		targets = append(targets, pusher.WebhookTarget{URL: u.Reveal()})
	}
	return targets
}

// choosePusherApp takes the app of the settings; what they leave open is made
// once and kept.
func (a *App) choosePusherApp(ctx context.Context) error {
	set := a.cfg.Soketi
	a.pusherApp = pusher.App{ID: set.AppID, Key: set.AppKey, Secret: set.AppSecret.Reveal()}
	if a.pusherApp.ID == "" {
		a.pusherApp.ID = "waybill"
	}
	for name, value := range map[string]*string{"realtime.key": &a.pusherApp.Key, "realtime.secret": &a.pusherApp.Secret} {
		if *value != "" {
			continue
		}
		kept, err := a.store.KeptSecret(ctx, name, strings.ToLower(rand.Text()))
		if err != nil {
			return fmt.Errorf("keep %s: %w", name, err)
		}
		*value = kept
	}
	return nil
}

// startPublishing starts one dispatcher for each place that updates go to.
func (a *App) startPublishing() {
	publishers := map[string]live.Publisher{}
	if a.realtime != nil {
		publishers[tracking.LiveUpdate] = live.Embedded{Server: a.realtime}
	}
	if a.cfg.Live.External() {
		publishers[tracking.LiveExternal] = live.NewExternal(live.ExternalOptions{
			AppID: a.pusherApp.ID, Key: a.pusherApp.Key, Secret: a.pusherApp.Secret,
			Host: net.JoinHostPort(a.cfg.Soketi.Host, strconv.Itoa(a.cfg.Soketi.Port)), Secure: a.cfg.Soketi.UseTLS,
		})
	}
	for _, kind := range effectKinds(a.cfg) {
		o := live.Options{
			Outbox: a.store, Publisher: publishers[kind], Kind: kind, Logger: a.log,
			Channels: live.Channels{PublicOrders: a.cfg.PublicOrderChannels, PublicShipments: a.cfg.PublicShipmentsChannel},
		}
		if kind == tracking.LiveExternal {
			o.Expire = updatesExpire
		} else {
			o.Backoff = soon
		}
		d := live.NewDispatcher(o)
		a.effects = append(a.effects, d)
		a.life.background(kind, 10*time.Second, d.Run)
	}
}

// soon is how long our own bus is left alone after a failure: it bears being
// asked, and when it is back no update should wait for long.
func soon(failures int) time.Duration {
	return min(250*time.Millisecond<<min(failures-1, 3), 2*time.Second)
}

// offer hands committed effects to the dispatchers. Before they are there, and
// whenever it is not called, the effects are on record.
func (a *App) offer(effects []tracking.Effect) {
	for _, d := range a.effects {
		d.Offer(effects)
	}
}

// realtimeHandler is the embedded server, or nil.
func (a *App) realtimeHandler() http.Handler {
	if a.realtime == nil {
		return nil
	}
	return a.realtime
}
