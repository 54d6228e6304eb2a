// Package slab gives out memory for calls. In Wasm an allocation costs as much as a
// hundred bytes of work, and each one may touch another page, which the host has to
// put back after the call; so there the bytes of one call stand side by side in one
// piece, and a [Pool] and a [Single] have the first values of a type. Nothing is ever given out
// twice: what a caller takes is its own for good, and the collector takes a piece
// when nobody has a slice of it. An instance that is put back after each call finds
// its pools full again. Natively these are plain allocations.
//
// Under Wasm one call runs at a time and no other goroutine runs between two lines
// of this package's callers, so nothing here is locked.
package slab

import "unsafe"

// Join returns a and b as one text.
func Join(a, b string) string { return Text(append(append(Bytes(len(a)+len(b)), a...), b...)) }

// Text returns bytes as text. They may not be written to any more.
func Text(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }
