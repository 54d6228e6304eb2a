// Package form writes application/x-www-form-urlencoded bodies without
// reflection, maps or package net/url, so that a plugin stays small and fast.
package form

import "strconv"

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
		w.b = make([]byte, 0, 512) // one allocation for most forms
	}
	w.b = escape(w.b, name)
	w.b = append(w.b, '=')
}

// Escape returns s escaped as a form or query value.
func Escape(s string) string { return string(escape(nil, s)) }

// escape appends s, whole runs of plain characters at a time.
func escape(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	from := 0
	for i := range len(s) {
		c := s[i]
		if plain[c>>5]&(1<<(c&31)) != 0 {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if c == ' ' {
			b = append(b, '+')
			continue
		}
		b = append(b, '%', hex[c>>4], hex[c&15])
	}
	return append(b, s[from:]...)
}

// plain has a bit for each character that stands for itself: letters, digits and
// "-._~".
var plain = [8]uint32{1: 0x03ff6000, 2: 0x87fffffe, 3: 0x47fffffe}

// AppendQuery joins a query to a URL that may have one already, and may end in a
// fragment: the fragment stays last.
func AppendQuery(url string, query *Writer) string {
	if len(query.b) == 0 {
		return url
	}
	base, fragment, join := url, "", "?"
	for i := range len(url) {
		if url[i] == '#' {
			base, fragment = url[:i], url[i:]
			break
		}
		if url[i] == '?' {
			join = "&"
		}
	}
	if last := len(base) - 1; last >= 0 && (base[last] == '?' || base[last] == '&') {
		join = ""
	}
	return base + join + string(query.b) + fragment
}
