package abi

import (
	"unsafe"

	"github.com/payhost/payhost/sdk/internal/slab"
	"github.com/payhost/payhost/sdk/pay"
)

// A message is described by a table, and two functions walk the tables of all
// messages: one writes, one reads. Functions of each message's own would all stand
// in every plugin, since the linker can't know which operations it has, and would
// not be faster: in Wasm the calls are what costs.
//
// The tables are static data. TestTables holds them against the Go types.

// kind is the Go type of a field and how it stands on the wire.
type kind uint8

const (
	// These begin with a pointer and a length, and are left out if that is 0.
	text   kind = iota + 1 // ~string
	raw                    // []byte
	list                   // []struct
	texts                  // []string
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
	part *message // of nested, optional, pointer and list
}

// slice is a Go slice of any type.
type slice struct {
	p   unsafe.Pointer
	n   int
	cap int
}

// grow moves a list of n entries to where there is room for more.
func grow[T any](old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := make([]T, room)
	copy(list, unsafe.Slice((*T)(old), n))
	return unsafe.Pointer(unsafe.SliceData(list))
}

// pools have the lists that nearly every call needs.
var pools struct {
	fields slab.Pool[pay.Field]
	lines  slab.Pool[pay.Line]
	texts  slab.Pool[string]
}

func growFields(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := pools.fields.Take(room)
	copy(list, unsafe.Slice((*pay.Field)(old), n))
	return unsafe.Pointer(unsafe.SliceData(list))
}

func growLines(old unsafe.Pointer, n, room int) unsafe.Pointer {
	list := pools.lines.Take(room)
	copy(list, unsafe.Slice((*pay.Line)(old), n))
	return unsafe.Pointer(unsafe.SliceData(list))
}

func encode[T any](b []byte, m *T, layout *message) []byte {
	w := writer{b: b}
	w.message(layout, unsafe.Pointer(m))
	return w.b
}

// decode gives no half-read message away: after a mistake it returns the zero one.
func decode[T any](b []byte, layout *message) (T, error) {
	var m, none T
	r := reader{b: b, room: MaxEntries}
	r.message(layout, unsafe.Pointer(&m), len(b))
	if r.err != nil {
		return none, r.err
	}
	return m, nil
}
