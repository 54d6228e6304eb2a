package abi

import (
	"reflect"
	"testing"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// tables lists every table with a value of its Go type. Fields that do not cross
// the wire are named.
func tables() []struct {
	layout *message
	of     any
	local  []string
} {
	return []struct {
		layout *message
		of     any
		local  []string
	}{
		{&moneyMessage, pay.Money{}, nil},
		{&evidenceMessage, pay.Evidence{}, nil},
		{&intentMessage, pay.Intent{}, nil},
		{&refMessage, pay.Ref{}, nil},
		{&lineMessage, pay.Line{}, nil},
		{&customerMessage, pay.Customer{}, nil},
		{&optionMessage, pay.Option{}, nil},
		{&fieldMessage, pay.Field{}, nil},
		{&createMessage, pay.CreateRequest{}, nil},
		{&bindMessage, pay.BindRequest{}, nil},
		{&paymentMessage, pay.PaymentRequest{}, nil},
		{&refsMessage, refs{}, nil},
		{&refundMessage, pay.RefundRequest{}, nil},
		{&receiptMessage, pay.ReceiptRequest{}, nil},
		{&inboundMessage, inbound{}, []string{"Body"}},
		{&replyMessage, Reply{}, nil},
		{&errorMessage, pay.Error{}, []string{"Operation", "Err"}},
		{&nextMessage, pay.NextAction{}, nil},
		{&resultMessage, pay.Result{}, nil},
		{&observationMessage, pay.Observation{}, nil},
		{&itemMessage, pay.StatusItem{}, nil},
		{&ackMessage, pay.Ack{}, nil},
		{&notificationMessage, pay.Notification{}, nil},
		{&problemMessage, pay.Problem{}, nil},
		{&catalogMessage, pay.CatalogEntry{}, nil},
		{&requestMessage, HTTPRequest{}, nil},
		{&formMessage, FormSecret{}, nil},
		{&authMessage, Auth{}, nil},
		{&responseMessage, HTTPResponse{}, nil},
		{&cryptoMessage, CryptoSpec{}, nil},
		{&pageMessage, KVPage{}, nil},
		{&configMessage, ConnectionConfig{}, nil},
		{&featuresMessage, Features{}, nil},
		{&manifestMessage, pay.Manifest{}, nil},
		{&operationMessage, pay.OperationSpec{}, nil},
		{&currencyMessage, pay.CurrencySpec{}, nil},
		{&egressMessage, pay.EgressRule{}, nil},
		{&secretMessage, pay.SecretSpec{}, nil},
		{&keyMessage, pay.KeySpec{}, nil},
		{&identityMessage, pay.IdentitySpec{}, nil},
		{&oauth2Message, pay.OAuth2Profile{}, nil},
		{&stateMessage, pay.StateSchema{}, nil},
	}
}

// TestTables holds the tables against the Go types, since nothing else checks what
// the codec does through pointers: a field of the type and place that its table
// says, every field of a struct in its table once, and the table of a part the one
// of that part's type.
func TestTables(t *testing.T) {
	t.Parallel()
	layouts := map[*message]reflect.Type{}
	for _, table := range tables() {
		layouts[table.layout] = reflect.TypeOf(table.of)
	}
	for _, table := range tables() {
		typ := reflect.TypeOf(table.of)
		if table.layout.size != typ.Size() {
			t.Errorf("%v: size %d, want %d", typ, table.layout.size, typ.Size())
		}
		missing := map[uintptr]reflect.StructField{}
		for _, f := range places(typ, 0, table.layout) {
			missing[f.Offset] = f
		}
		for i, f := range table.layout.fields {
			field, ok := missing[f.at]
			if !ok {
				t.Errorf("%v: field %d is at no field's place, or at one that another has", typ, i+1)
				continue
			}
			delete(missing, f.at)
			checkField(t, typ, i+1, f, field, layouts)
		}
		for _, name := range table.local {
			field, _ := typ.FieldByName(name)
			delete(missing, field.Offset)
		}
		for _, f := range missing {
			t.Errorf("%v: %s is in no table", typ, f.Name)
		}
	}
}

// TestDepth holds maxDepth against the tables.
func TestDepth(t *testing.T) {
	t.Parallel()
	most := 0
	for _, table := range tables() {
		most = max(most, depth(table.layout))
	}
	if most != maxDepth {
		t.Errorf("messages are nested %d deep, maxDepth is %d", most, maxDepth)
	}
}

func depth(m *message) int {
	most := 0
	for _, f := range m.fields {
		if f.part != nil && f.kind != texts {
			most = max(most, depth(f.part))
		}
	}
	return 1 + most
}

// places returns the fields of a struct with their offsets in the outermost one.
// The fields of an embedded struct count as the struct's own unless the table has
// the struct as one field.
func places(typ reflect.Type, base uintptr, layout *message) []reflect.StructField {
	whole := map[uintptr]bool{}
	for _, f := range layout.fields {
		whole[f.at] = f.kind == nested
	}
	var out []reflect.StructField
	for i := range typ.NumField() {
		f := typ.Field(i)
		f.Offset += base
		if f.Anonymous && !whole[f.Offset] {
			out = append(out, places(f.Type, f.Offset, layout)...)
			continue
		}
		out = append(out, f)
	}
	return out
}

func checkField(t *testing.T, typ reflect.Type, n int, f field, have reflect.StructField, layouts map[*message]reflect.Type) {
	t.Helper()
	want := map[kind]reflect.Type{
		raw: reflect.TypeFor[[]byte](), number: reflect.TypeFor[int64](), count: reflect.TypeFor[int](),
		handle: reflect.TypeFor[int32](), flag: reflect.TypeFor[bool](), moment: reflect.TypeFor[time.Time](),
		span: reflect.TypeFor[time.Duration](), counts: reflect.TypeFor[[]int](),
	}[f.kind]
	part := layouts[f.part]
	got := have.Type
	var ok bool
	switch f.kind {
	case text:
		ok = got.Kind() == reflect.String
	case enum:
		ok = got.Kind() == reflect.Uint8
	case enums:
		ok = got.Kind() == reflect.Slice && got.Elem().Kind() == reflect.Uint8
	case nested, optional:
		ok = got == part
	case pointer:
		ok = got.Kind() == reflect.Pointer && got.Elem() == part && f.part.grow != nil
	case list:
		ok = got.Kind() == reflect.Slice && got.Elem() == part && f.part.grow != nil
	case texts:
		ok = got == reflect.TypeFor[[]string]() && f.part == &textMessage
	default:
		ok = got == want
	}
	if !ok {
		t.Errorf("%v: field %d is of kind %d, %s is %v", typ, n, f.kind, have.Name, got)
	}
}
