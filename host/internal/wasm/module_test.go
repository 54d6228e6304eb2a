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

func handConfig() wasm.Config { return wasm.Config{MemoryBytes: 1 << 20, LogBytes: 1 << 10} }

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
		"too much memory":      {guest{pages: 100}.build(), "asks for too much memory"},
		"code that is not":     {guest{call: []byte{0x6a}}.build(), "not valid WebAssembly"},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			_, err := wasm.Compile(t.Context(), tt.binary, handConfig())
			var load *wasm.LoadError
			if !errors.As(err, &load) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			clean(t, err.Error())
		})
	}
}

// clean wants a text that can be shown: nothing of the engine, no path, no stack.
func clean(t *testing.T, text string) {
	t.Helper()
	for _, leak := range []string{"wazero", ".go:", "goroutine", "/go/pkg", "runtime."} {
		if strings.Contains(text, leak) {
			t.Errorf("text %q holds %q", text, leak)
		}
	}
}

// run makes an instance of a guest and calls it once.
func callOnce(t *testing.T, g guest, host abi.Imports) (*wasm.Instance, int32, error) {
	t.Helper()
	m, err := wasm.Compile(t.Context(), g.build(), handConfig())
	if err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	t.Cleanup(m.Close)
	inst, err := m.Instantiate(t.Context(), time.Second)
	if err != nil {
		return nil, 0, err
	}
	t.Cleanup(inst.Close)
	code, err := inst.Call(t.Context(), host, 1, 0, time.Now().Add(200*time.Millisecond))
	return inst, code, err
}

// TestWildPointers calls every import with a pointer outside the guest's memory,
// and with a length that runs out of it: each ends the guest before the host sees
// anything.
func TestWildPointers(t *testing.T) {
	t.Parallel()
	typeOf := func(sig abi.Signature) string {
		for i, typ := range types() {
			if string(typ) == string(cat([]byte{0x60}, vecOf(bytesOf(sig.Params)), vecOf(bytesOf(sig.Results)))) {
				return string(rune('0'+i/10)) + string(rune('0'+i%10))
			}
		}
		t.Fatalf("no type for %s", sig.Name)
		return ""
	}
	tested := 0
	for _, sig := range abi.ImportTable() {
		if !pointers(sig.Name) {
			continue
		}
		tested++
		for title, arg := range map[string][]byte{
			"pointer outside": {0x41, 0x80, 0x80, 0x80, 0x80, 0x78}, // i32.const -2147483648
			"length outside":  {0x41, 0xff, 0xff, 0x3f},             // i32.const 1048575
		} {
			var code []byte
			for _, p := range sig.Params {
				if p == abi.I64 {
					code = append(code, 0x42, 0)
				} else {
					code = append(code, arg...)
				}
			}
			code = append(code, 0x10, 0) // call the import
			g := guest{imports: [][3]string{{abi.Module, sig.Name, typeOf(sig)}}, call: code}
			inst, _, err := callOnce(t, g, untouched{t})
			var fault *wasm.CallError
			if !errors.As(err, &fault) || fault.Fault != wasm.FaultPointer || inst.Usable() {
				t.Errorf("%s, %s: error %v", sig.Name, title, err)
			}
		}
	}
	if tested < 18 {
		t.Errorf("only %d imports take pointers", tested)
	}
}

func bytesOf(list []abi.ValueType) []byte {
	out := make([]byte, len(list))
	for i, t := range list {
		out[i] = byte(t)
	}
	return out
}

// pointers reports whether an import takes a pointer.
func pointers(name string) bool {
	switch name {
	case "now_ns", "deadline_ns", "blob_new", "blob_len", "blob_free":
		return false
	}
	return true
}

// untouched fails the test if the host is asked for anything.
type untouched struct{ t *testing.T }

func (h untouched) fail() int32 { h.t.Error("the host was asked"); return 0 }

