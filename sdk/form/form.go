// Package form writes application/x-www-form-urlencoded bodies without
// reflection, maps or package net/url, so that a plugin stays small and fast.
package form

import (
	"math/bits"
	"strconv"

	"github.com/payhost/payhost/sdk/internal/scan"
	"github.com/payhost/payhost/sdk/internal/slab"
)

// ContentType is the media type of a form body.
const ContentType = "application/x-www-form-urlencoded"

// Writer appends fields in the order of its calls. The zero value is ready.
type Writer struct {
	b []byte
}

// Add appends a field. Name and value are escaped; a space becomes "+".
func (w *Writer) Add(name, value string) {
	w.key(name)
	w.b = escape(w.b, value)
}

// AddInt appends a field with a whole number.
func (w *Writer) AddInt(name string, value int64) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, value, 10)
}

// AddIf appends a field unless its value is empty.
func (w *Writer) AddIf(name, value string) {
	if value != "" {
		w.Add(name, value)
	}
}

// Bytes returns the body written so far; it is valid until the next call.
func (w *Writer) Bytes() []byte { return w.b }

func (w *Writer) key(name string) {
	b := w.b
	if len(b) > 0 {
		b = append(b, '&')
	}
	w.b = append(escape(b, name), '=')
}

// Escape returns s escaped as a form or query value.
func Escape(s string) string { return slab.Text(escape(nil, s)) }

// escape appends s, up to eight characters and the one behind them that does not
// stand for itself at a time. It copies and escapes first and counts what of that
// holds afterwards, without a branch: in Wasm a jump costs more than the work.
func escape(b []byte, s string) []byte {
	n := len(b)
	if cap(b)-n < 3*len(s)+11 {
		b = larger(b, 3*len(s)+11)
	}
	out := b[:cap(b)]
	var last [8]byte
	for len(s) > 0 {
		p := s
		if len(s) < 8 {
			last = [8]byte{} // a zero is not plain, so no run goes past the end
			copy(last[:], s)
			p = slab.Text(last[:])
		}
		p = p[:8]
		q := out[n : n+11]
		q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7] = p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]
		run := bits.TrailingZeros8(^(plain[p[0]] | plain[p[1]]<<1 | plain[p[2]]<<2 | plain[p[3]]<<3 |
			plain[p[4]]<<4 | plain[p[5]]<<5 | plain[p[6]]<<6 | plain[p[7]]<<7))
		c := p[run&7]
		blank := isZero(uint(c ^ ' '))
		q = q[run : run+3]
		q[0], q[1], q[2] = '%'+byte(blank)*('+'-'%'), hex[c>>4], hex[c&15]
		special := isZero(uint(run)&8) & isZero(uint(run-len(s))>>(bits.UintSize-1)^1)
		n += run + special*(3-2*blank)
		s = s[run+special:]
	}
	return out[:n]
}

// isZero is 1 for 0 and 0 for anything else that is not negative as an int.
func isZero(n uint) int { return int((n - 1) >> (bits.UintSize - 1)) }

const hex = "0123456789ABCDEF"

// larger moves a body to where there is room for n bytes more.
func larger(b []byte, n int) []byte {
	return append(slab.Bytes(2*len(b)+max(n, 512)), b...)
}

// plain has a one for each character that stands for itself.
var plain = [256]byte{
	'-': 1, '.': 1, '_': 1, '~': 1,
	'0': 1, '1': 1, '2': 1, '3': 1, '4': 1, '5': 1, '6': 1, '7': 1, '8': 1, '9': 1,
	'A': 1, 'B': 1, 'C': 1, 'D': 1, 'E': 1, 'F': 1, 'G': 1, 'H': 1, 'I': 1, 'J': 1, 'K': 1, 'L': 1, 'M': 1,
	'N': 1, 'O': 1, 'P': 1, 'Q': 1, 'R': 1, 'S': 1, 'T': 1, 'U': 1, 'V': 1, 'W': 1, 'X': 1, 'Y': 1, 'Z': 1,
	'a': 1, 'b': 1, 'c': 1, 'd': 1, 'e': 1, 'f': 1, 'g': 1, 'h': 1, 'i': 1, 'j': 1, 'k': 1, 'l': 1, 'm': 1,
	'n': 1, 'o': 1, 'p': 1, 'q': 1, 'r': 1, 's': 1, 't': 1, 'u': 1, 'v': 1, 'w': 1, 'x': 1, 'y': 1, 'z': 1,
}

// AppendQuery joins a query to a URL that may have one already, and may end in a
// fragment: the fragment stays last.
func AppendQuery(url string, query *Writer) string {
	if len(query.b) == 0 {
		return url
	}
	end := scan.Either(url, 0, '?', '#')
	join := "?"
	if end < len(url) && url[end] == '?' {
		join = "&"
		end = scan.Either(url, end, '#', '#')
	}
	if end > 0 && (url[end-1] == '?' || url[end-1] == '&') {
		join = ""
	}
	p := slab.Bytes(len(url) + 1 + len(query.b))
	p = append(p, url[:end]...)
	p = append(p, join...)
	p = append(p, query.b...)
	return slab.Text(append(p, url[end:]...))
}
