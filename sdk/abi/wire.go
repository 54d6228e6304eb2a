package abi

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"
)

// Errors of the decoders.
var (
	// ErrWire says that bytes are not a message of the schema: cut short, a wrong
	// wire type, a number out of range, text that is not UTF-8.
	ErrWire = errors.New("malformed message")
	// ErrTooMany says that a repeated field has more than [MaxItems] entries, or
	// that all of a message's repeated fields together have more than [MaxEntries].
	ErrTooMany = errors.New("too many entries in a message")
)

const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// writer appends protobuf fields. Zero values are left out, as proto3 does.
type writer struct {
	b []byte
}

func (w *writer) varint(v uint64) {
	for v >= 0x80 {
		w.b = append(w.b, byte(v)|0x80)
		v >>= 7
	}
	w.b = append(w.b, byte(v))
}

func (w *writer) int(field int, v int64) {
	if v != 0 {
		w.element(field, v)
	}
}

func (w *writer) bool(field int, v bool) {
	if v {
		w.int(field, 1)
	}
}

// element writes a number that stands in a repeated field, so even a zero.
func (w *writer) element(field int, v int64) {
	w.varint(uint64(field)<<3 | wireVarint)
	w.varint(uint64(v))
}

func (w *writer) string(field int, s string) {
	if s != "" {
		w.item(field, s)
	}
}

// item writes a string that stands in a repeated field, so even an empty one.
// Bytes that are no UTF-8 are replaced: text of a provider must not make a whole
// reply unreadable.
func (w *writer) item(field int, s string) {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	w.varint(uint64(field)<<3 | wireBytes)
	w.varint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) bytes(field int, p []byte) {
	if len(p) > 0 {
		w.varint(uint64(field)<<3 | wireBytes)
		w.varint(uint64(len(p)))
		w.b = append(w.b, p...)
	}
}

func (w *writer) time(field int, t time.Time) {
	if !t.IsZero() {
		w.int(field, t.UnixMilli())
	}
}

// duration writes no negative time, which no reader takes: a wait that is over is
// no wait.
func (w *writer) duration(field int, d time.Duration) { w.int(field, max(d, 0).Milliseconds()) }

// begin opens a nested message and returns where its body starts; end closes it
// by putting the length in front, moving the body only if it is 128 bytes or more.
func (w *writer) begin(field int) int {
	w.varint(uint64(field)<<3 | wireBytes)
	w.b = append(w.b, 0)
	return len(w.b)
}

func (w *writer) end(start int) {
	n := len(w.b) - start
	if n < 0x80 {
		w.b[start-1] = byte(n)
		return
	}
	extra := 1
	for v := n >> 14; v > 0; v >>= 7 {
		extra++
	}
	for range extra {
		w.b = append(w.b, 0)
	}
	copy(w.b[start+extra:], w.b[start:start+n])
	i := start - 1
	for v := uint64(n); ; i++ {
		if v < 0x80 {
			w.b[i] = byte(v)
			return
		}
		w.b[i] = byte(v) | 0x80
		v >>= 7
	}
}

// reader walks the fields of one message. The first mistake sticks in err and
// every later call returns zero values.
//
// An entry of two bytes can cost 200 bytes of memory when it is decoded. Room is
// what keeps hostile bytes from growing without end.
type reader struct {
	b    []byte // up to the end of the message that is being read
	i    int
	wire uint64
	room int // entries of repeated fields that may still come
	err  error
}

// next steps to the next field and returns its number, or 0 at the end.
func (r *reader) next() int {
	if r.err != nil || r.i >= len(r.b) {
		return 0
	}
	tag := r.varint()
	field := tag >> 3
	if r.err == nil && (field == 0 || field > 1<<29-1) {
		r.err = ErrWire
	}
	if r.err != nil {
		return 0
	}
	r.wire = tag & 7
	return int(field)
}

func (r *reader) varint() uint64 {
	if r.i < len(r.b) && r.b[r.i] < 0x80 { // most tags and lengths are one byte
		r.i++
		return uint64(r.b[r.i-1])
	}
	var v uint64
	for shift := uint(0); shift < 64; shift += 7 {
		if r.i >= len(r.b) {
			r.err = ErrWire
			return 0
		}
		c := r.b[r.i]
		r.i++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if shift == 63 && c > 1 {
				r.err = ErrWire
				return 0
			}
			return v
		}
	}
	r.err = ErrWire
	return 0
}

func (r *reader) int() int64 {
	if r.wire != wireVarint {
		r.err = ErrWire
	}
	if r.err != nil {
		return 0
	}
	return int64(r.varint())
}

func (r *reader) bool() bool { return r.int() != 0 }

// small reads a number that must fit a byte, as the enums do. A larger one is a
// value from a later version and reads as 0, "unknown".
func (r *reader) small() uint8 {
	if v := r.int(); v > 0 && v < 256 {
		return uint8(v)
	}
	return 0
}

// number reads an int that must fit 31 bits.
func (r *reader) number() int {
	v := r.int()
	if v < 0 || v > 1<<31-1 {
		r.err = ErrWire
		return 0
	}
	return int(v)
}

// length reads how long the bytes are that follow, and holds that they are there.
func (r *reader) length() int {
	if r.wire != wireBytes {
		r.err = ErrWire
	}
	if r.err != nil {
		return 0
	}
	n := r.varint()
	if n > uint64(len(r.b)-r.i) {
		r.err = ErrWire
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// bytes returns nil for no bytes, the same as for a field that is left out.
func (r *reader) bytes() []byte {
	n := r.length()
	if n == 0 {
		return nil
	}
	p := r.b[r.i : r.i+n : r.i+n]
	r.i += n
	return p
}

func (r *reader) string() string {
	p := r.bytes()
	if len(p) == 0 {
		return ""
	}
	if !utf8.Valid(p) {
		r.err = ErrWire
		return ""
	}
	return unsafe.String(&p[0], len(p))
}

func (r *reader) time() time.Time {
	ms := r.int()
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (r *reader) duration() time.Duration {
	ms := r.int()
	if ms < 0 || ms > int64(1<<63-1)/int64(time.Millisecond) {
		r.err = ErrWire
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// open narrows the reader to the nested message that comes next and returns what
// close needs to widen it again. (A reader per nested message would be one
// allocation each.)
func (r *reader) open() (outer []byte) {
	outer = r.b
	if n := r.length(); r.err == nil {
		r.b = r.b[:r.i+n]
	}
	return outer
}

func (r *reader) close(outer []byte) { r.b = outer }

// entry counts one entry of a repeated field and reports whether it may be kept.
func (r *reader) entry(have int) bool {
	if have >= MaxItems || r.room <= 0 {
		r.err = ErrTooMany
	}
	r.room--
	return r.err == nil
}

func (r *reader) skip() {
	switch r.wire {
	case wireVarint:
		r.varint()
	case wireBytes:
		r.bytes()
	case wireFixed64:
		r.advance(8)
	case wireFixed32:
		r.advance(4)
	default:
		r.err = ErrWire
	}
}

func (r *reader) advance(n int) {
	if len(r.b)-r.i < n {
		r.err = ErrWire
		return
	}
	r.i += n
}
