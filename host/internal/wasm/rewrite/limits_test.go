package rewrite_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
)

// single is a module with one function "run" (i32) -> i32 and more sections that
// the caller gives by number.
func single(body []byte, more map[byte][]byte) []byte {
	sections := map[byte][]byte{
		1: vec(functype(1, 1)), 3: vec(u(0)), 7: vec(export("run", 0, 0)), 10: vec(body),
	}
	for id, content := range more {
		sections[id] = content
	}
	var list [][]byte
	for _, id := range []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11} {
		if content, ok := sections[id]; ok {
			list = append(list, sec(id, content))
		}
	}
	return module(list...)
}

func bound(t *testing.T, binary []byte) []byte {
	t.Helper()
	return prepared(t, binary).Binary
}

// TestCountersAreOutOfReach: a module that names the globals that will be added
// would be valid behind the rewriting, and could set its countdown back.
func TestCountersAreOutOfReach(t *testing.T) {
	t.Parallel()
	global := cat([]byte{i32, 1, 0x41, 5, 0x0b})
	for own := range 3 {
		for beyond := range byte(3) {
			index := byte(own) + beyond
			more := map[byte][]byte{}
			if own > 0 {
				more[6] = vec(bytes.Split(bytes.Repeat(append(global, 0xee), own), []byte{0xee})[:own]...)
			}
			refused := func(what string, body []byte, change map[byte][]byte) {
				all := map[byte][]byte{}
				for _, m := range []map[byte][]byte{more, change} {
					for id, content := range m {
						all[id] = content
					}
				}
				if _, err := prepare(single(body, all)); !errors.Is(err, rewrite.ErrFormat) {
					t.Errorf("%d globals, %s of %d: %v", own, what, index, err)
				}
			}
			refused("get", fn(0, 0x23, index), nil)
			refused("set", fn(0, 0x20, 0, 0x24, index, 0x20, 0), nil)
			refused("long set", fn(0, 0x20, 0, 0x24, 0x80|index, 0x80, 0, 0x20, 0), nil)
			refused("export", fn(0, 0x20, 0), map[byte][]byte{7: vec(export("run", 0, 0), export("g", 3, int(index)))})
			refused("constant", fn(0, 0x20, 0), map[byte][]byte{
				4: vec([]byte{0x70, 0, 1}), 9: vec(cat([]byte{0, 0x23, index, 0x0b}, vec(u(0)))),
			})
		}
	}
}

