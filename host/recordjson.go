package host

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// A recording is written by its own small codec, since it is to be read by people
// and its messages are structs without tags: members in the order of the fields,
// names in snake case, nothing that is zero, enums as their words, money as
// "2500.00 KZT", bytes as text where they are UTF-8 and else as {"base64": "…"}.

// ErrRecording says that bytes are no recording.
var ErrRecording = errors.New("not a recording")

// Encode writes the recording as JSON.
func (r *Recording) Encode() []byte {
	var b bytes.Buffer
	writeStruct(&b, reflect.ValueOf(r).Elem())
	var out bytes.Buffer
	if err := json.Indent(&out, b.Bytes(), "", "  "); err != nil {
		panic("host: recording: " + err.Error()) // the codec wrote no JSON: a mistake in this file
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// DecodeRecording reads what [Recording.Encode] wrote. The error wraps
// [ErrRecording] and names the field at fault.
func DecodeRecording(b []byte) (*Recording, error) {
	const most = 8 * MaxRecording // base64, escapes and indentation included
	if len(b) > most {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrRecording, most)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrRecording, err) //nolint:errorlint // the text is enough
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: something stands behind it", ErrRecording)
	}
	r := &Recording{}
	if err := readValue(reflect.ValueOf(r).Elem(), tree, ""); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecording, err)
	}
	if r.Format != RecordingFormat {
		return nil, fmt.Errorf("%w: format: is %d, this payhost knows %d", ErrRecording, r.Format, RecordingFormat)
	}
	return r, nil
}

func zero(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Slice:
		return v.Len() == 0
	case reflect.Pointer, reflect.Interface:
		return v.IsNil()
	}
	return v.IsZero()
}

func writeStruct(b *bytes.Buffer, v reflect.Value) {
	b.WriteByte('{')
	first := true
	for i := range v.NumField() {
		field := v.Field(i)
		if !v.Type().Field(i).IsExported() || zero(field) || field.Kind() == reflect.Interface { // an error's cause is of one process
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		writeText(b, snake(v.Type().Field(i).Name))
		b.WriteByte(':')
		writeValue(b, field)
	}
	b.WriteByte('}')
}

func writeValue(b *bytes.Buffer, v reflect.Value) {
	if writeKnown(b, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			b.WriteString("null")
			return
		}
		writeValue(b, v.Elem())
	case reflect.Struct:
		writeStruct(b, v)
	case reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			writeValue(b, v.Index(i))
		}
		b.WriteByte(']')
	case reflect.String:
		writeText(b, v.String())
	case reflect.Bool:
		fmt.Fprint(b, v.Bool())
	case reflect.Uint8:
		fmt.Fprint(b, v.Uint())
	default:
		fmt.Fprint(b, v.Int())
	}
}

// writeKnown writes the types that have a form of their own.
func writeKnown(b *bytes.Buffer, v reflect.Value) bool {
	switch x := v.Interface().(type) {
	case time.Time:
		if x.Location() != time.UTC || x.Year() < 0 || x.Year() > 9999 {
			return false
		}
		writeText(b, x.Format(time.RFC3339Nano))
	case time.Duration:
		writeText(b, x.String())
	case json.RawMessage:
		if !json.Valid(x) {
			writeText(b, string(x))
			return true
		}
		b.Write(x)
	case []byte:
		writeBytes(b, x)
	case abi.Code:
		if !knownCode(x) {
			return false
		}
		writeText(b, x.String())
	case pay.Money:
		text := moneyText(x)
		if text == "" {
			return false
		}
		writeText(b, text)
	default:
		text, ok := word(v)
		if !ok {
			return false
		}
		writeText(b, text)
	}
	return true
}

func writeBytes(b *bytes.Buffer, p []byte) {
	if utf8.Valid(p) {
		writeText(b, string(p))
		return
	}
	b.WriteString(`{"base64":"` + base64.StdEncoding.EncodeToString(p) + `"}`)
}

func writeText(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // a string always encodes
		panic("host: recording: " + err.Error())
	}
	b.Truncate(b.Len() - 1)
}

// word is an enum's word, if reading it gives the same number back.
func word(v reflect.Value) (string, bool) {
	m, ok := v.Interface().(encoding.TextMarshaler)
	if !ok || v.Kind() != reflect.Uint8 {
		return "", false
	}
	text, err := m.MarshalText()
	if err != nil || len(text) == 0 {
		return "", false
	}
	back := reflect.New(v.Type())
	u, ok := back.Interface().(encoding.TextUnmarshaler)
	if !ok || u.UnmarshalText(text) != nil || back.Elem().Uint() != v.Uint() {
		return "", false
	}
	return string(text), true
}

func knownCode(c abi.Code) bool { return c >= abi.Internal && c <= abi.OK }

