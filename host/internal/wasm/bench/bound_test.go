package bench_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/host/internal/wasm/rewrite"
	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/benchwork/stubhost"
	"github.com/payhost/payhost/internal/witness"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// BenchmarkBound does the work in the bare engine with the plugin as it was compiled,
// and as it is rewritten so that it can be stopped. Nothing else differs. The third
// is what wazero itself has for that end.
func BenchmarkBound(b *testing.B) {
	bounds(b, "payhost.wasm", "")
	bounds(b, "c.wasm", "/guest=c")
}

func bounds(b *testing.B, name, guest string) {
	file := binary(b, name)
	bound, err := rewrite.Bound(file)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("by=nothing"+guest, func(b *testing.B) { loop(b, grown(b, bare(b, file, false))) })
	b.Run("by=payhost"+guest, func(b *testing.B) { loop(b, grown(b, bare(b, bound, false))) })
	b.Run("by=wazero"+guest, func(b *testing.B) { loop(b, grown(b, bare(b, file, true))) })
}

// grown does the work until the guest's memory grows no more, which takes a Go guest some
// six hundred calls, in each of which the engine copies all of it.
func grown(b *testing.B, do work) work {
	b.Helper()
	for range 2000 {
		if _, err := do(); err != nil {
			b.Fatal(err)
		}
	}
	return do
}

// bare is the work in wazero without payhost's engine.
func bare(b *testing.B, file []byte, closeOnDone bool) work {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	cache, err := wazero.NewCompilationCacheWithDir(engine().CacheDir)
	if err != nil {
		b.Fatal(err)
	}
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache).WithCloseOnContextDone(closeOnDone))
	b.Cleanup(func() { _ = rt.Close(context.Background()) })
	host := stubhost.New()
	err = errors.Join(wasi(ctx, rt), imports(ctx, rt, host))
	if err != nil {
		b.Fatal(err)
	}
	mod, err := rt.InstantiateWithConfig(ctx, file, wazero.NewModuleConfig().WithStartFunctions(abi.ExportInit))
	if err != nil {
		b.Fatal(err)
	}
	entry, request := mod.ExportedFunction(abi.ExportCall), benchwork.CreateRequest(benchwork.Sample())
	var stack [2]uint64
	return func() (benchwork.Result, error) {
		stack = [2]uint64{uint64(pay.OpCreate), uint64(host.Begin(request))}
		if err := entry.CallWithStack(ctx, stack[:]); err != nil {
			return benchwork.Result{}, err
		}
		return host.Result()
	}
}

func wasi(ctx context.Context, rt wazero.Runtime) error {
	_, err := wasi_snapshot_preview1.Instantiate(ctx, rt)
	return err
}

