package rewrite_test

import "encoding/binary"

// A small assembler: just enough of the binary format to write the modules of the
// tests by hand.

const (
	i32   = 0x7f
	empty = 0x40 // block type: no result
)

func u(v uint64) []byte { return binary.AppendUvarint(nil, v) }

func cat(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func text(s string) []byte { return cat(u(uint64(len(s))), []byte(s)) }

func vec(items ...[]byte) []byte { return cat(u(uint64(len(items))), cat(items...)) }

func sec(id byte, body []byte) []byte { return cat([]byte{id}, u(uint64(len(body))), body) }

func module(sections ...[]byte) []byte {
	return cat([]byte("\x00asm\x01\x00\x00\x00"), cat(sections...))
}

// functype is a function type of so many i32 in and out.
func functype(params, results int) []byte {
	b := []byte{0x60, byte(params)}
	for range params {
		b = append(b, i32)
	}
	b = append(b, byte(results))
	for range results {
		b = append(b, i32)
	}
	return b
}

func export(name string, kind byte, index int) []byte {
	return cat(text(name), []byte{kind}, u(uint64(index)))
}

func importFunc(module, name string, typ int) []byte {
	return cat(text(module), text(name), []byte{0}, u(uint64(typ)))
}

// fn is a function body with so many i32 locals; the end is added.
func fn(locals int, code ...byte) []byte {
	var l []byte
	if locals > 0 {
		l = vec(cat(u(uint64(locals)), []byte{i32}))
	} else {
		l = vec()
	}
	body := cat(l, code, []byte{0x0b})
	return cat(u(uint64(len(body))), body)
}
