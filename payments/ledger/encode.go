package ledger

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Every payment writes its book twice and four entries at least. encoding/json takes its time for their texts, times and
// amounts: it asks each type how to write itself, and reads again what that gave. What is here writes the same bytes, by
// a plan that is made once for each type; a test holds the two against each other. What it has no way for it leaves to
// encoding/json.

// encoder appends a value as JSON.
type encoder func(dst []byte, v reflect.Value) ([]byte, error)

// member is a field of a struct.
type member struct {
	index  []int
	name   string                   // with its quotes and the colon
	left   func(reflect.Value) bool // reports whether the value is left out; nil for never
	encode encoder
}

var (
	plans   sync.Map // reflect.Type to encoder
	scratch = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}
)

// encode returns what p points to as JSON.
func encode(p reflect.Value) (string, error) {
	v := p.Elem()
	plan, ok := plans.Load(v.Type())
	if !ok {
		plan, _ = plans.LoadOrStore(v.Type(), planOf(v.Type()))
	}
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	out, err := plan.(encoder)((*buf)[:0], v)
	*buf = out[:0]
	if err != nil {
		return "", err
	}
	return string(out), nil
}

// encodeBody returns the body of an entry as JSON.
func encodeBody(body Body) (string, error) {
	v := reflect.ValueOf(body)
	if v.Kind() != reflect.Struct {
		text, err := json.Marshal(body)
		return string(text), err
	}
	p := reflect.New(v.Type()) // so that its fields can be pointed to
	p.Elem().Set(v)
	return encode(p)
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	amountType = reflect.TypeFor[Amount]()
	textType   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonType   = reflect.TypeFor[json.Marshaler]()
)

func planOf(t reflect.Type) encoder {
	switch {
	case t == timeType:
		return appendTime
	case t == amountType:
		return appendAmount
	case t.Implements(textType) && t.Kind() == reflect.Uint8:
		return wordsOf(t)
	case t.Implements(jsonType), t.Implements(textType), reflect.PointerTo(t).Implements(jsonType), reflect.PointerTo(t).Implements(textType):
		return appendOther
	}
	switch t.Kind() {
	case reflect.String:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return appendText(dst, v.String()), nil }
	case reflect.Bool:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return strconv.AppendBool(dst, v.Bool()), nil }
	case reflect.Int, reflect.Int64:
		return func(dst []byte, v reflect.Value) ([]byte, error) { return strconv.AppendInt(dst, v.Int(), 10), nil }
	case reflect.Pointer:
		return orNull(planOf(t.Elem()))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return appendBytes
		}
		return listOf(planOf(t.Elem()))
	case reflect.Map:
		if t == reflect.TypeFor[map[string]string]() {
			return appendMap
		}
	case reflect.Struct:
		return structOf(membersOf(t, nil))
	}
	return appendOther
}

// membersOf returns the fields of a struct, those of embedded ones in their place.
func membersOf(t reflect.Type, at []int) []member {
	var list []member
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(at), i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			list = append(list, membersOf(f.Type, index)...)
			continue
		case !f.IsExported():
			continue
		}
		m := member{index: index, name: string(appendText(nil, name)) + ":", encode: planOf(f.Type)}
		switch options {
		case "omitempty":
			m.left = func(v reflect.Value) bool {
				return v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
			}
		case "omitzero":
			m.left = reflect.Value.IsZero
			if f.Type == timeType {
				m.left = func(v reflect.Value) bool { return v.Addr().Interface().(*time.Time).IsZero() }
			} else if f.Type == amountType {
				m.left = func(v reflect.Value) bool { return v.Addr().Interface().(*Amount).IsZero() }
			}
		}
		list = append(list, m)
	}
	return list
}

func structOf(members []member) encoder {
	return func(dst []byte, v reflect.Value) ([]byte, error) {
		dst = append(dst, '{')
		first := true
		for i := range members {
			m := &members[i]
			field := v.Field(m.index[0])
			for _, n := range m.index[1:] {
				field = field.Field(n)
			}
			if m.left != nil && m.left(field) {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			var err error
			if dst, err = m.encode(append(dst, m.name...), field); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
}

func orNull(plan encoder) encoder {
	return func(dst []byte, v reflect.Value) ([]byte, error) {
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		return plan(dst, v.Elem())
	}
}

func listOf(plan encoder) encoder {
	return func(dst []byte, v reflect.Value) ([]byte, error) {
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		dst = append(dst, '[')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = plan(dst, v.Index(i)); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	}
}

// wordsOf is for values that are words: all of them are looked up at once.
func wordsOf(t reflect.Type) encoder {
	var words [256]string
	for i := range words {
		v := reflect.New(t).Elem()
		v.SetUint(uint64(i))
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return appendOther
		}
		words[i] = string(appendText(nil, string(text)))
	}
	return func(dst []byte, v reflect.Value) ([]byte, error) { return append(dst, words[v.Uint()]...), nil }
}

// appendText appends a string. What needs an escape, or might, is rare.
func appendText(dst []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x80 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(text) // never fails for a string
			return append(dst, quoted...)
		}
	}
	dst = append(append(dst, '"'), text...)
	return append(dst, '"')
}

func appendTime(dst []byte, v reflect.Value) ([]byte, error) {
	t := v.Addr().Interface().(*time.Time)
	if y := t.Year(); t.Location() != time.UTC || y < 0 || y > 9999 {
		return appendOther(dst, v)
	}
	dst = t.AppendFormat(append(dst, '"'), time.RFC3339Nano)
	return append(dst, '"'), nil
}

func appendAmount(dst []byte, v reflect.Value) ([]byte, error) {
	return v.Addr().Interface().(*Amount).append(dst)
}

func appendBytes(dst []byte, v reflect.Value) ([]byte, error) {
	if v.IsNil() {
		return append(dst, "null"...), nil
	}
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), v.Bytes())
	return append(dst, '"'), nil
}

func appendMap(dst []byte, v reflect.Value) ([]byte, error) {
	m := *v.Addr().Interface().(*map[string]string)
	if m == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(append(appendText(dst, key), ':'), m[key])
	}
	return append(dst, '}'), nil
}

func appendOther(dst []byte, v reflect.Value) ([]byte, error) {
	text, err := json.Marshal(v.Addr().Interface())
	return append(dst, text...), err
}