func TestTablesAreBounded(t *testing.T) {
	t.Parallel()
	half := cat([]byte{0x70, 0}, u(rewrite.MaxTable/2))
	grow := fn(0, 0xd0, 0x70, 0x20, 0, 0xfc, 15, 0) // table.grow(null, n)
	for _, table := range [][]byte{{0x70, 0, 2}, {0x70, 1, 2, 100}} {
		m := start(t, bound(t, single(grow, map[byte][]byte{4: vec(table)})))
		for n, want := range map[uint64]uint32{0: 2, 1: 1<<32 - 1, 50: 1<<32 - 1, 1 << 31: 1<<32 - 1} {
			if got, err := m.call(t, n); err != nil || uint32(got[0]) != want {
				t.Errorf("table.grow(%d) is %v, %v; want %d", n, got, err, int32(want))
			}
		}
	}
	bound(t, single(grow, map[byte][]byte{4: vec(half, half)}))
	for name, content := range map[string][]byte{
		"too many entries":  vec(half, half, []byte{0x70, 0, 1}),
		"one that is huge":  vec(cat([]byte{0x70, 0}, u(1<<32-1))),
		"many that are":     vec(cat([]byte{0x70, 0}, u(1<<32-1)), cat([]byte{0x6f, 0}, u(1<<32-1))),
		"unknown kind":      vec([]byte{0x7f, 0, 1}),
		"unknown limits":    vec([]byte{0x70, 4, 1}),
		"most below least":  vec([]byte{0x70, 1, 3, 2}),
		"initialized table": vec([]byte{0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b}),
	} {
		_, err := prepare(single(grow, map[byte][]byte{4: content}))
		if !errors.Is(err, rewrite.ErrFormat) || !strings.Contains(err.Error(), "offset") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEveryStepIsCounted holds the ticks of costly steps against their cost: a
// loop of few rounds with long rounds must tick like one of many short ones.
func TestEveryStepIsCounted(t *testing.T) {
	t.Parallel()
	loop := func(body ...byte) []byte { // n rounds
		return fn(0, cat([]byte{0x03, empty}, body, []byte{0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0})...)
	}
	memory := map[byte][]byte{5: vec([]byte{0, 1})}
	leaf := fn(0, append(bytes.Repeat([]byte{0x20, 0, 0x1a}, 100), 0x20, 0)...)
	calls := bytes.Repeat([]byte{0x20, 0, 0x10, 1, 0x1a}, 100)
	for _, tc := range []struct {
		name   string
		binary []byte
		rounds uint64
		least  int
	}{
		{"nothing", single(loop(), nil), 2 * rewrite.Slice, 9},
		{"long stretch", single(loop(bytes.Repeat([]byte{0x01}, 100_000)...), nil), 100, 9},
		{
			"fill 64 KiB", single(loop(cat([]byte{0x41, 0, 0x41, 0, 0x41}, []byte{0x80, 0x80, 4}, []byte{0xfc, 11, 0})...), memory),
			3_000, 10,
		},
		{
			"copy 64 KiB", single(loop(cat([]byte{0x41, 0, 0x41, 0, 0x41}, []byte{0x80, 0x80, 4}, []byte{0xfc, 10, 0, 0})...), memory),
			3_000, 10,
		},
		{
			"calls of leaves",
			single(loop(calls...), map[byte][]byte{3: vec(u(0), u(0)), 10: vec(loop(calls...), leaf)}),
			200, 2,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := start(t, bound(t, tc.binary))
			if _, err := m.call(t, tc.rounds); err != nil {
				t.Fatal(err)
			}
			if m.ticks < tc.least {
				t.Errorf("%d ticks for %d rounds, want at least %d", m.ticks, tc.rounds, tc.least)
			}
		})
	}
}

// TestPrepareKeepsRareForms runs what compilers seldom write.
func TestPrepareKeepsRareForms(t *testing.T) {
	t.Parallel()
	two := vec(functype(1, 1), functype(2, 2))
	table := vec([]byte{0x70, 0, 4}, []byte{0x70, 0, 2}, []byte{0x6f, 0, 1})
	add := fn(0, 0x20, 0, 0x41, 7, 0x6a)
	for name, binary := range map[string][]byte{
		"ref.func in a global": single(nil, map[byte][]byte{
			3: vec(u(0), u(0)), 4: vec([]byte{0x70, 0, 1}), 6: vec([]byte{0x70, 0, 0xd2, 1, 0x0b}),
			9:  vec(cat([]byte{3, 0}, vec(u(1)))),
			10: vec(fn(0, 0x41, 0, 0x23, 0, 0x26, 0, 0x20, 0, 0x41, 0, 0x11, 0, 0), add), // table[0] = g0; table[0](n)
		}),
		"a loop with values": single(fn(1, // x, y = n, 1; do { y = x*y; x-- } while x; drop
			0x20, 0, 0x41, 1, 0x03, 1, 0x21, 1, 0x22, 0, 0x20, 0, 0x20, 1, 0x6c, 0x21, 1, 0x41, 1, 0x6b, 0x22, 0,
			0x20, 1, 0x20, 0, 0x0d, 0, 0x0b, 0x6a), map[byte][]byte{1: two}),
		"tables in bulk": single(nil, map[byte][]byte{
			3: vec(u(0), u(0)), 4: table, 9: vec(cat([]byte{1, 0}, vec(u(1), u(1)))),
			10: vec(fn(0,
				0x41, 1, 0x41, 0, 0x41, 2, 0xfc, 12, 0, 0, // table.init 0: [1],[2] = f1
				0x41, 0, 0x41, 1, 0x41, 1, 0xfc, 14, 1, 0, // table.copy: t1[0] = t0[1]
				0x41, 3, 0xd0, 0x70, 0x41, 1, 0xfc, 17, 0, // table.fill: t0[3] = null
				0xfc, 13, 0, // elem.drop
				0x20, 0, 0x41, 0, 0x11, 0, 1, // t1[0](n)
				0xfc, 16, 0, 0x6a, // + table.size t0
				0x41, 3, 0x25, 0, 0xd1, 0x6a), add), // + (t0[3] is null)
		}),
		"reverse copy": single(fn(0,
			0x41, 4, 0x20, 0, 0x36, 2, 0, 0x41, 5, 0x41, 4, 0x41, 4, 0xfc, 10, 0, 0, 0x41, 5, 0x28, 0, 0), map[byte][]byte{5: vec([]byte{0, 1})}),
		"fill that traps":   single(fn(0, 0x20, 0, 0x41, 1, 0x41, 0xff, 0xff, 3, 0xfc, 11, 0, 0x20, 0), map[byte][]byte{5: vec([]byte{0, 1})}),
		"code never run":    single(fn(0, 0x20, 0, 0x0f, 0xfc, 11, 0, 0x00), map[byte][]byte{5: vec([]byte{0, 1})}),
		"arithmetic global": single(fn(0, 0x20, 0, 0x23, 0, 0x6a), map[byte][]byte{6: vec([]byte{i32, 0, 0x41, 5, 0x41, 6, 0x6c, 0x0b})}),
		"many locals":       single(fn(2_000, 0x20, 0, 0x21, 0xd0, 0x0f, 0x20, 0xd0, 0x0f), nil),
		"long numbers":      single(fn(0, 0x03, 0xc0, 0x7f, 0x0b, 0x20, 0x80, 0, 0x41, 0x81, 0x80, 0, 0x6a), nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, checked := start(t, binary), start(t, bound(t, binary))
			for n := uint64(1); n < 30; n++ {
				want, wantErr := plain.call(t, n)
				got, gotErr := checked.call(t, n)
				if fmt.Sprint(want) != fmt.Sprint(got) || (wantErr == nil) != (gotErr == nil) {
					t.Fatalf("run(%d): plain %v %v, bounded %v %v", n, want, wantErr, got, gotErr)
				}
			}
		})
	}
}

