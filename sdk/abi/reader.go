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

// bytes reads a field that holds bytes, up to end, in a message up to outer. Part does
// so for what has a part.
func (r *reader) bytes(f *field, at unsafe.Pointer, tag uint64, end, outer int) {
	switch f.kind {
	case text:
		*(*string)(at) = r.text(end)
	case raw: // nil for no bytes, the same as for a field that is left out
		*(*[]byte)(at) = nil
		if r.i < end {
			*(*[]byte)(at) = r.b[r.i:end:end]
		}
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
		r.part(f, at, tag, end, outer)
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

// text reads the rest up to end.
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
