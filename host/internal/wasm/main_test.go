package wasm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/host/internal/wasm/testdata/asm"
	"github.com/payhost/payhost/internal/prebuilt"
	"github.com/payhost/payhost/sdk/abi"
)

// The operations of testdata/hostile, by number.
const (
	opEmpty int32 = iota
	opLoop
	opLoopCalls
	opMutual
	opExponential
	opEndlessRecursion
	opSleep
	opGoroutines
	opSelect
	opGrow
	opPanic
	opExit
	opNil
	opFlood
	opFloodThenPanic
	opWASI
	opInitialized
	opWork
	opHostCalls
	opWildRead
	opRecovered
	opOutOfSelf
	opKeep
	opKept
	opDeep
	opCollect
	opMany
	opGrowOnce
	opStreams
	opDice
)

const (
	memoryLimit = 64 << 20
	logLimit    = 4 << 10
	patience    = 30 * time.Second // of what should not end by its deadline
)

// Built once for all tests: the hostile guest, its module, a compile cache.
var (
	hostileBinary []byte
	hostile       *wasm.Module
	cacheDir      string
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "payhost-wasm-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cacheDir = filepath.Join(dir, "cache")
	if hostileBinary, err = buildHostile(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if hostile, err = wasm.Compile(context.Background(), hostileBinary, config()); err != nil {
		fmt.Fprintln(os.Stderr, err, errors.Unwrap(err))
		return 1
	}
	code := m.Run()
	hostile.Close()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// buildHostile builds the hostile guest and puts its machine code into the cache.
func buildHostile(ctx context.Context) ([]byte, error) {
	maker, err := prebuilt.Open(ctx)
	if err != nil {
		return nil, err
	}
	module, err := maker.Guest(ctx, "./testdata/hostile")
	if err != nil {
		return nil, err
	}
	return module, maker.Compile(ctx, module, cacheDir)
}

func config() wasm.Config {
	return wasm.Config{MemoryBytes: memoryLimit, CacheDir: cacheDir, LogBytes: logLimit}
}

// nobody is a host that is never to be called: every method panics.
type nobody struct{ abi.Imports }

// clock is a host that tells the time and nothing else.
type clock struct{ nobody }

func (clock) NowNS() int64 { return 1 }

// plugin returns a module with what the ABI asks for; code is the body of
// payhost_call (op, input_len) -> code, made once the imports are known.
func plugin(code func(m *asm.Module) []byte) *asm.Module {
	m := asm.New()
	body := code(m)
	start := m.Func(nil, nil, nil)
	call := m.Func(asm.Types{asm.I32, asm.I32}, asm.Types{asm.I32}, nil, body)
	m.Memory(1, 0)
	m.Export(abi.ExportMemory, asm.KindMemory, 0)
	m.Export(abi.ExportInit, asm.KindFunc, start)
	m.Export(abi.ExportMarker, asm.KindFunc, start)
	m.Export(abi.ExportCall, asm.KindFunc, call)
	return m
}

// returns is the body that returns a constant.
func returns(v int64) func(*asm.Module) []byte {
	return func(*asm.Module) []byte { return asm.Code(asm.I32Const, asm.S(v)) }
}

func compile(t testing.TB, binary []byte) *wasm.Module {
	t.Helper()
	m, err := wasm.Compile(t.Context(), binary, config())
	if err != nil {
		t.Fatalf("compile: %v (%v)", err, errors.Unwrap(err))
	}
	t.Cleanup(m.Close)
	return m
}

func instantiate(t testing.TB, m *wasm.Module) *wasm.Instance {
	t.Helper()
	inst, err := m.Instantiate(t.Context(), patience)
	if err != nil {
		t.Fatalf("instantiate: %v (%v)", err, errors.Unwrap(err))
	}
	t.Cleanup(inst.Close)
	return inst
}

// fault returns the *wasm.CallError in err or fails the test.
func fault(t testing.TB, err error) *wasm.CallError {
	t.Helper()
	var call *wasm.CallError
	if !errors.As(err, &call) {
		t.Fatalf("error is %v, want a *CallError", err)
	}
	return call
}

// harmless fails the test if a text that callers see tells of the host's inside.
func harmless(t testing.TB, text string) {
	t.Helper()
	here, _ := os.Getwd()
	for _, leak := range []string{"wazero", "goroutine ", ".go:", "runtime.", "wasm stack", "/pkg/mod/", "/srv/", here} {
		if strings.Contains(text, leak) {
			t.Errorf("error text %q tells of %q", text, leak)
		}
	}
}
