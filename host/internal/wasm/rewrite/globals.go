package rewrite

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// GlobalPrefix begins the names under which mutable globals are exported: a number
// follows, from 0.
const GlobalPrefix = "payhost_global_"

// counters are the globals that are added, in their order.
func (p *patch) counters(out []byte) []byte {
	for _, v := range [added]int64{count: Slice, room: Room, scratch: 0} {
		out = append(sleb(append(out, 0x7f, 1, opI32Const), v), opEnd) // a mutable i32
	}
	return out
}

// names are the names of all exported globals.
func (p *patch) names() []string {
	list := make([]string, len(p.mutable)+added)
	for i := range list {
		list[i] = GlobalPrefix + strconv.Itoa(i)
	}
	return list
}

// numeric reports whether a value type is one of the four numbers.
func numeric(kind byte) bool { return kind >= 0x7c && kind <= 0x7f }

// reference reports whether a value type is a function or a foreign reference.
func reference(kind byte) bool { return kind == 0x70 || kind == 0x6f }

// surveyGlobals counts the globals and notes those that can change. That their
// constants are sound is seen when they are copied.
func (p *patch) surveyGlobals(s section) error {
	c := s.cursor()
	n := c.u32()
	p.globals = n
	for i := uint32(0); c.more(i, n); i++ {
		at := c.i
		kind, mutable := c.byte(), c.byte()
		switch {
		case mutable > 1 || !numeric(kind) && !reference(kind):
			c.failAt(at, "global of unknown type")
		case mutable == 1 && numeric(kind):
			p.mutable = append(p.mutable, i)
		case mutable == 1:
			p.lasts(s, at, "mutable reference")
		}
		p.constant(c, nil)
	}
	return c.end()
}

func (p *patch) global(s section) ([]byte, error) {
	c := s.cursor()
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)+16), uint64(n)+added)
	for i := uint32(0); c.more(i, n); i++ {
		out = append(out, c.byte(), c.byte())
		out = p.constant(c, out)
	}
	return p.counters(out), c.end()
}

// globalIndex steps over the index of a global. One behind the module's last would be
// a counter: the code could set it back and run for ever.
func (p *patch) globalIndex(c *cursor) {
	at := c.i
	if index := c.u32(); index >= p.globals {
		c.failAt(at, "no global %d", index)
	}
}

func (p *patch) exports(s section) ([]byte, error) {
	c := s.cursor()
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)+64), uint64(n)+uint64(len(p.mutable))+added)
	for i := uint32(0); c.more(i, n); i++ {
		start := c.i
		if name := c.name(); bytes.HasPrefix(name, []byte(GlobalPrefix)) {
			c.failAt(start, "export %q: the name is reserved", name)
		}
		kind := c.byte()
		if kind == 0 {
			out = p.function(c.copied(out, start), p.functionIndex(c))
			continue
		}
		if kind == 3 {
			p.globalIndex(c) // the counters are nobody's
		} else {
			c.u32()
		}
		out = c.copied(out, start)
	}
	own := append(p.mutable[:len(p.mutable):len(p.mutable)], p.globals+count, p.globals+room, p.globals+scratch)
	for i, name := range p.names() {
		out = binary.AppendUvarint(append(named(out, name), 3), uint64(own[i]))
	}
	return out, c.end()
}

// constant copies a constant expression, up to and with its end.
func (p *patch) constant(c *cursor, out []byte) []byte {
	for c.err == nil {
		start := c.i
		switch op := c.byte(); op {
		case 0x0b:
			return c.copied(out, start)
		case 0xd2: // ref.func
			out = p.function(append(out, op), p.functionIndex(c))
			continue
		case 0x23: // global.get
			p.globalIndex(c)
		case 0x41, 0x42, 0xd0: // i32.const, i64.const, ref.null
			c.leb()
		case 0x43:
			c.skip(4)
		case 0x44:
			c.skip(8)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // extended constant arithmetic
		default:
			c.failAt(start, "opcode %#x in a constant", op)
		}
		out = c.copied(out, start)
	}
	return out
}

func (p *patch) elements(s section) ([]byte, error) {
	c := s.cursor()
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)+64), uint64(n))
	for i := uint32(0); c.more(i, n); i++ {
		out = p.segment(c, out)
	}
	return out, c.end()
}

// segment copies one element segment, of any of the eight forms.
func (p *patch) segment(c *cursor, out []byte) []byte {
	at := c.i
	flags := c.u32()
	if flags > 7 {
		c.failAt(at, "element segment of form %d", flags)
		return out
	}
	out = binary.AppendUvarint(out, uint64(flags))
	if flags&1 == 0 { // active
		if flags&2 != 0 {
			out = binary.AppendUvarint(out, uint64(c.u32())) // table
		}
		out = p.constant(c, out) // offset
	}
	if flags&3 != 0 { // element kind or type
		out = append(out, c.byte())
	}
	n := c.u32()
	out = binary.AppendUvarint(out, uint64(n))
	for i := uint32(0); c.more(i, n); i++ {
		if flags&4 != 0 {
			out = p.constant(c, out)
		} else {
			out = p.function(out, p.functionIndex(c))
		}
	}
	return out
}

// surveyData sees to the form of the data: it stays as it is, and must not come to
// mean something by what is added.
func (p *patch) surveyData(s section) error {
	c := s.cursor()
	n := c.u32()
	for i := uint32(0); c.more(i, n); i++ {
		at := c.i
		flags := c.u32()
		if flags > 2 {
			c.failAt(at, "data segment of form %d", flags)
		}
		if flags == 2 {
			c.u32() // memory
		}
		if flags != 1 {
			p.constant(c, nil) // offset
		}
		if size := uint32(len(c.name())); size > piece {
			p.longData = append(p.longData, helper{block: block{op: opMemoryInit, data: i}, size: size})
		}
	}
	return c.end()
}

func sleb(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
