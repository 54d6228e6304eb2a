package rewrite

import "encoding/binary"

// stretch is how many instructions may stand between two checks, and so be done
// once per step of the countdown.
const stretch = 256

// code rewrites every function body of the code section.
func (p *patch) code(s section) ([]byte, error) {
	p.check, p.bulkCheck = p.checkCode(), p.bulkCheckCode()
	c := s.cursor()
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)*5/4), uint64(n))
	var body []byte
	for i := uint32(0); c.more(i, n); i++ {
		size := c.u32()
		f := *c
		c.skip(size)
		if c.err != nil {
			break
		}
		f.b = c.b[:c.i]
		body = p.body(&f, body[:0])
		if f.err != nil {
			return nil, f.err
		}
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	return out, c.end()
}

// body copies one function with its checks. A function gets one at its entry if
// it calls anything before a loop that is sure to run; otherwise its loops are
// enough, and a function without calls and loops ends by itself.
func (p *patch) body(c *cursor, out []byte) []byte {
	start := c.i
	locals := c.u32()
	for i := uint32(0); c.more(i, locals); i++ {
		c.u32()
		c.byte()
	}
	out = c.copied(out, start)
	entry := len(out)
	w := walk{patch: p, out: out, straight: true}
	for c.err == nil && c.i < len(c.b) {
		w.instruction(c)
	}
	if w.calls && !w.sure {
		out = append(w.out, p.check...)
		copy(out[entry+len(p.check):], out[entry:len(out)-len(p.check)])
		copy(out[entry:], p.check)
		return out
	}
	return w.out
}

// walk is the state of one pass over a function.
type walk struct {
	*patch
	out      []byte
	straight bool // nothing has branched yet
	sure     bool // a loop stands in the straight part
	calls    bool
	distance int // instructions since the last check, calls weighted
}

// instruction copies one instruction, with a check behind a loop's head and with
// function indices moved.
func (w *walk) instruction(c *cursor) {
	if w.distance >= stretch {
		w.out = append(w.out, w.check...)
		w.distance = 0
	}
	w.distance++
	start := c.i
	op := c.byte()
	switch {
	case op == 0x03: // loop
		c.leb()
		w.sure = w.sure || w.straight && !w.calls
		w.out = append(c.copied(w.out, start), w.check...)
		w.distance = 0
		return
	case op == 0x10, op == 0x12: // call, return_call
		w.call()
		w.out = w.function(append(w.out, op), c.u32())
		return
	case op == 0xd2: // ref.func
		w.out = w.function(append(w.out, op), c.u32())
		return
	case op == 0x23, op == 0x24: // global.get, global.set
		w.global32(c)
	case op == 0xfc:
		if w.bulk(c) {
			w.out = append(w.out, w.bulkCheck...)
		}
	case op == 0x11, op == 0x13: // call_indirect, return_call_indirect
		w.call()
		c.leb()
		c.leb()
	default:
		if op == 0x26 {
			w.lasts(c.section, start, "table.set")
		}
		if op == 0x04 || op >= 0x0c && op <= 0x0f { // if, br, br_if, br_table, return
			w.straight = false
		}
		immediates(c, op)
	}
	w.out = c.copied(w.out, start)
}

// call notes a call. The function called may be without a check, so that a call
// counts for more than another instruction.
func (w *walk) call() {
	w.calls = true
	w.distance += stretch / 4
}

// immediates steps over what follows an opcode. An opcode outside WebAssembly 2.0
// without vectors is a mistake: no compiler for plugins makes them.
func immediates(c *cursor, op byte) {
	switch {
	case op <= 0x01, op == 0x05, op == 0x0b, op == 0x0f, op == 0x1a, op == 0x1b, op >= 0x45 && op <= 0xc4, op == 0xd1:
	case op == 0x02, op == 0x04, op == 0x0c, op == 0x0d, op >= 0x20 && op <= 0x22, op == 0x25, op == 0x26,
		op == 0x41, op == 0x42, op == 0x3f, op == 0x40, op == 0xd0:
		c.leb()
	case op >= 0x28 && op <= 0x3e: // loads and stores
		c.leb()
		c.leb()
	case op == 0x0e: // br_table
		n := c.u32()
		for i := uint32(0); c.more(i, n); i++ {
			c.leb()
		}
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

// bulk steps over what follows the 0xfc prefix: saturating conversions, memory and
// table instructions. It reports whether the instruction takes a length, which
// then lies on top of the stack.
func (p *patch) bulk(c *cursor) (length bool) {
	at := c.i - 1
	sub := c.u32()
	if sub < uint32(len(lasting)) && lasting[sub] != "" {
		p.lasts(c.section, at, lasting[sub])
	}
	switch {
	case sub <= 7:
	case sub == 8, sub == 10, sub == 12, sub == 14: // memory.init, copy; table.init, copy
		c.leb()
		c.leb()
		return true
	case sub == 11, sub == 15, sub == 17: // memory.fill; table.grow, fill
		c.leb()
		return true
	case sub == 9, sub == 13, sub == 16: // data.drop, elem.drop, table.size
		c.leb()
	default:
		c.failAt(at, "opcode 0xfc %d: not of WebAssembly 2.0", sub)
	}
	return false
}

// lasting are the instructions behind 0xfc that change what is neither memory nor
// a global. A table can't grow, but that it is asked to speaks of the same intent.
var lasting = [...]string{
	9: "data.drop", 12: "table.init", 13: "elem.drop", 14: "table.copy", 15: "table.grow", 17: "table.fill",
}
