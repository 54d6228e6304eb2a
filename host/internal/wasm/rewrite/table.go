package rewrite

import (
	"encoding/binary"
	"fmt"
)

// MaxTable is how many entries all tables of a module may have together. A table
// stands outside the limit on linear memory, at eight bytes an entry; a plugin of
// a Go compiler has some ten thousand.
const MaxTable = 1 << 20

// surveyTables adds up the entries of the tables.
func (p *patch) surveyTables(c *cursor, s section) error {
	n := c.u32()
	for i := uint32(0); c.more(i, n); i++ {
		_, least := c.table()
		p.tables += uint64(least)
	}
	if p.tables > MaxTable {
		return fmt.Errorf("%w: table section at offset %d: %d entries, at most %d allowed",
			ErrFormat, s.offset, p.tables, MaxTable)
	}
	return nil
}

// tables copies the table section with every table bounded by its first size:
// table.grow answers -1, as it may at any time.
func tables(s section) ([]byte, error) {
	c := cursor{b: s.body}
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)+16), uint64(n))
	for i := uint32(0); c.more(i, n); i++ {
		kind, least := c.table()
		out = append(out, kind, 1)
		out = binary.AppendUvarint(out, uint64(least))
		out = binary.AppendUvarint(out, uint64(least))
	}
	return out, c.end(s)
}

// table reads the type of a table of functions (0x70) or foreign references (0x6f).
func (c *cursor) table() (kind byte, least uint32) {
	kind = c.byte()
	flags := c.byte()
	if kind != 0x70 && kind != 0x6f || flags > 1 {
		c.bad = true
		return kind, 0
	}
	least = c.u32()
	if flags == 1 {
		most := c.u32()
		c.bad = c.bad || most < least
	}
	return kind, least
}
