package rewrite_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"
	"pgregory.net/rapid"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
)

// program writes random code that ends: loops count down in locals of their own,
// calls go to functions of a lower number.
type program struct {
	*rapid.T
	function byte // the one being written
	counters byte // locals used by loops so far
	depth    int
}

const (
	functions   = 4
	maxCounters = 8 // locals 2 to 9; 0 is the argument, 1 the result

	maxRecursion = 50 // calls by which functions may call themselves
)

// build writes a module of several functions; "run" is the last.
func build(t *rapid.T) []byte {
	var types, bodies [][]byte
	for f := range byte(functions) {
		p := &program{T: t, function: f}
		code := p.list()
		bodies = append(bodies, fn(1+maxCounters, append(code, 0x20, 1)...))
		types = append(types, u(0))
	}
	table := cat([]byte{0, 0x41, 0, 0x0b}, vec(u(0), u(1), u(2), u(3)))
	return module(sec(1, vec(functype(1, 1), functype(0, 0))), sec(3, vec(types...)), sec(4, vec([]byte{0x70, 0, functions})),
		sec(5, vec([]byte{0, 1})), sec(6, vec(
			[]byte{i32, 1, 0x41, 9, 0x0b}, []byte{0x7e, 1, 0x42, 5, 0x0b}, []byte{i32, 1, 0x41, maxRecursion, 0x0b},
		)),
		sec(7, vec(export("run", 0, functions-1), export("memory", 2, 0))), sec(9, vec(table)), sec(10, vec(bodies...)))
}

func (p *program) pick(n int, what string) int { return rapid.IntRange(0, n-1).Draw(p.T, what) }

// list writes a few statements.
func (p *program) list() []byte {
	var out []byte
	for range p.pick(4, "statements") + 1 {
		out = append(out, p.statement()...)
	}
	return out
}

func (p *program) nested() []byte {
	p.depth++
	defer func() { p.depth-- }()
	return p.list()
}

func (p *program) statement() []byte {
	kind := p.pick(15, "statement")
	if p.depth > 3 && kind > 4 {
		kind %= 5
	}
	switch kind {
	case 0, 1:
		return cat(p.value(), []byte{0x21, 1}) // result = value
	case 2:
		return cat(p.value(), []byte{0x24, 0}) // global = value
	case 3: // memory.fill(value & 255, value, value & 63)
		return cat(p.value(), []byte{0x41, 63, 0x71}, p.value(), p.value(), []byte{0x41, 63, 0x71, 0xfc, 11, 0})
	case 4: // memory.copy(value & 63, value & 63, value & 63)
		low := []byte{0x41, 63, 0x71}
		return cat(p.value(), low, p.value(), low, p.value(), low, []byte{0xfc, 10, 0, 0})
	case 5:
		return cat(p.value(), []byte{0x04, empty}, p.nested(), []byte{0x05}, p.nested(), []byte{0x0b})
	case 6: // a block left early
		return cat([]byte{0x02, empty}, p.nested(), p.value(), []byte{0x0d, 0}, p.nested(), []byte{0x0b})
	case 7: // a table of branches out of two blocks
		return cat([]byte{0x02, empty, 0x02, empty}, p.value(), []byte{0x0e, 2, 0, 1, 0, 0x0b}, p.nested(), []byte{0x0b})
	case 8:
		return p.loop([]byte{0x03, empty}, []byte{0x0d, 0, 0x0b})
	case 9: // left and gone back to by a table
		return cat([]byte{0x02, empty}, p.loop([]byte{0x03, empty}, []byte{0x45, 0x0e, 1, 0, 1, 0x0b}), []byte{0x0b})
	case 10: // that takes a value
		return cat(p.value(), p.loop([]byte{0x03, 0}, []byte{0x0d, 0, 0x0b}), []byte{0x21, 1})
	case 11: // global 1 = 3 * global 1 + value
		return cat([]byte{0x23, 1, 0x42, 3, 0x7e}, p.value(), []byte{0xac, 0x7c, 0x24, 1})
	case 12: // if any are left: a call of any function
		return cat([]byte{0x23, 2, 0x04, empty, 0x23, 2, 0x41, 1, 0x6b, 0x24, 2}, p.value(),
			[]byte{0x10, byte(p.pick(functions, "callee")), 0x21, 1, 0x0b})
	case 13:
		return p.stretches()
	default: // if value: return value
		return cat(p.value(), []byte{0x04, empty}, p.value(), []byte{0x0f, 0x0b})
	}
}

// loop runs its body one to five times, between a head and what goes back if the
// number on the stack is not zero.
func (p *program) loop(head, back []byte) []byte {
	if p.counters == maxCounters {
		return nil
	}
	counter := 2 + p.counters
	p.counters++
	rounds := byte(p.pick(5, "rounds") + 1)
	return cat([]byte{0x41, rounds, 0x21, counter}, head, p.nested(),
		[]byte{0x20, counter, 0x41, 1, 0x6b, 0x22, counter}, back)
}

