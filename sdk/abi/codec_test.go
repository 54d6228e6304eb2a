package abi_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"
)

// TestCodecsAgainstTheSchema draws messages from the compiled schema and holds
// the hand-written codecs against the protobuf library in both directions.
func TestCodecsAgainstTheSchema(t *testing.T) {
	t.Parallel()
	plain := schema(t)
	packed, err := packedOnce()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				file := plain
				if rapid.Bool().Draw(rt, "packed") {
					file = packed
				}
				m := dynamicpb.NewMessage(message(t, file, c.name))
				draw(rt, m, true)
				raw, err := proto.Marshal(m)
				if err != nil {
					rt.Fatal(err)
				}
				want := c.zero()
				fill(t, m, reflect.ValueOf(want).Elem())

				got, err := c.decode(raw)
				if err != nil {
					rt.Fatalf("decode: %v\n%x", err, raw)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Fatalf("decode (-schema +codec):\n%s", diff)
				}
				encodes(t, rt, c, want)
			})
		})
	}
}

// encodes holds that the protobuf library reads in the codec's bytes what the
// codec was given, and nothing that the schema lacks.
func encodes(t *testing.T, rt *rapid.T, c codec, value any) {
	prefix := []byte("kept")
	raw := c.encode(prefix, value)
	if string(raw[:4]) != "kept" {
		rt.Fatalf("the buffer's content was overwritten: %q", raw[:4])
	}
	back := dynamicpb.NewMessage(message(t, schema(t), c.name))
	if err := proto.Unmarshal(raw[4:], back); err != nil {
		rt.Fatalf("encode: %v\n%x", err, raw[4:])
	}
	if where := unknown(back); where != "" {
		rt.Fatalf("encode: %s has a field that the schema lacks", where)
	}
	read := c.zero()
	fill(t, back, reflect.ValueOf(read).Elem())
	if diff := cmp.Diff(value, read); diff != "" {
		rt.Fatalf("encode (-codec +schema):\n%s", diff)
	}
}

// unknown names the first message below m with fields that its descriptor lacks.
func unknown(m protoreflect.Message) (where string) {
	if len(m.GetUnknown()) > 0 {
		return string(m.Descriptor().Name())
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				if where == "" {
					where = unknown(v.List().Get(i).Message())
				}
			}
		default:
			where = unknown(v.Message())
		}
		return where == ""
	})
	return where
}

// draw fills a message with values that a peer of this or a later version may
// send.
func draw(t *rapid.T, m protoreflect.Message, top bool) {
	for _, fd := range each(m.Descriptor().Fields()) {
		switch name := string(fd.Name()); {
		case fd.IsList():
			list := m.Mutable(fd).List()
			for range rapid.IntRange(0, 3).Draw(t, name+" entries") {
				if fd.Message() != nil {
					draw(t, list.AppendMutable().Message(), false)
				} else {
					list.Append(drawScalar(t, fd))
				}
			}
		case fd.Message() != nil:
			if rapid.Bool().Draw(t, name) {
				draw(t, m.Mutable(fd).Message(), false)
			}
		default:
			m.Set(fd, drawScalar(t, fd))
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "later") == 0 {
		m.SetUnknown(drawUnknown(t))
	}
	if top && rapid.IntRange(0, 7).Draw(t, "nothing") == 0 {
		proto.Reset(m.Interface())
	}
}

func drawScalar(t *rapid.T, fd protoreflect.FieldDescriptor) protoreflect.Value {
	name := string(fd.Name())
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(drawText(t, name))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(drawText(t, name)))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, name))
	case protoreflect.EnumKind:
		later := rapid.SampledFrom([]int32{-1, 200, 255, 256, 257, math.MaxInt32, math.MinInt32})
		known := rapid.Int32Range(0, int32(fd.Enum().Values().Len()-1))
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.OneOf(known, known, later).Draw(t, name)))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32Min(0).Draw(t, name))
	}
	if strings.HasSuffix(name, "_ms") && !strings.HasSuffix(name, "_unix_ms") && name != "timeout_ms" {
		return protoreflect.ValueOfInt64(rapid.Int64Range(0, int64(math.MaxInt64/time.Millisecond)).Draw(t, name))
	}
	edges := rapid.SampledFrom([]int64{0, -1, 1, math.MaxInt64, math.MinInt64, -62135596800000})
	return protoreflect.ValueOfInt64(rapid.OneOf(rapid.Int64(), edges).Draw(t, name))
}

// drawText is often as long as the lengths where one more byte of length begins,
// so that the nested messages around it cross them too.
func drawText(t *rapid.T, name string) string {
	switch rapid.IntRange(0, 15).Draw(t, name+" length") {
	case 0:
		return strings.Repeat("x", rapid.IntRange(100, 130).Draw(t, name))
	case 1:
		return strings.Repeat("y", rapid.IntRange(16300, 16400).Draw(t, name))
	}
	return rapid.StringN(0, 12, 40).Draw(t, name)
}

// drawUnknown is fields of every wire type with numbers that no message has.
func drawUnknown(t *rapid.T) (b []byte) {
	for range rapid.IntRange(1, 3).Draw(t, "fields") {
		number := protowire.Number(rapid.Int32Range(100, 1<<29-1).Draw(t, "number"))
		switch rapid.IntRange(0, 3).Draw(t, "wire") {
		case 0:
			b = protowire.AppendTag(b, number, protowire.VarintType)
			b = protowire.AppendVarint(b, rapid.Uint64().Draw(t, "v"))
		case 1:
			b = protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), 7)
		case 2:
			b = protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), []byte{0xff, 0, 0xff})
		case 3:
			b = protowire.AppendFixed32(protowire.AppendTag(b, number, protowire.Fixed32Type), 7)
		}
	}
	return b
}

// TestMergedMessages holds that a nested message that comes in two pieces is
// merged, as the protobuf library does.
func TestMergedMessages(t *testing.T) {
	t.Parallel()
	for _, c := range codecs() {
		md := message(t, schema(t), c.name)
		rapid.Check(t, func(rt *rapid.T) {
			var raw []byte
			for range 2 {
				m := dynamicpb.NewMessage(md)
				draw(rt, m, true)
				half, err := proto.Marshal(m)
				if err != nil {
					rt.Fatal(err)
				}
				raw = append(raw, half...)
			}
			m := dynamicpb.NewMessage(md)
			if err := proto.Unmarshal(raw, m); err != nil {
				rt.Fatal(err)
			}
			want := c.zero()
			fill(t, m, reflect.ValueOf(want).Elem())
			got, err := c.decode(raw)
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("%s (-schema +codec):\n%s", c.name, diff)
			}
		})
	}
}
