package rewrite_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
)

// recursions are modules that call themselves without end, or 2^n times deep.
func recursions() map[string][]byte {
	one := functype(1, 1)
	with := func(bodies ...[]byte) []byte {
		types := make([][]byte, len(bodies))
		all := make([][]byte, len(bodies))
		for i := range bodies {
			types[i], all[i] = u(0), u(uint64(i))
		}
		return module(sec(1, vec(one)), sec(3, vec(types...)), sec(4, vec(cat([]byte{0x70, 0}, u(uint64(len(bodies)))))),
			sec(5, vec([]byte{0, 1})), sec(6, vec([]byte{i32, 1, 0x41, 0, 0x0b})), sec(7, vec(export("run", 0, 0))),
			sec(9, vec(cat([]byte{0, 0x41, 0, 0x0b}, vec(all...)))), sec(10, vec(bodies...)))
	}
	var chain [][]byte
	for i := range byte(50) { // each calls the next, the last the first
		chain = append(chain, fn(0, 0x20, 0, 0x10, (i+1)%50))
	}
	// So many locals, each with a value of its own that lives across the call.
	wide := func(locals int) []byte {
		var before, after []byte
		for i := 1; i <= locals; i++ {
			local := binary.AppendUvarint(nil, uint64(i))
			before = append(append(before, 0x20, 0, 0x41), append(sleb(int64(i)), 0x6a, 0x21)...)
			before = append(before, local...)
			after = append(append(append(after, 0x20), local...), 0x6a)
		}
		return fn(locals, cat(before, []byte{0x20, 0, 0x41, 1, 0x6a, 0x10, 0}, after)...)
	}
	operands := fn(0, cat(
		bytes.Repeat([]byte{0x20, 0, 0x28, 2, 0}, 3000), []byte{0x20, 0, 0x10, 0}, bytes.Repeat([]byte{0x6a}, 3000),
	)...)
	// Loops in loops: at each of their heads each local has another value.
	var nest, end []byte
	for range 60 {
		nest = append(nest, 0x03, empty)
		end = append(end, 0x20, 1, 0x0d, 0, 0x0b)
	}
	for i := range byte(60) {
		nest = append(nest, 0x20, 0, 0x20, i+1, 0x6a, 0x21, i+1)
		end = append(end, 0x20, i+1, 0x24, 0)
	}
	nested := fn(60, cat(nest, []byte{0x20, 0, 0x10, 0, 0x21, 1}, end, []byte{0x20, 1})...)
	return map[string][]byte{
		"loops in loops": with(nested),
		"ways that meet": with(meetings(1, 60, 200)),
		"ways of many":   with(meetings(100, 200, 200)),
		"ifs that meet":  with(conditions(60, 200)),
		"set to leave":   with(leavers(60, 200)),
		"set to repeat":  with(repeaters(60, 20, 20)),
		"itself":         with(fn(0, 0x20, 0, 0x10, 0)),
		"with a result":  with(fn(0, 0x20, 0, 0x41, 1, 0x6a, 0x10, 0, 0x20, 0, 0x6a)),
		"by turns":       with(fn(0, 0x20, 0, 0x10, 1), fn(0, 0x20, 0, 0x10, 0)),
		"a long circle":  with(chain...),
		"by index":       with(fn(0, 0x20, 0, 0x41, 0, 0x11, 0, 0)),
		"index by turns": with(fn(0, 0x20, 0, 0x41, 1, 0x11, 0, 0), fn(0, 0x20, 0, 0x10, 0)),
		"inside a loop":  with(fn(0, 0x03, i32, 0x20, 0, 0x10, 0, 0x0d, 0, 0x20, 0, 0x0b)),
		"100 locals":     with(wide(100)),
		"5000 locals":    with(wide(5000)),
		"3000 operands":  with(operands),
		"a wide callee":  with(fn(0, 0x20, 0, 0x10, 1, 0x10, 0), wideLeaf(2000)),
	}
}

// turned gives each local from the first to the last the value of the one before, without an
// instruction that makes one; at the beginning they get values of their own.
func turned(first, last int) (begin, turn []byte) {
	for i := first; i <= last; i++ {
		begin = cat(begin, product(i, i))
		turn = cat(turn, []byte{0x20}, u(uint64(i)))
	}
	for i := last; i >= first; i-- {
		to := i + 1
		if i == last {
			to = first
		}
		turn = cat(turn, []byte{0x21}, u(uint64(to)))
	}
	return begin, turn
}

// product gives a local n times the argument.
func product(local, n int) []byte {
	return cat([]byte{0x20, 0, 0x41}, sleb(int64(n)), []byte{0x6c, 0x21}, u(uint64(local)))
}

