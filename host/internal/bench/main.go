// Command bench prints the rows of docs/performance.md that can be measured
// without a daemon, as ratios taken in one run: all variants are run in turn,
// round by round, so that noise of the machine meets them alike.
//
//	go run ./host/internal/bench -plugins build/plugins
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

func main() {
	plugins := flag.String("plugins", "build/plugins", "where the built plugins are")
	rounds := flag.Int("rounds", 9, "rounds; the median counts")
	length := flag.Duration("length", 150*time.Millisecond, "how long each variant runs in a round")
	flag.Parse()
	if err := run(*plugins, *rounds, *length); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(dir string, rounds int, length time.Duration) error {
	binary, err := os.ReadFile(filepath.Join(dir, "rahmet.wasm"))
	if err != nil {
		return err
	}
	if err := calls(binary, rounds, length); err != nil {
		return err
	}
	return loads(dir)
}

// calls times a create through the Rahmet plugin: in Wasm, the same code
// natively, and the same work as a Go programmer would write it.
func calls(binary []byte, rounds int, length time.Duration) error {
	module, err := wasm.Compile(context.Background(), binary, wasm.Config{MemoryBytes: 64 << 20, LogBytes: 1 << 10})
	if err != nil {
		return err
	}
	defer module.Close()
	inst, err := module.Instantiate(context.Background(), 5*time.Second)
	if err != nil {
		return err
	}
	request := abi.AppendCreate(nil, sample())
	stub := newStub(request)
	guest := sdk.Native(rahmet.New())
	if err := same(stub, inst, guest, len(request)); err != nil {
		return err
	}
	sandboxed := func(op pay.Operation, inputLen int) error {
		stub.reset()
		_, err := inst.Call(context.Background(), stub, int32(op), inputLen, time.Now().Add(time.Second))
		return err
	}
	variants := []variant{
		{"native, idiomatic (url.Values, encoding/json)", func() error { return idiomatic(sample(), stub.answer) }},
		{"native, the plugin's own code", func() error { stub.reset(); guest(stub, int32(pay.OpCreate), int32(len(request))); return nil }},
		{"plugin in Wasm, CPU bound on", func() error { return sandboxed(pay.OpCreate, len(request)) }},
		{"empty call (an operation the plugin has not)", func() error { return sandboxed(pay.OpBind, 0) }},
	}
	times, err := measure(variants, rounds, length)
	if err != nil {
		return err
	}
	base := median(times[0])
	fmt.Println("create payment, HTTP answered at once by a stub, one goroutine")
	for i, v := range variants {
		m := median(times[i])
		fmt.Printf("  %-50s %9s  %5.2fx idiomatic  %5.2fx own code  (min %s)\n", v.name, m, ratio(m, base),
			ratio(m, median(times[1])), slices.Min(times[i]))
	}
	return nil
}

type variant struct {
	name string
	run  func() error
}

// measure runs every variant in every round and returns the time of one call.
func measure(variants []variant, rounds int, length time.Duration) ([][]time.Duration, error) {
	times := make([][]time.Duration, len(variants))
	for range rounds {
		for i, v := range variants {
			n, began := 0, time.Now()
			for ; n%64 != 0 || time.Since(began) < length; n++ {
				if err := v.run(); err != nil {
					return nil, fmt.Errorf("%s: %w", v.name, err)
				}
			}
			times[i] = append(times[i], time.Since(began)/time.Duration(n))
		}
	}
	return times, nil
}

// same checks that Wasm and native answer the same bytes, so that the times are of
// the same work.
func same(stub *stubHost, inst *wasm.Instance, guest abi.Guest, inputLen int) error {
	guest(stub, int32(pay.OpCreate), int32(inputLen))
	native := slices.Clone(stub.reply)
	stub.reset()
	if _, err := inst.Call(context.Background(), stub, int32(pay.OpCreate), inputLen, time.Now().Add(time.Second)); err != nil {
		return err
	}
	reply, err := abi.DecodeReply(stub.reply)
	switch {
	case err != nil:
		return err
	case reply.Result == nil || reply.Result.Outcome != pay.OutcomeApplied:
		return fmt.Errorf("the plugin did not create: %w", reply.Err)
	case !slices.Equal(native, stub.reply):
		return errors.New("native and Wasm answer differently")
	}
	return nil
}

// loads times what a start costs for each plugin, cold and from the cache.
func loads(dir string) error {
	fmt.Println("\nload: compile and first instance")
	for _, name := range []string{"rahmet", "yeniltoleg", "smartpay"} {
		binary, err := os.ReadFile(filepath.Join(dir, name+".wasm"))
		if err != nil {
			return err
		}
		cache, err := os.MkdirTemp("", "payhost-bench-")
		if err != nil {
			return err
		}
		var cold, instance time.Duration
		var warm []time.Duration
		for i := range 4 {
			compiled, started, err := load(binary, cache)
			if err != nil {
				os.RemoveAll(cache)
				return err
			}
			if i == 0 {
				cold = compiled
			} else {
				warm = append(warm, compiled)
			}
			instance = started
		}
		os.RemoveAll(cache)
		fmt.Printf("  %-12s %5.2f MB   cold %8s   from the cache %8s   instance %8s\n", name, float64(len(binary))/1e6,
			cold.Round(time.Millisecond), median(warm).Round(time.Millisecond), instance.Round(100*time.Microsecond))
	}
	return nil
}

func load(binary []byte, cache string) (compile, instantiate time.Duration, err error) {
	began := time.Now()
	module, err := wasm.Compile(context.Background(), binary, wasm.Config{MemoryBytes: 64 << 20, CacheDir: cache})
	if err != nil {
		return 0, 0, err
	}
	defer module.Close()
	compile = time.Since(began)
	began = time.Now()
	_, err = module.Instantiate(context.Background(), 5*time.Second)
	return compile, time.Since(began), err
}

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
