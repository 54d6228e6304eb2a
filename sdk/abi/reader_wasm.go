package abi

import "unsafe"

// walk is where the reader is, and what it needs.
type walk struct {
	frames [maxDepth]frame
	depth  int // of the message that is being read, in frames
	need   int
	field  *field         // that is being read
	at     unsafe.Pointer // where it is in the struct
	n      int            // the number, or how many entries the list needs
}

// frame is a message that is being read.
type frame struct {
	m   *message
	p   unsafe.Pointer
	end int
}

// What read and write need.
const (
	nothing = iota // it is done
	space          // in a list, behind a pointer, or to write to
	value          // put into a field
	other          // a field that is not for them
)

// input is what is being read. Assembly has no write barriers, but the pointers that read
// lays into the heap all point to these bytes, and stand where there was none or such a
// one. The store to input has the barrier for all of them: it comes before each call of
// read, during which no other goroutine runs and no collection begins or ends.
var input *byte

// message does what it does natively: all nested messages in one call, since these
// are what costs in Wasm.
func (r *reader) message(m *message, p unsafe.Pointer, _ int) {
	var w walk
	for r.err == nil {
		input = unsafe.SliceData(r.b)
		read(r, &w, m, p)
		switch w.need {
		case nothing:
			return
		case space:
			r.space(&w)
		case value:
			r.value(w.field, w.at, uint64(w.n))
		case other:
			f := &w.frames[w.depth]
			r.field(f.m, f.p, f.end)
		}
	}
}

// read reads up to the end, or up to the first field for which it needs something. P
// is the struct of the outermost message, and may have moved since the last call.
//
//go:noescape
func read(r *reader, w *walk, m *message, p unsafe.Pointer)

func (r *reader) space(w *walk) {
	part := w.field.part
	if w.field.kind == pointer {
		*(*unsafe.Pointer)(w.at) = part.grow(nil, 0, 1)
		return
	}
	(*slice)(w.at).grow(part, min(w.n, r.room))
}

// part reads what read leaves of fields that have a part: an entry too many, or a text
// of a list that is not ASCII.
func (r *reader) part(f *field, at unsafe.Pointer, _ uint64, end, _ int) {
	s := (*slice)(at)
	switch {
	case f.kind != list && f.kind != texts:
		r.fail()
	case !r.entry(s.n):
	case f.kind == list:
		r.fail()
	default:
		if s.n == s.cap {
			s.grow(f.part, 1)
		}
		*(*string)(unsafe.Add(s.p, uintptr(s.n)*f.part.size)) = r.text(end)
		s.n++
	}
}
