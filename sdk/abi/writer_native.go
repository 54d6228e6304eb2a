//go:build !wasm

package abi

import "unsafe"

// message writes the fields of the struct at p. Zero values are left out, as
// proto3 does.
func (w *writer) message(m *message, p unsafe.Pointer) {
	for k := range m.fields {
		f := &m.fields[k]
		at := unsafe.Add(p, f.at)
		if f.kind <= counts && *(*int)(unsafe.Add(at, unsafe.Sizeof(at))) == 0 {
			continue
		}
		switch f.kind {
		case text:
			w.text(k+1, *(*string)(at))
		case list, nested, optional, pointer:
			w.part(k+1, f, at)
		default:
			w.field(k+1, f, at)
		}
	}
}

// part writes a field that holds messages.
func (w *writer) part(n int, f *field, at unsafe.Pointer) {
	switch f.kind {
	case nested:
		w.nested(n, f.part, at)
	case optional:
		before := len(w.b)
		if w.nested(n, f.part, at) == 0 {
			w.b = w.b[:before]
		}
	case pointer:
		if p := *(*unsafe.Pointer)(at); p != nil {
			w.nested(n, f.part, p)
		}
	case list:
		s := (*slice)(at)
		for i := range s.n {
			w.nested(n, f.part, unsafe.Add(s.p, uintptr(i)*f.part.size))
		}
	}
}

// nested writes a message inside another and returns how many bytes it has. It
// puts the length in front, moving the body only if it is 128 bytes or more.
func (w *writer) nested(n int, m *message, p unsafe.Pointer) int {
	w.tag(n, wireBytes)
	w.b = append(w.b, 0)
	start := len(w.b)
	w.message(m, p)
	size := len(w.b) - start
	if size < 0x80 {
		w.b[start-1] = byte(size)
		return size
	}
	var length [10]byte
	k := len(appendVarint(length[:0], uint64(size)))
	w.b = append(w.b, length[1:k]...)
	copy(w.b[start+k-1:], w.b[start:start+size])
	copy(w.b[start-1:], length[:k])
	return size
}