// imports gives the runtime the imports that the work needs; the others answer 0.
func imports(ctx context.Context, rt wazero.Runtime, host *stubhost.Host) error {
	type stack = []uint64
	slice := func(m api.Module, p, n uint64) []byte {
		b, _ := m.Memory().Read(uint32(p), uint32(n)) // the guest is our own
		return b
	}
	functions := map[string]func(m api.Module, s stack) int64{
		"input":       func(m api.Module, s stack) int64 { return int64(host.Input(uint32(s[0]), slice(m, s[1], s[2]))) },
		"reply":       func(m api.Module, s stack) int64 { return int64(host.Reply(slice(m, s[0], s[1]))) },
		"config":      func(m api.Module, s stack) int64 { return int64(host.Config(slice(m, s[0], s[1]))) },
		"now_ns":      func(api.Module, stack) int64 { return host.NowNS() },
		"deadline_ns": func(api.Module, stack) int64 { return host.DeadlineNS() },
		"blob_new":    func(_ api.Module, s stack) int64 { return int64(host.BlobNew(int64(s[0]))) },
		"blob_len":    func(_ api.Module, s stack) int64 { return host.BlobLen(int32(s[0])) },
		"blob_write":  func(m api.Module, s stack) int64 { return int64(host.BlobWrite(int32(s[0]), slice(m, s[1], s[2]))) },
		"blob_read": func(m api.Module, s stack) int64 {
			return int64(host.BlobRead(int32(s[0]), int64(s[1]), slice(m, s[2], s[3])))
		},
		"http_send": func(m api.Module, s stack) int64 { return int64(host.HTTPSend(slice(m, s[0], s[1]), int32(s[2]))) },
	}
	builder := rt.NewHostModuleBuilder(abi.Module)
	for _, sig := range abi.ImportTable() {
		f := functions[sig.Name]
		if f == nil {
			f = func(api.Module, stack) int64 { return 0 }
		}
		builder.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, m api.Module, s stack) {
			s[0] = uint64(f(m, s))
		}), kinds(sig.Params), kinds(sig.Results)).Export(sig.Name)
	}
	if _, err := builder.Instantiate(ctx); err != nil {
		return err
	}
	_, err := rt.NewHostModuleBuilder(rewrite.TickModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(func(context.Context, api.Module, stack) {}), nil, nil).
		Export(rewrite.TickName).Instantiate(ctx)
	return err
}

func kinds(list []abi.ValueType) []api.ValueType {
	out := make([]api.ValueType, len(list))
	for i, t := range list {
		out[i] = api.ValueType(t)
	}
	return out
}

// BenchmarkStop runs a plugin that never ends against a deadline of 20 ms while the
// host collects its garbage, and reports how late it was stopped and how long one
// collection took at most: then, and for as long without a guest. How late counts where
// the machine was not slow between the deadline and the end.
func BenchmarkStop(b *testing.B) {
	p := poolOf(b, "spin.wasm", wasm.PoolConfig{Size: 1})
	host, request := stubhost.New(), benchwork.CreateRequest(benchwork.Sample())
	var ends []witness.Span
	var alone, beside []time.Duration
	machine := witness.Start()
	defer machine.Stop()
	for b.Loop() {
		inst, err := p.Take(b.Context(), time.Now().Add(patience))
		if err != nil {
			b.Fatal(err)
		}
		stop := collect()
		time.Sleep(20 * time.Millisecond)
		alone = append(alone, stop())
		stop = collect()
		deadline := time.Now().Add(20 * time.Millisecond)
		_, err = inst.Call(b.Context(), host, int32(pay.OpCreate), host.Begin(request), deadline)
		ends = append(ends, witness.Span{Began: deadline, Ended: time.Now()})
		beside = append(beside, stop())
		var fault *wasm.CallError
		if !errors.As(err, &fault) || fault.Fault != wasm.FaultDeadline {
			b.Fatalf("error %v, want the deadline's", err)
		}
		p.Put(inst)
	}
	late := machine.Undisturbed(ends)
	b.ReportMetric(100*float64(len(ends)-len(late))/float64(len(ends)), "disturbed-%")
	if slices.Sort(late); len(late) > 0 {
		b.ReportMetric(late[len(late)/2].Seconds()*1e3, "late-p50-ms")
		b.ReportMetric(late[len(late)-1].Seconds()*1e3, "late-max-ms")
	}
	b.ReportMetric(slices.Max(alone).Seconds()*1e3, "gc-alone-max-ms")
	b.ReportMetric(slices.Max(beside).Seconds()*1e3, "gc-max-ms")
}

// collect runs the collector over and over, until the function that it returns is
// called: that tells the longest time that one collection took from its beginning to
// its end. A guest that can't be interrupted would hold it as long as it runs.
func collect() (stop func() time.Duration) {
	quit, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		for {
			select {
			case <-quit:
				longest <- most
				return
			default:
				began := time.Now()
				runtime.GC()
				most = max(most, time.Since(began))
			}
		}
	}()
	return func() time.Duration {
		close(quit)
		return <-longest
	}
}
