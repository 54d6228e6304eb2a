package rewrite

import (
	"encoding/binary"
	"fmt"
)

// Name and module of the import that bounded code calls.
const (
	TickModule = "payhost_internal"
	TickName   = "tick"
)

// Slice is how many loop heads and function entries code may pass between two
// calls of tick: at 1 to 10 ns each, 20 to 200 µs.
const Slice = 20000

// Bound returns the module with a countdown at the head of every loop and at the
// entry of every function that could recurse without passing a loop. At zero the
// code calls the import payhost_internal.tick, of type () -> (), and starts over.
// Tick is Go code, so the scheduler and the collector get their turn; when the
// call's time is over it panics, which unwinds the guest.
//
// What stands between two checks is bounded too, or 20000 of them could take
// minutes: long stretches of code get checks of their own, an instruction that
// moves a block of memory counts by the block's size, and a table never grows.
//
// An import of a host function, and not a flag in memory, because a store by
// another goroutine that only compiled code reads is outside Go's memory model,
// and because it makes the count of ticks a measure of the work done.
//
// The module may not import globals, tables or memories, nor hold tables of more
// than [MaxTable] entries. Custom sections are dropped: the names in them would be
// off by one. Errors are [ErrFormat] and name the section and the offset.
func Bound(module []byte) ([]byte, error) {
	sections, err := split(module)
	if err != nil {
		return nil, err
	}
	p := patch{}
	for _, s := range sections {
		if err := p.survey(s); err != nil {
			return nil, err
		}
	}
	out := make([]section, 0, len(sections)+2)
	for _, s := range sections {
		if s.id == secCustom {
			continue
		}
		body, err := p.apply(s)
		if err != nil {
			return nil, err
		}
		out = append(out, section{id: s.id, body: body})
	}
	out = p.missing(out)
	return join(out, len(module)*5/4), nil
}

// patch is what the rewriting needs to know of the whole module.
type patch struct {
	types     uint32 // entries of the type section: index of the new type
	imported  uint32 // imported functions: index of the new import
	globals   uint32 // module-defined globals: index of the countdown, then of the scratch
	tables    uint64 // entries of all tables
	hasType   bool
	hasImport bool
	hasGlobal bool
	check     []byte // the injected code
	bulkCheck []byte // the same in front of an instruction with a length
}

// survey counts what the indices of the additions depend on.
func (p *patch) survey(s section) error {
	c := cursor{b: s.body}
	switch s.id {
	case secType:
		p.hasType = true
		p.types = c.u32()
	case secTable:
		if err := p.surveyTables(&c, s); err != nil {
			return err
		}
	case secImport:
		p.hasImport = true
		n := c.u32()
		for i := uint32(0); c.more(i, n); i++ {
			c.name()
			c.name()
			if kind := c.byte(); kind != 0 {
				return fmt.Errorf("%w: import section at offset %d: only functions may be imported",
					ErrFormat, s.offset+c.i)
			}
			c.u32()
			p.imported++
		}
		return c.end(s)
	case secGlobal:
		p.hasGlobal = true
		p.globals = c.u32()
	}
	return c.fail(s)
}

// fail returns the mistake that the cursor met.
func (c *cursor) fail(s section) error {
	if c.bad {
		return fmt.Errorf("%w: section %d, offset %d", ErrFormat, s.id, s.offset+c.i)
	}
	return nil
}

// end is fail at the end of a section: nothing may be left over, since it would
// stand in front of what is added.
func (c *cursor) end(s section) error {
	c.bad = c.bad || c.i != len(c.b)
	return c.fail(s)
}

func (p *patch) apply(s section) ([]byte, error) {
	switch s.id {
	case secType:
		return extend(s.body, tickType()), nil
	case secImport:
		return extend(s.body, p.tickImport()), nil
	case secTable:
		return tables(s)
	case secGlobal:
		return p.global(s)
	case secExport:
		return p.exports(s)
	case secStart:
		c := cursor{b: s.body}
		body := p.function(nil, c.u32())
		return body, c.end(s)
	case secElement:
		return p.elements(s)
	case secCode:
		return p.code(s)
	}
	return s.body, nil
}

// extend adds one entry to the end of a section that begins with a count.
func extend(body, entry []byte) []byte {
	n, k := binary.Uvarint(body)
	out := binary.AppendUvarint(make([]byte, 0, len(body)+len(entry)+2), n+1)
	out = append(out, body[k:]...)
	return append(out, entry...)
}

