package app

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/webazaar/waybill/internal/httpapi"
	"github.com/webazaar/waybill/internal/inbox"
	"github.com/webazaar/waybill/internal/pusher"
)

// newRegistry holds the process's own metrics and those that are read off the
// rooms when someone asks.
func newRegistry(a *App) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&alarms{
			app:    a,
			on:     prometheus.NewDesc("waybill_alarm", "1 while something needs someone; GET /api/alarms says what to do.", []string{"code", "severity"}, nil),
			counts: prometheus.NewDesc("waybill_alarm_count", "How many things an alarm is about, counted up to a bound.", []string{"code"}, nil),
		},
		&depth{app: a, desc: prometheus.NewDesc("waybill_webhooks", "Webhooks that wait or need someone, by status.", []string{"status"}, nil)},
	)
	promauto.With(registry).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "waybill_watchers", Help: "Browsers connected to this process.",
	}, func() float64 {
		if a.realtime == nil {
			return 0
		}
		return float64(a.realtime.Stats().Connections)
	})
	f := promauto.With(registry)
	for name, of := range map[string]func(httpapi.ConnectionCounts) float64{
		"requests": func(c httpapi.ConnectionCounts) float64 { return float64(c.Requests) },
		"watchers": func(c httpapi.ConnectionCounts) float64 { return float64(c.Watchers) },
	} {
		f.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "waybill_connections", Help: "Open connections, by what for.", ConstLabels: prometheus.Labels{"for": name},
		}, func() float64 { return of(a.conns.Counts()) })
	}
	f.NewCounterFunc(prometheus.CounterOpts{
		Name: "waybill_connections_shed_total", Help: "Connections that were closed to make room for newer ones.",
	}, func() float64 { return float64(a.conns.Counts().Shed) })
	f.NewCounterFunc(prometheus.CounterOpts{
		Name: "waybill_connections_refused_total", Help: "Connections that were closed at once, for want of room.",
	}, func() float64 { return float64(a.conns.Counts().Refused) })
	f.NewCounterFunc(prometheus.CounterOpts{
		Name: "waybill_unauthorized_total", Help: "Calls of the API that brought no known token.",
	}, func() float64 { return float64(a.guard.Refused()) })
	return registry
}

// metricsHandler answers with what there is: without the database some cannot be
// told, and the alarm about that must be.
func metricsHandler(registry *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// depth reads the queue off the store at each scrape.
type depth struct {
	app  *App
	desc *prometheus.Desc
}

func (d *depth) Describe(ch chan<- *prometheus.Desc) { ch <- d.desc }

func (d *depth) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, err := d.app.store.Depth(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(d.desc, err)
		return
	}
	for _, s := range []inbox.Status{inbox.Pending, inbox.Parked, inbox.Failed, inbox.Rejected} {
		ch <- prometheus.MustNewConstMetric(d.desc, prometheus.GaugeValue, float64(counts[s]), string(s))
	}
}

// alarms shows the alarms, those that are off too: a rule that goes by a number
// which is not there never fires.
type alarms struct {
	app        *App
	on, counts *prometheus.Desc
}

func (a *alarms) Describe(ch chan<- *prometheus.Desc) { ch <- a.on; ch <- a.counts }

func (a *alarms) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts := map[inbox.AlarmCode]int{}
	for _, alarm := range a.app.alarms.Current(ctx) {
		counts[alarm.Code] = alarm.Count
	}
	for _, code := range inbox.AlarmCodes {
		n, on := counts[code]
		value := 0.0
		if on {
			value = 1
		}
		ch <- prometheus.MustNewConstMetric(a.on, prometheus.GaugeValue, value, string(code), string(code.Severity()))
		ch <- prometheus.MustNewConstMetric(a.counts, prometheus.GaugeValue, float64(n), string(code))
	}
}

// watcherMetrics counts what happens to watchers.
type watcherMetrics struct {
	opened, published, clientEvents, delivered, sentAway prometheus.Counter
	refused, closed, webhooks                            *prometheus.CounterVec
}

var _ pusher.Observer = (*watcherMetrics)(nil)

func newWatcherMetrics(registry prometheus.Registerer) *watcherMetrics {
	f := promauto.With(registry)
	return &watcherMetrics{
		opened:       f.NewCounter(prometheus.CounterOpts{Name: "waybill_watchers_opened_total", Help: "Watchers that connected."}),
		published:    f.NewCounter(prometheus.CounterOpts{Name: "waybill_events_published_total", Help: "Events published on this process, one for each channel."}),
		clientEvents: f.NewCounter(prometheus.CounterOpts{Name: "waybill_client_events_total", Help: "Events of clients that were passed on."}),
		sentAway:     f.NewCounter(prometheus.CounterOpts{Name: "waybill_watchers_sent_away_total", Help: "Watchers closed because the bus may have lost events."}),
		webhooks:     f.NewCounterVec(prometheus.CounterOpts{Name: "waybill_channel_webhooks_total", Help: "Events of channels for webhooks, sent or lost."}, []string{"result"}),
		delivered:    f.NewCounter(prometheus.CounterOpts{Name: "waybill_events_delivered_total", Help: "Events queued for watchers, one for each watcher."}),
		refused:      f.NewCounterVec(prometheus.CounterOpts{Name: "waybill_watchers_refused_total", Help: "Watchers turned away, by close code."}, []string{"code"}),
		closed:       f.NewCounterVec(prometheus.CounterOpts{Name: "waybill_watchers_closed_total", Help: "Watchers that left, by close code; 4100 read too slowly."}, []string{"code"}),
	}
}

func (m *watcherMetrics) Opened()                { m.opened.Inc() }
func (m *watcherMetrics) Delivered(watchers int) { m.delivered.Add(float64(watchers)) }
func (m *watcherMetrics) Published(messages int) { m.published.Add(float64(messages)) }
func (m *watcherMetrics) ClientEvent()           { m.clientEvents.Inc() }
func (m *watcherMetrics) Gap(watchers int)       { m.sentAway.Add(float64(watchers)) }

func (m *watcherMetrics) Webhooks(sent, lost int) {
	m.webhooks.WithLabelValues("sent").Add(float64(sent))
	m.webhooks.WithLabelValues("lost").Add(float64(lost))
}

func (m *watcherMetrics) Refused(code pusher.Code) {
	m.refused.WithLabelValues(strconv.Itoa(int(code))).Inc()
}

func (m *watcherMetrics) Closed(code pusher.Code) {
	m.closed.WithLabelValues(strconv.Itoa(int(code))).Inc()
}
