package rewrite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
)

// errStop is what tick panics with when a run's budget is spent.
var errStop = errors.New("stopped: its budget is spent")

// machine runs a module, plain or prepared, as the host does, and counts its ticks.
type machine struct {
	mod   api.Module
	ticks int
	limit int // ticks until stop; 0 for no limit

	onTick func() // nil for nothing
}

// begin makes a runtime with what modules of the tests import.
func (m *machine) begin(t testing.TB) wazero.Runtime {
	t.Helper()
	ctx := t.Context()
	features := api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))
	t.Cleanup(func() { _ = rt.Close(context.Background()) })
	tick := api.GoFunc(func(context.Context, []uint64) {
		m.ticks++
		if m.onTick != nil {
			m.onTick()
		}
		if m.limit > 0 && m.ticks >= m.limit {
			panic(errStop)
		}
	})
	builder := rt.NewHostModuleBuilder(rewrite.TickModule)
	if _, err := builder.NewFunctionBuilder().WithGoFunction(tick, nil, nil).Export(rewrite.TickName).Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	return rt
}

func start(t testing.TB, binary []byte) *machine {
	t.Helper()
	ctx := t.Context()
	m := &machine{}
	rt := m.begin(t)
	host := rt.NewHostModuleBuilder("env")
	double := api.GoFunc(func(_ context.Context, stack []uint64) { stack[0] = uint64(uint32(stack[0]) * 2) })
	one := []api.ValueType{api.ValueTypeI32}
	if _, err := host.NewFunctionBuilder().WithGoFunction(double, one, one).Export("double").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	mod, err := rt.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		t.Fatalf("wazero refuses the module: %v", err)
	}
	m.mod = mod
	return m
}

func (m *machine) call(t testing.TB, args ...uint64) ([]uint64, error) {
	t.Helper()
	return m.mod.ExportedFunction("run").Call(t.Context(), args...)
}