func (p *patch) tickImport() []byte {
	b := binary.AppendUvarint(nil, uint64(len(TickModule)))
	b = append(b, TickModule...)
	b = binary.AppendUvarint(b, uint64(len(TickName)))
	b = append(b, TickName...)
	return binary.AppendUvarint(append(b, 0), uint64(p.types))
}

func tickType() []byte { return []byte{0x60, 0, 0} }

// counters are the globals that are added: the countdown, and the scratch in which
// a check keeps the length of the instruction behind it.
func counters() []byte {
	b := append(sleb([]byte{0x7f, 1, 0x41}, Slice), 0x0b) // mutable i32, i32.const Slice
	return append(b, 0x7f, 1, 0x41, 0, 0x0b)
}

// missing adds the sections that the module did not have, at their place.
func (p *patch) missing(list []section) []section {
	insert := func(s section) {
		at := 0
		for at < len(list) && order(list[at].id) < order(s.id) {
			at++
		}
		list = append(list[:at], append([]section{s}, list[at:]...)...)
	}
	if !p.hasType {
		insert(section{id: secType, body: append([]byte{1}, tickType()...)})
	}
	if !p.hasImport {
		insert(section{id: secImport, body: append([]byte{1}, p.tickImport()...)})
	}
	if !p.hasGlobal {
		insert(section{id: secGlobal, body: append([]byte{2}, counters()...)})
	}
	return list
}

// order ranks sections as they stand in a module: the tag section (13) comes
// before globals and the data count (12) before code.
func order(id byte) int {
	switch id {
	case 13:
		return 55
	case 12:
		return 95
	}
	return int(id) * 10
}

// function appends a function index, moved up by one if it is behind the import
// that was added.
func (p *patch) function(b []byte, index uint32) []byte {
	if index >= p.imported {
		index++
	}
	return binary.AppendUvarint(b, uint64(index))
}

func (p *patch) exports(s section) ([]byte, error) {
	c := cursor{b: s.body}
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)+8), uint64(n))
	for i := uint32(0); c.more(i, n); i++ {
		start := c.i
		c.name()
		kind := c.byte()
		out = append(out, c.b[start:c.i]...)
		index := c.u32()
		if kind == 0 {
			out = p.function(out, index)
			continue
		}
		if kind == 3 {
			c.bad = c.bad || index >= p.globals // the counters are nobody's
		}
		out = binary.AppendUvarint(out, uint64(index))
	}
	return out, c.end(s)
}

func (p *patch) global(s section) ([]byte, error) {
	c := cursor{b: s.body}
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)+16), uint64(n)+2)
	for i := uint32(0); c.more(i, n); i++ {
		out = append(out, c.byte(), c.byte())
		out = p.constant(&c, out)
	}
	return append(out, counters()...), c.end(s)
}

// constant copies a constant expression, up to and with its end.
func (p *patch) constant(c *cursor, out []byte) []byte {
	for !c.bad {
		start := c.i
		switch op := c.byte(); op {
		case 0x0b:
			return append(out, op)
		case 0xd2: // ref.func
			out = p.function(append(out, op), c.u32())
			continue
		case 0x23: // global.get
			p.global32(c)
		case 0x41, 0x42, 0xd0: // i32.const, i64.const, ref.null
			c.leb()
		case 0x43:
			c.skip(4)
		case 0x44:
			c.skip(8)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // extended constant arithmetic
		default:
			c.bad = true
		}
		if !c.bad {
			out = append(out, c.b[start:c.i]...)
		}
	}
	return out
}

func (p *patch) elements(s section) ([]byte, error) {
	c := cursor{b: s.body}
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)+64), uint64(n))
	for i := uint32(0); c.more(i, n); i++ {
		flags := c.u32()
		if flags > 7 {
			c.bad = true
			break
		}
		out = binary.AppendUvarint(out, uint64(flags))
		if flags&1 == 0 { // active
			if flags&2 != 0 {
				out = binary.AppendUvarint(out, uint64(c.u32())) // table
			}
			out = p.constant(&c, out) // offset
		}
		if flags&3 != 0 { // element kind or type
			out = append(out, c.byte())
		}
		m := c.u32()
		out = binary.AppendUvarint(out, uint64(m))
		for j := uint32(0); c.more(j, m); j++ {
			if flags&4 != 0 {
				out = p.constant(&c, out)
			} else {
				out = p.function(out, c.u32())
			}
		}
	}
	return out, c.end(s)
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
