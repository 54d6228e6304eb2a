// Package form writes application/x-www-form-urlencoded bodies without
// reflection, maps or package net/url, so that a plugin stays small and fast.
package form

import (
	"slices"
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
	if len(w.b) > 0 {
		w.b = append(w.b, '&')
	} else if w.b == nil {
		w.b = slab.Bytes(512) // enough for most forms
	}
	w.b = escape(w.b, name)
	w.b = append(w.b, '=')
}

// Escape returns s escaped as a form or query value.
func Escape(s string) string { return string(escape(nil, s)) }

// escape appends s. It looks at four characters at a time, and makes room for the
// longest result first, so that most characters cost no more than their copy.
func escape(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	n := len(b)
	out := slices.Grow(b, 3*len(s))
	out = out[:cap(out)]
	for i := 0; i < len(s); {
		if i+4 <= len(s) {
			p, q := s[i:i+4], out[n:n+4]
			if plain[p[0]]&plain[p[1]]&plain[p[2]]&plain[p[3]] != 0 {
				q[0], q[1], q[2], q[3] = p[0], p[1], p[2], p[3]
				i, n = i+4, n+4
				continue
			}
		}
		c := s[i]
		i++
		switch {
		case plain[c] != 0:
			out[n] = c
			n++
		case c == ' ':
			out[n] = '+'
			n++
		default:
			q := out[n : n+3]
			q[0], q[1], q[2] = '%', hex[c>>4], hex[c&15]
			n += 3
		}
	}
	return out[:n]
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
