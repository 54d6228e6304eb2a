// Package rewrite changes a WebAssembly binary at load so that its code can be
// stopped. wazero's compiled code can't be preempted by Go: a guest in a loop
// would hold not only its caller but the garbage collector, and so the process.
// wazero's own checks cost a Go guest five to six times its run time; the
// countdown added here costs about a tenth.
//
// The package reads only as much of the binary as it must change. Whatever it
// writes is validated by wazero afterwards, so a mistake here is a module that is
// refused, never one that runs astray.
package rewrite

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Section numbers of the binary format.
const (
	secCustom  = 0
	secType    = 1
	secImport  = 2
	secTable   = 4
	secGlobal  = 6
	secExport  = 7
	secStart   = 8
	secElement = 9
	secCode    = 10
)

// ErrFormat says that bytes are not a module that this package can read; the
// text around it names the section and the offset.
var ErrFormat = errors.New("malformed or unsupported WebAssembly module")

var header = []byte("\x00asm\x01\x00\x00\x00")

type section struct {
	id     byte
	offset int // of the body in the file, for messages
	body   []byte
}

// split cuts a module into its sections without copying.
func split(module []byte) ([]section, error) {
	if len(module) < len(header) || string(module[:len(header)]) != string(header) {
		return nil, fmt.Errorf("%w: no WebAssembly 1.0 header", ErrFormat)
	}
	var list []section
	for i := len(header); i < len(module); {
		id := module[i]
		size, n := binary.Uvarint(module[i+1:])
		if n <= 0 || n > 5 || size > uint64(len(module)-i-1-n) {
			return nil, fmt.Errorf("%w: section %d at offset %d is cut short", ErrFormat, id, i)
		}
		start := i + 1 + n
		list = append(list, section{id: id, offset: start, body: module[start : start+int(size)]})
		i = start + int(size)
	}
	return list, nil
}

func join(list []section, size int) []byte {
	out := append(make([]byte, 0, size), header...)
	for _, s := range list {
		out = append(out, s.id)
		out = binary.AppendUvarint(out, uint64(len(s.body)))
		out = append(out, s.body...)
	}
	return out
}

// Custom returns the content of the custom section of a name, and how many there
// are of it.
func Custom(module []byte, name string) (content []byte, count int, err error) {
	sections, err := split(module)
	if err != nil {
		return nil, 0, err
	}
	for _, s := range sections {
		if s.id != secCustom {
			continue
		}
		n, k := binary.Uvarint(s.body)
		if k <= 0 || n > uint64(len(s.body)-k) {
			return nil, 0, fmt.Errorf("%w: custom section at offset %d has no name", ErrFormat, s.offset)
		}
		if string(s.body[k:k+int(n)]) == name {
			content = s.body[k+int(n):]
			count++
		}
	}
	return content, count, nil
}

// WithCustom returns the module with one custom section of a name at its end, in
// place of any it had.
func WithCustom(module []byte, name string, content []byte) ([]byte, error) {
	sections, err := split(module)
	if err != nil {
		return nil, err
	}
	kept := make([]section, 0, len(sections)+1)
	for _, s := range sections {
		n, k := binary.Uvarint(s.body)
		if s.id == secCustom && k > 0 && n <= uint64(len(s.body)-k) && string(s.body[k:k+int(n)]) == name {
			continue
		}
		kept = append(kept, s)
	}
	body := binary.AppendUvarint(nil, uint64(len(name)))
	body = append(body, name...)
	kept = append(kept, section{id: secCustom, body: append(body, content...)})
	return join(kept, len(module)+len(content)+64), nil
}

// cursor reads a section's body and notes the first mistake.
type cursor struct {
	b   []byte
	i   int
	bad bool
}

func (c *cursor) byte() byte {
	if c.i >= len(c.b) {
		c.bad = true
		return 0
	}
	c.i++
	return c.b[c.i-1]
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (c *cursor) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := c.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 1<<32-1 {
				c.bad = true
			}
			return uint32(v)
		}
	}
	c.bad = true
	return 0
}

// leb steps over a LEB128 number of either sign and up to 64 bits.
func (c *cursor) leb() {
	for range 10 {
		if c.byte() < 0x80 {
			return
		}
	}
	c.bad = true
}

func (c *cursor) skip(n uint32) {
	if uint64(len(c.b)-c.i) < uint64(n) {
		c.bad = true
		c.i = len(c.b)
		return
	}
	c.i += int(n)
}

// name steps over a name.
func (c *cursor) name() { c.skip(c.u32()) }

// more reports whether a list of n entries may go on: it stops at the first
// mistake, so that a lying count costs nothing.
func (c *cursor) more(done, n uint32) bool { return !c.bad && done < n }
