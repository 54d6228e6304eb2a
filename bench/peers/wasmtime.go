//go:build cgo

package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/bytecodealliance/wasmtime-go/v39"

	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/benchwork/stubhost"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// wasmtimeGo runs payhost's own plugin in wasmtime: what another engine would make
// of it. The instance is never put back, and its code can't be stopped.
func wasmtimeGo(_ context.Context, build string) (Call, func(), error) {
	binary, err := os.ReadFile(filepath.Join(build, "payhost.wasm"))
	if err != nil {
		return nil, nil, err
	}
	engine := wasmtime.NewEngine()
	module, err := wasmtime.NewModule(engine, binary)
	if err != nil {
		return nil, nil, err
	}
	host := stubhost.New()
	store := wasmtime.NewStore(engine)
	store.SetWasi(wasmtime.NewWasiConfig())
	instance, err := instantiate(engine, store, module, host)
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	request := benchwork.CreateRequest(benchwork.Sample())
	entry := instance.GetFunc(store, abi.ExportCall)
	return func() (benchwork.Result, error) {
		code, err := entry.Call(store, int32(pay.OpCreate), int32(host.Begin(request)))
		if err != nil {
			return benchwork.Result{}, err
		}
		if code != int32(0) {
			return benchwork.Result{}, fmt.Errorf("the plugin returned %v", code)
		}
		return host.Result()
	}, store.Close, nil
}

func instantiate(
	engine *wasmtime.Engine, store *wasmtime.Store, module *wasmtime.Module, host *stubhost.Host,
) (*wasmtime.Instance, error) {
	linker := wasmtime.NewLinker(engine)
	if err := linker.DefineWasi(); err != nil {
		return nil, err
	}
	functions := imports(host)
	for _, needed := range module.Imports() {
		if needed.Module() != abi.Module {
			continue
		}
		name := *needed.Name()
		var err error
		if function, ok := functions[name]; ok {
			err = linker.FuncWrap(abi.Module, name, function)
		} else {
			err = linker.Define(store, abi.Module, name, wasmtime.NewFunc(store, needed.Type().FuncType(), refuse))
		}
		if err != nil {
			return nil, err
		}
	}
	instance, err := linker.Instantiate(store, module)
	if err != nil {
		return nil, err
	}
	start := instance.GetFunc(store, abi.ExportInit)
	if start == nil {
		return nil, errors.New("the plugin is no reactor")
	}
	_, err = start.Call(store)
	return instance, err
}

// imports are the functions of payhost_v1 that the plugin calls.
func imports(host *stubhost.Host) map[string]any {
	return map[string]any{
		"input":       func(c *wasmtime.Caller, off, p, n int32) int32 { return host.Input(uint32(off), memory(c, p, n)) },
		"reply":       func(c *wasmtime.Caller, p, n int32) int32 { return host.Reply(memory(c, p, n)) },
		"config":      func(c *wasmtime.Caller, p, n int32) int32 { return host.Config(memory(c, p, n)) },
		"last_error":  func(c *wasmtime.Caller, p, n int32) int32 { return host.LastError(memory(c, p, n)) },
		"now_ns":      host.NowNS,
		"deadline_ns": host.DeadlineNS,
		"log":         func(c *wasmtime.Caller, level, p, n int32) int32 { return host.Log(level, memory(c, p, n)) },
		"blob_new":    host.BlobNew,
		"blob_len":    host.BlobLen,
		"blob_free":   host.BlobFree,
		"blob_write":  func(c *wasmtime.Caller, b, p, n int32) int32 { return host.BlobWrite(b, memory(c, p, n)) },
		"blob_read": func(c *wasmtime.Caller, b int32, off int64, p, n int32) int32 {
			return host.BlobRead(b, off, memory(c, p, n))
		},
		"http_send": func(c *wasmtime.Caller, p, n, body int32) int32 { return host.HTTPSend(memory(c, p, n), body) },
	}
}

// refuse stands for an import that the work does not need.
func refuse(*wasmtime.Caller, []wasmtime.Val) ([]wasmtime.Val, *wasmtime.Trap) {
	return nil, wasmtime.NewTrap("the benchmark has no such import")
}

// memory returns a part of the guest's memory. A guest that points outside makes the
// slice panic, which ends the benchmark: the guest here is our own.
func memory(c *wasmtime.Caller, p, n int32) []byte {
	data := c.GetExport("memory").Memory().UnsafeData(c)
	return data[uint32(p):][:uint32(n)]
}
