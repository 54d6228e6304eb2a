package rewrite

import "encoding/binary"

// piece is how many bytes of memory one instruction moves at most: some microseconds
// of work, some tens if every page is touched for the first time.
const piece = 64 << 10

// plainLength is up to which length, if it is written in front of the instruction, the
// bytes are counted like other steps of a way, and not when the code runs. Compilers
// write so what they do with small values, which is nearly all there is.
const plainLength = 1 << 10

// bytesPerStep is how many bytes of a plain length count as a step. Of others each byte
// does: what moves much waits for memory.
const bytesPerStep = 8

// aroundPiece is how many steps a helper takes for a piece, and for what it does in
// front of the first one, besides those of the bytes.
const aroundPiece = 100

// helperFrame is what a call of a helper holds of the host's stack: the estimate of
// frames for a function with 32 values to keep.
const helperFrame = fixedFrame + 8*32 + 16*13

// block is what an instruction on a block of memory works with.
type block struct {
	op   byte   // memory.init, memory.copy or memory.fill
	data uint32 // index of the segment, of memory.init
}

// helper is an added function that stands for such an instruction: it takes its operands
// and does the same by pieces, with a check in front of each.
type helper struct {
	block
	size uint32 // of the segment, in bytes
}

// addHelpers finds the helpers that are needed: one for memory.copy and one for
// memory.fill, and one for every segment that is longer than a piece, if code lays any.
// From others memory.init can't take more than a piece. (Active ones are not left
// out: the engine does not drop them once they are laid.)
func (p *patch) addHelpers() {
	p.helped = map[block]int{}
	list := p.longData
	if !p.moves[opMemoryInit] {
		list = nil
	}
	for _, op := range [...]byte{opMemoryCopy, opMemoryFill} {
		if p.moves[op] {
			list = append(list, helper{block: block{op: op}})
		}
	}
	for i, h := range list {
		p.helped[h.block] = i
	}
	p.helpers = list
}

// bulk copies an instruction behind 0xfc, and sees to it that one that takes a length
// is counted, and does not move more than a piece of memory.
func (w *walk) bulk(c *cursor, start int) {
	op := w.prefixed(c)
	w.step(op.steps)
	length, plain := w.length, w.plain
	w.plain = false
	instruction := c.b[start:c.i]
	switch i, ok := w.helped[block{op: op.number, data: op.index}]; {
	case !op.withLength:
	case plain && length <= plainLength:
		w.step(int64(length) / bytesPerStep)
	case ok:
		w.out = w.byPieces(w.out, i, instruction)
		return
	default:
		w.out = w.lengthCheck(w.out)
	}
	w.out = append(w.out, instruction...)
}

// constant32 notes the constant at start if an instruction behind 0xfc follows it, of
// which it may be the length.
func (w *walk) constant32(c *cursor, start int) {
	if c.i >= len(c.b) || c.b[c.i] != opPrefix {
		return
	}
	number := cursor{section: c.section, b: c.b, i: start + 1}
	w.length = uint32(number.i32())
	w.plain = number.err == nil
}

// byPieces is an instruction on a block of memory with a check of its length. The
// operands below the length stay on the stack. If the slice is over, or the length is
// more than a piece, a helper gives the steps back, and does it all: then the count
// may have gone through the bottom, and comes back the same way.
//
//	global.set $scratch
//	countLength $scratch
//	global.get $count  i32.const 0  i32.ge_s  global.get $scratch  i32.const piece  i32.le_u  i32.and
//	if  global.get $scratch  instruction  else  global.get $scratch  call $helper  end
func (p *patch) byPieces(b []byte, helper int, instruction []byte) []byte {
	length := p.get(nil, scratch)
	b = append(p.get(p.countLength(p.set(b, scratch), length, opI32Sub), count), opI32Const, 0, 0x4e)
	b = sleb(append(append(b, length...), opI32Const), piece)
	b = sleb(append(b, opI32LeU, opI32And, opIf), int64(p.types)+twoTaken)
	b = append(append(append(b, length...), instruction...), opElse)
	b = binary.AppendUvarint(append(append(b, length...), opCall), p.slowIndex()+1+uint64(helper))
	return append(b, opEnd)
}

