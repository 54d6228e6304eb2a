package wasm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/host/internal/wasm/rewrite"
	"github.com/payhost/payhost/host/internal/wasm/testdata/asm"
	"github.com/payhost/payhost/sdk/abi"
)

// pointerArgs tells, for every import, where its pointers stand: the index of an
// argument that is followed by a length, or of one that points at eight bytes.
var pointerArgs = map[string]struct{ slices, words []int }{
	"input":       {slices: []int{1}},
	"reply":       {slices: []int{0}},
	"last_error":  {slices: []int{0}},
	"features":    {slices: []int{0}},
	"config":      {slices: []int{0}},
	"now_ns":      {},
	"deadline_ns": {},
	"random":      {slices: []int{0}},
	"blob_new":    {},
	"blob_write":  {slices: []int{1}},
	"blob_read":   {slices: []int{2}},
	"blob_len":    {},
	"blob_free":   {},
	"http_send":   {slices: []int{0}},
	"digest":      {slices: []int{2}},
	"sign":        {slices: []int{0}},
	"verify":      {slices: []int{0}},
	"encrypt":     {slices: []int{0}},
	"decrypt":     {slices: []int{0}},
	"kv_get":      {slices: []int{0}, words: []int{2}},
	"kv_put":      {slices: []int{0}, words: []int{5}},
	"kv_del":      {slices: []int{0}},
	"kv_incr":     {slices: []int{0}, words: []int{4}},
	"kv_list":     {slices: []int{0, 2}},
	"log":         {slices: []int{1}},
	"span_start":  {slices: []int{0}},
	"span_end":    {slices: []int{1}},
}

// relay is a plugin whose payhost_call calls one import with its own first
// argument at place pointer, its second behind it, and zeros elsewhere.
func relay(sig abi.Signature, pointer int, length bool) []byte {
	return plugin(func(m *asm.Module) []byte {
		f := m.Import(abi.Module, sig.Name, kinds(sig.Params), kinds(sig.Results))
		var code []byte
		for i, kind := range sig.Params {
			switch {
			case i == pointer:
				code = append(code, asm.LocalGet, 0)
			case length && i == pointer+1:
				code = append(code, asm.LocalGet, 1)
			case kind == abi.I64:
				code = append(code, asm.I64Const, 0)
			default:
				code = append(code, asm.I32Const, 0)
			}
		}
		code = append(code, asm.Code(asm.Call, asm.U(f))...)
		if sig.Results[0] == abi.I64 {
			code = append(code, asm.I32WrapI64)
		}
		return code
	}).Bytes()
}

func kinds(list []abi.ValueType) asm.Types {
	out := make(asm.Types, len(list))
	for i, kind := range list {
		out[i] = byte(kind)
	}
	return out
}

func TestWildPointersToEveryImport(t *testing.T) {
	t.Parallel()
	const page, top = 1 << 16, 1 << 32
	wild := [][2]int64{
		{page, 1},
		{page - 1, 2},
		{0, page + 1},
		{0, top - 1},
		{1, top - 1},
		{top - 1, 1},
		{top - 1, top - 1},
		{top / 2, top / 2},
		{top - 1, 0},
	}
	words := [][2]int64{{page - 7, 0}, {page, 0}, {top - 1, 0}, {top - 8, 0}, {top / 2, 0}}
	for _, sig := range abi.ImportTable() {
		t.Run(sig.Name, func(t *testing.T) {
			t.Parallel()
			where, known := pointerArgs[sig.Name]
			if !known {
				t.Fatal("import is not in the table of pointers: add it")
			}
			for _, at := range where.slices {
				tryPointers(t, compile(t, relay(sig, at, true)), wild, page-1)
			}
			for _, at := range where.words {
				tryPointers(t, compile(t, relay(sig, at, false)), words, page-8)
			}
			if len(where.slices)+len(where.words) > 0 {
				return
			}
			_, err := call(t, compile(t, relay(sig, -1, false)), nobody{}, 0, 0)
			if got := fault(t, err).Fault; got != wasm.FaultHost {
				t.Errorf("fault %d: the host was not reached", got)
			}
		})
	}
}

// tryPointers calls a relay with pointers that must trap before the host hears of
// the call, and with the last one that fits.
func tryPointers(t *testing.T, m *wasm.Module, wild [][2]int64, fits int64) {
	t.Helper()
	for _, args := range wild {
		_, err := call(t, m, nobody{}, int32(uint32(args[0])), int(args[1]))
		if got := fault(t, err); got.Fault != wasm.FaultPointer {
			t.Errorf("pointer %#x, length %#x: fault is %q", args[0], args[1], got)
		}
	}
	_, err := call(t, m, nobody{}, int32(fits), 1)
	if got := fault(t, err).Fault; got != wasm.FaultHost { // nobody panics once reached
		t.Errorf("pointer %#x fits and gave fault %d: the host was not reached", fits, got)
	}
}

