package witness

import (
	"slices"
	"testing"
	"time"
)

// patience is how long a benchmark waits for a machine that is slow all the time.
const patience = 10 * time.Second

// Loop does a benchmark's work over and over, and reports as ns/op what it takes on the
// average where it met no time in which the machine was slow, and as disturbed-% how
// often it did. It is for work of some microseconds and more, since it reads the clock
// twice for each.
func Loop(b *testing.B, work func()) {
	b.Helper()
	machine := Start()
	defer machine.Stop()
	spans := make([]Span, 0, 1<<16)
	for b.Loop() {
		began := time.Now()
		work()
		spans = append(spans, Span{began, time.Now()})
	}
	took := machine.Undisturbed(spans)
	for ended := time.Now(); len(took) == 0 && time.Since(ended) < patience; took = machine.Undisturbed(spans) {
		for more := time.Now(); time.Since(more) < echo; { // a benchmark may be shorter than a time in which the machine is slow
			began := time.Now()
			work()
			spans = append(spans, Span{began, time.Now()})
		}
	}
	b.ReportMetric(Mean(b, took), "ns/op")
	disturbed(b, len(spans), len(took), "")
}

// Latency reports the middle and the 99th latency of a hundred, in milliseconds, of the
// calls that met no time in which the machine was slow, how many of a hundred met
// one, and the 99th of all calls. When stands in the names of the metrics, behind p50, p99,
// disturbed and p99-all. Where all calls met one the first two are missing, which is no
// failure: testing runs a benchmark once with a single call.
func (w *Witness) Latency(b *testing.B, calls []Span, when string) {
	b.Helper()
	took := w.Undisturbed(calls)
	disturbed(b, len(calls), len(took), when)
	all := make([]time.Duration, len(calls))
	for i, c := range calls {
		all[i] = c.Ended.Sub(c.Began)
	}
	b.ReportMetric(percentile(all, 99), "p99-all"+when+"-ms")
	if len(took) > 0 {
		b.ReportMetric(percentile(took, 50), "p50"+when+"-ms")
		b.ReportMetric(percentile(took, 99), "p99"+when+"-ms")
	}
}

// percentile is in milliseconds; it puts what it is given in order.
func percentile(took []time.Duration, percent int) float64 {
	slices.Sort(took)
	return float64(took[len(took)*percent/100].Nanoseconds()) / 1e6
}

func disturbed(b *testing.B, all, left int, when string) {
	b.Helper()
	b.ReportMetric(100*float64(all-left)/float64(all), "disturbed"+when+"-%")
}

// Mean is in nanoseconds. A benchmark fails of which nothing was undisturbed.
func Mean(b *testing.B, took []time.Duration) float64 {
	b.Helper()
	if len(took) == 0 {
		b.Fatal("the machine was slow all the time")
	}
	var sum time.Duration
	for _, t := range took {
		sum += t
	}
	return float64(sum.Nanoseconds()) / float64(len(took))
}
