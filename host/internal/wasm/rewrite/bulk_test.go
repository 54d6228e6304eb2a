package rewrite_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
)

// moveNames are the functions of a mover: each does one instruction on three operands.
var moveNames = []string{"copy", "fill", "init", "init short", "init active"}

// mover is a module with so many pages of memory, a passive segment of data, a short
// one, and an active one.
func mover(pages int, data []byte) []byte {
	operands := []byte{0x20, 0, 0x20, 1, 0x20, 2}
	var types, exports, bodies [][]byte
	for i, instruction := range [][]byte{
		{0xfc, 10, 0, 0}, {0xfc, 11, 0}, {0xfc, 8, 0, 0}, {0xfc, 8, 1, 0}, {0xfc, 8, 2, 0},
	} {
		types = append(types, u(0))
		exports = append(exports, export(moveNames[i], 0, i))
		bodies = append(bodies, fn(0, cat(operands, instruction)...))
	}
	types = append(types, u(1))
	exports = append(exports, export("drop", 0, len(bodies)), export("memory", 2, 0))
	bodies = append(bodies, fn(0, 0xfc, 9, 0))
	return module(sec(1, vec(functype(3, 0), functype(0, 0))), sec(3, vec(types...)), sec(5, vec(cat([]byte{0}, u(uint64(pages))))),
		sec(7, vec(exports...)), sec(12, u(3)), sec(10, vec(bodies...)), sec(11, vec(
			cat([]byte{1}, text(string(data))), cat([]byte{1}, text("short")),
			cat([]byte{0, 0x41, 0, 0x0b}, text(string(data))),
		)))
}

// pair is the same module plain and prepared.
type pair struct {
	plain, prepared *machine
	count           api.MutableGlobal
	before          []byte // what memory is set to in front of a move
}

func movers(t *testing.T, pages int, data []byte) *pair {
	t.Helper()
	binary := mover(pages, data)
	ready := prepared(t, binary)
	p := &pair{plain: start(t, binary), prepared: start(t, ready.Binary), before: noise(pages << 16)}
	p.count = p.prepared.mod.ExportedGlobal(ready.Globals[0]).(api.MutableGlobal)
	return p
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{'n', 'o', 'i', 's', 'e'}).Read(b)
	return b
}

// try does one move in both, in a slice that has so many steps left.
func (p *pair) try(t *testing.T, name string, left uint64, operands ...uint64) {
	t.Helper()
	var ends [2]string
	var memories [2][]byte
	p.count.Set(left)
	for i, m := range []*machine{p.plain, p.prepared} {
		m.mod.Memory().Write(0, p.before)
		if _, err := m.mod.ExportedFunction(name).Call(t.Context(), operands...); err != nil {
			ends[i] = cause(err)
		}
		memories[i], _ = m.mod.Memory().Read(0, uint32(len(p.before)))
	}
	if ends[0] != ends[1] {
		t.Errorf("memory.%s%v ends with %q, prepared with %q", name, operands, ends[0], ends[1])
	}
	if !bytes.Equal(memories[0], memories[1]) {
		t.Errorf("memory.%s%v: the memories differ", name, operands)
	}
	if ends[1] != "" && !bytes.Equal(memories[1], p.before) {
		t.Errorf("memory.%s%v wrote before it trapped", name, operands)
	}
	if left := int32(p.count.Get()); left < 0 || left > rewrite.Slice {
		t.Errorf("memory.%s%v leaves %d steps", name, operands, left)
	}
}