// call runs one call on an instance of its own.
func call(t testing.TB, m *wasm.Module, host abi.Imports, op int32, input int) (int32, error) {
	t.Helper()
	inst := instantiate(t, m)
	return inst.Call(t.Context(), host, op, input, time.Now().Add(patience))
}

// TestEveryImportReachesItsMethod holds the arguments and results of all imports
// against what the guest passed: a swap of two would hide behind equal types.
func TestEveryImportReachesItsMethod(t *testing.T) {
	t.Parallel()
	for _, sig := range abi.ImportTable() {
		t.Run(sig.Name, func(t *testing.T) {
			t.Parallel()
			m := compile(t, plugin(func(m *asm.Module) []byte {
				f := m.Import(abi.Module, sig.Name, kinds(sig.Params), kinds(sig.Results))
				var code []byte
				for i, kind := range sig.Params { // argument i is 8 x (i+1)
					op := asm.I32Const
					if kind == abi.I64 {
						op = asm.I64Const
					}
					code = append(code, asm.Code(op, asm.S(8*(i+1)))...)
				}
				code = append(code, asm.Code(asm.Call, asm.U(f))...)
				if sig.Results[0] == abi.I64 {
					code = append(code, asm.I32WrapI64)
				}
				return code
			}).Bytes())
			host := &witness{}
			got, err := call(t, m, host, 0, 0)
			if err != nil || got != 77 {
				t.Errorf("result is %d, %v; want the host's 77", got, err)
			}
			if diff := cmp.Diff(seen[sig.Name], host.saw); diff != "" {
				t.Errorf("the host saw (-want +got):\n%s", diff)
			}
		})
	}
}

// TestInitializationThatFails holds _initialize and start functions that trap,
// loop, exit or misuse the host.
func TestInitializationThatFails(t *testing.T) {
	t.Parallel()
	loop := asm.Code(asm.Loop, asm.Void, asm.Br, asm.U(0), asm.End)
	for _, tc := range []struct {
		name string
		code func(m *asm.Module) []byte
		want wasm.Fault
	}{
		{"trap", func(*asm.Module) []byte { return []byte{asm.Unreachable} }, wasm.FaultTrap},
		{"loop", func(*asm.Module) []byte { return loop }, wasm.FaultDeadline},
		{"exit", func(m *asm.Module) []byte {
			f := m.Import(abi.WASIModule, "proc_exit", asm.Types{asm.I32}, nil)
			return asm.Code(asm.I32Const, 0, asm.Call, asm.U(f))
		}, wasm.FaultExit},
		{"wild pointer", func(m *asm.Module) []byte {
			f := m.Import(abi.Module, "random", asm.Types{asm.I32, asm.I32}, asm.Types{asm.I32})
			return asm.Code(asm.I32Const, asm.S(-1), asm.I32Const, asm.S(9), asm.Call, asm.U(f), asm.Drop)
		}, wasm.FaultPointer},
	} {
		for _, by := range []string{"_initialize", "start"} {
			t.Run(tc.name+" in "+by, func(t *testing.T) {
				t.Parallel()
				m := asm.New()
				body := tc.code(m)
				f, nothing := m.Func(nil, nil, nil, body), m.Func(nil, nil, nil)
				init := f
				if by == "start" {
					init = nothing
					m.Start(f)
				}
				m.Memory(1, 0)
				m.Export(abi.ExportMemory, asm.KindMemory, 0)
				m.Export(abi.ExportInit, asm.KindFunc, init)
				m.Export(abi.ExportMarker, asm.KindFunc, nothing)
				m.Export(abi.ExportCall, asm.KindFunc, m.Func(
					asm.Types{asm.I32, asm.I32}, asm.Types{asm.I32}, nil, asm.I32Const, 0))
				module := compile(t, m.Bytes())
				_, err := module.Instantiate(t.Context(), 20*time.Millisecond)
				if by == "start" && tc.want == wasm.FaultTrap {
					// The engine tells it apart from a module that doesn't link in text only.
					if load := (*wasm.LoadError)(nil); !errors.As(err, &load) {
						t.Errorf("error is %v, want a *LoadError", err)
					}
					harmless(t, err.Error())
					return
				}
				if got := fault(t, err); got.Fault != tc.want {
					t.Errorf("fault is %q, want %q", got, (&wasm.CallError{Fault: tc.want}).Error())
				}
				harmless(t, err.Error())
			})
		}
	}
}

