package bench_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/benchwork/plugin"
	"github.com/payhost/payhost/internal/benchwork/stubhost"
	"github.com/payhost/payhost/internal/witness"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

const patience = 10 * time.Second

// work does the work once, for one goroutine.
type work func() (benchwork.Result, error)

// ways are the ways to do the work. Each name stands in the name of a benchmark.
var ways = []struct {
	name string
	make func(testing.TB) work
}{
	{"native", native},
	{"sdk", inProcess},
	{"payhost", func(tb testing.TB) work { return call(pool(tb, wasm.EveryCall)) }},
	{"payhost-not-isolated", func(tb testing.TB) work { return call(pool(tb, wasm.Never)) }},
	{"payhost-idiomatic", func(tb testing.TB) work { return call(poolOf(tb, "idiomatic.wasm", wasm.PoolConfig{Size: 1})) }},
	{"payhost-c", func(tb testing.TB) work { return call(poolOf(tb, "c.wasm", wasm.PoolConfig{Size: 1})) }},
}

// TestSame holds every way to the same result.
func TestSame(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			do := way.make(t)
			for range 3 {
				if result, err := do(); err != nil || result != benchwork.Want() {
					t.Fatalf("result %+v, error %v", result, err)
				}
			}
		})
	}
}

// BenchmarkCreate does the work on one goroutine. With isolation there is one
// instance, so the next call waits until it was put back: the whole cost shows.
func BenchmarkCreate(b *testing.B) {
	for _, way := range ways {
		b.Run("by="+way.name, func(b *testing.B) { loop(b, way.make(b)) })
	}
}

func loop(b *testing.B, do work) {
	b.Helper()
	for range 3 {
		if result, err := do(); err != nil || result != benchwork.Want() {
			b.Fatalf("result %+v, error %v", result, err)
		}
	}
	b.ReportAllocs()
	witness.Loop(b, func() {
		if _, err := do(); err != nil {
			b.Fatal(err)
		}
	})
}

// native is the work as a Go programmer would write it.
func native(testing.TB) work {
	request := benchwork.Sample()
	return func() (benchwork.Result, error) { return benchwork.Create(request, benchwork.Stub) }
}

// inProcess is the plugin's own code without Wasm.
func inProcess(testing.TB) work {
	host, guest := stubhost.New(), sdk.Native(plugin.Provider{})
	request := benchwork.CreateRequest(benchwork.Sample())
	return func() (benchwork.Result, error) {
		guest(host, int32(pay.OpCreate), int32(host.Begin(request)))
		return host.Result()
	}
}

// call is the plugin in Wasm.
func call(p *wasm.Pool) work {
	host, request := stubhost.New(), benchwork.CreateRequest(benchwork.Sample())
	return func() (benchwork.Result, error) {
		deadline := time.Now().Add(patience)
		inst, err := p.Take(context.Background(), deadline)
		if err != nil {
			return benchwork.Result{}, err
		}
		_, err = inst.Call(context.Background(), host, int32(pay.OpCreate), host.Begin(request), deadline)
		p.Put(inst)
		if err != nil {
			return benchwork.Result{}, err
		}
		return host.Result()
	}
}

// pool returns a pool with one instance of the plugin.
func pool(tb testing.TB, isolation wasm.Isolation) *wasm.Pool {
	tb.Helper()
	return poolOf(tb, "payhost.wasm", wasm.PoolConfig{Size: 1, Isolation: isolation})
}

// poolOf returns a started pool: like the host, it asks the first instance what the
// plugin is, and that call is in the past of every instance.
func poolOf(tb testing.TB, name string, config wasm.PoolConfig) *wasm.Pool {
	tb.Helper()
	return poolIn(tb, engine(), name, config)
}

func poolIn(tb testing.TB, engine wasm.Config, name string, config wasm.PoolConfig) *wasm.Pool {
	tb.Helper()
	config.InitTimeout = patience
	module, err := wasm.Compile(context.Background(), binary(tb, name), engine)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := wasm.NewPool(module, config)
	if err != nil {
		module.Close()
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	if err := p.Start(context.Background(), describe); err != nil {
		tb.Fatal(err)
	}
	return p
}

func describe(inst *wasm.Instance) error {
	_, err := inst.Call(context.Background(), stubhost.New(), int32(pay.OpDescribe), 0, time.Now().Add(patience))
	return err
}

func engine() wasm.Config {
	return wasm.Config{MemoryBytes: 64 << 20, LogBytes: abi.MaxLog, CacheDir: filepath.Join(buildDir(), "cache", "engine")}
}

// buildDir is where make bench puts the plugins.
func buildDir() string {
	if dir := os.Getenv("BENCH_BUILD"); dir != "" {
		return dir
	}
	return "../../../../build/bench"
}

// binary returns a plugin file, or skips if it is not built.
func binary(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(buildDir(), name))
	switch {
	case errors.Is(err, os.ErrNotExist):
		tb.Skip("not built; make bench does that, the plugin in C if there are clang and wasm-ld: ", err)
	case err != nil:
		tb.Fatal(err)
	}
	return content
}