// moneyText is an amount as a person writes it, or "" if that could not be read
// back.
func moneyText(m pay.Money) string {
	text := m.Decimal() + " " + string(m.Currency)
	if back, err := readMoney(text); err != nil || back != m {
		return ""
	}
	return text
}

func readMoney(text string) (pay.Money, error) {
	amount, currency, _ := strings.Cut(text, " ")
	return pay.ParseMoney(amount, pay.Currency(currency))
}

// snake turns "ProviderRef" into "provider_ref" and "BaseURL" into "base_url".
func snake(name string) string {
	upper := func(i int) bool { return i < len(name) && 'A' <= name[i] && name[i] <= 'Z' }
	var b strings.Builder
	for i := range len(name) {
		if i > 0 && upper(i) && (!upper(i-1) || i+1 < len(name) && !upper(i+1)) {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(name[i : i+1]))
	}
	return b.String()
}

func readValue(v reflect.Value, tree any, path string) error {
	if tree == nil {
		return nil
	}
	if done, err := readKnown(v, tree); done || err != nil {
		return at(path, err)
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return readValue(v.Elem(), tree, path)
	case reflect.Struct:
		object, ok := tree.(map[string]any)
		if !ok {
			return at(path, errors.New("is no object"))
		}
		return readStruct(v, object, path)
	case reflect.Slice:
		list, ok := tree.([]any)
		if !ok {
			return at(path, errors.New("is no list"))
		}
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i := range list {
			if err := readValue(v.Index(i), list[i], fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return nil
	}
	return at(path, readSimple(v, tree))
}

func readStruct(v reflect.Value, object map[string]any, path string) error {
	known := 0
	for i := range v.NumField() {
		field := v.Field(i)
		member, ok := object[snake(v.Type().Field(i).Name)]
		if !ok || !field.CanSet() || field.Kind() == reflect.Interface {
			continue
		}
		known++
		if err := readValue(field, member, strings.TrimPrefix(path+"."+snake(v.Type().Field(i).Name), ".")); err != nil {
			return err
		}
	}
	if known == len(object) {
		return nil
	}
	for i := range v.NumField() {
		delete(object, snake(v.Type().Field(i).Name))
	}
	var unknown []string
	for name := range object {
		unknown = append(unknown, name)
	}
	slices.Sort(unknown)
	return at(strings.TrimPrefix(path+"."+strings.Join(unknown, ", "), "."), errors.New("is unknown"))
}

// readKnown reads the types that have a form of their own.
func readKnown(v reflect.Value, tree any) (bool, error) {
	text, isText := tree.(string)
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		t, err := time.Parse(time.RFC3339Nano, text)
		*x = t.UTC()
		return true, err
	case *time.Duration:
		d, err := time.ParseDuration(text)
		*x = d
		return true, err
	case *json.RawMessage:
		raw, err := json.Marshal(tree)
		*x = raw
		return true, err
	case *[]byte:
		if object, ok := tree.(map[string]any); ok {
			text, isText = object["base64"].(string)
			p, err := base64.StdEncoding.DecodeString(text)
			if !isText || len(object) != 1 || err != nil {
				return true, errors.New("is no base64")
			}
			*x = p
			return true, nil
		}
		*x = []byte(text)
		return true, wantText(isText)
	}
	if !isText {
		return false, nil
	}
	switch x := v.Addr().Interface().(type) {
	case *abi.Code:
		for c := abi.Internal; c <= abi.OK; c++ {
			if c.String() == text {
				*x = c
				return true, nil
			}
		}
		return true, errors.New("is no code of the ABI")
	case *pay.Money:
		m, err := readMoney(text)
		*x = m
		return true, err
	case encoding.TextUnmarshaler:
		return true, x.UnmarshalText([]byte(text))
	}
	return false, nil
}

func wantText(ok bool) error {
	if !ok {
		return errors.New("is no text")
	}
	return nil
}

func readSimple(v reflect.Value, tree any) error {
	switch x := tree.(type) {
	case string:
		if v.Kind() == reflect.String {
			v.SetString(x)
			return nil
		}
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(x)
			return nil
		}
	case json.Number:
		n, err := x.Int64()
		switch {
		case err != nil:
		case v.CanInt() && !v.OverflowInt(n):
			v.SetInt(n)
			return nil
		case v.CanUint() && n >= 0 && !v.OverflowUint(uint64(n)):
			v.SetUint(uint64(n))
			return nil
		}
	}
	return fmt.Errorf("is no %s that fits", v.Kind())
}

func at(path string, err error) error {
	if err == nil || path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// plain is what stands in a recording's JSON for any of its values: what two of them
// are compared by.
func plain(v any) any {
	var b bytes.Buffer
	rv := reflect.ValueOf(v)
	if zero(rv) {
		return nil
	}
	writeValue(&b, rv)
	d := json.NewDecoder(&b)
	d.UseNumber()
	var tree any
	if d.Decode(&tree) != nil {
		return nil
	}
	return tree
}