// TestDeadlineHoldsAgainstExpensiveSteps is about guests that spend few checks
// and much time: one step may fill all of memory, ask the host for as many random
// bytes, be a thousand instructions long, or poll a hundred thousand clocks.
func TestDeadlineHoldsAgainstExpensiveSteps(t *testing.T) {
	t.Parallel()
	const all = memoryLimit
	forever := func(body []byte) []byte {
		return asm.Code(asm.Loop, asm.Void, body, asm.Br, asm.U(0), asm.End, asm.Unreachable)
	}
	var division []byte
	for range 50_000 {
		division = append(division, asm.Code(asm.LocalGet, 0, asm.I32Const, 3, byte(0x6e), asm.LocalSet, 0)...)
	}

	for name, code := range map[string]func(m *asm.Module) []byte{
		"memory.fill": func(*asm.Module) []byte {
			return forever(asm.Code(asm.I32Const, 0, asm.LocalGet, 0, asm.I32Const, asm.S(all),
				asm.Bulk, asm.MemoryFill, 0))
		},
		"memory.copy": func(*asm.Module) []byte {
			return forever(asm.Code(asm.I32Const, 1, asm.I32Const, 0, asm.I32Const, asm.S(all-1),
				asm.Bulk, asm.MemoryCopy, 0, 0))
		},
		"long body": func(*asm.Module) []byte { return forever(division) },
		"random of WASI": func(m *asm.Module) []byte {
			f := m.Import(abi.WASIModule, "random_get", asm.Types{i32, i32}, asm.Types{i32})
			return forever(asm.Code(asm.I32Const, 0, asm.I32Const, asm.S(all), asm.Call, asm.U(f), asm.Drop))
		},
		"poll of WASI": func(m *asm.Module) []byte {
			f := m.Import(abi.WASIModule, "poll_oneoff", asm.Types{i32, i32, i32, i32}, asm.Types{i32})
			const n = all / 128
			return forever(asm.Code(asm.I32Const, 0, asm.I32Const, asm.S(all/2), asm.I32Const, asm.S(n),
				asm.I32Const, asm.S(all-8), asm.Call, asm.U(f), asm.Drop))
		},
		"import of payhost": func(m *asm.Module) []byte {
			f := m.Import(abi.Module, "random", asm.Types{i32, i32}, asm.Types{i32})
			return forever(asm.Code(asm.I32Const, 0, asm.I32Const, asm.S(1<<20), asm.Call, asm.U(f), asm.Drop))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := plugin(code)
			b.Memory(all/(1<<16), 0)
			inst := instantiate(t, compile(t, b.Bytes()))
			const deadline = 20 * time.Millisecond
			began := time.Now()
			_, err := inst.Call(t.Context(), slow{}, 7, 0, began.Add(deadline))
			if got := fault(t, err); got.Fault != wasm.FaultDeadline {
				t.Errorf("fault is %q, want its deadline", got)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("stopped %v after its deadline", took-deadline)
			}
		})
	}
}

// TestOneMoveIsManySlices moves all of memory by one instruction, and wants the host to
// have had its turns meanwhile.
func TestOneMoveIsManySlices(t *testing.T) {
	t.Parallel()
	const all = memoryLimit
	for name, code := range map[string][]byte{
		"fill":      asm.Code(asm.I32Const, 0, asm.LocalGet, 0, asm.I32Const, asm.S(all), asm.Bulk, asm.MemoryFill, 0),
		"copy up":   asm.Code(asm.I32Const, 1, asm.I32Const, 0, asm.I32Const, asm.S(all-1), asm.Bulk, asm.MemoryCopy, 0, 0),
		"copy down": asm.Code(asm.I32Const, 0, asm.I32Const, 1, asm.I32Const, asm.S(all-1), asm.Bulk, asm.MemoryCopy, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := plugin(func(*asm.Module) []byte { return append(code, asm.I32Const, 0) })
			b.Memory(all/(1<<16), 0)
			inst := instantiate(t, compile(t, b.Bytes()))
			before := inst.Ticks()
			if _, err := inst.Call(t.Context(), nobody{}, 7, 0, time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			if ticks := inst.Ticks() - before; ticks < all/rewrite.Slice-1 {
				t.Errorf("%d ticks for a move of %d bytes", ticks, all)
			}
		})
	}
}

// slow is a host whose import takes a while, and longer than the guest's time.
type slow struct{ nobody }

func (slow) Random(p []byte) int32 {
	done, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	<-done.Done()
	return int32(len(p))
}

// TestGuestCannotResetItsCountdown has a guest that knows where the countdown
// is and sets it back in every round.
func TestGuestCannotResetItsCountdown(t *testing.T) {
	t.Parallel()
	for _, global := range []uint32{1, 2} {
		b := plugin(func(m *asm.Module) []byte {
			m.Global(asm.I32, true, asm.I32Const, 0)
			return asm.Code(asm.Loop, asm.Void, asm.I32Const, asm.S(1<<30), asm.GlobalSet, asm.U(global),
				asm.Br, asm.U(0), asm.End, asm.Unreachable)
		})
		_, err := wasm.Compile(t.Context(), b.Bytes(), config())
		if refused := (*wasm.LoadError)(nil); !errors.As(err, &refused) {
			t.Errorf("a module that sets the global behind its last is accepted: %v", err)
		}
	}
}
