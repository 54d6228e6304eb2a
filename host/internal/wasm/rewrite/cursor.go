package rewrite

import "fmt"

// cursor reads a section's body and keeps the first mistake: after it nothing is
// read any more, and all reads give zero.
type cursor struct {
	section section
	b       []byte
	i       int
	err     error
}

func (s section) cursor() *cursor { return &cursor{section: s, b: s.body} }

// fail notes a mistake at the cursor, if it is the first.
func (c *cursor) fail(format string, args ...any) { c.failAt(c.i, format, args...) }

func (c *cursor) failAt(at int, format string, args ...any) {
	if c.err == nil {
		c.err = c.section.mistake(at, format, args...)
	}
	c.b = c.b[:0]
	c.i = 0
}

// end returns the first mistake of a section read to its end: nothing may be left
// over, since it would stand in front of what is added.
func (c *cursor) end() error {
	if c.err == nil && c.i != len(c.b) {
		c.fail("bytes behind the last entry")
	}
	return c.err
}

func (c *cursor) byte() byte {
	if c.i >= len(c.b) {
		c.fail("cut short")
		return 0
	}
	c.i++
	return c.b[c.i-1]
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (c *cursor) u32() uint32 {
	at := c.i
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := c.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	c.failAt(at, "number of more than 32 bits")
	return 0
}

// leb steps over a LEB128 number of either sign and up to 64 bits.
func (c *cursor) leb() {
	at := c.i
	for range 10 {
		if c.byte() < 0x80 {
			return
		}
	}
	c.failAt(at, "number of more than 64 bits")
}

// s33 reads the type of a block, a signed LEB128 number of at most 33 bits.
func (c *cursor) s33() int64 {
	at := c.i
	var v int64
	for shift := 0; shift < 35; shift += 7 {
		b := c.byte()
		v |= int64(b&0x7f) << shift
		if b >= 0x80 {
			continue
		}
		if v = v << (57 - shift) >> (57 - shift); v < -1<<32 || v >= 1<<32 {
			break
		}
		return v
	}
	c.failAt(at, "number of more than 33 bits")
	return 0
}

func (c *cursor) skip(n uint32) {
	if uint64(len(c.b)-c.i) < uint64(n) {
		c.fail("%d bytes wanted, %d left", n, len(c.b)-c.i)
		return
	}
	c.i += int(n)
}

// name reads a name.
func (c *cursor) name() []byte {
	n := c.u32()
	start := c.i
	c.skip(n)
	if c.err != nil {
		return nil
	}
	return c.b[start:c.i]
}

// more reports whether a list of n entries may go on: it stops at the first
// mistake, so that a lying count costs nothing.
func (c *cursor) more(done, n uint32) bool { return c.err == nil && done < n }

// copied appends the bytes since start to out.
func (c *cursor) copied(out []byte, start int) []byte {
	if c.err != nil {
		return out
	}
	return append(out, c.b[start:c.i]...)
}

// mistake is an error at an offset into the section's body.
func (s section) mistake(at int, format string, args ...any) error {
	return fmt.Errorf("%w: %s section, offset %#x: %s", ErrFormat, sectionName(s.id), s.offset+at, fmt.Sprintf(format, args...))
}

// at names a place in the section.
func (s section) at(at int, what string) string {
	return fmt.Sprintf("%s at offset %#x, in the %s section", what, s.offset+at, sectionName(s.id))
}
