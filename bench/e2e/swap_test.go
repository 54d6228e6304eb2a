package e2e_test

import (
	"context"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/witness"
	"github.com/payhost/payhost/sdk/pay"
)

// pace is how often a call comes while the plugin is swapped: a load that leaves the
// processors time for the compiler, as on a host that is not overloaded.
const pace = 2 * time.Millisecond

// BenchmarkSwap swaps the plugin under load, by a revision that was never compiled,
// and reports the calls that failed and the 99th latency of a hundred before the swap
// and while the new revision is made. One operation is one swap.
func BenchmarkSwap(b *testing.B) {
	provider := provider(b)
	h := newHost(b, host.Config{}, packed())
	conn := connect(b, h, provider)
	binary, err := os.ReadFile(packed().Path)
	if err != nil {
		b.Fatal(err)
	}
	machine := witness.Start()
	defer machine.Stop()
	var before, during []witness.Span
	failed, calls := 0, 0
	b.ResetTimer()
	for n := range b.N {
		l := startLoad(conn)
		time.Sleep(time.Second)
		l.mark.Store(true)
		// A custom section with other bytes makes another revision of the same code; one in
		// front, since those at the end do not count for the cache.
		next := slices.Insert(slices.Clone(binary), len("\x00asm")+4, customSection(b, n)...)
		if _, err := h.Swap(b.Context(), "bench", host.Source{Bytes: next}); err != nil {
			b.Fatal(err)
		}
		l.stop()
		before, during = append(before, l.took[0]...), append(during, l.took[1]...)
		failed, calls = failed+l.failed, calls+len(l.took[0])+len(l.took[1])+l.failed
	}
	b.StopTimer()
	b.ReportMetric(float64(failed), "failed-calls")
	b.ReportMetric(float64(calls)/float64(b.N), "calls/op")
	machine.Latency(b, before, "-before")
	machine.Latency(b, during, "-during")
}

// customSection returns a custom section of WebAssembly that is new each time.
func customSection(b *testing.B, n int) []byte {
	b.Helper()
	content := append([]byte{5, 'b', 'e', 'n', 'c', 'h'}, time.Now().AppendFormat(nil, time.RFC3339Nano)...)
	content = append(content, byte(n))
	return append([]byte{0, byte(len(content))}, content...)
}

// paced makes calls at a steady pace, each at its time whether or not the ones before
// are back. Latency counts from the time that a call was due.
type paced struct {
	conn    *host.Connection
	request *pay.CreateRequest
	mark    atomic.Bool // calls that are due from now on count as during
	quit    chan struct{}
	running sync.WaitGroup

	mu     sync.Mutex
	took   [2][]witness.Span // before, during
	failed int
}

func startLoad(conn *host.Connection) *paced {
	p := &paced{conn: conn, request: benchwork.CreateRequest(benchwork.Sample()), quit: make(chan struct{})}
	p.running.Go(func() {
		for due := time.Now(); ; due = due.Add(pace) {
			select {
			case <-p.quit:
				return
			case <-time.After(time.Until(due)):
				p.running.Go(func() { p.call(due) })
			}
		}
	})
	return p
}

func (p *paced) stop() {
	close(p.quit)
	p.running.Wait()
}

func (p *paced) call(due time.Time) {
	when := 0
	if p.mark.Load() {
		when = 1
	}
	_, err := p.conn.Create(context.Background(), *p.request)
	took := witness.Span{Began: due, Ended: time.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.failed++
		return
	}
	p.took[when] = append(p.took[when], took)
}
