package daemon

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/payhost/payhost/host"
)

// metrics is what /metrics tells, in a registry of the daemon's own. It implements
// payments.Observer. docs/operations.md lists the names.
type metrics struct {
	registry *prometheus.Registry

	operations       *prometheus.CounterVec
	operationSeconds *prometheus.HistogramVec
	probes           *prometheus.CounterVec
	probeItems       *prometheus.CounterVec
	probeSeconds     *prometheus.HistogramVec
	notifications    *prometheus.CounterVec
	deliveries       *prometheus.CounterVec
	deliverySeconds  *prometheus.HistogramVec
	commitSeconds    prometheus.Histogram
	commitUpdates    prometheus.Histogram
	requestSeconds   *prometheus.HistogramVec
	reloads          *prometheus.CounterVec
}

func newMetrics() *metrics {
	call := []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30}
	quick := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		operations: counters("operations_total", "Attempts of operations that ended.",
			"connection", "digest", "operation", "outcome", "class"),
		operationSeconds: times("operation_seconds", "How long attempts of operations took.", call, "connection", "operation"),
		probes:           counters("probes_total", "Status calls that ended.", "connection", "ok"),
		probeItems:       counters("probe_items_total", "Payments that status calls asked after.", "connection"),
		probeSeconds:     times("probe_seconds", "How long status calls took.", call, "connection"),
		notifications:    counters("notifications_total", "Inbound calls of providers, by what became of them.", "connection", "state"),
		deliveries:       counters("deliveries_total", "Events sent to webhooks.", "endpoint", "ok"),
		deliverySeconds:  times("delivery_seconds", "How long sending an event took.", call, "endpoint"),
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "payhost", Name: "store_commit_seconds", Help: "How long a durable commit took.", Buckets: quick,
		}),
		commitUpdates: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "payhost", Name: "store_commit_updates", Help: "How many updates shared a commit.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64},
		}),
		requestSeconds: times("http_request_seconds", "How long requests to the API took.", call, "method", "route", "code"),
		reloads:        counters("reloads_total", "Reloads of the configuration.", "ok"),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "payhost", Name: "build_info", Help: "The version that runs; always 1.",
	}, []string{"version"})
	build.WithLabelValues(host.Version).Set(1)
	m.registry.MustRegister(
		m.operations, m.operationSeconds, m.probes, m.probeItems, m.probeSeconds, m.notifications, m.deliveries,
		m.deliverySeconds, m.commitSeconds, m.commitUpdates, m.requestSeconds, m.reloads, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "payhost", Name: name, Help: help}, labels)
}

func times(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "payhost", Name: name, Help: help, Buckets: buckets,
	}, labels)
}

// watch adds what is read when metrics are asked for.
func (m *metrics) watch(d *Daemon) {
	m.registry.MustRegister(newWatcher(d.store, d.engine, d.plugins, d.host, d.log))
}

// handler answers /metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Operation implements payments.Observer.
func (m *metrics) Operation(connection, digest, operation, outcome, class string, took time.Duration) {
	m.operations.WithLabelValues(connection, digest, operation, outcome, class).Inc()
	m.operationSeconds.WithLabelValues(connection, operation).Observe(took.Seconds())
}

// Probe implements payments.Observer.
func (m *metrics) Probe(connection string, items int, ok bool, took time.Duration) {
	m.probes.WithLabelValues(connection, strconv.FormatBool(ok)).Inc()
	m.probeItems.WithLabelValues(connection).Add(float64(items))
	m.probeSeconds.WithLabelValues(connection).Observe(took.Seconds())
}

// Notification implements payments.Observer.
func (m *metrics) Notification(connection, state string) {
	m.notifications.WithLabelValues(connection, state).Inc()
}

// Delivery implements payments.Observer.
func (m *metrics) Delivery(endpoint string, ok bool, took time.Duration) {
	endpoint = endpointLabel(endpoint)
	m.deliveries.WithLabelValues(endpoint, strconv.FormatBool(ok)).Inc()
	m.deliverySeconds.WithLabelValues(endpoint).Observe(took.Seconds())
}

// committed is the store's hook.
func (m *metrics) committed(took time.Duration, updates int) {
	m.commitSeconds.Observe(took.Seconds())
	m.commitUpdates.Observe(float64(updates))
}

// request is the API's hook. The route is a pattern, so nobody can make series.
func (m *metrics) request(route, method string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodHead:
	default:
		method = "other"
	}
	m.requestSeconds.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// reloaded counts a reload.
func (m *metrics) reloaded(err error) {
	m.reloads.WithLabelValues(strconv.FormatBool(err == nil)).Inc()
}

// endpointLabel is an endpoint without its path, which may hold a token.
func endpointLabel(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return "other"
	}
	return u.Scheme + "://" + u.Host
}