func (h untouched) Input(uint32, []byte) int32                       { return h.fail() }
func (h untouched) Reply([]byte) int32                               { return h.fail() }
func (h untouched) LastError([]byte) int32                           { return h.fail() }
func (h untouched) Features([]byte) int32                            { return h.fail() }
func (h untouched) Config([]byte) int32                              { return h.fail() }
func (h untouched) NowNS() int64                                     { return int64(h.fail()) }
func (h untouched) DeadlineNS() int64                                { return int64(h.fail()) }
func (h untouched) Random([]byte) int32                              { return h.fail() }
func (h untouched) BlobNew(int64) int32                              { return h.fail() }
func (h untouched) BlobWrite(int32, []byte) int32                    { return h.fail() }
func (h untouched) BlobRead(int32, int64, []byte) int32              { return h.fail() }
func (h untouched) BlobLen(int32) int64                              { return int64(h.fail()) }
func (h untouched) BlobFree(int32) int32                             { return h.fail() }
func (h untouched) HTTPSend([]byte, int32) int32                     { return h.fail() }
func (h untouched) Digest(int32, int32, []byte) int32                { return h.fail() }
func (h untouched) Sign([]byte, int32) int32                         { return h.fail() }
func (h untouched) Verify([]byte, int32, int32) int32                { return h.fail() }
func (h untouched) Encrypt([]byte, int32) int32                      { return h.fail() }
func (h untouched) Decrypt([]byte, int32) int32                      { return h.fail() }
func (h untouched) KVGet([]byte) (int32, int64)                      { return h.fail(), 0 }
func (h untouched) KVPut([]byte, int32, int64, int64) (int32, int64) { return h.fail(), 0 }
func (h untouched) KVDel([]byte, int64) int32                        { return h.fail() }
func (h untouched) KVIncr([]byte, int64, int64) (int32, int64)       { return h.fail(), 0 }
func (h untouched) KVList([]byte, []byte, int32) int32               { return h.fail() }
func (h untouched) Log(int32, []byte) int32                          { return h.fail() }
func (h untouched) SpanStart([]byte) int32                           { return h.fail() }
func (h untouched) SpanEnd(int32, []byte) int32                      { return h.fail() }

// clumsy is a host whose clock panics.
type clumsy struct{ untouched }

func (clumsy) NowNS() int64 { panic("a mistake in the host, with a /path/of/ours.go:12") }

// TestFaults lets a guest end in each of the ways it can.
func TestFaults(t *testing.T) {
	t.Parallel()
	loop := []byte{0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0}
	now := [][3]string{{abi.Module, "now_ns", "3"}}
	tests := map[string]struct {
		guest guest
		fault wasm.Fault
	}{
		"unreachable":         {guest{call: []byte{0x00}}, wasm.FaultTrap},
		"load outside":        {guest{call: []byte{0x41, 0x7f, 0x28, 0, 0}}, wasm.FaultTrap},
		"division by zero":    {guest{call: []byte{0x41, 1, 0x41, 0, 0x6d}}, wasm.FaultTrap},
		"endless loop":        {guest{call: loop}, wasm.FaultDeadline},
		"a panic in the host": {guest{imports: now, call: []byte{0x10, 0, 0xa7}}, wasm.FaultHost},
		"loop in _initialize": {guest{init: []byte{0x03, 0x40, 0x0c, 0, 0x0b}}, wasm.FaultDeadline},
		"trap in _initialize": {guest{init: []byte{0x00}}, wasm.FaultTrap},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			inst, _, err := callOnce(t, tt.guest, clumsy{untouched{t}})
			var fault *wasm.CallError
			if !errors.As(err, &fault) || fault.Fault != tt.fault {
				t.Fatalf("error %v, want fault %d", err, tt.fault)
			}
			clean(t, err.Error())
			if inst != nil && inst.Usable() {
				t.Error("the instance may be used again")
			}
		})
	}
}