// TestMovesKeepMeaning holds moves of memory against what the engine does with the
// module as it was, byte for byte: at the edges of memory, of segments and of pieces,
// with source and destination that overlap either way, and out of bounds.
func TestMovesKeepMeaning(t *testing.T) {
	t.Parallel()
	const pages, piece = 8, rewrite.Piece
	const size = pages << 16
	data := noise(3*piece + 77)
	p := movers(t, pages, data)
	var edges []uint64
	for _, edge := range []uint64{0, piece, 2 * piece, 3 * piece, uint64(len(data)), size - piece, size, 1 << 31, 1 << 32} {
		edges = append(edges, edge, uint64(uint32(edge-1)), uint64(uint32(edge+1)))
	}
	edges = slices.DeleteFunc(edges, func(v uint64) bool { return v>>32 != 0 })
	random := rand.New(rand.NewPCG(1, 2))
	pick := func() uint64 {
		switch random.IntN(4) {
		case 0:
			return edges[random.IntN(len(edges))]
		case 1:
			return uint64(random.Uint32())
		}
		return random.Uint64N(size / 2)
	}
	for i := range 4000 {
		name := moveNames[i%len(moveNames)]
		left := []uint64{rewrite.Slice, 0, pick() % rewrite.Slice}[random.IntN(3)]
		to, from, length := pick(), pick(), pick()
		switch random.IntN(4) {
		case 0: // near each other, within the memory
			to, from, length = size/4+random.Uint64N(100), size/4+random.Uint64N(100), random.Uint64N(size/2)
		case 1: // up to the very end, or one over it
			to, length = (size-length)&(1<<32-1), (length+random.Uint64N(2))&(1<<32-1)
		case 2: // the same of the source
			end := []uint64{size, 0, uint64(len(data)), 5, uint64(len(data))}[i%len(moveNames)]
			from, length = (end-length)&(1<<32-1), (length+random.Uint64N(2))&(1<<32-1)
		}
		p.try(t, name, left, to, from, length)
	}
	for _, m := range []*machine{p.plain, p.prepared} {
		if _, err := m.mod.ExportedFunction("drop").Call(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, length := range []uint64{0, 1, piece, piece + 1, uint64(len(data))} {
		for _, left := range []uint64{0, rewrite.Slice} {
			p.try(t, "init", left, 5, 0, length)
			p.try(t, "init", left, 5, 1, length)
		}
	}
}

// TestMovesAreInterrupted moves much by one instruction: the host has its turn as often
// as the length demands, sees the move half done, and can end it there.
func TestMovesAreInterrupted(t *testing.T) {
	t.Parallel()
	const pages = 512
	const size, length = pages << 16, pages << 15
	const up, down = length / 3, length/3 + length/2
	for name, operands := range map[string][]uint64{
		"fill": {up, 7, length}, "init": {up, 0, length}, "init active": {up, 0, length},
		"copy": {0, length, length}, "copy up": {down, up, length}, "copy down": {up, down, length},
	} {
		function, forward := name, false
		if name[:4] == "copy" {
			function, forward = "copy", name != "copy up"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := movers(t, pages, noise(length))
			m := p.prepared
			memory, _ := m.mod.Memory().Read(0, size)
			to := memory[operands[0]:][:length]
			copy(memory, p.before)
			done := make([]byte, length)
			copy(done, bytes.Repeat([]byte{7}, length))
			switch name[:4] {
			case "init":
				copy(done, noise(length))
			case "copy":
				copy(done, memory[operands[1]:])
			}
			last, most := 0, 0
			m.onTick = func() {
				now := moved(to, done, forward)
				most = max(most, now-last)
				last = now
			}
			run := m.mod.ExportedFunction(function)
			if _, err := run.Call(t.Context(), operands...); err != nil {
				t.Fatal(err)
			}
			if most = max(most, length-last); most > rewrite.Slice || m.ticks < length/rewrite.Slice {
				t.Errorf("%d ticks for %d bytes, %d of them between two", m.ticks, length, most)
			}
			if !bytes.Equal(to, done) {
				t.Error("not all was moved")
			}

			copy(memory, p.before)
			m.ticks, m.limit = 0, 3
			if _, err := run.Call(t.Context(), operands...); err == nil || !errors.Is(err, errStop) {
				t.Errorf("not stopped: %v", err)
			}
			if half := moved(to, done, forward); half == 0 || half == length || half%rewrite.Piece != 0 {
				t.Errorf("stopped behind %d of %d bytes", half, length)
			}
		})
	}
}

// moved is how much of a move is done, at its beginning or at its end. Memory is noise,
// so that it is in whole kilobytes.
func moved(to, done []byte, forward bool) int {
	const grain = 1 << 10
	n := len(to) / grain
	return grain * sort.Search(n, func(i int) bool {
		if !forward {
			i = n - 1 - i
		}
		return !bytes.Equal(to[i*grain:][:grain], done[i*grain:][:grain])
	})
}

// TestLongSegments wants a helper for a segment of more than a piece only where code
// lays data: without a count of the data it would not be valid.
func TestLongSegments(t *testing.T) {
	t.Parallel()
	long := vec(cat([]byte{1}, text(string(noise(rewrite.Piece+1)))))
	start(t, bound(t, single(fn(0, 0x20, 0), map[byte][]byte{5: vec([]byte{0, 1}), 11: long})))
	start(t, bound(t, single(fn(0, 0x20, 0), map[byte][]byte{11: long})))
}

// TestPlainLengthsAreCounted moves little over and over, by a length that is written in
// front of the instruction: it counts less than one that is not, and not nothing.
func TestPlainLengthsAreCounted(t *testing.T) {
	t.Parallel()
	for length, bytes := range map[int64]int64{0: 0, 64: 8, 1 << 10: 1 << 7, 1<<10 + 1: 1<<10 + 1, rewrite.Piece: rewrite.Piece} {
		for name, instruction := range map[string][]byte{"copy": {0xfc, 10, 0, 0}, "fill": {0xfc, 11, 0}} {
			code := cat([]byte{0x03, empty, 0x41, 0, 0x41, 9, 0x41}, sleb(length), instruction,
				[]byte{0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0})
			m := start(t, bound(t, single(fn(0, code...), map[byte][]byte{5: vec([]byte{0, 2})})))
			round := 31 + bytes // steps: the instructions, 20 for that which moves
			if _, err := m.call(t, uint64(10*rewrite.Slice/round)); err != nil {
				t.Fatal(err)
			}
			if m.ticks < 9 || m.ticks > 11 {
				t.Errorf("memory.%s of %d bytes: %d ticks in ten slices", name, length, m.ticks)
			}
		}
	}
}