// programs are modules whose "run" takes one number and gives one back. Each
// holds something that the rewriting must carry over.
func programs() map[string][]byte {
	one := functype(1, 1)
	none := functype(0, 0)
	code := func(bodies ...[]byte) []byte { return sec(10, vec(bodies...)) }
	run := func(index int) []byte { return sec(7, vec(export("run", 0, index))) }
	// sum: the loop adds n + (n-1) + … + 1.
	sum := fn(1,
		0x03, empty, // loop
		0x20, 1, 0x20, 0, 0x6a, 0x21, 1, // acc += n
		0x20, 0, 0x41, 1, 0x6b, 0x22, 0, // n -= 1
		0x0d, 0, 0x0b, // br_if loop; end
		0x20, 1)
	return map[string][]byte{
		"no imports, no globals": module(sec(1, vec(one)), sec(3, vec(u(0))), run(0), code(sum)),
		"an import in front": module(sec(1, vec(one)), sec(2, vec(importFunc("env", "double", 0))), sec(3, vec(u(0))), run(1),
			code(fn(0, 0x20, 0, 0x10, 0))), // double(n)
		"calls of itself": module(sec(1, vec(one)), sec(3, vec(u(0))), run(0), code(fn(0,
			0x20, 0, 0x45, 0x04, i32, 0x41, 0, 0x05, // n == 0 ? 0
			0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x41, 2, 0x6a, 0x0b))), // : f(n-1)+2
		"globals and a start": module(sec(1, vec(one, none)), sec(3, vec(u(0), u(1))),
			sec(6, vec(cat([]byte{i32, 1}, []byte{0x41, 5, 0x0b}), cat([]byte{i32, 0}, []byte{0x41, 7, 0x0b}))),
			run(0), sec(8, u(1)),
			code(fn(0, 0x20, 0, 0x23, 0, 0x6a, 0x23, 1, 0x6a), fn(0, 0x41, 11, 0x24, 0))), // n + g0 + g1; g0 = 11
		"a table, called by index": module(sec(1, vec(one)), sec(3, vec(u(0), u(0), u(0))),
			sec(4, vec([]byte{0x70, 0, 2})), run(2),
			sec(9, vec(cat([]byte{0, 0x41, 0, 0x0b}, vec(u(0), u(1))))),
			code(fn(0, 0x20, 0, 0x41, 1, 0x6a), fn(0, 0x20, 0, 0x41, 2, 0x6c),
				fn(0, 0x20, 0, 0x20, 0, 0x41, 1, 0x71, 0x11, 0, 0))), // table[n&1](n)
		"elements of every form": module(sec(1, vec(one)), sec(3, vec(u(0), u(0), u(0))),
			sec(4, vec([]byte{0x70, 0, 8})), run(2),
			sec(9, vec(
				cat([]byte{0, 0x41, 0, 0x0b}, vec(u(0))),                                   // 0: active
				cat([]byte{1, 0}, vec(u(1))),                                               // 1: passive
				cat([]byte{2, 0, 0x41, 1, 0x0b, 0}, vec(u(1))),                             // 2: active, table named
				cat([]byte{3, 0}, vec(u(0))),                                               // 3: declarative
				cat([]byte{4, 0x41, 2, 0x0b}, vec([]byte{0xd2, 0, 0x0b})),                  // 4: active, expressions
				cat([]byte{5, 0x70}, vec([]byte{0xd2, 1, 0x0b}, []byte{0xd0, 0x70, 0x0b})), // 5: passive, expressions
				cat([]byte{6, 0, 0x41, 3, 0x0b, 0x70}, vec([]byte{0xd2, 1, 0x0b})),         // 6: active, table, expressions
				cat([]byte{7, 0x70}, vec([]byte{0xd2, 0, 0x0b})),                           // 7: declarative, expressions
			)),
			code(fn(0, 0x20, 0, 0x41, 1, 0x6a), fn(0, 0x20, 0, 0x41, 2, 0x6c),
				fn(0, 0x20, 0, 0x20, 0, 0x41, 3, 0x71, 0x11, 0, 0))),
		"blocks with many values": module(sec(1, vec(one, functype(2, 2))), sec(3, vec(u(0))), run(0), code(fn(0,
			0x20, 0, 0x20, 0, 0x41, 3, 0x6a, // n, n+3
			0x02, 1, 0x6a, 0x41, 9, 0x0b, 0x6c))), // block (2->2): n+n+3, 9; product
		"a table of branches": module(sec(1, vec(one)), sec(3, vec(u(0))), run(0), code(fn(0,
			0x02, empty, 0x02, empty, 0x20, 0, 0x41, 1, 0x71, 0x0e, 1, 0, 1, 0x0b, // br_table [0] 1
			0x41, 40, 0x0f, 0x0b, 0x41, 50))),
		"memory in bulk, typed select": module(sec(1, vec(one)), sec(3, vec(u(0))), sec(5, vec([]byte{0, 1})), run(0),
			code(fn(0,
				0x41, 0, 0x20, 0, 0x41, 16, 0xfc, 11, 0, // memory.fill(0, n, 16)
				0x41, 32, 0x41, 0, 0x41, 16, 0xfc, 10, 0, 0, // memory.copy(32, 0, 16)
				0x41, 32, 0x2d, 0, 0, 0x41, 1, 0x20, 0, 0x1c, 1, i32))), // select(mem[32], 1, n)
		"data with a count": module(sec(1, vec(one)), sec(3, vec(u(0))), sec(5, vec([]byte{0, 1})), run(0), sec(12, u(1)),
			code(fn(0, 0x41, 0, 0x41, 0, 0x41, 3, 0xfc, 8, 0, 0, 0x41, 0, 0x28, 0, 0, 0x20, 0, 0x6a)),
			sec(11, vec(cat([]byte{1}, text("abc"))))),
		"saturating conversion, floats": module(sec(1, vec(one)), sec(3, vec(u(0))), run(0), code(fn(0,
			0x20, 0, 0xb2, 0x43, 0, 0, 0, 0x40, 0x94, 0xfc, 0))), // trunc_sat(float(n) * 2.0)
		"a custom section": module(sec(0, cat(text("other"), []byte("xyz"))), sec(1, vec(one)), sec(3, vec(u(0))), run(0), code(sum)),
	}
}

