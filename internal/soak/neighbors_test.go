package soak_test

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/aurora"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/vault"
	"github.com/payhost/payhost/internal/witness"
	"github.com/payhost/payhost/sdk/pay"
)

// The load of the good plugin: so many clients that each wait a while behind a call.
const (
	clients = 4
	thought = 2 * time.Millisecond
	round   = 500 * time.Millisecond
)

// BenchmarkNeighbors takes payments at a good plugin, by turns alone and with a
// hostile one that is called over and over beside it, and reports what the good one
// feels of it, how soon the hostile calls end after their deadline of 100 ms, and how
// long the collector takes and stops the world. The latencies depend on how many
// processors there are: a hostile call has one for as long as it may run. A call that
// met a time in which the machine itself was slow, whoever ran, does not count.
func BenchmarkNeighbors(b *testing.B) {
	var endless []deed
	for _, d := range deeds {
		if d.patience == short || d.name == "allocate" {
			d.patience = short
			endless = append(endless, d)
			b.Run("beside="+d.name, func(b *testing.B) { neighbors(b, d) })
		}
	}
	b.Run("beside=all", func(b *testing.B) { neighbors(b, endless...) })
}

func neighbors(b *testing.B, list ...deed) {
	b.Helper()
	good, bad := pair(b)
	machine := witness.Start()
	defer machine.Stop()
	orders := new(atomic.Int64)
	calm, strained := strain{machine: machine}, strain{machine: machine}
	calm.take(b, good, orders) // warm-up
	calm = strain{machine: machine}
	for b.Loop() {
		calm.take(b, good, orders)
		calm.collect()
		end := strained.misuse(b, bad, list)
		strained.take(b, good, orders)
		strained.collect()
		end()
	}
	b.ReportMetric(0, "ns/op") // a matter of the rounds' length
	calm.report(b, "alone-")
	strained.report(b, "beside-")
	b.ReportMetric(middle(strained.p99)/middle(calm.p99), "p99-ratio")
	b.ReportMetric(percentile(strained.late, 50), "stop-p50-ms")
	b.ReportMetric(percentile(strained.late, 100), "stop-max-ms")
	b.ReportMetric(float64(calm.calls)/float64(b.N)/round.Seconds(), "alone-calls/s")
	b.ReportMetric(100*calm.busy.Seconds()/float64(b.N)/round.Seconds()/float64(runtime.GOMAXPROCS(0)), "alone-cpu-%")
}

// BenchmarkStack recurses without end and reports what the host's heap grows by
// meanwhile, which no limit of the guest's own memory speaks of.
func BenchmarkStack(b *testing.B) {
	_, bad := pair(b)
	recurse := deed{name: "recurse", patience: ample}
	var most uint64
	for b.Loop() {
		runtime.GC()
		before, peak := inUse(), uint64(0)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := misbehave(b.Context(), bad, recurse, "1"); err == nil {
				b.Error("endless recursion ended well")
			}
		}()
		for running := true; running; {
			select {
			case <-done:
				running = false
			case <-time.After(100 * time.Microsecond):
				peak = max(peak, inUse())
			}
		}
		most = max(most, peak-min(before, peak))
	}
	b.ReportMetric(float64(most)/1e6, "peak-MB")
}

