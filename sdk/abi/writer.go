package abi

import (
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/payhost/payhost/sdk/internal/scan"
)

// writer appends protobuf fields.
type writer struct {
	b []byte
}

// field writes a field that holds no messages.
func (w *writer) field(n int, f *field, at unsafe.Pointer) {
	switch f.kind {
	case text:
		w.text(n, *(*string)(at))
	case number:
		w.int(n, *(*int64)(at))
	case count:
		w.int(n, int64(*(*int)(at)))
	case handle:
		w.int(n, int64(*(*int32)(at)))
	case flag, enum:
		w.int(n, int64(*(*uint8)(at)))
	case moment:
		if t := (*time.Time)(at); !t.IsZero() {
			w.int(n, t.UnixMilli())
		}
	case span: // a wait that is over is no wait, and no reader takes a negative one
		w.int(n, max(*(*time.Duration)(at), 0).Milliseconds())
	case raw:
		b := *(*[]byte)(at)
		w.raw(n, unsafe.String(&b[0], len(b)))
	case texts:
		for _, s := range *(*[]string)(at) {
			w.text(n, s)
		}
	case enums:
		for _, v := range *(*[]uint8)(at) {
			w.element(n, int64(v))
		}
	case counts:
		for _, v := range *(*[]int)(at) {
			w.element(n, int64(v))
		}
	}
}

// tag writes a field's number, at most 2047, and its wire type.
func (w *writer) tag(n, wire int) {
	if n < 16 {
		w.b = append(w.b, byte(n<<3|wire))
		return
	}
	w.b = append(w.b, byte(n<<3|wire)|0x80, byte(n>>4))
}

func (w *writer) int(n int, v int64) {
	if v != 0 {
		w.element(n, v)
	}
}

// element writes a number that stands in a repeated field, so even a zero.
//
//go:noinline
func (w *writer) element(n int, v int64) {
	w.tag(n, wireVarint)
	w.b = appendVarint(w.b, uint64(v))
}

// text writes a string, even an empty one. Bytes that are no UTF-8 are replaced:
// text of a provider must not make a whole reply unreadable.
func (w *writer) text(n int, s string) {
	if n < 16 && len(s) < 0x80 && scan.ASCII(s) { // most texts
		w.b = append(append(w.b, byte(n<<3|wireBytes), byte(len(s))), s...)
		return
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	w.raw(n, s)
}

func (w *writer) raw(n int, s string) {
	w.tag(n, wireBytes)
	w.b = append(appendVarint(w.b, uint64(len(s))), s...)
}

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}
