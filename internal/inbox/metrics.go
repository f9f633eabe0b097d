package inbox

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/webazaar/waybill/internal/shiprocket"
)

// Metrics counts what comes in and what becomes of it.
type Metrics struct {
	receivedTotal *prometheus.CounterVec
	ackSeconds    prometheus.Histogram
	appliedTotal  *prometheus.CounterVec
	applySeconds  prometheus.Histogram
	triesFailed   *prometheus.CounterVec
	unlistedTotal prometheus.Counter
	faultsTotal   *prometheus.CounterVec
	unknownTotal  prometheus.Counter
	lastPush      atomic.Int64 // Unix nanoseconds, 0 before the first
	seen          sightings    // for the alarms
}

// NewMetrics registers the inbox's metrics; a nil registry keeps them to
// itself.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	m := &Metrics{
		receivedTotal: f.NewCounterVec(prometheus.CounterOpts{
			Name: "waybill_webhooks_received_total", Help: "Pushes by what was answered and how the sender proved itself.",
		}, []string{"outcome", "proof"}),
		ackSeconds: f.NewHistogram(prometheus.HistogramOpts{
			Name: "waybill_ack_duration_seconds", Help: "From the body read to the row durable.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
		}),
		appliedTotal: f.NewCounterVec(prometheus.CounterOpts{
			Name: "waybill_webhooks_applied_total", Help: "Webhooks worked off, by what became of them and why.",
		}, []string{"status", "reason"}),
		applySeconds: f.NewHistogram(prometheus.HistogramOpts{
			Name: "waybill_apply_duration_seconds", Help: "One batch from claim to commit.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		triesFailed: f.NewCounterVec(prometheus.CounterOpts{
			Name: "waybill_webhook_tries_failed_total", Help: "Failed tries; given_up=true were the last.",
		}, []string{"given_up"}),
		unlistedTotal: f.NewCounter(prometheus.CounterOpts{
			Name: "waybill_unlisted_address_total", Help: "Proven pushes from addresses that are not on the list.",
		}),
		faultsTotal: f.NewCounterVec(prometheus.CounterOpts{
			Name: "waybill_decoding_faults_total", Help: "Things found wrong in bodies that were read all the same.",
		}, []string{"fault"}),
		unknownTotal: f.NewCounter(prometheus.CounterOpts{
			Name: "waybill_unknown_statuses_total", Help: "Pushes whose status is in neither of the carrier's tables.",
		}),
	}
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "waybill_last_push_age_seconds", Help: "Since the last proven push; -1 before the first.",
	}, func() float64 {
		at := m.lastPush.Load()
		if at == 0 {
			return -1
		}
		return time.Since(time.Unix(0, at)).Seconds()
	})
	return m
}

// waitedEnough is from when on a sender who has gone was kept waiting: some wait
// for no more than a few seconds, which is less than we do.
const waitedEnough = 2 * time.Second

func (m *Metrics) received(outcome, proof string, took time.Duration) {
	m.receivedTotal.WithLabelValues(outcome, proof).Inc()
	m.ackSeconds.Observe(took.Seconds())
	if outcome == refusing || outcome == gone && took >= waitedEnough {
		m.seen.add(IntakeRefusing, "", 1)
	}
}

// refused counts a push that was answered before its body was read.
func (m *Metrics) refused(outcome string) { m.receivedTotal.WithLabelValues(outcome, "none").Inc() }

func (m *Metrics) pushed(at time.Time) { m.lastPush.Store(at.UnixNano()) }

func (m *Metrics) unlisted() { m.unlistedTotal.Inc() }

func (m *Metrics) applied(s Status, r Reason) {
	m.appliedTotal.WithLabelValues(string(s), string(r)).Inc()
	if r == UnknownStatus {
		m.unknownTotal.Inc()
	}
}

func (m *Metrics) worked(took time.Duration) { m.applySeconds.Observe(took.Seconds()) }

func (m *Metrics) failed(giveUp bool) {
	label := "false"
	if giveUp {
		label = "true"
	}
	m.triesFailed.WithLabelValues(label).Inc()
}

func (m *Metrics) faults(faults []shiprocket.Fault) {
	for _, f := range faults {
		m.faultsTotal.WithLabelValues(string(f.Code)).Inc()
		m.seen.fault(&f)
	}
}
