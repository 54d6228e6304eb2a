package abi_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// TestGoldenVectors pins the bytes of every message for authors in other
// languages: testdata/golden has, per message, one with every field set, one
// with none, and some as they happen in life.
func TestGoldenVectors(t *testing.T) {
	t.Parallel()
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			md := message(t, schema(t), c.name)
			full := c.zero()
			fill(t, everyField(md, 1), reflect.ValueOf(full).Elem())
			vectors := []vector{{"full", full}, {"empty", c.zero()}}
			vectors = append(vectors, lifelike()[c.name]...)
			var b strings.Builder
			b.WriteString("# " + string(md.FullName()) + ": the bytes of the wire and what they say.\n")
			for _, v := range vectors {
				raw := c.encode(nil, v.message)
				m := dynamicpb.NewMessage(md)
				if err := proto.Unmarshal(raw, m); err != nil {
					t.Fatal(err)
				}
				b.WriteString("\nname: " + v.name + "\n")
				writeHex(&b, raw)
				writeText(&b, m, "  ")
				back, err := c.decode(raw)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(v.message, back); diff != "" {
					t.Errorf("%s is not read back:\n%s", v.name, diff)
				}
			}
			golden(t, filepath.Join("testdata", "golden", snake(c.name)+".txt"), b.String())
		})
	}
}

// TestGoldenVectorsDecode reads the vectors as another language would: from the
// file alone.
func TestGoldenVectorsDecode(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("the files are being written")
	}
	for _, c := range codecs() {
		text, err := os.ReadFile(filepath.Join("testdata", "golden", snake(c.name)+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		for i, raw := range readHex(t, string(text)) {
			m, err := c.decode(raw)
			if err != nil {
				t.Errorf("%s, vector %d: %v", c.name, i, err)
				continue
			}
			if again := c.encode(nil, m); !bytes.Equal(again, raw) {
				t.Errorf("%s, vector %d: read and written again\n%x, was\n%x", c.name, i, again, raw)
			}
		}
	}
}

// golden compares text with a file, or writes it with -update.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s differs; a released message must keep its bytes, a new field needs -update:\n%s", path, diff)
	}
}

type vector struct {
	name    string
	message any // pointer to what the codec takes
}

// everyField sets all fields of a message to values that tell them apart.
func everyField(md protoreflect.MessageDescriptor, n int64) protoreflect.Message {
	m := dynamicpb.NewMessage(md)
	for i, fd := range each(md.Fields()) {
		n := n + int64(i)
		switch {
		case fd.IsList() && fd.Message() != nil:
			list := m.Mutable(fd).List()
			list.Append(protoreflect.ValueOfMessage(everyField(fd.Message(), n)))
			list.Append(protoreflect.ValueOfMessage(dynamicpb.NewMessage(fd.Message())))
		case fd.IsList():
			list := m.Mutable(fd).List()
			list.Append(everyScalar(fd, n))
			list.Append(list.NewElement())
		case fd.Message() != nil:
			m.Set(fd, protoreflect.ValueOfMessage(everyField(fd.Message(), n)))
		default:
			m.Set(fd, everyScalar(fd, n))
		}
	}
	return m
}

func everyScalar(fd protoreflect.FieldDescriptor, n int64) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(string(fd.Name()) + " " + strconv.FormatInt(n, 10) + " ✓")
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{0, byte(n), 0xff})
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		values := fd.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(values.Len() - 1).Number())
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(1000 * n))
	}
	if strings.HasSuffix(string(fd.Name()), "_unix_ms") {
		return protoreflect.ValueOfInt64(1_800_000_000_000 + n)
	}
	if strings.HasSuffix(string(fd.Name()), "_ms") {
		return protoreflect.ValueOfInt64(60_000 * n)
	}
	return protoreflect.ValueOfInt64(-1_000_000 * n)
}

func lifelike() map[string][]vector {
	reply := func(r abi.Reply) any { return &r }
	return map[string][]vector{
		"CreateRequest": {{"redirect", &pay.CreateRequest{
			Intent:    pay.Intent{Key: "op_1", ProviderKey: "A7", Attempt: 1},
			PaymentID: "pay_1", OrderID: "1001", Amount: pay.New(250000, pay.KZT),
		}}},
		"Reply": {
			{"problem", reply(abi.Reply{Problems: []pay.Problem{{Field: "settings.shop", Message: "is empty"}}})},
			{"redirect", reply(abi.Reply{Result: &pay.Result{
				Outcome: pay.OutcomeAccepted, ProviderRef: "p-1",
				Next: pay.NextAction{Type: pay.NextRedirect, URL: "https://pay.example/p-1"},
			}})},
			{"declined", reply(abi.Reply{Err: &pay.Error{
				Class: pay.ClassDeclined, Reason: pay.DeclinedInsufficientFunds, ProviderCode: "51",
			}})},
			{"status", reply(abi.Reply{Items: []pay.StatusItem{
				{ID: "pay_1", Found: pay.FoundObserved, Observations: []pay.Observation{{
					Subject: pay.SubjectPayment, Payment: pay.PaymentSucceeded, ProviderRef: "p-1",
					Amount: pay.New(250000, pay.KZT), AmountPaid: pay.New(250000, pay.KZT),
				}}},
				{ID: "pay_2", Found: pay.FoundNot},
			}})},
			{"manifest", reply(abi.Reply{Manifest: []byte("\x0a\x04demo")})},
		},
	}
}

// writeHex writes bytes as lines of at most 32.
func writeHex(b *strings.Builder, raw []byte) {
	b.WriteString("hex:\n")
	for len(raw) > 0 {
		n := min(32, len(raw))
		b.WriteString("  " + hex.EncodeToString(raw[:n]) + "\n")
		raw = raw[n:]
	}
	b.WriteString("text:\n")
}

func readHex(t *testing.T, text string) (all [][]byte) {
	t.Helper()
	for _, part := range strings.Split(text, "hex:\n")[1:] {
		digits, _, _ := strings.Cut(part, "text:\n")
		raw, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw)
	}
	return all
}

// writeText writes a message in protobuf's text format, fields by number. (The
// library's own writer changes its spaces from build to build on purpose.)
func writeText(b *strings.Builder, m protoreflect.Message, indent string) {
	for _, fd := range each(m.Descriptor().Fields()) {
		if !m.Has(fd) {
			continue
		}
		if !fd.IsList() {
			writeField(b, fd, m.Get(fd), indent)
			continue
		}
		for i := range m.Get(fd).List().Len() {
			writeField(b, fd, m.Get(fd).List().Get(i), indent)
		}
	}
}

func writeField(b *strings.Builder, fd protoreflect.FieldDescriptor, v protoreflect.Value, indent string) {
	b.WriteString(indent + string(fd.Name()))
	switch {
	case fd.Message() != nil:
		b.WriteString(" {\n")
		writeText(b, v.Message(), indent+"  ")
		b.WriteString(indent + "}\n")
		return
	case fd.Enum() != nil:
		b.WriteString(": " + string(fd.Enum().Values().ByNumber(v.Enum()).Name()))
	case fd.Kind() == protoreflect.StringKind:
		b.WriteString(": " + strconv.Quote(v.String()))
	case fd.Kind() == protoreflect.BytesKind:
		b.WriteString(": " + strconv.QuoteToASCII(string(v.Bytes())))
	default:
		b.WriteString(": " + v.String())
	}
	b.WriteByte('\n')
}
