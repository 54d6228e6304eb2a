package abi_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// TestSchemaIsCompatible holds the schema against testdata/schema.txt, which has
// one line per field and enum value that was ever released. A line that is gone
// or changed breaks plugins in the field and can't be updated away; a new one is
// written with -update.
func TestSchemaIsCompatible(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "schema.txt")
	have := inventory(schema(t))
	was, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for _, line := range have {
		lines[line] = true
	}
	for line := range strings.Lines(string(was)) {
		if line = strings.TrimSpace(line); !lines[line] {
			t.Errorf("released, and now gone or changed: %s", line)
		}
	}
	if !t.Failed() {
		golden(t, path, strings.Join(have, "\n")+"\n")
	}
}

func TestSchemaChangesAreFound(t *testing.T) {
	t.Parallel()
	was := strings.Join(inventory(schema(t)), "\n")
	for name, c := range map[string][2]string{
		"field moved": {"int64 minor = 1;", "int64 minor = 9;"},
		"retyped":     {"int64 minor = 1;", "int32 minor = 1;"},
		"relabeled":   {"repeated string methods = 2;", "string methods = 2;"},
		"removed":     {"string currency = 2;", "reserved 2;"},
		"renamed":     {"string currency = 2;", "string code = 2;"},
		"value moved": {"CLASS_AUTH = 4;", "CLASS_AUTH = 40;"},
		"packed":      {"repeated Flow flows = 5 [packed = false];", "repeated Flow flows = 5;"},
	} {
		file, err := compile(func(text string) string { return strings.Replace(text, c[0], c[1], 1) })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		now := "\n" + strings.Join(inventory(file), "\n") + "\n"
		found := false
		for line := range strings.SplitSeq(was, "\n") {
			found = found || !strings.Contains(now, "\n"+line+"\n")
		}
		if !found {
			t.Errorf("%s: the inventory does not show it", name)
		}
	}
}

// inventory lists what other languages depend on, in a stable order.
func inventory(file protoreflect.FileDescriptor) (lines []string) {
	for _, md := range each(file.Messages()) {
		for _, fd := range each(md.Fields()) {
			label := ""
			if fd.IsList() {
				label = " repeated"
			}
			if fd.IsPacked() {
				label += " packed"
			}
			line := fmt.Sprintf("%s.%s %d %s%s", md.Name(), fd.Name(), fd.Number(), typeName(fd), label)
			lines = append(lines, line)
		}
	}
	for _, ed := range each(file.Enums()) {
		for _, vd := range each(ed.Values()) {
			lines = append(lines, fmt.Sprintf("%s.%s %d value", ed.Name(), vd.Name(), vd.Number()))
		}
	}
	sort.Strings(lines)
	return lines
}

func typeName(fd protoreflect.FieldDescriptor) string {
	switch {
	case fd.Message() != nil:
		return string(fd.Message().Name())
	case fd.Enum() != nil:
		return string(fd.Enum().Name())
	}
	return fd.Kind().String()
}

// TestSchemaLint holds the schema to the usual rules of published protobuf.
func TestSchemaLint(t *testing.T) {
	t.Parallel()
	file := schema(t)
	if file.Package() != schemaPackage || file.Syntax() != protoreflect.Proto3 {
		t.Errorf("package %s, syntax %s", file.Package(), file.Syntax())
	}
	if dir := strings.ReplaceAll(schemaPackage, ".", "/"); !strings.Contains(file.Path(), "/"+dir+"/") {
		t.Errorf("%s does not lie in %s", file.Path(), dir)
	}
	if file.Imports().Len()+file.Services().Len()+file.Extensions().Len() > 0 {
		t.Error("imports, services and extensions have no place here")
	}
	for _, md := range each(file.Messages()) {
		lintMessage(t, md)
	}
	for _, ed := range each(file.Enums()) {
		lintEnum(t, ed)
	}
}

var (
	pascal = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	lower  = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	upper  = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
)

func lintMessage(t *testing.T, md protoreflect.MessageDescriptor) {
	t.Helper()
	if !pascal.MatchString(string(md.Name())) || !strings.HasPrefix(comment(md), string(md.Name())+" ") {
		t.Errorf("%s: a message has a Pascal case name and a comment that begins with it", md.Name())
	}
	if md.Messages().Len()+md.Enums().Len()+md.Oneofs().Len() > 0 || md.Fields().Len() == 0 {
		t.Errorf("%s: nested types, oneofs and empty messages have no place here", md.Name())
	}
	for i, fd := range each(md.Fields()) {
		name := string(fd.Name())
		if !lower.MatchString(name) {
			t.Errorf("%s: a field has a snake case name", fd.FullName())
		}
		if !strings.HasSuffix(comment(fd), ".") && !strings.HasSuffix(comment(fd), "…") {
			t.Errorf("%s: has no comment, or no sentence: %q", fd.FullName(), comment(fd))
		}
		if int(fd.Number()) != i+1 {
			t.Errorf("%s: number %d stands at %d", fd.FullName(), fd.Number(), i+1)
		}
		switch fd.Kind() {
		case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.BoolKind, protoreflect.MessageKind,
			protoreflect.EnumKind, protoreflect.Int32Kind, protoreflect.Int64Kind:
		default:
			t.Errorf("%s: type %s is not part of the subset", fd.FullName(), fd.Kind())
		}
		if strings.HasSuffix(name, "_ms") && fd.Kind() != protoreflect.Int64Kind {
			t.Errorf("%s: a time is an int64", fd.FullName())
		}
	}
}

