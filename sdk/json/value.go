// Package json reads and writes the JSON that providers speak, without
// reflection, so that a plugin stays small and fast. A [Value] is a view of the
// bytes that were parsed; asking it for what it is not gives "not there" rather
// than a guess, and a number keeps its text, so that money stays exact. The bytes
// must stay as they are for as long as values and texts taken from them are used.
package json

import (
	"errors"
	"math"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/payhost/payhost/sdk/internal/scan"
	"github.com/payhost/payhost/sdk/internal/slab"
)

// ErrSyntax says that bytes are not one whole JSON value.
var ErrSyntax = errors.New("not JSON")

// maxDepth bounds nesting, so that hostile answers can't exhaust the stack.
const maxDepth = 64

// Kind is the type of a value.
type Kind byte

// The kinds. Missing is what Get returns for a name that is not there.
const (
	Missing Kind = 0
	Null    Kind = 'n'
	Bool    Kind = 't'
	Number  Kind = '0'
	String  Kind = '"'
	Object  Kind = '{'
	Array   Kind = '['
)

// Value is a JSON value inside the bytes it was parsed from. The zero value is
// Missing.
type Value struct {
	raw []byte // begins with the value; what stands behind its end is not looked for until it matters
}

// Parse checks that b is one JSON value, whole, and returns it. A byte order mark
// in front is skipped, since some providers send one. Strings must be UTF-8.
// Of a name that stands twice in an object the first counts.
func Parse(b []byte) (Value, error) {
	if len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF {
		b = b[3:]
	}
	start := space(b, 0)
	end := check(b, start)
	if end == bad || space(b, end) != len(b) {
		return Value{}, ErrSyntax
	}
	return Value{raw: b[start:end]}, nil
}

// Kind returns the value's type.
func (v Value) Kind() Kind {
	if len(v.raw) == 0 {
		return Missing
	}
	switch c := v.raw[0]; c {
	case 't', 'f':
		return Bool
	case 'n', '"', '{', '[':
		return Kind(c)
	}
	return Number
}

// Exists reports whether the value is there and not null.
func (v Value) Exists() bool { k := v.Kind(); return k != Missing && k != Null }

// Raw returns the value's bytes as they came.
func (v Value) Raw() []byte {
	if len(v.raw) == 0 {
		return nil
	}
	end := skip(v.raw, 0)
	return v.raw[:end:end]
}

// Get returns the member of an object by its exact name, or Missing.
func (v Value) Get(name string) Value {
	if v.Kind() != Object {
		return Value{}
	}
	i := member(v.raw, name)
	if i < 0 {
		i = search(v.raw, name)
	}
	if i == 0 {
		return Value{}
	}
	return Value{raw: v.raw[i:]}
}

// search returns where in a checked object the value of a name begins, or 0.
func search(b []byte, name string) int {
	i := 1
	for {
		if b[i] == ',' {
			i++
		}
		if b[i] != '"' {
			if i = step(b, i); i >= len(b) {
				return 0
			}
		}
		end, escaped := skipText(b, i)
		same := end-i == len(name)+2 && string(b[i+1:end-1]) == name
		if escaped {
			same = unquote(b[i:end]) == name
		}
		if i = end + 1; b[end] != ':' || b[i] <= ' ' {
			i = colon(b, end)
		}
		if same {
			return i
		}
		i = skip(b, i)
	}
}

// GetFold is Get with ASCII letters compared without case, for providers that
// are not sure of theirs.
func (v Value) GetFold(name string) Value {
	var found Value
	if v.Kind() == Array {
		return found
	}
	v.Each(func(key string, member Value) bool {
		if EqualFold(key, name) {
			found = member
			return false
		}
		return true
	})
	return found
}

// Each calls f for every member of an object, or every element of an array with
// key "", until f returns false. Other kinds have none.
func (v Value) Each(f func(key string, member Value) bool) {
	kind := v.Kind()
	if kind != Object && kind != Array {
		return
	}
	b := v.raw
	for i := step(b, 1); i < len(b); i = step(b, skip(b, i)) {
		key := ""
		if kind == Object {
			end, _ := skipText(b, i)
			key = unquote(b[i:end])
			i = colon(b, end)
		}
		if !f(key, Value{raw: b[i:]}) {
			return
		}
	}
}

// step moves from the bracket or from behind an entry to the next entry, or to the
// end.
func step(b []byte, i int) int {
	if b[i] <= ' ' {
		i = space(b, i)
	}
	if b[i] == ',' {
		i++
		if b[i] <= ' ' {
			i = space(b, i)
		}
	}
	if b[i] == '}' || b[i] == ']' {
		return len(b)
	}
	return i
}

// colon moves from behind a name to the value.
func colon(b []byte, i int) int {
	if b[i] <= ' ' {
		i = space(b, i)
	}
	if i++; b[i] <= ' ' {
		i = space(b, i)
	}
	return i
}

// Len returns how many members or elements there are.
func (v Value) Len() int {
	n := 0
	v.Each(func(string, Value) bool { n++; return true })
	return n
}

// Text returns a string's text; false if the value is not a string.
func (v Value) Text() (string, bool) {
	if v.Kind() != String {
		return "", false
	}
	end, escaped := skipText(v.raw, 0)
	if !escaped {
		return view(v.raw[1 : end-1]), true
	}
	return unquote(v.raw[:end]), true
}

// Str is Text for where absence does not matter: "" if not a string.
func (v Value) Str() string {
	s, _ := v.Text()
	return s
}

// Bool returns a boolean; ok is false if the value is none.
func (v Value) Bool() (value, ok bool) {
	if v.Kind() != Bool {
		return false, false
	}
	return v.raw[0] == 't', true
}

// Int returns a whole number. A number with a fraction or exponent, or out of
// range, and a number in quotes are not: ok is false.
func (v Value) Int() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	return whole(v.Raw())
}

// whole reads a whole number of int64: what strconv.ParseInt does, without its
// errors, which would be 20 KB of each plugin.
func whole(digits []byte) (int64, bool) {
	limit := uint64(math.MaxInt64)
	negative := digits[0] == '-'
	if negative {
		digits = digits[1:]
		limit++ // int64 reaches one further below zero
	}
	var n uint64
	for _, c := range digits {
		d := uint64(c - '0')
		if d > 9 || n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

// Decimal returns the text of a number, or of a string, for exact parsing by
// pay.ParseMoney; providers put amounts in either. False for other kinds.
func (v Value) Decimal() (string, bool) {
	if v.Kind() == Number {
		return view(v.Raw()), true
	}
	return v.Text()
}

// EqualFold reports whether two texts are equal but for the case of ASCII
// letters.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// unquote turns a checked JSON string, quotes included, into its text.
func unquote(raw []byte) string {
	body := raw[1 : len(raw)-1]
	if len(body) == 0 {
		return ""
	}
	if text := view(body); scan.Either(text, 0, '\\', '"') == len(text) { // no quote stands here without a backslash
		return text
	}
	out := slab.Bytes(len(body))
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			out = append(out, body[i])
			continue
		}
		i++
		switch c := body[i]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r := hex4(body[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(utf8.RuneError)
				if i+6 < len(body) && body[i+1] == '\\' && body[i+2] == 'u' {
					low = hex4(body[i+3:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default: // quote, backslash, slash
			out = append(out, c)
		}
	}
	return view(out)
}

func hex4(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		r = r<<4 | rune(unhex(c))
	}
	return r
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
