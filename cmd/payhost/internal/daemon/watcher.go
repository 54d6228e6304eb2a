package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/store"
)

const (
	// statsAge is how old the counts of the store may be that a scrape gets: several scrapers share a query.
	statsAge = 5 * time.Second
	// statsPatience is how long counting may take.
	statsPatience = 5 * time.Second
)

// watcher is a collector of what is counted when it is asked for.
type watcher struct {
	store   store.Store
	engine  *payments.Engine
	plugins *payments.Plugins
	host    *host.Host
	log     hclog.Logger
	gauges  map[string]*prometheus.Desc

	mu    sync.Mutex
	at    time.Time
	stats store.Stats
	err   error
}

func newWatcher(s store.Store, e *payments.Engine, p *payments.Plugins, h *host.Host, log hclog.Logger) *watcher {
	gauge := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("payhost_"+name, help, labels, nil)
	}
	return &watcher{store: s, engine: e, plugins: p, host: h, log: log, gauges: map[string]*prometheus.Desc{
		"up":         gauge("store_up", "Whether the store could be asked: 1 or 0. At 0 the counts below are missing."),
		"doubt":      gauge("in_doubt", "Payments with an operation in doubt.", "connection"),
		"oldest":     gauge("in_doubt_oldest_seconds", "How long the oldest doubt has lasted; 0 if there is none."),
		"overdue":    gauge("overdue", "Payments whose time to be looked at is over.", "connection"),
		"alerts":     gauge("alerts", "Payments with a contradiction that a person must look at."),
		"pending":    gauge("deliveries_pending", "Events that wait to be sent.", "endpoint"),
		"dead":       gauge("dead_letters", "Events that were given up.", "endpoint"),
		"parked":     gauge("notifications_parked", "Inbound calls whose payment is not known yet."),
		"connection": gauge("connection_up", "Whether a connection is made: 1 or 0.", "connection", "plugin"),
		"idle":       gauge("plugin_instances_idle", "Instances of a plugin that wait for a call.", "plugin", "digest"),
		"out":        gauge("plugin_instances_out", "Instances of a plugin that serve a call or are being put back.", "plugin", "digest"),
		"image":      gauge("plugin_image_bytes", "Memory that the instances of a plugin share.", "plugin", "digest"),
		"backoff":    gauge("plugin_backoff_seconds", "Seconds between two new instances, as calls keep failing.", "plugin", "digest"),
		"begun":      gauge("plugin_instances_begun_total", "Instances begun for calls, also those that could not be made.", "plugin", "digest"),
		"calls":      gauge("plugin_calls_total", "Calls of a plugin's revision that ended.", "plugin", "digest"),
		"restores":   gauge("plugin_restores_total", "Instances put back to their image after a call.", "plugin", "digest"),
		"dirty":      gauge("plugin_dirty_pages_total", "Pages of 4 KiB that were copied to put instances back.", "plugin", "digest"),
		"discards":   gauge("plugin_discards_total", "Instances replaced after a call, by reason.", "plugin", "digest", "reason"),
		"canary":     gauge("plugin_canary_percent", "Share of the payments of a revision beside the one in use.", "plugin", "version", "digest"),
		"plugin":     gauge("plugin_up", "Whether a plugin runs the revision it should: 1 or 0.", "plugin", "version", "digest"),
	}}
}

// Describe implements prometheus.Collector.
func (w *watcher) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range w.gauges {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (w *watcher) Collect(ch chan<- prometheus.Metric) {
	send := func(name string, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(w.gauges[name], prometheus.GaugeValue, value, labels...)
	}
	connections := w.engine.Connections()
	for _, c := range connections {
		send("connection", yes(c.Problem == ""), c.Name, c.Plugin)
	}
	for _, p := range w.plugins.List() {
		send("plugin", yes(p.Problem == "" && p.Digest != ""), p.Name, p.Version, p.Digest)
		if c := p.Canary; c != nil {
			send("canary", float64(c.Percent), p.Name, c.Version, c.Digest)
		}
	}
	w.instances(ch)
	stats, err := w.counted()
	send("up", yes(err == nil))
	if err != nil {
		return
	}
	doubt := map[string]int{}
	for _, c := range connections { // a gauge that is 0 is there before it rises
		doubt[c.Name] = 0
	}
	for name, n := range stats.InDoubt {
		doubt[name] = n
	}
	for name, n := range doubt {
		send("doubt", float64(n), name)
		send("overdue", float64(stats.Overdue[name]), name)
	}
	for name, n := range stats.Overdue {
		if _, sent := doubt[name]; !sent {
			send("overdue", float64(n), name)
		}
	}
	oldest := 0.0
	if !stats.OldestDoubt.IsZero() {
		oldest = max(0, time.Since(stats.OldestDoubt).Seconds())
	}
	send("oldest", oldest)
	send("alerts", float64(stats.Alerts))
	send("parked", float64(stats.Parked))
	for endpoint, n := range byLabel(stats.Pending) {
		send("pending", float64(n), endpoint)
	}
	for endpoint, n := range byLabel(stats.Dead) {
		send("dead", float64(n), endpoint)
	}
}

// instances tells of the instances of plugins. The counts begin anew with another
// revision, which the digest shows.
func (w *watcher) instances(ch chan<- prometheus.Metric) {
	send := func(name string, kind prometheus.ValueType, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(w.gauges[name], kind, value, labels...)
	}
	for _, s := range w.host.Stats() {
		send("idle", prometheus.GaugeValue, float64(s.Idle), s.Plugin, s.Digest)
		send("out", prometheus.GaugeValue, float64(s.Out), s.Plugin, s.Digest)
		send("image", prometheus.GaugeValue, float64(s.ImageBytes), s.Plugin, s.Digest)
		send("backoff", prometheus.GaugeValue, s.Backoff.Seconds(), s.Plugin, s.Digest)
		send("calls", prometheus.CounterValue, float64(s.Calls), s.Plugin, s.Digest)
		send("begun", prometheus.CounterValue, float64(s.Begun), s.Plugin, s.Digest)
		send("restores", prometheus.CounterValue, float64(s.Restores), s.Plugin, s.Digest)
		send("dirty", prometheus.CounterValue, float64(s.DirtyPages), s.Plugin, s.Digest)
		for reason, n := range s.Discards {
			send("discards", prometheus.CounterValue, float64(n), s.Plugin, s.Digest, reason)
		}
	}
}

// byLabel sums counts of endpoints that have one label.
func byLabel(counts map[string]int) map[string]int {
	out := map[string]int{}
	for endpoint, n := range counts {
		out[endpointLabel(endpoint)] += n
	}
	return out
}

// counted returns the store's counts, at most a little old.
func (w *watcher) counted() (store.Stats, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.at) < statsAge {
		return w.stats, w.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), statsPatience)
	defer cancel()
	w.stats, w.err = w.store.Stats(ctx, time.Now())
	w.at = time.Now()
	if w.err != nil {
		w.log.Warn("store can't be counted for metrics", "error", w.err)
	}
	return w.stats, w.err
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
