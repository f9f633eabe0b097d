package app

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/webazaar/waybill/internal/bus"
	"github.com/webazaar/waybill/internal/pusher"
)

// newCluster is what the processes of one service share about watchers: kept in
// Redis if there is one, else in the PostgreSQL that they share anyway. A process
// with SQLite is alone.
func (a *App) newCluster(registry prometheus.Registerer) (pusher.Cluster, error) {
	var cluster interface {
		pusher.Cluster
		Health() bus.Health
	}
	var err error
	switch {
	case a.cfg.RedisURL.IsSet():
		cluster, err = bus.NewRedis(bus.RedisOptions{URL: a.cfg.RedisURL.Reveal(), App: a.pusherApp.ID, Logger: a.log})
	case a.cfg.DatabaseURL.IsSet():
		cluster, err = bus.NewPostgres(bus.PostgresOptions{URL: a.cfg.DatabaseURL.Reveal(), Logger: a.log})
	default:
		return pusher.NewMemoryCluster(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("share live updates: %w", err)
	}
	promauto.With(registry).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "waybill_bus_up", Help: "1 while live updates of other processes reach this one's watchers, and the other way.",
	}, func() float64 {
		if h := cluster.Health(); h.Err != nil || h.Since.IsZero() {
			return 0
		}
		return 1
	})
	return bus.Late(cluster, a.log), nil
}
