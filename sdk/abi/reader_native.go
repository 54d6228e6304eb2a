//go:build !wasm

package abi

import (
	"unsafe"

	"github.com/payhost/payhost/sdk/internal/scan"
)

// message reads fields up to end into the struct at p, on top of what is there:
// protobuf merges a nested message that comes twice.
//
// Most fields have a tag and a length, or a number, of one byte. They are read here
// and the rest by a call, which also tells the compiler to lay out this code in one
// line: in Wasm a jump costs more than what it skips.
func (r *reader) message(m *message, p unsafe.Pointer, end int) {
	b, fields := r.b[:end], m.fields
	for i, n := uint(r.i), uint(end); i < n; {
		if i+1 < n && b[i]|b[i+1] < 0x80 {
			tag, size := uint(b[i]), uint(b[i+1])
			if k := tag>>3 - 1; k < uint(len(fields)) {
				f := &fields[k]
				at := unsafe.Add(p, f.at)
				if tag&7 == wireBytes && size <= n-i-2 {
					s := unsafe.String(unsafe.SliceData(b[i+2:]), size)
					i += 2 + size
					if f.kind == text && scan.ASCII(s) {
						*(*string)(at) = s
						continue
					}
					r.i = int(i - size)
					r.bytes(f, at, uint64(tag), int(i), end)
					if r.err != nil {
						return
					}
					continue
				}
				if tag&7 == wireVarint {
					i += 2
					r.value(f, at, uint64(size))
					if r.err != nil {
						return
					}
					continue
				}
			}
		}
		r.i = int(i)
		r.field(m, p, end)
		if r.err != nil {
			return
		}
		i = uint(r.i)
	}
}

// part reads a nested message, or an entry of a list.
func (r *reader) part(f *field, at unsafe.Pointer, tag uint64, end, outer int) {
	switch f.kind {
	case nested, optional:
		r.message(f.part, at, end)
	case pointer:
		p := (*unsafe.Pointer)(at)
		if *p == nil {
			*p = f.part.grow(nil, 0, 1)
		}
		r.message(f.part, *p, end)
	case list, texts:
		s := (*slice)(at)
		if !r.entry(s.n) {
			return
		}
		if s.n == s.cap {
			s.grow(f.part, r.alike(tag, end, outer))
		}
		at = unsafe.Add(s.p, uintptr(s.n)*f.part.size)
		s.n++
		if f.kind == texts {
			*(*string)(at) = r.text(end)
			return
		}
		r.message(f.part, at, end)
	default:
		r.fail()
	}
}

// alike counts the entries of a list from the one being read on, of which the
// next begins at i: as many as follow each other, up to what a list may hold. Its
// answer is a hint for how much room to make, since what follows may be malformed.
func (r *reader) alike(tag uint64, i, outer int) int {
	b := r.b[:outer]
	n := 1
	for i+1 < len(b) && uint64(b[i]) == tag && b[i+1] < 0x80 && n < min(r.room, MaxItems) {
		i += 2 + int(b[i+1])
		n++
	}
	return n
}
