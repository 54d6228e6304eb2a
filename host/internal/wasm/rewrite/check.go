package rewrite

import "encoding/binary"

// The globals that are added, by their place behind the module's own; all i32.
const (
	count   = iota // steps left in the slice
	room           // bytes left on the host's stack
	scratch        // length of the instruction behind a check
	added
)

// largest is the most that one check takes from the count. More is taken in parts.
const largest = Slice / 4

func (p *patch) get(b []byte, global uint64) []byte {
	return binary.AppendUvarint(append(b, opGlobalGet), uint64(p.globals)+global)
}

func (p *patch) set(b []byte, global uint64) []byte {
	return binary.AppendUvarint(append(b, opGlobalSet), uint64(p.globals)+global)
}

// change adds to a global, or subtracts from it.
//
//	global.get $g  i32.const n  i32.add  global.set $g
func (p *patch) change(b []byte, global uint64, op byte, n int64) []byte {
	return p.set(append(sleb(append(p.get(b, global), opI32Const), n), op), global)
}

// take takes steps from the count and leaves on the stack whether it is below zero.
//
//	change $count  global.get $count  i32.const 0  i32.lt_s
func (p *patch) take(b []byte, steps int64) []byte {
	return p.below(p.change(b, count, opI32Sub, min(max(steps, 1), largest)))
}

func (p *patch) below(b []byte) []byte {
	return append(p.get(b, count), opI32Const, 0, opI32LtS)
}

// check takes steps from the count, and ends the slice when it is below zero.
//
//	take…  if  call $slow  end
func (p *patch) check(b []byte, steps int64) []byte {
	return p.slowIf(p.take(b, steps))
}

// enter is a check that takes room, too, and leave gives it back.
//
//	change $room  change $count
//	global.get $room  global.get $count  i32.or  i32.const 0  i32.lt_s  if  call $slow  end
func (p *patch) enter(b []byte, stack, steps int64) []byte {
	b = p.change(b, room, opI32Sub, stack)
	b = p.change(b, count, opI32Sub, min(max(steps, 1), largest))
	return p.slowIf(append(p.get(p.get(b, room), count), opI32Or, opI32Const, 0, opI32LtS))
}

func (p *patch) leave(b []byte, stack int64) []byte { return p.change(b, room, opI32Add, stack) }

// gate is what stands in the place of a gated function.
//
//	enter  local.get 0 …  call $body  leave
func (p *patch) gate(b []byte, f *function) []byte {
	b = p.enter(append(b, 0), f.charge(), f.steps)
	for i := range f.signature.params {
		b = binary.AppendUvarint(append(b, opLocalGet), uint64(i))
	}
	b = binary.AppendUvarint(append(b, opCall), p.slowIndex()+1+uint64(len(p.helpers)+f.gate))
	return append(p.leave(b, f.charge()), opEnd)
}

// slowIndex is the index of the function that ends a slice: it stands behind the
// module's own, the helpers behind it, and the bodies of gated functions behind those.
func (p *patch) slowIndex() uint64 { return uint64(p.imported) + 1 + uint64(len(p.functions)) }

func (p *patch) slowIf(b []byte) []byte {
	return append(p.slow(append(b, opIf, noType)), opEnd)
}

func (p *patch) slow(b []byte) []byte {
	return binary.AppendUvarint(append(b, opCall), p.slowIndex())
}

// slowBody is the function that ends a slice: without room the guest traps. With it
// the count starts over, and the host has its turn.
//
//	global.get $room  i32.const 0  i32.lt_s  if  unreachable  end
//	i32.const Slice  global.set $count  call $tick
func (p *patch) slowBody() []byte {
	b := append(p.get([]byte{0}, room), opI32Const, 0, opI32LtS, opIf, noType, opUnreachable, opEnd)
	b = p.set(sleb(append(b, opI32Const), Slice), count)
	b = binary.AppendUvarint(append(b, opCall), uint64(p.imported))
	return append(b, opEnd)
}

// lengthCheck is a check in front of an instruction that takes a length, and moves so
// many table entries or bytes, but never more than a table or a piece. The length
// stays on top of the stack.
//
//	global.set $scratch
//	countLength $scratch  i32.const 1  i32.shr_u
//	global.get $count  i32.const 0  i32.lt_s  if  call $slow  end
//	global.get $scratch
//
// The scratch global spares a local, whose index would depend on the function's
// type; nothing runs between its set and its last get but tick. No length takes the
// count through the bottom: half of it has 31 bits, and in front of a check the count
// is not below zero.
func (p *patch) lengthCheck(b []byte) []byte {
	length := p.get(nil, scratch)
	b = p.countLength(p.set(b, scratch), append(length, opI32Const, 1, opI32ShrU), opI32Sub)
	return append(p.slowIf(p.below(b)), length...)
}

// countLength takes a step for each byte of a length from the count, or gives them back.
//
//	global.get $count  length  i32.sub  global.set $count
func (p *patch) countLength(b, length []byte, op byte) []byte {
	return p.set(append(append(p.get(b, count), length...), op), count)
}
