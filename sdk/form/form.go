// Package form writes application/x-www-form-urlencoded bodies without
// reflection, maps or package net/url, so that a plugin stays small and fast.
package form

import (
	"strconv"

	"github.com/payhost/payhost/sdk/internal/scan"
	"github.com/payhost/payhost/sdk/internal/slab"
)

// ContentType is the media type of a form body.
const ContentType = "application/x-www-form-urlencoded"

// Writer appends fields in the order of its calls. The zero value is ready.
type Writer struct {
	b []byte // each field with an "&" in front, also the first
}

// Add appends a field. Name and value are escaped; a space becomes "+".
func (w *Writer) Add(name, value string) {
	b := w.b
	if n := room(len(name) + len(value)); cap(b)-len(b) < n {
		b = larger(b, n)
	}
	w.b = field(b, name, value)
}

// AddInt appends a field with a whole number.
func (w *Writer) AddInt(name string, value int64) {
	b := w.b
	if n := room(len(name)) + digits; cap(b)-len(b) < n {
		b = larger(b, n)
	}
	w.b = strconv.AppendInt(field(b, name, ""), value, 10)
}

// AddIf appends a field unless its value is empty.
func (w *Writer) AddIf(name, value string) {
	if value != "" {
		w.Add(name, value)
	}
}

// Bytes returns the body written so far; it is valid until the next call.
func (w *Writer) Bytes() []byte {
	if len(w.b) == 0 {
		return nil
	}
	return w.b[1:]
}

// Escape returns s escaped as a form or query value.
func Escape(s string) string {
	return slab.Text(field(slab.Bytes(room(len(s))), "", s)[len("&="):])
}

// digits is how many bytes a number may be.
const digits = len("-9223372036854775808")

// room is how many bytes a field may take whose name and value are n long: each may
// become three, there are two signs, and eight are written at a time.
func room(n int) int { return 3*n + 2 + 8 }

// larger moves a body to where there is room for n bytes more.
func larger(b []byte, n int) []byte {
	return append(slab.Bytes(2*len(b)+max(n, 1024)), b...)
}

// AppendQuery joins a query to a URL that may have one already, and may end in a
// fragment: the fragment stays last.
func AppendQuery(url string, query *Writer) string {
	q := query.Bytes()
	if len(q) == 0 {
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
	p := slab.Bytes(len(url) + 1 + len(q))
	p = append(p, url[:end]...)
	p = append(p, join...)
	p = append(p, q...)
	return slab.Text(append(p, url[end:]...))
}
