package rewrite

import "encoding/binary"

// MaxTable is how many entries all tables of a module may have together. A table
// stands outside the limit on linear memory, at eight bytes an entry; a plugin of
// a Go compiler has some ten thousand.
const MaxTable = 1 << 20

// tables copies the table section with every table bounded by its first size:
// table.grow answers -1, as it may at any time.
func (p *patch) tables(s section) ([]byte, error) {
	c := s.cursor()
	n := c.u32()
	out := binary.AppendUvarint(make([]byte, 0, len(s.body)+16), uint64(n))
	entries := uint64(0)
	for i := uint32(0); c.more(i, n); i++ {
		at := c.i
		kind, least := c.table()
		if entries += uint64(least); entries > MaxTable {
			c.failAt(at, "%d entries in tables, at most %d allowed", entries, MaxTable)
		}
		out = append(out, kind, 1)
		out = binary.AppendUvarint(out, uint64(least))
		out = binary.AppendUvarint(out, uint64(least))
	}
	return out, c.end()
}

// table reads the type of a table of functions or foreign references.
func (c *cursor) table() (kind byte, least uint32) {
	at := c.i
	kind = c.byte()
	flags := c.byte()
	if !reference(kind) || flags > 1 {
		c.failAt(at, "table of unknown kind")
		return kind, 0
	}
	least = c.u32()
	if flags == 1 && c.u32() < least {
		c.failAt(at, "table that is larger than its limit")
	}
	return kind, least
}