// stretches is code as the Go compiler writes it: stretches in a loop, one of which a table at
// its head chooses by a local. Each takes one from the rounds that are left, and leaves the
// loop with the last; then it does something, and may jump.
func (p *program) stretches() []byte {
	if p.counters+2 > maxCounters {
		return nil
	}
	rounds, chosen := 2+p.counters, 3+p.counters
	p.counters += 2
	n := p.pick(4, "stretches") + 1
	number := func() byte { return byte(p.pick(n+2, "stretch")) }
	out := []byte{0x41, byte(p.pick(20, "rounds") + 1), 0x21, rounds, 0x41, number(), 0x21, chosen, 0x02, empty, 0x03, empty}
	for range n {
		out = append(out, 0x02, empty)
	}
	out = append(out, 0x20, chosen, 0x0e, byte(n))
	for range n + 1 {
		leads := byte(p.pick(n+1, "target"))
		if leads == byte(n) { // not back to the loop, for ever, but out of it
			leads++
		}
		out = append(out, leads)
	}
	for i := range n {
		loop := byte(n - 1 - i)
		out = cat(out, []byte{0x0b, 0x20, rounds, 0x41, 1, 0x6b, 0x22, rounds, 0x45, 0x0d, loop + 1}, p.nested())
		if p.pick(2, "conditional") == 0 {
			out = cat(out, p.value(), []byte{0x04, empty, 0x41, number(), 0x21, chosen, 0x0c, loop + 1, 0x0b})
		}
		if p.pick(2, "jump") == 0 {
			out = append(out, 0x41, number(), 0x21, chosen, 0x0c, loop)
		}
	}
	return append(out, 0x0b, 0x0b)
}

func (p *program) value() []byte {
	kind := p.pick(9, "value")
	if p.function == 0 && kind >= 7 {
		kind -= 7
	}
	switch kind {
	case 0:
		return []byte{0x41, byte(p.pick(64, "constant"))}
	case 1:
		return []byte{0x20, 0}
	case 2:
		return []byte{0x20, 1}
	case 3:
		return []byte{0x23, 0}
	case 4:
		return []byte{0x20, 0, 0x20, 1, 0x6a}
	case 5:
		return []byte{0x23, 0, 0x41, 31, 0x6c, 0x20, 1, 0x73}
	case 6: // memory[result & 63]
		return []byte{0x20, 1, 0x41, 63, 0x71, 0x28, 0, 0}
	case 7:
		return []byte{0x20, 1, 0x10, byte(p.pick(int(p.function), "callee"))}
	default:
		return []byte{0x20, 0, 0x41, byte(p.pick(int(p.function), "callee")), 0x11, 0, 0}
	}
}

// TestPreparedKeepsRandomPrograms runs random programs plain and prepared: results,
// memory and traps must be the same, and the same again when memory and globals have
// been put back.
func TestPreparedKeepsRandomPrograms(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		binary := build(rt)
		p, err := rewrite.Prepare(binary)
		if err != nil {
			rt.Fatal(err)
		}
		plain, checked := start(t, binary), start(t, p.Binary)
		before := stateOf(checked, p.Globals)
		first := outcomes(rt, t, plain)
		if second := outcomes(rt, t, checked); first != second {
			rt.Fatalf("plain %s, prepared %s", first, second)
		}
		want, _ := plain.mod.Memory().Read(0, 1<<16)
		if after := stateOf(checked, p.Globals); !bytes.Equal(want, after.memory) {
			rt.Fatal("the memories differ")
		}
		before.putBack(checked, p.Globals)
		checked.ticks = 0
		if again := outcomes(rt, t, checked); first != again {
			rt.Fatalf("at first %s, put back %s", first, again)
		}
	})
}

// outcomes are the results of some calls.
func outcomes(rt *rapid.T, t *testing.T, m *machine) string {
	rt.Helper()
	var list []string
	for _, n := range []uint64{0, 1, 7, 1 << 31, 1<<32 - 1} {
		got, err := m.call(t, n)
		if err != nil {
			got = nil
		}
		list = append(list, fmt.Sprint(got))
	}
	return strings.Join(list, " ")
}

// state is all that an instance is put back by.
type state struct {
	memory  []byte
	globals []uint64
}

func stateOf(m *machine, globals []string) state {
	view, _ := m.mod.Memory().Read(0, 1<<16)
	s := state{memory: bytes.Clone(view)}
	for _, name := range globals {
		s.globals = append(s.globals, m.mod.ExportedGlobal(name).Get())
	}
	return s
}

func (s state) putBack(m *machine, globals []string) {
	m.mod.Memory().Write(0, s.memory)
	for i, name := range globals {
		m.mod.ExportedGlobal(name).(api.MutableGlobal).Set(s.globals[i])
	}
}