// Operands and locals of a helper.
const (
	localTo    = iota
	localFrom  // or the byte to fill with
	localLeft  // bytes to move
	localPiece // bytes of the piece
	localAll   // bytes to move in all
	localAt    // where the piece is, from the beginning
)

// helperBody is the code of a helper. Of what is out of bounds as a whole it moves
// nothing, and traps as the instruction does. Pieces go from the last to the first, but
// those of a copy down, which may overwrite what is still to be read only behind it.
//
//	countLength $left, back
//	outside…  if  instruction $to $from $left  end
//	$all = $left
//	loop
//	  $piece = min($left, piece)  $left -= $piece
//	  countLength $piece  check
//	  $at = $left, or $all - $left - $piece of a copy down
//	  instruction $to+$at $from+$at $piece
//	  local.get $left  br_if 0
//	end
func (p *patch) helperBody(h helper) []byte {
	b := p.countLength([]byte{1, 3, typeI32}, []byte{opLocalGet, localLeft}, opI32Add)
	b = append(p.outside(b, h), opIf, noType, opLocalGet, localTo, opLocalGet, localFrom, opLocalGet, localLeft)
	b = append(h.instruction(b), opEnd, opLocalGet, localLeft, opLocalSet, localAll, opLoop, noType)
	b = sleb(append(b, opI32Const), piece)
	b = sleb(append(b, opLocalGet, localLeft, opLocalGet, localLeft, opI32Const), piece)
	b = append(b, opI32GtU, opSelect, opLocalSet, localPiece)
	b = append(b, opLocalGet, localLeft, opLocalGet, localPiece, opI32Sub, opLocalSet, localLeft)
	b = p.check(p.countLength(b, []byte{opLocalGet, localPiece}, opI32Sub), aroundPiece)
	b = append(b, opLocalGet, localLeft)
	if h.op == opMemoryCopy {
		b = append(b, opLocalGet, localAll, opLocalGet, localLeft, opI32Sub, opLocalGet, localPiece, opI32Sub)
		b = append(b, opLocalGet, localTo, opLocalGet, localFrom, opI32GtU, opSelect)
	}
	b = append(b, opLocalSet, localAt, opLocalGet, localTo, opLocalGet, localAt, opI32Add, opLocalGet, localFrom)
	if h.op != opMemoryFill {
		b = append(b, opLocalGet, localAt, opI32Add)
	}
	b = h.instruction(append(b, opLocalGet, localPiece))
	return append(b, opLocalGet, localLeft, opBrIf, 0, opEnd, opEnd)
}

// outside leaves on the stack whether some of what a helper is to move is out of
// bounds. A segment may have been dropped: then the first piece traps.
func (p *patch) outside(b []byte, h helper) []byte {
	memory := []byte{opMemorySize, 0, opI64ExtendU, opI64Const, 16, opI64Shl} // of pages
	b = h.beyond(b, localTo, memory)
	switch h.op {
	case opMemoryCopy:
		b = append(h.beyond(b, localFrom, memory), opI32Or)
	case opMemoryInit:
		b = append(h.beyond(b, localFrom, sleb([]byte{opI64Const}, int64(h.size))), opI32Or)
	}
	return b
}

// beyond leaves on the stack whether the bytes behind an operand go beyond an end.
func (helper) beyond(b []byte, operand byte, end []byte) []byte {
	b = append(b, opLocalGet, operand, opI64ExtendU, opLocalGet, localLeft, opI64ExtendU, opI64Add)
	return append(append(b, end...), opI64GtU)
}

func (h helper) instruction(b []byte) []byte {
	b = append(b, opPrefix, h.op)
	switch h.op {
	case opMemoryInit:
		b = binary.AppendUvarint(b, uint64(h.data))
	case opMemoryCopy:
		b = append(b, 0)
	}
	return append(b, 0)
}
