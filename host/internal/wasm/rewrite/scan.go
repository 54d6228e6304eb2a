package rewrite

// Limits on one function. Engines have the first two, too; the third is on blocks
// that stand within each other, the last is in bytes of the host's stack.
const (
	maxValues  = 250 // parameters, and results
	maxLocals  = 50000
	maxNesting = 50000
	maxFrame   = 1 << 20
)

// function is what the rewriting knows of one function of the module.
type function struct {
	kind      uint32 // index of its type
	signature signature
	code      cursor   // from its first instruction to its end
	locals    []byte   // how they are declared
	repeats   []bool   // by loop, in the order of their heads: whether a branch goes back to it
	jumps     []jump   // that skip a dispatch, in their order
	calls     []uint32 // functions of the module that it calls, by number
	frame     int64    // bytes of the host's stack that a call takes, estimated
	moves     bool     // it has an instruction on a block, and may call a helper

	// Found in the order of calls.
	state   state
	checked bool  // it begins with a check
	gated   bool  // it is called through a gate
	gate    int   // its number among those that are gated
	steps   int64 // most steps of a call, once through, with those of functions that it calls without a check
	stack   int64 // most bytes of the host's stack, with those of functions that it calls without a gate
	leads   bool  // some call of it leads to a gate
	way     int64 // most bytes of the stack on a way to one, or its own
	body    []byte
}

// signature counts the parameters and results of a function type.
type signature struct{ params, results int }

// scan reads a function once: it sees to the form of every instruction and notes
// what the checks depend on.
func (p *patch) scan(f *function) error {
	c := f.code
	start := c.i
	groups, locals := c.u32(), uint64(0)
	for i := uint32(0); c.more(i, groups); i++ {
		at := c.i
		if locals += uint64(c.u32()); locals > maxLocals {
			c.failAt(at, "more than %d locals", maxLocals)
		}
		c.byte()
	}
	if c.err != nil {
		return c.err
	}
	f.locals, f.code.i = c.b[start:c.i], c.i
	p.frames.begin(int(locals) + f.signature.params)
	s := scanner{patch: p, f: f, open: append(p.open[:0], opened{loop: -1})}
	for c.err == nil && c.i < len(c.b) {
		s.instruction(&c)
	}
	if c.err == nil && len(s.open) > 0 {
		c.fail("function without an end")
	}
	if c.err != nil {
		return c.err
	}
	if f.frame = p.frames.bytes(len(f.repeats)); f.frame > maxFrame {
		c.failAt(start, "function with more than %d bytes of values to keep", maxFrame)
	}
	p.open = s.open
	return c.err
}

// scanner is the state of a scan.
type scanner struct {
	*patch
	f        *function
	open     []opened // blocks, loops and ifs around the instruction
	openings int      // that were met
	targets  []uint32 // of the branch being read
	trail    trail
}

// opened is a block, a loop or an if.
type opened struct {
	loop      int // number of the loop, or -1
	kind      signature
	height    int64     // of the operands below its own
	condition bool      // it is an if
	opening   int       // its number among those of the function
	dispatch  *dispatch // of a loop
}

func (s *scanner) instruction(c *cursor) {
	if len(s.open) == 0 {
		c.fail("instruction behind the end of a function")
		return
	}
	start := c.i
	op := c.byte()
	s.operation(c, op, start)
	if c.err == nil {
		s.trail = s.follow(s.trail, op, start, c)
	}
}

