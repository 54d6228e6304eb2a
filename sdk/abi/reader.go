package abi

import (
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/payhost/payhost/sdk/internal/scan"
)

// reader walks the fields of one message. The first mistake sticks in err.
//
// An entry of two bytes can cost 200 bytes of memory when it is decoded. Room is
// what keeps hostile bytes from growing without end.
type reader struct {
	b    []byte
	i    int
	room int // entries of repeated fields that may still come
	err  error
}

func (r *reader) fail() { r.err = ErrWire }

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

// field reads one field of any kind. Numbers that are not in the table are skipped.
func (r *reader) field(m *message, p unsafe.Pointer, end int) {
	b := r.b[:end]
	tag, i := varint(b, r.i)
	var v uint64
	wire, n := tag&7, tag>>3
	if wire == wireVarint || wire == wireBytes {
		v, i = varint(b, i)
	}
	if i > len(b) || wire == wireBytes && v > uint64(len(b)-i) || n == 0 || n > 1<<29-1 {
		r.fail()
		return
	}
	r.i = i
	if n > uint64(len(m.fields)) {
		r.skip(wire, v, end)
		return
	}
	f := &m.fields[n-1]
	at := unsafe.Add(p, f.at)
	switch wire {
	case wireVarint:
		r.value(f, at, v)
	case wireBytes:
		i += int(v)
		r.bytes(f, at, tag, i, len(b))
		r.i = i
	default:
		r.fail()
	}
}

// bytes reads a field that holds bytes, up to end, in a message up to outer.
func (r *reader) bytes(f *field, at unsafe.Pointer, tag uint64, end, outer int) {
	switch f.kind {
	case text:
		*(*string)(at) = r.text(end)
	case raw: // nil for no bytes, the same as for a field that is left out
		*(*[]byte)(at) = nil
		if r.i < end {
			*(*[]byte)(at) = r.b[r.i:end:end]
		}
	case nested, optional:
		r.message(f.part, at, end)
	case pointer:
		p := (*unsafe.Pointer)(at)
		if *p == nil {
			*p = f.part.grow(nil, 0, 1)
		}
		r.message(f.part, *p, end)
	case list:
		s := (*slice)(at)
		if !r.entry(s.n) {
			return
		}
		if s.n == s.cap {
			room := max(2*s.n, s.n+r.alike(tag, end, outer))
			s.p, s.cap = f.part.grow(s.p, s.n, room), room
		}
		s.n++
		r.message(f.part, unsafe.Add(s.p, uintptr(s.n-1)*f.part.size), end)
	case texts:
		r.texts((*[]string)(at), tag, end, outer)
	case enums, counts: // packed, as other encoders may have them
		for r.err == nil && r.i < end {
			var v uint64
			if v, r.i = varint(r.b[:end], r.i); r.i > end {
				r.fail()
				return
			}
			r.value(f, at, v)
		}
	default:
		r.fail()
	}
}

// value puts a number into a field.
func (r *reader) value(f *field, at unsafe.Pointer, v uint64) {
	switch f.kind {
	case number:
		*(*int64)(at) = int64(v)
	case count:
		*(*int)(at) = r.count(v)
	case handle:
		*(*int32)(at) = int32(r.count(v))
	case flag:
		*(*bool)(at) = v != 0
	case enum:
		*(*uint8)(at) = small(v)
	case moment:
		*(*time.Time)(at) = time.Time{}
		if v != 0 {
			*(*time.Time)(at) = time.UnixMilli(int64(v)).UTC()
		}
	case span:
		if v > uint64(1<<63-1)/uint64(time.Millisecond) {
			r.fail()
			return
		}
		*(*time.Duration)(at) = time.Duration(v) * time.Millisecond
	case enums:
		if s := (*[]uint8)(at); r.entry(len(*s)) {
			*s = append(*s, small(v))
		}
	case counts:
		if s := (*[]int)(at); r.entry(len(*s)) {
			*s = append(*s, r.count(v))
		}
	default:
		r.fail()
	}
}

// texts reads one entry of a list of strings.
func (r *reader) texts(to *[]string, tag uint64, end, outer int) {
	if !r.entry(len(*to)) {
		return
	}
	if *to == nil {
		*to = pools.texts.Take(r.alike(tag, end, outer))[:0]
	}
	*to = append(*to, r.text(end))
}

func (r *reader) text(end int) string {
	s := unsafe.String(unsafe.SliceData(r.b[r.i:]), end-r.i)
	if !scan.ASCII(s) && !utf8.ValidString(s) {
		r.fail()
		return ""
	}
	return s
}

// entry counts one entry of a repeated field and reports whether it may be kept.
func (r *reader) entry(have int) bool {
	if have >= MaxItems || r.room <= 0 {
		r.err = ErrTooMany
	}
	r.room--
	return r.err == nil
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

// small is an enum's number; a larger one is a value from a later version and
// reads as 0, "unknown".
func small(v uint64) uint8 {
	if v < 256 {
		return uint8(v)
	}
	return 0
}

// count is a number of 31 bits.
func (r *reader) count(v uint64) int {
	if v > 1<<31-1 {
		r.fail()
		return 0
	}
	return int(v)
}

// varint reads a number at i and returns the index behind it, which is behind the
// end of b if there is none.
func varint(b []byte, i int) (uint64, int) {
	if i < len(b) && b[i] < 0x80 { // most numbers
		return uint64(b[i]), i + 1
	}
	return long(b, i)
}

//go:noinline
func long(b []byte, i int) (uint64, int) {
	var v uint64
	for shift := uint(0); shift < 64 && i < len(b); shift += 7 {
		c := b[i]
		i++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if shift == 63 && c > 1 {
				break
			}
			return v, i
		}
	}
	return 0, len(b) + 1
}

// skip steps over the value of a field that is not known.
func (r *reader) skip(wire, v uint64, end int) {
	switch wire {
	case wireVarint:
	case wireBytes:
		r.i += int(v)
	case wireFixed64:
		r.i += 8
	case wireFixed32:
		r.i += 4
	default:
		r.fail()
	}
	if r.i > end {
		r.fail()
	}
}
