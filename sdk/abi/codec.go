package abi

import "unsafe"

// A message is described by a table, and two functions walk the tables of all
// messages: one writes, one reads. Functions of each message's own would all stand
// in every plugin, since the linker can't know which operations it has, and would
// not be faster: in Wasm the calls are what costs.
//
// Natively these functions are written in Go (reader_native.go, writer_native.go). In
// Wasm they are loops in assembly, which take nested messages without a call and stop at
// what is rare or needs memory: that is then done by the Go code both have.
//
// The tables are static data. TestTables holds them against the Go types.

// kind is the Go type of a field and how it stands on the wire.
type kind uint8

const (
	// These begin with a pointer and a length, and are left out if that is 0.
	text   kind = iota + 1 // ~string
	texts                  // []string
	list                   // []struct
	raw                    // []byte
	enums                  // []~uint8, not packed
	counts                 // []int, not packed

	number   // int64
	count    // int of 31 bits, not negative
	handle   // int32, not negative
	flag     // bool
	enum     // ~uint8; larger numbers read as 0
	moment   // time.Time in milliseconds; zero is left out
	span     // time.Duration in milliseconds
	nested   // a struct, written even when it is empty
	optional // a struct, left out when it is empty
	pointer  // *struct, left out when it is nil
)

// message is the layout of a Go struct. The field of number n is fields[n-1].
type message struct {
	fields []field
	size   uintptr                                               // bytes
	grow   func(list unsafe.Pointer, n, room int) unsafe.Pointer // of what stands in lists and behind pointers
}

type field struct {
	kind kind
	at   uintptr  // offset in the struct
	part *message // of nested, optional, pointer, list and texts
}

// maxDepth is how deep messages are nested, the outermost one counted.
const maxDepth = 4

// slice is a Go slice of any type.
type slice struct {
	p   unsafe.Pointer
	n   int
	cap int
}

// grow makes room for so many entries more, and for twice what there are.
func (s *slice) grow(entry *message, more int) {
	room := max(2*s.n, s.n+more)
	s.p, s.cap = entry.grow(s.p, s.n, room), room
}

func encode(b []byte, m unsafe.Pointer, layout *message) []byte {
	w := writer{b: b}
	w.message(layout, m)
	return w.b
}

// decode reads into a zero struct. After a mistake the struct is half-read, and the
// caller does not give it away.
func decode(b []byte, m unsafe.Pointer, layout *message) error {
	r := reader{b: b, room: MaxEntries}
	r.message(layout, m, len(b))
	return r.err
}