func (s *scanner) operation(c *cursor, op byte, start int) {
	switch op {
	case opBlock, opLoop, opIf:
		s.enter(c, op)
	case opElse:
		b := &s.open[len(s.open)-1]
		s.frames.height = b.height + int64(b.kind.params)
		s.frames.cut()
		s.frames.add(flowElse, 0)
	case opEnd:
		s.leave()
	case opBr, opBrIf, opBrTable:
		s.branches(c, op, start)
	case opCall:
		s.call(c)
	case opCallIndirect:
		s.f.leads = true
		if t := s.typeIndex(c); c.err == nil {
			s.frames.move(1, 0)
			s.frames.call(s.signatures[t])
		}
		c.leb()
	case opLocalSet, opLocalTee, opLocalGet:
		s.local(op, c.u32())
	case opGlobalGet, opGlobalSet:
		s.globalIndex(c)
		s.frames.move(int64(op-opGlobalGet), int64(opGlobalSet-op))
	case opRefFunc:
		s.functionIndex(c)
		s.frames.call(signature{results: 1})
	case opPrefix:
		p := s.prefixed(c)
		s.frames.move(p.pop, p.push)
		s.frames.cut()
		if p.withLength {
			s.frames.block()
			s.moves[p.number] = true
			s.f.moves = true
		}
	default:
		if op == opTableSet {
			s.lasts(c.section, start, "table.set")
		}
		immediates(c, op)
		s.frames.move(operands(op))
		if op == opReturn || op == opUnreachable {
			s.frames.add(flowStop, 0)
		}
		if op == opMemoryGrow {
			s.frames.cut()
		}
	}
}

func (s *scanner) local(op byte, i uint32) {
	if op != opLocalGet {
		s.frames.set(i)
	}
	if op != opLocalSet {
		s.frames.get(i)
	}
}

func (s *scanner) enter(c *cursor, op byte) {
	b := opened{loop: -1, condition: op == opIf, opening: s.openings}
	if b.condition {
		s.frames.move(1, 0)
	}
	b.kind = s.blockType(c)
	b.height = max(s.frames.height-int64(b.kind.params), 0)
	s.frames.label(op, b.kind)
	if op != opBlock {
		s.frames.cut()
	}
	s.frames.add(flowStart, 0)
	if op == opLoop {
		b.loop = len(s.f.repeats)
		s.f.repeats = append(s.f.repeats, false)
	}
	if len(s.open) > maxNesting {
		c.fail("more than %d blocks within each other", maxNesting)
	}
	s.openings++
	s.open = append(s.open, b)
}

func (s *scanner) leave() {
	b := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	s.frames.height = b.height + int64(b.kind.results)
	s.frames.cut()
	switch {
	case b.loop >= 0:
		s.frames.add(flowLoop, uint32(b.loop))
	case b.condition:
		s.frames.add(flowIf, 0)
	default:
		s.frames.add(flowEnd, 0)
	}
}

func (s *scanner) branches(c *cursor, op byte, start int) {
	n := uint64(1)
	if op != opBr {
		s.frames.move(1, 0)
	}
	if op == opBrTable {
		n += uint64(c.u32())
	}
	s.frames.cut()
	s.targets = s.targets[:0]
	for ; c.err == nil && n > 0; n-- {
		at := c.i
		l := c.u32()
		if uint64(l) >= uint64(len(s.open)) {
			c.failAt(at, "branch out of a block that is not there")
			return
		}
		if to, ok := s.skip(l); ok && op == opBr {
			s.f.jumps = append(s.f.jumps, jump{at: start, to: to})
			l = to
		}
		s.targets = append(s.targets, l)
		s.frames.add(flowMayGo, l)
		b := &s.open[len(s.open)-1-int(l)]
		if b.loop >= 0 {
			s.f.repeats[b.loop] = true
		}
	}
	if op == opBrTable {
		s.dispatch(s.targets)
	}
	if op != opBrIf {
		s.frames.add(flowStop, 0)
	}
}

func (s *scanner) call(c *cursor) {
	i := s.functionIndex(c)
	switch {
	case c.err != nil:
	case i < s.imported:
		s.frames.call(s.imports[i])
	default:
		s.frames.call(s.functions[i-s.imported].signature)
		s.f.calls = append(s.f.calls, i-s.imported)
	}
}

// blockType reads the type of a block: none, one result, or that of a function.
func (p *patch) blockType(c *cursor) signature {
	at := c.i
	t := c.s33()
	switch {
	case t == noType-0x80:
		return signature{}
	case t < 0:
		return signature{results: 1}
	case t >= int64(p.types):
		c.failAt(at, "no type %d", t)
		return signature{}
	}
	return p.signatures[t]
}
