package bench_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/benchwork/stubhost"
	"github.com/payhost/payhost/sdk/pay"
)

// burst is how many calls come at once.
const burst = 48

// BenchmarkBurst has many calls come at once to a pool with one instance, as when
// the machine has stood still for a moment, and reports how long it takes until all are
// served and how many instances the pool has then. The provider's answer, for which a
// call holds its instance, takes nothing or a while.
func BenchmarkBurst(b *testing.B) {
	for _, answer := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond} {
		b.Run("answer="+answer.String(), func(b *testing.B) {
			made := 0
			for b.Loop() {
				b.StopTimer()
				p := poolOf(b, "payhost.wasm", wasm.PoolConfig{Size: burst})
				b.StartTimer()
				var wg sync.WaitGroup
				for range burst {
					wg.Go(func() { serve(b, p, answer) })
				}
				wg.Wait()
				b.StopTimer()
				s := p.Stats()
				made += s.Idle + s.Out
				p.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(made)/float64(b.N), "instances")
		})
	}
}

// serve makes one call, whose provider takes a while.
func serve(b *testing.B, p *wasm.Pool, answer time.Duration) {
	deadline := time.Now().Add(patience)
	inst, err := p.Take(context.Background(), deadline)
	if err != nil {
		b.Error(err)
		return
	}
	defer p.Put(inst)
	time.Sleep(answer) // what a provider takes, not what anything waits for
	host := stubhost.New()
	input := host.Begin(benchwork.CreateRequest(benchwork.Sample()))
	if _, err := inst.Call(context.Background(), host, int32(pay.OpCreate), input, deadline); err != nil {
		b.Error(err)
	}
}
