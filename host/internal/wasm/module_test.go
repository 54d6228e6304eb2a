package wasm_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/sdk/abi"
)

// The modules here are written by hand: plugins as somebody might send them who
// reads the ABI with other eyes.

const i32, i64 = byte(abi.I32), byte(abi.I64)

func u(v uint64) []byte { return binary.AppendUvarint(nil, v) }

func cat(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func name(s string) []byte { return cat(u(uint64(len(s))), []byte(s)) }

func vec(items ...[]byte) []byte { return cat(u(uint64(len(items))), cat(items...)) }

// guest is a plugin by hand: imports of payhost_v1, and the code of its exports.
type guest struct {
	imports [][3]string // module, name, index of the type below
	pages   uint64
	init    []byte
	call    []byte
	marker  string
	without string // an export to leave out
	callFn  uint64 // type of payhost_call
}

// types are the function types that guests use.
func types() [][]byte {
	t := func(params, results []byte) []byte { return cat([]byte{0x60}, vecOf(params), vecOf(results)) }
	return [][]byte{
		t(nil, nil), t([]byte{i32, i32}, []byte{i32}), t([]byte{i32, i32, i32}, []byte{i32}), t(nil, []byte{i64}),
		t([]byte{i32, i32, i32, i32}, []byte{i32}), t([]byte{i32, i64, i32, i32}, []byte{i32}),
		t([]byte{i32, i32, i32, i64, i64, i32}, []byte{i32}), t([]byte{i32, i32, i64}, []byte{i32}),
		t([]byte{i32, i32, i64, i64, i32}, []byte{i32}), t([]byte{i32, i32, i32, i32, i32}, []byte{i32}),
		t([]byte{i32}, []byte{i32}), t([]byte{i32, i32, i32, i32}, []byte{i32}), t([]byte{i64}, []byte{i32}),
		t([]byte{i32}, []byte{i64}),
	}
}

func vecOf(b []byte) []byte { return cat(u(uint64(len(b))), b) }

func (g guest) build() []byte {
	section := func(id byte, body []byte) []byte { return cat([]byte{id}, u(uint64(len(body))), body) }
	body := func(code []byte) []byte {
		b := cat([]byte{0}, code, []byte{0x0b})
		return cat(u(uint64(len(b))), b)
	}
	var imports [][]byte
	for _, i := range g.imports {
		index := uint64(0)
		for _, c := range i[2] {
			index = index*10 + uint64(c-'0')
		}
		imports = append(imports, cat(name(i[0]), name(i[1]), []byte{0}, u(index)))
	}
	if g.marker == "" {
		g.marker = abi.ExportMarker
	}
	if g.callFn == 0 {
		g.callFn = 1
	}
	if g.call == nil {
		g.call = []byte{0x41, 0}
	}
	n := uint64(len(imports))
	var exports [][]byte
	for _, e := range []struct {
		name  string
		kind  byte
		index uint64
	}{{abi.ExportMemory, 2, 0}, {abi.ExportInit, 0, n}, {g.marker, 0, n + 1}, {abi.ExportCall, 0, n + 2}} {
		if e.name != g.without {
			exports = append(exports, cat(name(e.name), []byte{e.kind}, u(e.index)))
		}
	}
	return cat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, vec(types()...)), section(2, vec(imports...)), section(3, vec(u(0), u(0), u(g.callFn))),
		section(5, vec(cat([]byte{0}, u(max(1, g.pages))))), section(7, vec(exports...)),
		section(10, vec(body(g.init), body(nil), body(g.call))))
}

