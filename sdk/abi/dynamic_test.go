package abi_test

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// fill copies a dynamic message into a Go value of the packages pay and abi by
// the names of fields alone. It knows nothing of numbers or bytes: with it, the
// protobuf library reads the same bytes by another way than the codecs.
func fill(t testing.TB, m protoreflect.Message, v reflect.Value) {
	t.Helper()
	for _, fd := range each(m.Descriptor().Fields()) {
		field, ok := goField(v, fd)
		if !ok {
			t.Fatalf("%s has no field for %s", v.Type(), fd.FullName())
		}
		switch {
		case fd.IsList():
			list := m.Get(fd).List()
			for i := range list.Len() {
				entry := reflect.New(field.Type().Elem()).Elem()
				fillValue(t, fd, list.Get(i), entry)
				field.Set(reflect.Append(field, entry))
			}
		case m.Has(fd):
			fillValue(t, fd, m.Get(fd), field)
		}
	}
}

func fillValue(t testing.TB, fd protoreflect.FieldDescriptor, from protoreflect.Value, to reflect.Value) {
	t.Helper()
	switch {
	case fd.Message() != nil:
		if to.Kind() == reflect.Pointer {
			to.Set(reflect.New(to.Type().Elem()))
			to = to.Elem()
		}
		fill(t, from.Message(), to)
	case fd.Enum() != nil:
		if n := from.Enum(); n > 0 && n < 256 {
			to.SetUint(uint64(n))
		}
	case to.Type() == reflect.TypeFor[time.Time]():
		if ms := from.Int(); ms != 0 {
			to.Set(reflect.ValueOf(time.UnixMilli(ms).UTC()))
		}
	case to.Type() == reflect.TypeFor[time.Duration]():
		to.SetInt(from.Int() * int64(time.Millisecond))
	case fd.Kind() == protoreflect.BytesKind:
		if b := from.Bytes(); len(b) > 0 {
			to.SetBytes(b)
		}
	default:
		to.Set(reflect.ValueOf(from.Interface()).Convert(to.Type()))
	}
}

// goField finds the Go field that stands for a field of the schema.
func goField(v reflect.Value, fd protoreflect.FieldDescriptor) (reflect.Value, bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous && f.Name == "NotificationRequest" {
			if found, ok := goField(v.Field(i), fd); ok {
				return found, true
			}
			continue
		}
		if protoName(f) == string(fd.Name()) {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// protoName is the schema's name of a Go field: snake case, and the unit behind
// what is a time or a span.
func protoName(f reflect.StructField) string {
	odd := map[string]string{
		"Err": "error", "QRPNG": "qr_png", "OAuth2": "oauth2", "NotProcessed503": "not_processed_503",
	}
	if name, ok := odd[f.Name]; ok {
		return name
	}
	name := snake(f.Name)
	switch f.Type {
	case reflect.TypeFor[time.Time]():
		name += "_unix_ms"
	case reflect.TypeFor[time.Duration]():
		name += "_ms"
	}
	return name
}

func snake(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		begins := i > 0 && unicode.IsUpper(r) &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if begins {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// TestGoFieldsStandInTheSchema holds the other direction of fill: no field of a
// message's Go type is forgotten in the schema, but for those named here.
func TestGoFieldsStandInTheSchema(t *testing.T) {
	t.Parallel()
	local := map[string]bool{
		"Error.operation":          true, // the host knows which operation it called
		"Error.error":              true, // a cause inside one process
		"NotificationRequest.body": true, // a blob at the host
	}
	done := map[reflect.Type]bool{}
	var walk func(md protoreflect.MessageDescriptor, typ reflect.Type)
	walk = func(md protoreflect.MessageDescriptor, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if done[typ] {
			return
		}
		done[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Anonymous && f.Name == "NotificationRequest" {
				walk(md, f.Type)
				continue
			}
			fd := md.Fields().ByName(protoreflect.Name(protoName(f)))
			switch where := string(md.Name()) + "." + protoName(f); {
			case local[where]:
				delete(local, where)
			case fd == nil:
				t.Errorf("%s.%s has no field %s in the schema", typ, f.Name, where)
			case fd.Message() != nil:
				walk(fd.Message(), f.Type)
			}
		}
	}
	for _, c := range codecs() {
		walk(message(t, schema(t), c.name), reflect.TypeOf(c.zero()).Elem())
	}
	if len(local) > 0 {
		t.Errorf("exceptions that are none: %v", local)
	}
	if n := schema(t).Messages().Len(); len(done)-1 != n { // one for inbound
		t.Errorf("%d Go types for %d messages", len(done)-1, n)
	}
}