// TestPrepareKeepsMeaning runs every program plain and bounded with many inputs.
func TestPrepareKeepsMeaning(t *testing.T) {
	t.Parallel()
	for name, binary := range programs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bounded, err := prepare(binary)
			if err != nil {
				t.Fatal(err)
			}
			plain, checked := start(t, binary), start(t, bounded)
			for n := uint64(1); n < 60; n++ {
				want, wantErr := plain.call(t, n)
				got, gotErr := checked.call(t, n)
				if fmt.Sprint(want) != fmt.Sprint(got) || (wantErr == nil) != (gotErr == nil) {
					t.Fatalf("run(%d): plain %v %v, bounded %v %v", n, want, wantErr, got, gotErr)
				}
			}
		})
	}
}

// TestPrepareStops proves that every way to run on and on passes a check: loops,
// recursion with and without loops in untaken branches, mutual recursion, calls
// before a loop, calls by index, tail-free chains that double at each step.
func TestPrepareStops(t *testing.T) {
	t.Parallel()
	one := functype(1, 1)
	run := sec(7, vec(export("run", 0, 0)))
	with := func(bodies ...[]byte) []byte {
		types := make([][]byte, len(bodies))
		for i := range bodies {
			types[i] = u(0)
		}
		return module(sec(1, vec(one)), sec(3, vec(types...)), sec(4, vec([]byte{0x70, 0, 1})), run,
			sec(9, vec(cat([]byte{0, 0x41, 0, 0x0b}, vec(u(0))))), sec(10, vec(bodies...)))
	}
	// step calls function f with n-1, if n is not zero, and then once more: 2^n calls.
	twice := func(f byte) []byte {
		return []byte{
			0x20, 0, 0x45, 0x04, i32, 0x41, 0, 0x05,
			0x20, 0, 0x41, 1, 0x6b, 0x10, f, 0x1a, 0x20, 0, 0x41, 1, 0x6b, 0x10, f, 0x0b,
		}
	}
	untaken := []byte{0x41, 0, 0x04, empty, 0x03, empty, 0x0c, 0, 0x0b, 0x0b} // if 0 { loop { } }
	tests := map[string][]byte{
		"loop":                      with(fn(0, 0x03, empty, 0x0c, 0, 0x0b, 0x41, 0)),
		"loop inside an if":         with(fn(0, 0x20, 0, 0x04, empty, 0x03, empty, 0x0c, 0, 0x0b, 0x0b, 0x41, 0)),
		"loop inside a loop":        with(fn(0, 0x03, empty, 0x03, empty, 0x0c, 1, 0x0b, 0x0b, 0x41, 0)),
		"doubling recursion":        with(fn(0, twice(0)...)),
		"mutual recursion":          with(fn(0, twice(1)...), fn(0, twice(0)...)),
		"recursion, loop not taken": with(fn(0, append(append([]byte{}, untaken...), twice(0)...)...)),
		"recursion before a loop":   with(fn(0, append(twice(0), 0x03, empty, 0x0b)...)),
		"recursion by index": with(fn(0,
			0x20, 0, 0x45, 0x04, i32, 0x41, 0, 0x05,
			0x20, 0, 0x41, 1, 0x6b, 0x41, 0, 0x11, 0, 0, 0x1a, 0x20, 0, 0x41, 1, 0x6b, 0x41, 0, 0x11, 0, 0, 0x0b)),
		"a leaf called in recursion":   with(fn(0, append([]byte{0x20, 0, 0x10, 1, 0x1a}, twice(0)...)...), fn(0, 0x20, 0)),
		"recursion behind an untaken":  with(fn(0, append([]byte{0x02, empty, 0x41, 1, 0x0d, 0, 0x03, empty, 0x0b, 0x0b}, twice(0)...)...)),
		"a stretch back to itself":     with(stretches(nil, to(1, 1), nil)),
		"stretches back and forward":   with(stretches(to(2, 2), to(0, 1), to(1, 0))),
		"a table to its own loop":      with(fn(2, 0x03, empty, 0x02, empty, 0x20, 2, 0x0e, 1, 1, 0, 0x0b, 0x0b, 0x41, 0)),
		"a loop in a block, taken out": with(fn(0, 0x02, empty, 0x03, empty, 0x0c, 0, 0x0b, 0x0b, 0x41, 0)),
	}
	for name, binary := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bounded, err := prepare(binary)
			if err != nil {
				t.Fatal(err)
			}
			m := start(t, bounded)
			m.limit = 20
			_, err = m.call(t, 60) // 2^60 calls, or for ever
			if err == nil || !errors.Is(err, errStop) && !strings.Contains(err.Error(), errStop.Error()) || m.ticks != m.limit {
				t.Errorf("after %d ticks: %v", m.ticks, err)
			}
		})
	}
}