// TestCompileRefuses gives modules that are no plugin, each with its own reason.
func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		binary []byte
		want   string
	}{
		"empty":                {nil, "no WebAssembly 1.0 header"},
		"text":                 {[]byte("#!/bin/sh\n"), "no WebAssembly 1.0 header"},
		"no memory":            {guest{without: abi.ExportMemory}.build(), "export memory is missing"},
		"no _initialize":       {guest{without: abi.ExportInit}.build(), "export _initialize is missing"},
		"no payhost_call":      {guest{without: abi.ExportCall}.build(), "export payhost_call is missing"},
		"no marker":            {guest{without: abi.ExportMarker}.build(), "not a payhost plugin"},
		"version 2":            {guest{marker: "payhost_abi_v2"}.build(), "built for ABI version 2, this payhost has version 1"},
		"payhost_call's type":  {guest{callFn: 2}.build(), "export payhost_call has the wrong type"},
		"imports of version 2": {guest{imports: [][3]string{{"payhost_v2", "input", "2"}}}.build(), "built for ABI payhost_v2"},
		"a later import":       {guest{imports: [][3]string{{abi.Module, "kv_watch", "2"}}}.build(), "needs a newer payhost: this one has no import payhost_v1.kv_watch"},
		"an import's type":     {guest{imports: [][3]string{{abi.Module, "input", "1"}}}.build(), "import payhost_v1.input has the wrong type"},
		"a foreign import":     {guest{imports: [][3]string{{"env", "system", "1"}}}.build(), "imports env.system"},
		"too much memory":      {guest{pages: 2000}.build(), "asks for too much memory"},
		"code that is not":     {guest{call: []byte{0x6a}}.build(), "not valid WebAssembly"},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			_, err := wasm.Compile(t.Context(), tt.binary, config())
			var load *wasm.LoadError
			if !errors.As(err, &load) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			harmless(t, err.Error())
		})
	}
}

// TestCompileCanceled stops while a module is compiled: it is not the module's fault.
func TestCompileCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := wasm.Compile(ctx, guest{}.build(), config())
	if err == nil || !errors.Is(err, context.Canceled) || err.Error() != "compilation was canceled" {
		t.Errorf("error %v", err)
	}
}

// TestPool takes and gives instances from many goroutines; one in four is spoiled.
func TestPool(t *testing.T) {
	t.Parallel()
	const size, callers, rounds = 3, 12, 40
	// traps if the input's length is odd
	g := guest{call: []byte{0x20, 1, 0x41, 1, 0x71, 0x04, 0x40, 0x00, 0x0b, 0x41, 0}}
	m, err := wasm.Compile(t.Context(), g.build(), config())
	if err != nil {
		t.Fatal(err)
	}
	pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: size, InitTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	out, most := 0, 0
	count := func(change int) {
		mu.Lock()
		defer mu.Unlock()
		out += change
		most = max(most, out)
	}
	for caller := range callers {
		wg.Go(func() {
			for round := range rounds {
				inst, err := pool.Take(t.Context(), time.Now().Add(patience))
				if err != nil {
					t.Error(err)
					return
				}
				count(+1)
				odd := caller%4 == 0 && round%2 == 0
				length := 0
				if odd {
					length = 1
				}
				_, err = inst.Call(t.Context(), nobody{}, 1, length, time.Now().Add(time.Minute))
				if (err != nil) != odd {
					t.Errorf("error %v with length %d", err, length)
				}
				count(-1)
				pool.Put(inst)
			}
		})
	}
	wg.Wait()
	if idle := settled(pool).Idle; most > size || idle > size {
		t.Errorf("%d instances at once, %d idle, of %d", most, idle, size)
	}
	held, err := pool.Take(t.Context(), time.Now().Add(patience))
	if err != nil {
		t.Fatal(err)
	}
	full := []*wasm.Instance{held}
	for len(full) < size {
		inst, err := pool.Take(t.Context(), time.Now().Add(patience))
		if err != nil {
			t.Fatal(err)
		}
		full = append(full, inst)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := pool.Take(ctx, time.Now().Add(patience)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a full pool: %v", err)
	}
	for _, inst := range full {
		pool.Put(inst)
	}
	pool.Close()
	if _, err := pool.Take(t.Context(), time.Now().Add(patience)); !errors.Is(err, wasm.ErrClosed) {
		t.Errorf("a closed pool: %v", err)
	}
}

// TestCache compiles twice over one directory, side by side, and closes one while
// the other goes on; and over a directory that can't be.
func TestCache(t *testing.T) {
	t.Parallel()
	c := config()
	c.CacheDir = t.TempDir()
	binary := guest{}.build()
	var modules []*wasm.Module
	for range 2 {
		m, err := wasm.Compile(t.Context(), binary, c)
		if err != nil {
			t.Fatal(err)
		}
		modules = append(modules, m)
	}
	modules[0].Close()
	inst, err := modules[1].Instantiate(t.Context(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inst.Call(t.Context(), nobody{}, 1, 0, time.Now().Add(time.Second)); err != nil {
		t.Error(err)
	}
	inst.Close()
	modules[1].Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.CacheDir = file
	if _, err := wasm.Compile(t.Context(), binary, c); err == nil || !strings.Contains(err.Error(), "compile cache") {
		t.Errorf("a cache that is a file: %v", err)
	}
}
