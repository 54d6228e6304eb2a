package rewrite_test

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"
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
	maxCounters = 6 // locals 2 to 7; 0 is the argument, 1 the result
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
		sec(5, vec([]byte{0, 1})), sec(6, vec([]byte{i32, 1, 0x41, 9, 0x0b})),
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
	kind := p.pick(10, "statement")
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
		return p.loop()
	default: // if value: return value
		return cat(p.value(), []byte{0x04, empty}, p.value(), []byte{0x0f, 0x0b})
	}
}

// loop runs its body one to five times.
func (p *program) loop() []byte {
	if p.counters == maxCounters {
		return p.nested()
	}
	counter := 2 + p.counters
	p.counters++
	rounds := byte(p.pick(5, "rounds") + 1)
	return cat([]byte{0x41, rounds, 0x21, counter, 0x03, empty}, p.nested(),
		[]byte{0x20, counter, 0x41, 1, 0x6b, 0x22, counter, 0x0d, 0, 0x0b})
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

// TestBoundKeepsRandomPrograms runs random programs plain and bounded: results,
// memory and traps must be the same.
func TestBoundKeepsRandomPrograms(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		binary := build(rt)
		plain, checked := start(t, binary), start(t, bound(t, binary))
		for _, n := range []uint64{0, 1, 7, 1 << 31, 1<<32 - 1} {
			want, wantErr := plain.call(t, n)
			got, gotErr := checked.call(t, n)
			if fmt.Sprint(want) != fmt.Sprint(got) || (wantErr == nil) != (gotErr == nil) {
				rt.Fatalf("run(%d): plain %v %v, bounded %v %v", n, want, wantErr, got, gotErr)
			}
		}
		want, _ := plain.mod.Memory().Read(0, 256)
		got, _ := checked.mod.Memory().Read(0, 256)
		if !bytes.Equal(want, got) {
			rt.Fatalf("memory: plain %x, bounded %x", want, got)
		}
	})
}