// TestPrepareCounts shows that the count is of the work, not of the time: the same
// work has the same ticks.
func TestPrepareCounts(t *testing.T) {
	t.Parallel()
	bounded := prepared(t, programs()["no imports, no globals"]).Binary
	for range 3 {
		m := start(t, bounded)
		// A round of the loop is of 9 steps.
		if _, err := m.call(t, 10*rewrite.Slice/9+10); err != nil || m.ticks != 10 {
			t.Errorf("%d ticks for ten slices, error %v", m.ticks, err)
		}
	}
}

// TestPrepareRefusesKinds gives what can't be rewritten: the error names the section and
// the offset.
func TestPrepareRefusesKinds(t *testing.T) {
	t.Parallel()
	good := programs()["globals and a start"]
	tests := map[string][]byte{
		"nothing": {}, "text": []byte("hello, world"), "version 2": []byte("\x00asm\x02\x00\x00\x00"),
		"cut in a section":      good[:len(good)-3],
		"section longer":        module([]byte{1, 99, 0}),
		"overlong length":       module([]byte{1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}),
		"imported memory":       module(sec(2, vec(cat(text("env"), text("m"), []byte{2, 0, 1})))),
		"imported global":       module(sec(2, vec(cat(text("env"), text("g"), []byte{3, i32, 0})))),
		"a million globals":     module(sec(6, u(1_000_000))),
		"a million functions":   module(sec(1, vec(functype(0, 0))), sec(10, u(1_000_000))),
		"vector instruction":    module(sec(1, vec(functype(0, 0))), sec(3, vec(u(0))), sec(10, vec(fn(0, 0xfd, 0x0c)))),
		"unknown prefix":        module(sec(1, vec(functype(0, 0))), sec(3, vec(u(0))), sec(10, vec(fn(0, 0xfc, 99)))),
		"constant without end":  module(sec(6, vec([]byte{i32, 1, 0x41, 1}))),
		"element of form 9":     module(sec(9, vec([]byte{9, 0}))),
		"branch table too long": module(sec(1, vec(functype(0, 0))), sec(3, vec(u(0))), sec(10, vec(fn(0, 0x0e, 0xff, 0xff, 0xff, 0x0f)))),
	}
	for name, binary := range tests {
		if _, err := prepare(binary); !errors.Is(err, rewrite.ErrFormat) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := prepare(tests["vector instruction"]); !strings.Contains(err.Error(), "code section, offset 0x") {
		t.Errorf("error %v names no section and offset", err)
	}
}

// TestCustom writes, replaces and reads a custom section.
func TestCustom(t *testing.T) {
	t.Parallel()
	binary := programs()["a custom section"]
	for _, content := range []string{"one", "two, longer", ""} {
		var err error
		if binary, err = rewrite.WithCustom(binary, "payhost.manifest", []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, count, err := rewrite.Custom(binary, "payhost.manifest")
		if err != nil || count != 1 || string(got) != content {
			t.Errorf("%q, %d times, error %v, want %q", got, count, err, content)
		}
	}
	if name, _, _ := rewrite.Custom(binary, "other"); string(name) != "xyz" {
		t.Errorf("the other section is %q", name)
	}
	if _, count, _ := rewrite.Custom(binary, "none"); count != 0 {
		t.Errorf("%d sections that are not there", count)
	}
}
