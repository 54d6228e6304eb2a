package rewrite

import "encoding/binary"

// code rewrites every function body of the code section.
func (p *patch) code(s section) ([]byte, error) {
	p.check = p.checkCode()
	c := cursor{b: s.body}
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)*5/4), uint64(n))
	var body []byte
	for i := uint32(0); c.more(i, n); i++ {
		size := c.u32()
		start := c.i
		c.skip(size)
		if c.bad {
			break
		}
		f := cursor{b: c.b[start:c.i]}
		body = p.body(&f, body[:0])
		if f.bad {
			c.i, c.bad = start+f.i, true
			break
		}
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	return out, c.fail(s)
}

// checkCode is the countdown: count one down, and at zero start over and call
// tick.
//
//	global.get $n  i32.const 1  i32.sub  global.set $n
//	global.get $n  i32.eqz
//	if  i32.const Slice  global.set $n  call $tick  end
func (p *patch) checkCode() []byte {
	get := binary.AppendUvarint([]byte{0x23}, uint64(p.globals))
	set := binary.AppendUvarint([]byte{0x24}, uint64(p.globals))
	b := append([]byte(nil), get...)
	b = append(b, 0x41, 1, 0x6b)
	b = append(b, set...)
	b = append(b, get...)
	b = append(b, 0x45, 0x04, 0x40)
	b = sleb(append(b, 0x41), Slice)
	b = append(b, set...)
	b = binary.AppendUvarint(append(b, 0x10), uint64(p.imported))
	return append(b, 0x0b)
}

// body copies one function with its checks. A function gets one at its entry if
// it calls anything before a loop that is sure to run; otherwise its loops are
// enough, and a function without calls and loops ends by itself.
func (p *patch) body(c *cursor, out []byte) []byte {
	locals := c.u32()
	for i := uint32(0); c.more(i, locals); i++ {
		c.u32()
		c.byte()
	}
	out = append(out, c.b[:c.i]...)
	entry := len(out)
	w := walk{patch: p, out: out, straight: true}
	for !c.bad && c.i < len(c.b) {
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
}

// instruction copies one instruction, with a check behind a loop's head and with
// function indices moved.
func (w *walk) instruction(c *cursor) {
	start := c.i
	op := c.byte()
	switch {
	case op == 0x03: // loop
		c.leb()
		w.sure = w.sure || w.straight && !w.calls
		w.out = append(append(w.out, c.b[start:c.i]...), w.check...)
		return
	case op == 0x10, op == 0x12: // call, return_call
		w.calls = true
		w.out = w.function(append(w.out, op), c.u32())
		return
	case op == 0xd2: // ref.func
		w.out = w.function(append(w.out, op), c.u32())
		return
	case op == 0x11, op == 0x13: // call_indirect, return_call_indirect
		w.calls = true
		c.leb()
		c.leb()
	default:
		if op == 0x04 || op >= 0x0c && op <= 0x0f { // if, br, br_if, br_table, return
			w.straight = false
		}
		immediates(c, op)
	}
	w.out = append(w.out, c.b[start:c.i]...)
}

// immediates steps over what follows an opcode. An opcode outside WebAssembly 2.0
// without vectors is a mistake: no compiler for plugins makes them.
func immediates(c *cursor, op byte) {
	switch {
	case op <= 0x01, op == 0x05, op == 0x0b, op == 0x0f, op == 0x1a, op == 0x1b, op >= 0x45 && op <= 0xc4, op == 0xd1:
	case op == 0x02, op == 0x04, op == 0x0c, op == 0x0d, op >= 0x20 && op <= 0x26,
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
	case op == 0xfc:
		bulk(c)
	default:
		c.i--
		c.bad = true
	}
}

// bulk steps over what follows the 0xfc prefix: saturating conversions, memory
// and table instructions.
func bulk(c *cursor) {
	switch sub := c.u32(); {
	case sub <= 7:
	case sub == 8, sub == 10, sub == 12, sub == 14:
		c.leb()
		c.leb()
	case sub <= 17:
		c.leb()
	default:
		c.bad = true
	}
}
