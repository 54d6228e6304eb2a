package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/prebuilt"
	"github.com/payhost/payhost/internal/witness"
	"github.com/payhost/payhost/sdk/pay"
)

// pace is how often a call comes while the plugin is swapped: a load that leaves the
// processors time for the compiler, as on a host that is not overloaded.
const pace = 2 * time.Millisecond

// settling is how long a load runs before its calls count: connections to the provider
// and instances are made meanwhile.
const settling = 500 * time.Millisecond

// The phases in which a call is due.
const (
	unsettled = iota
	before
	during
	phases
)

// BenchmarkSwap swaps the plugin under load, by a revision that was never compiled,
// and reports the calls that failed and the 99th latency of a hundred before the swap
// and while the new revision is made: by a process of its own, as payhost serve has it
// made, and in the one that serves. One operation is one swap.
func BenchmarkSwap(b *testing.B) {
	maker, err := prebuilt.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("compiler=apart", func(b *testing.B) {
		swap(b, host.Config{Compiler: func(ctx context.Context, module []byte) error {
			cmd := exec.CommandContext(ctx, maker.Program(), "compile", "--cache", cacheDir())
			cmd.Stdin, cmd.Stderr = bytes.NewReader(module), os.Stderr
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", max(1, runtime.GOMAXPROCS(0)/2)))
			return cmd.Run()
		}})
	})
	b.Run("compiler=here", func(b *testing.B) { swap(b, host.Config{}) })
}

func swap(b *testing.B, config host.Config) {
	b.Helper()
	provider := provider(b)
	h := newHost(b, config, packed())
	conn := connect(b, h, provider)
	binary, err := os.ReadFile(packed().Path)
	if err != nil {
		b.Fatal(err)
	}
	machine := witness.Start()
	defer machine.Stop()
	var took [phases][]witness.Span
	failed, calls := 0, 0
	b.ResetTimer()
	for n := range b.N {
		l := startLoad(conn)
		time.Sleep(settling)
		l.phase.Store(before)
		time.Sleep(3 * time.Second)
		l.phase.Store(during)
		// A custom section with other bytes makes another revision of the same code; one in
		// front, since those at the end do not count for the cache.
		next := slices.Insert(slices.Clone(binary), len("\x00asm")+4, customSection(b, n)...)
		if _, err := h.Swap(b.Context(), "bench", host.Source{Bytes: next}); err != nil {
			b.Fatal(err)
		}
		l.stop()
		for p := range took {
			took[p] = append(took[p], l.took[p]...)
			calls += len(l.took[p])
		}
		failed, calls = failed+l.failed, calls+l.failed
	}
	b.StopTimer()
	b.ReportMetric(float64(failed), "failed-calls")
	b.ReportMetric(float64(calls)/float64(b.N), "calls/op")
	machine.Latency(b, took[before], "-before")
	machine.Latency(b, took[during], "-during")
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
	phase   atomic.Int32 // of the calls that are due from now on
	quit    chan struct{}
	running sync.WaitGroup

	mu     sync.Mutex
	took   [phases][]witness.Span
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
	phase := p.phase.Load()
	_, err := p.conn.Create(context.Background(), *p.request)
	took := witness.Span{Began: due, Ended: time.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.failed++
		return
	}
	p.took[phase] = append(p.took[phase], took)
}
