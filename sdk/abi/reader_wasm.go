package abi

import "unsafe"

// walker is where the reader is.
type walker struct {
	depth  int // of the message that is being read, in frames
	frames [maxDepth]frame

	// What walk needs.
	need int
	f    *field         // for this field
	at   unsafe.Pointer // of the struct
	n    int            // the number, or how many entries the list needs
}

// frame is a message that is being read.
type frame struct {
	m   *message
	p   unsafe.Pointer
	end int
}

// What walk and write need.
const (
	nothing = iota // it is done
	space          // in a list, behind a pointer, or to write to
	value          // put into a field
	other          // a field that is not for them
)

// input is what is being read. Walk lays pointers into it without telling the
// collector, which has it from here.
var input *byte

// message does what it does natively: all nested messages in one call, since these
// are what costs in Wasm.
func (r *reader) message(m *message, p unsafe.Pointer, _ int) {
	for r.err == nil {
		input = unsafe.SliceData(r.b)
		switch walk(r, m, p) {
		case nothing:
			return
		case space:
			r.space()
		case value:
			r.value(r.f, r.at, uint64(r.n))
		case other:
			f := &r.frames[r.depth]
			r.field(f.m, f.p, f.end)
		}
	}
}

// walk reads up to the end, or up to the first field for which it needs something. P
// is the struct of the outermost message, and may have moved since the last call.
//
//go:noescape
func walk(r *reader, m *message, p unsafe.Pointer) int

func (r *reader) space() {
	if r.f.kind == pointer {
		*(*unsafe.Pointer)(r.at) = r.f.part.grow(nil, 0, 1)
		return
	}
	(*slice)(r.at).grow(r.f.part, min(r.n, r.room))
}

// part reads what walk leaves of fields that have a part: an entry too many, or a text
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