// TestEmptyModule gets every section that the tick needs.
func TestEmptyModule(t *testing.T) {
	t.Parallel()
	start(t, bound(t, module()))
}

// TestLeftovers refuses sections with bytes behind their last entry: what is added
// at the end would be read together with them.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	whole := map[byte][]byte{
		2: vec(importFunc("env", "double", 0)), 3: vec(u(0), u(0)), 4: vec([]byte{0x70, 0, 2}), 6: vec([]byte{i32, 1, 0x41, 5, 0x0b}),
		8: u(1), 9: vec(cat([]byte{0, 0x41, 0, 0x0b}, vec(u(0)))), 10: vec(fn(0, 0x20, 0), fn(0)),
		1: vec(functype(1, 1), functype(0, 0)), 7: vec(export("run", 0, 1)),
	}
	bound(t, single(nil, whole))
	for id, name := range map[byte]string{
		1: "type", 2: "import", 4: "table", 6: "global", 7: "export", 8: "start", 9: "element", 10: "code",
	} {
		broken := map[byte][]byte{}
		for k, v := range whole {
			broken[k] = v
		}
		broken[id] = append(bytes.Clone(whole[id]), 0)
		if _, err := prepare(single(nil, broken)); !errors.Is(err, rewrite.ErrFormat) ||
			!strings.Contains(err.Error(), name+" section, offset 0x") {
			t.Errorf("section %d with a byte behind its end: %v", id, err)
		}
	}
}
