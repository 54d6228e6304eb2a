package rewrite

// Opcodes that the rewriting looks at.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opSelect       = 0x1b
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableSet     = 0x26
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opI32LtS       = 0x48
	opI32GtU       = 0x4b
	opI32LeU       = 0x4d
	opI32GeS       = 0x4e
	opI64GtU       = 0x56
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI32And       = 0x71
	opI32Or        = 0x72
	opI32ShrU      = 0x76
	opI64Add       = 0x7c
	opI64Shl       = 0x86
	opI64ExtendU   = 0xad
	opRefFunc      = 0xd2
	opPrefix       = 0xfc

	noType  = 0x40 // of a block without values
	typeI32 = 0x7f
)

// Those behind opPrefix that work on a block of memory.
const (
	opMemoryInit = 8
	opMemoryCopy = 10
	opMemoryFill = 11
)

// immediates steps over what follows an opcode that has no case of its own. An
// opcode outside WebAssembly 2.0 without vectors is a mistake: no compiler for
// plugins makes them.
func immediates(c *cursor, op byte) {
	switch {
	case op <= 0x01, op == opElse, op == opEnd, op == opReturn, op == 0x1a, op == 0x1b, op >= 0x45 && op <= 0xc4, op == 0xd1:
	case op == 0x25, op == opTableSet, op == opI32Const, op == 0x42, op == 0x3f, op == opMemoryGrow, op == 0xd0:
		c.leb()
	case op >= 0x28 && op <= 0x3e: // loads and stores
		c.leb()
		c.leb()
	case op == 0x1c: // select with types
		c.skip(c.u32())
	case op == 0x43:
		c.skip(4)
	case op == 0x44:
		c.skip(8)
	default:
		c.failAt(c.i-1, "opcode %#x: not of WebAssembly 2.0 without vectors", op)
	}
}

// prefixed is an instruction behind 0xfc: saturating conversions, and those that
// work on memory and tables as a whole.
type prefixed struct {
	number     byte   // behind the prefix
	index      uint32 // the first that it has
	lasting    string // its name, if what it changes is neither memory nor a global
	indices    int
	pop, push  int64
	steps      int64
	withLength bool // the operand on top is how many bytes or entries it takes
}

func prefixedOps() [18]prefixed {
	convert := prefixed{pop: 1, push: 1, steps: 4}
	return [...]prefixed{
		convert, convert, convert, convert, convert, convert, convert, convert,
		8:  {indices: 2, pop: 3, steps: 20, withLength: true},                                  // memory.init
		9:  {indices: 1, steps: 20, lasting: "data.drop"},                                      //
		10: {indices: 2, pop: 3, steps: 20, withLength: true},                                  // memory.copy
		11: {indices: 1, pop: 3, steps: 20, withLength: true},                                  // memory.fill
		12: {indices: 2, pop: 3, steps: 20, withLength: true, lasting: "table.init"},           //
		13: {indices: 1, steps: 20, lasting: "elem.drop"},                                      //
		14: {indices: 2, pop: 3, steps: 20, withLength: true, lasting: "table.copy"},           //
		15: {indices: 1, pop: 2, push: 1, steps: 300, withLength: true, lasting: "table.grow"}, // leaves the code
		16: {indices: 1, push: 1, steps: 4},                                                    // table.size
		17: {indices: 1, pop: 3, steps: 20, withLength: true, lasting: "table.fill"},           //
	}
}

// prefixed reads an instruction behind 0xfc.
func (p *patch) prefixed(c *cursor) prefixed {
	at := c.i - 1
	sub := c.u32()
	if uint64(sub) >= uint64(len(p.prefixedOps)) {
		c.failAt(at, "opcode 0xfc %d: not of WebAssembly 2.0", sub)
		return prefixed{}
	}
	op := p.prefixedOps[sub]
	op.number = byte(sub)
	for i := range op.indices {
		if index := c.u32(); i == 0 {
			op.index = index
		}
	}
	if op.lasting != "" && c.err == nil {
		p.lasts(c.section, at, op.lasting)
	}
	return op
}

// operands are how many an instruction takes and makes, other than control, calls,
// locals, globals and those behind 0xfc.
func operands(op byte) (pop, push int64) {
	switch {
	case op >= 0x28 && op <= 0x35, op == opMemoryGrow, op == 0x25, op == 0xd1: // loads, memory.grow, table.get, ref.is_null
		return 1, 1
	case op >= 0x36 && op <= 0x3e: // stores
		return 2, 0
	case op == 0x3f, op >= 0x41 && op <= 0x44, op == 0xd0: // memory.size, constants
		return 0, 1
	case op == 0x1a: // drop
		return 1, 0
	case op == 0x1b, op == 0x1c: // select
		return 3, 1
	case op == 0x45, op == 0x50, op >= 0x67 && op <= 0x69, op >= 0x79 && op <= 0x7b, op >= 0x8b && op <= 0x91,
		op >= 0x99 && op <= 0x9f, op >= 0xa7 && op <= 0xc4: // one operand
		return 1, 1
	case op >= 0x46 && op <= 0xa6: // two
		return 2, 1
	}
	return 0, 0
}

// cost is how many steps an instruction counts, by what it may take: a step is
// about a quarter of a nanosecond, a load may have to wait for memory, and some
// instructions leave the compiled code.
func cost(op byte) int64 {
	switch {
	case op >= 0x28 && op <= 0x3e, op == opBrTable, op == 0x25, op == opTableSet:
		return 4
	case op >= 0x6d && op <= 0x70, op >= 0x7f && op <= 0x82, op == 0x91, op == 0x95, op == 0x9f, op == 0xa3,
		op == opCall, op == opCallIndirect: // divisions, square roots, calls
		return 10
	case op == opMemoryGrow, op == opRefFunc: // they leave the compiled code
		return 300
	}
	return 1
}