func lintEnum(t *testing.T, ed protoreflect.EnumDescriptor) {
	t.Helper()
	prefix := strings.ToUpper(snake(string(ed.Name()))) + "_"
	if !strings.HasPrefix(comment(ed), string(ed.Name())+" ") {
		t.Errorf("%s: an enum has a comment that begins with its name", ed.Name())
	}
	for i, vd := range each(ed.Values()) {
		name := string(vd.Name())
		if !upper.MatchString(name) || !strings.HasPrefix(name, prefix) {
			t.Errorf("%s: a value begins with %s", name, prefix)
		}
		if int(vd.Number()) != i {
			t.Errorf("%s: number %d stands at %d", name, vd.Number(), i)
		}
		if (i == 0) != (name == prefix+"UNSPECIFIED") {
			t.Errorf("%s: zero, and only zero, is %sUNSPECIFIED", name, prefix)
		}
		if !strings.HasSuffix(comment(vd), ".") {
			t.Errorf("%s: has no comment, or no sentence: %q", name, comment(vd))
		}
	}
}

// TestEnumsAreThoseOfPay holds that every enum has the numbers and words of the
// Go type, neither more nor less.
func TestEnumsAreThoseOfPay(t *testing.T) {
	t.Parallel()
	words := map[string]func(uint8) string{
		"Operation":      func(n uint8) string { return pay.Operation(n).String() },
		"Outcome":        func(n uint8) string { return pay.Outcome(n).String() },
		"Wire":           func(n uint8) string { return pay.Wire(n).String() },
		"PaymentStatus":  func(n uint8) string { return pay.PaymentStatus(n).String() },
		"RefundStatus":   func(n uint8) string { return pay.RefundStatus(n).String() },
		"ReceiptStatus":  func(n uint8) string { return pay.ReceiptStatus(n).String() },
		"Class":          func(n uint8) string { return pay.Class(n).String() },
		"Effect":         func(n uint8) string { return pay.Effect(n).String() },
		"Advice":         func(n uint8) string { return pay.Advice(n).String() },
		"DeclinedReason": func(n uint8) string { return pay.DeclinedReason(n).String() },
		"NextActionType": func(n uint8) string { return pay.NextActionType(n).String() },
		"Found":          func(n uint8) string { return pay.Found(n).String() },
		"Authenticity":   func(n uint8) string { return pay.Authenticity(n).String() },
		"Idempotency":    func(n uint8) string { return pay.Idempotency(n).String() },
		"KeyForm":        func(n uint8) string { return pay.KeyForm(n).String() },
		"Flow":           func(n uint8) string { return pay.Flow(n).String() },
		"Slot":           func(n uint8) string { return pay.Slot(n).String() },
	}
	numbers := map[string]uint8{
		"SUBJECT_PAYMENT": uint8(pay.SubjectPayment), "SUBJECT_REFUND": uint8(pay.SubjectRefund),
		"SUBJECT_RECEIPT": uint8(pay.SubjectReceipt), "AUTH_KIND_BASIC": uint8(abi.AuthBasic),
		"AUTH_KIND_BEARER": uint8(abi.AuthBearer), "AUTH_KIND_HEADER": uint8(abi.AuthHeader),
		"AUTH_KIND_OAUTH2": uint8(abi.AuthOAuth2), "AUTH_KIND_HMAC": uint8(abi.AuthHMAC),
		"CALL_EFFECT_READ": abi.EffectRead, "CALL_EFFECT_MONEY": abi.EffectMoney,
	}
	for _, ed := range each(schema(t).Enums()) {
		word, named := words[string(ed.Name())]
		for _, vd := range each(ed.Values()) {
			short := strings.TrimPrefix(string(vd.Name()), strings.ToUpper(snake(string(ed.Name())))+"_")
			switch n := uint8(vd.Number()); {
			case n == 0:
			case named && word(n) != strings.ToLower(short):
				t.Errorf("%s is %d, which pay calls %s", vd.Name(), n, word(n))
			case !named && numbers[string(vd.Name())] != n:
				t.Errorf("%s is %d, in Go %d", vd.Name(), n, numbers[string(vd.Name())])
			}
		}
		// Wire has a word "unknown" of its own, which is also that of no number.
		if n := uint8(ed.Values().Len()); named && word(n) != "unknown" {
			t.Errorf("%s lacks %s", ed.Name(), word(n))
		}
	}
}