// inUse is the heap's size in bytes, with what is not collected yet.
func inUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// pair is a host with a good plugin, whose provider answers at once, and the
// hostile one.
func pair(b *testing.B) (good, bad *host.Connection) {
	b.Helper()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"ord_1","page":"https://aurora.example/p/ord_1"}`)
	}))
	b.Cleanup(provider.Close)
	h, err := host.New(host.Config{CacheDir: cacheDir(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Close() })
	connect := func(config host.ConnectionConfig) *host.Connection {
		if _, err := h.Load(b.Context(), config.Plugin, modules(b)[config.Plugin][0]); err != nil {
			b.Fatal(err)
		}
		config.Name, config.BaseURL = config.Plugin, provider.URL
		config.Egress = host.Grant{AllowPrivate: true, AllowHTTP: true}
		conn, err := h.Connect(b.Context(), config)
		if err != nil {
			b.Fatal(err)
		}
		return conn
	}
	good = connect(host.ConnectionConfig{
		Plugin: "aurora", Settings: json.RawMessage(`{"shop_id":"shop"}`),
		Secrets: map[string]vault.Secret{"api_key": vault.NewSecret(aurora.APIKey)},
	})
	return good, connect(host.ConnectionConfig{Plugin: hostile})
}

// strain is what the good plugin and the process felt.
type strain struct {
	machine     *witness.Witness
	calls       int
	disturbed   int             // of them, not counted for their latency: the machine was slow
	busy        time.Duration   // processor time of the process
	p50, p99    []float64       // of each round, in milliseconds
	late        []time.Duration // how long after its deadline a hostile call ended
	collections []time.Duration // of runtime.GC
	pause       float64         // the longest stop of the world for the collector, in seconds
}

func (s *strain) report(b *testing.B, when string) {
	b.Helper()
	b.ReportMetric(middle(s.p50), when+"p50-ms")
	b.ReportMetric(middle(s.p99), when+"p99-ms")
	b.ReportMetric(percentile(s.collections, 50), when+"gc-p50-ms")
	b.ReportMetric(percentile(s.collections, 100), when+"gc-max-ms")
	b.ReportMetric(s.pause*1000, when+"pause-max-ms")
	b.ReportMetric(100*float64(s.disturbed)/float64(s.calls), when+"disturbed-%")
}

// take takes payments for a round.
func (s *strain) take(b *testing.B, c *host.Connection, orders *atomic.Int64) {
	b.Helper()
	took := make([][]witness.Span, clients)
	began := spent()
	end := time.Now().Add(round)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for time.Now().Before(end) && !b.Failed() {
				n := strconv.FormatInt(orders.Add(1), 10)
				began := time.Now()
				_, err := c.Create(b.Context(), pay.CreateRequest{
					Intent: pay.Intent{Key: n}, PaymentID: "pay_" + n, OrderID: n, Amount: pay.New(1230, "EUR"),
				})
				took[i] = append(took[i], witness.Span{Began: began, Ended: time.Now()})
				if err != nil {
					b.Error(err)
				}
				time.Sleep(thought)
			}
		})
	}
	wg.Wait()
	s.busy += spent() - began
	all := slices.Concat(took...)
	list := s.machine.Undisturbed(all)
	s.calls, s.disturbed = s.calls+len(all), s.disturbed+len(all)-len(list)
	s.p50, s.p99 = append(s.p50, percentile(list, 50)), append(s.p99, percentile(list, 99))
}

// collect has the collector run some times, not while payments are taken: what it
// costs them is another matter.
func (s *strain) collect() {
	before := pauses()
	for range 5 {
		time.Sleep(7 * time.Millisecond)
		began := time.Now()
		runtime.GC()
		s.collections = append(s.collections, time.Since(began))
	}
	s.pause = max(s.pause, longest(before, pauses()))
}

// misuse has the hostile plugin do each of the deeds over and over, until the
// returned function is called.
func (s *strain) misuse(b *testing.B, c *host.Connection, list []deed) (end func()) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	late := make([][]witness.Span, len(list))
	var wg sync.WaitGroup
	for i, d := range list {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				began := time.Now()
				if _, err := misbehave(b.Context(), c, d, strconv.Itoa(n)); err == nil {
					b.Errorf("%s ended well", d.name)
					return
				}
				due := began.Add(d.patience)
				late[i] = append(late[i], witness.Span{Began: due, Ended: due.Add(max(0, time.Since(due)))})
			}
		})
	}
	return func() {
		stop()
		wg.Wait()
		s.late = append(s.late, s.machine.Undisturbed(slices.Concat(late...))...)
	}
}

// spent is the processor time of this process so far.
func spent() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pauses is how often the collector has stopped the world for how long.
func pauses() *metrics.Float64Histogram {
	sample := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64Histogram()
}

// longest is the lower end of the highest bucket that has more in it than before.
func longest(before, after *metrics.Float64Histogram) float64 {
	for i := len(after.Counts) - 1; i >= 0; i-- {
		if after.Counts[i] > before.Counts[i] {
			return max(0, after.Buckets[i])
		}
	}
	return 0
}

// percentile is in milliseconds; NaN of nothing.
func percentile(list []time.Duration, p int) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	list = slices.Sorted(slices.Values(list))
	return float64(list[min(len(list)-1, len(list)*p/100)].Microseconds()) / 1000
}

func middle(list []float64) float64 { return slices.Sorted(slices.Values(list))[len(list)/2] }
