package abi

import "unsafe"

// opened is where the writer is.
type opened struct {
	frames [maxDepth]open
	depth  int // of the message that is being written, in frames
}

// open is a message that is being written.
type open struct {
	m     *message
	p     unsafe.Pointer
	k     int // index of the next field
	i     int // of the next entry, if the field is a list
	kind  int // of the field that it is
	tag   int // where that is in the writer's bytes
	start int // of the body
}

// slack is how many bytes there must be before a field is written, besides those of a
// text: for a number with its tag, and for the lengths of all messages around it, which
// are reserved as one byte.
const slack = 64

// message does what it does natively, see the reader's.
func (w *writer) message(m *message, p unsafe.Pointer) {
	var now opened
	for {
		need := write(w, &now, m, p)
		if need == nothing {
			return
		}
		o := &now.frames[now.depth]
		switch need {
		case space:
			w.space(o)
		case other:
			f := &o.m.fields[o.k]
			o.k++
			w.field(o.k, f, unsafe.Add(o.p, f.at))
		}
	}
}

// write writes up to the end, or up to the first field for which it needs something. P
// is the struct of the outermost message, and may have moved since the last call.
//
//go:noescape
func write(w *writer, now *opened, m *message, p unsafe.Pointer) int

// space makes room for the next field of a message.
func (w *writer) space(o *open) {
	n := 2 * slack
	if f := &o.m.fields[o.k]; f.kind == text {
		n += len(*(*string)(unsafe.Add(o.p, f.at)))
	}
	w.b = append(w.b, make([]byte, n)...)[:len(w.b)]
}