// TestEndlessRecursion ends by the stack's bound or by the deadline, whichever
// comes first on the machine.
func TestEndlessRecursion(t *testing.T) {
	t.Parallel()
	inst, _, err := callOnce(t, guest{call: []byte{0x41, 0, 0x41, 0, 0x10, 2}}, untouched{t})
	var fault *wasm.CallError
	if !errors.As(err, &fault) || fault.Fault != wasm.FaultTrap && fault.Fault != wasm.FaultDeadline || inst.Usable() {
		t.Errorf("error %v", err)
	}
}

// TestGrowthIsBounded lets a guest ask for more memory than it may have: it is
// told no, and goes on.
func TestGrowthIsBounded(t *testing.T) {
	t.Parallel()
	inst, code, err := callOnce(t, guest{call: []byte{0x41, 0xe4, 0, 0x40, 0}}, untouched{t}) // memory.grow 100
	if err != nil || code != -1 || inst.MemoryBytes() != 1<<16 {
		t.Errorf("code %d, error %v, %d bytes", code, err, inst.MemoryBytes())
	}
}

// TestDeniedWhileInitializing has a guest use the host before it is called.
func TestDeniedWhileInitializing(t *testing.T) {
	t.Parallel()
	// _initialize: if http_send(0,0,0) is not "denied", trap.
	g := guest{
		imports: [][3]string{{abi.Module, "http_send", "2"}},
		init:    []byte{0x41, 0, 0x41, 0, 0x41, 0, 0x10, 0, 0x41, 0x7b, 0x47, 0x04, 0x40, 0x00, 0x0b},
	}
	if _, _, err := callOnce(t, g, untouched{t}); err != nil {
		t.Error(err)
	}
}

// TestCallerGivesUp ends a guest when its caller's context does.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	m, err := wasm.Compile(t.Context(), guest{call: []byte{0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0}}.build(), handConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	inst, err := m.Instantiate(t.Context(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer inst.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = inst.Call(ctx, untouched{t}, 1, 0, time.Now().Add(time.Hour))
	var fault *wasm.CallError
	if !errors.As(err, &fault) || fault.Fault != wasm.FaultCanceled {
		t.Errorf("error %v", err)
	}
}

// TestPool takes and gives instances from many goroutines; one in four is spoiled.
func TestPool(t *testing.T) {
	t.Parallel()
	const size, callers, rounds = 3, 12, 40
	// traps if the input's length is odd
	g := guest{call: []byte{0x20, 1, 0x41, 1, 0x71, 0x04, 0x40, 0x00, 0x0b, 0x41, 0}}
	m, err := wasm.Compile(t.Context(), g.build(), handConfig())
	if err != nil {
		t.Fatal(err)
	}
	pool := wasm.NewPool(m, size, time.Second)
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
				inst, err := pool.Take(t.Context())
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
				_, err = inst.Call(t.Context(), untouched{t}, 1, length, time.Now().Add(time.Minute))
				if (err != nil) != odd {
					t.Errorf("error %v with length %d", err, length)
				}
				count(-1)
				pool.Put(inst)
			}
		})
	}
	wg.Wait()
	if most > size || pool.Idle() > size {
		t.Errorf("%d instances at once, %d idle, of %d", most, pool.Idle(), size)
	}
	held, err := pool.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	full := []*wasm.Instance{held}
	for len(full) < size {
		inst, err := pool.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		full = append(full, inst)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := pool.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a full pool: %v", err)
	}
	for _, inst := range full {
		pool.Put(inst)
	}
	pool.Close()
	if _, err := pool.Take(t.Context()); !errors.Is(err, wasm.ErrClosed) {
		t.Errorf("a closed pool: %v", err)
	}
}

// TestCache compiles twice over one directory, side by side, and closes one while
// the other goes on; and over a directory that can't be.
func TestCache(t *testing.T) {
	t.Parallel()
	c := handConfig()
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
	if _, err := inst.Call(t.Context(), untouched{t}, 1, 0, time.Now().Add(time.Second)); err != nil {
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