// products gives all locals new values, few in a stretch.
func products(locals, n int) []byte {
	var code []byte
	for i := 1; i <= locals; i++ {
		code = cat(code, product(i, n*locals+i))
		if i%2 == 0 {
			code = append(code, 0x02, empty, 0x0b)
		}
	}
	return code
}

// is tells whether the argument is n.
func is(n int) []byte { return cat([]byte{0x20, 0, 0x41}, sleb(int64(n)), []byte{0x46}) }

// read reads all locals.
func read(first, last int) []byte {
	var code []byte
	for i := first; i <= last; i++ {
		code = cat(code, []byte{0x20}, u(uint64(i)), []byte{0x24, 0})
	}
	return code
}

// again is the call by which such a function does not end, across which the locals are kept.
func again(first, last int) []byte {
	return cat([]byte{0x20, 0, 0x10, 0, 0x1a}, read(first, last), []byte{0x20, 0})
}

// meetings is a function with so many blocks around each other: the locals that are turned in
// the innermost have another value behind the end of each, though nothing touches them there.
func meetings(first, last, blocks int) []byte {
	begin, turn := turned(first, last)
	code := cat(begin, bytes.Repeat([]byte{0x02, empty}, blocks), is(-1), []byte{0x0d, 0}, turn)
	for i := range blocks {
		code = cat(code, is(i+2), []byte{0x0d}, u(uint64(i)))
	}
	return fn(last, cat(code, bytes.Repeat([]byte{0x0b}, blocks), again(first, last))...)
}

// conditions is the same with conditions around each other.
func conditions(locals, ifs int) []byte {
	begin, turn := turned(1, locals)
	code := cat(begin, bytes.Repeat([]byte{0x20, 0, 0x04, empty}, ifs), turn, bytes.Repeat([]byte{0x0b}, ifs))
	return fn(locals, cat(code, again(1, locals))...)
}

// leavers is a function that sets all of its locals over and over, and after each time may
// leave with them.
func leavers(locals, times int) []byte {
	code := []byte{0x02, empty}
	for n := range times {
		code = cat(code, products(locals, n), is(n+2), []byte{0x0d, 0})
	}
	return fn(locals, cat(code, []byte{0x0b}, again(1, locals))...)
}

// repeaters is a function of loops, each of which may go back from many places with other
// values for all locals, which are read at its head alone.
func repeaters(locals, loops, times int) []byte {
	var code []byte
	for range loops {
		code = cat(code, products(locals, 0), []byte{0x03, empty}, read(1, locals))
		for n := range times {
			code = cat(code, products(locals, n+1), is(n+2), []byte{0x0d, 0})
		}
		code = append(code, 0x0b)
	}
	return fn(locals, cat(code, products(locals, 0), again(1, locals))...)
}

// wideLeaf is a function without calls that has much on its stack.
func wideLeaf(operands int) []byte {
	return fn(0, cat(bytes.Repeat([]byte{0x20, 0, 0x28, 2, 0}, operands), bytes.Repeat([]byte{0x6a}, operands-1))...)
}

func sleb(v int64) []byte {
	var b []byte
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// TestRecursionEnds wants every endless recursion to end by a trap that can be told, long
// before the engine's own limit, and with little memory: all stacks that the engine
// allocates on the way are together less than twice the largest.
func TestRecursionEnds(t *testing.T) { // alone: it counts what the process allocates
	const most = 2*2*rewrite.MaxStack + 8<<20 // and what the engine's trace needs
	for name, code := range recursions() {
		t.Run(name, func(t *testing.T) {
			p := prepared(t, code)
			m := start(t, p.Binary)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := m.call(t, 1)
			runtime.ReadMemStats(&after)
			if room := int32(m.mod.ExportedGlobal(p.Room).Get()); err == nil || room >= 0 {
				t.Errorf("ended by %v with room for %d bytes", err, room)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > most {
				t.Errorf("%d bytes allocated", took)
			}
		})
	}
}

// TestDeepCallsThatEnd wants honest recursion to go as deep as it did: some thousand
// calls, with and without a result to keep, over and over.
func TestDeepCallsThatEnd(t *testing.T) {
	t.Parallel()
	p := prepared(t, programs()["calls of itself"])
	m := start(t, p.Binary)
	for range 200 {
		if got, err := m.call(t, 5000); err != nil || got[0] != 10_000 {
			t.Fatalf("run(5000) is %v, %v", got, err)
		}
	}
	if room := int32(m.mod.ExportedGlobal(p.Room).Get()); room != rewrite.Room {
		t.Errorf("%d bytes of room behind the calls", room)
	}
}
