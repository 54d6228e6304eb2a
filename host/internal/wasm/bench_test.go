package wasm_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/sdk/abi"
)

const workRounds = 1_000_000

func BenchmarkEmptyCall(b *testing.B) {
	inst := instantiate(b, compile(b, plugin(returns(0)).Bytes()))
	benchCall(b, inst, nobody{}, 0, 0)
}

func BenchmarkEmptyGoCall(b *testing.B) { benchCall(b, instantiate(b, hostile), nobody{}, opEmpty, 0) }

// BenchmarkHostCall makes a thousand host calls in one call of the guest.
func BenchmarkHostCall(b *testing.B) {
	const calls = 1000
	benchCall(b, instantiate(b, hostile), clock{}, opHostCalls, calls)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/calls, "ns/hostcall")
}

// BenchmarkWork and BenchmarkWorkUnbound are the same computation with and
// without the checks; the aim is a tenth between them.
func BenchmarkWork(b *testing.B) {
	benchCall(b, instantiate(b, hostile), nobody{}, opWork, workRounds)
}

func benchCall(b *testing.B, inst *wasm.Instance, host abi.Imports, op int32, input int) {
	b.Helper()
	deadline := time.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := inst.Call(context.Background(), host, op, input, deadline); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWorkUnbound runs the guest on the bare engine, as it was compiled.
func BenchmarkWorkUnbound(b *testing.B) {
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer func() { _ = rt.Close(ctx) }()
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, rt); err != nil {
		b.Fatal(err)
	}
	builder := rt.NewHostModuleBuilder(abi.Module)
	denied := api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) { stack[0] = 0 })
	for _, sig := range abi.ImportTable() {
		builder.NewFunctionBuilder().WithGoModuleFunction(denied, kinds(sig.Params), kinds(sig.Results)).
			Export(sig.Name)
	}
	if _, err := builder.Instantiate(ctx); err != nil {
		b.Fatal(err)
	}
	mod, err := rt.InstantiateWithConfig(ctx, hostileBinary, wazero.NewModuleConfig().WithStartFunctions(abi.ExportInit))
	if err != nil {
		b.Fatal(err)
	}
	entry := mod.ExportedFunction(abi.ExportCall)
	for b.Loop() {
		if _, err := entry.Call(ctx, uint64(opWork), workRounds); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInstantiate(b *testing.B) {
	for b.Loop() {
		inst, err := hostile.Instantiate(context.Background(), patience)
		if err != nil {
			b.Fatal(err)
		}
		inst.Close()
	}
}

func BenchmarkCompileCold(b *testing.B) { benchCompile(b, "") }

func BenchmarkCompileCached(b *testing.B) { benchCompile(b, cacheDir) }

func benchCompile(b *testing.B, cache string) {
	b.Helper()
	c := config()
	c.CacheDir = cache
	for b.Loop() {
		m, err := wasm.Compile(context.Background(), hostileBinary, c)
		if err != nil {
			b.Fatal(err)
		}
		m.Close()
	}
}

// BenchmarkPoolCall is a call with the pool around it: put back after each, or not.
func BenchmarkPoolCall(b *testing.B) {
	modes := map[string]wasm.Isolation{"isolation=every_call": wasm.EveryCall, "isolation=never": wasm.Never}
	for _, name := range slices.Sorted(maps.Keys(modes)) {
		b.Run(name, func(b *testing.B) {
			m, err := wasm.Compile(b.Context(), hostileBinary, config())
			if err != nil {
				b.Fatal(err)
			}
			pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: 4, InitTimeout: patience, Isolation: modes[name]})
			if err != nil {
				b.Fatal(err)
			}
			defer pool.Close()
			deadline := time.Now().Add(time.Hour)
			b.ReportAllocs()
			for b.Loop() {
				inst, err := pool.Take(context.Background(), deadline)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := inst.Call(context.Background(), clock{}, opKept, 0, deadline); err != nil {
					b.Fatal(err)
				}
				pool.Put(inst)
			}
			s := pool.Stats()
			b.ReportMetric(float64(s.DirtyPages)/float64(max(s.Restores, 1)), "pages/restore")
		})
	}
}

// BenchmarkFromImage makes an instance that goes on from an image.
func BenchmarkFromImage(b *testing.B) {
	m, err := wasm.Compile(b.Context(), hostileBinary, config())
	if err != nil {
		b.Fatal(err)
	}
	pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: 2, InitTimeout: patience, Backoff: time.Nanosecond})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	deadline := time.Now().Add(time.Hour)
	for b.Loop() {
		inst, err := pool.Take(context.Background(), deadline)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := inst.Call(context.Background(), clock{}, opNil, 0, deadline); err == nil {
			b.Fatal("no trap")
		}
		pool.Put(inst)
	}
}
