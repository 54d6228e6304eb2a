package json

import (
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/payhost/payhost/sdk/internal/slab"
	"github.com/payhost/payhost/sdk/pay"
)

// ContentType is the media type of a JSON body.
const ContentType = "application/json"

// Writer appends one JSON value. Names are given with each value; inside an
// array the name is "". The zero value is ready:
//
//	var w json.Writer
//	w.Object("")
//	w.String("orderNumber", order)
//	w.Money("amount", amount) // 35.45, exact
//	w.End()
//	send(w.Bytes())
type Writer struct {
	b     []byte
	close []byte // what ends each open object or array
}

// Object opens an object; End closes it.
func (w *Writer) Object(name string) { w.open(name, '{', '}') }

// Array opens an array; End closes it.
func (w *Writer) Array(name string) { w.open(name, '[', ']') }

// End closes what was opened last. It panics if nothing is open.
func (w *Writer) End() {
	last := len(w.close) - 1
	w.b = append(w.b, w.close[last])
	w.close = w.close[:last]
}

// String writes a string.
func (w *Writer) String(name, value string) {
	w.key(name)
	w.b = quote(w.b, value)
}

// StringIf writes a string unless it is empty.
func (w *Writer) StringIf(name, value string) {
	if value != "" {
		w.String(name, value)
	}
}

// Int writes a whole number.
func (w *Writer) Int(name string, value int64) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, value, 10)
}

// Bool writes true or false.
func (w *Writer) Bool(name string, value bool) {
	w.key(name)
	w.b = strconv.AppendBool(w.b, value)
}

// Null writes null.
func (w *Writer) Null(name string) {
	w.key(name)
	w.b = append(w.b, "null"...)
}

// Money writes an amount in major units as an exact JSON number: 35.45.
func (w *Writer) Money(name string, m pay.Money) {
	w.key(name)
	w.b = m.AppendDecimal(w.b)
}

// Raw writes a value that is JSON already.
func (w *Writer) Raw(name string, value []byte) {
	w.key(name)
	w.b = append(w.b, value...)
}

// Bytes returns what was written; it is valid until the next call.
func (w *Writer) Bytes() []byte { return w.b }

func (w *Writer) open(name string, begin, end byte) {
	w.key(name)
	w.b = append(w.b, begin)
	if w.close == nil {
		w.close = slab.Bytes(8)
	}
	w.close = append(w.close, end)
}

func (w *Writer) key(name string) {
	if w.b == nil {
		w.b = slab.Bytes(512) // enough for most bodies
	}
	if n := len(w.b); n > 0 && w.b[n-1] != '{' && w.b[n-1] != '[' {
		w.b = append(w.b, ',')
	}
	if len(w.close) > 0 && w.close[len(w.close)-1] == '}' {
		w.b = quote(w.b, name)
		w.b = append(w.b, ':')
	}
}

func quote(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	raw := unsafe.Slice(unsafe.StringData(s), len(s))
	for i := plain(raw, 0); i < len(s); i = plain(raw, i) {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		b = append(b, s[from:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default: // a byte that is no UTF-8
			b = append(b, "\ufffd"...)
		}
		i++
		from = i
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}
