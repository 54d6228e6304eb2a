package ledger_test

import (
	"encoding/json"
	"reflect"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// TestEncode holds what is stored against encoding/json: every field of a book and of every body, empty and full, with
// texts that need escapes and some that may not stand in JSON at all.
func TestEncode(t *testing.T) {
	t.Parallel()
	bodies := []ledger.Body{
		ledger.Opened{},
		ledger.Prepared{},
		ledger.Sending{},
		ledger.Outcome{},
		ledger.Resolved{},
		ledger.Abandoned{},
		ledger.Observed{},
		ledger.Probed{},
		ledger.Notified{},
		ledger.Expired{},
		ledger.Alert{},
		ledger.Acknowledged{},
		ledger.Note{},
	}
	rapid.Check(t, func(t *rapid.T) {
		book := &ledger.Book{}
		fill(draw{t}, reflect.ValueOf(book).Elem())
		asStandard(t, book, book.Encode)
		for _, empty := range bodies {
			body := reflect.New(reflect.TypeOf(empty))
			fill(draw{t}, body.Elem())
			entry := ledger.Entry{Body: body.Elem().Interface().(ledger.Body)}
			asStandard(t, entry.Body, entry.Encode)
		}
	})
}

// TestEncodeRefuses is a value that encoding/json refuses, too.
func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]ledger.Opened{
		"currency": {Amount: ledger.Of(pay.New(1, "k\"t"))},
		"year":     {ExpiresAt: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		entry := ledger.Entry{Body: body}
		if text, err := entry.Encode(); err == nil || text != "" {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func asStandard(t *rapid.T, value any, encode func() (string, error)) {
	t.Helper()
	want, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := encode(); err != nil || got != string(want) {
		t.Errorf("%T: %v\n got %s\nwant %s", value, err, got, want)
	}
}

// fill sets exported fields at random; now and then a whole struct is left zero.
func fill(d draw, v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = pick(d, "time", time.Time{}, d.at(), d.at().Add(123456*time.Microsecond), d.at().In(time.FixedZone("", 5*3600)))
		return
	case *ledger.Amount:
		*p = d.amount()
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if pick(d, "zero", false, false, false, true) {
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() && v.Type().Field(i).IsExported() {
				fill(d, v.Field(i))
			}
		}
	case reflect.String:
		v.SetString(pick(d, "text", "", "abc", `<a href="x">&\`, "Заказ № 7", "a\x00\x1f\x7f\b\f\n\r\t", "\xff\xc0", "\u2028\u2029"))
	case reflect.Bool:
		v.SetBool(d.maybe("flag"))
	case reflect.Int, reflect.Int64:
		v.SetInt(pick[int64](d, "number", 0, 1, -42, 1<<62))
	case reflect.Uint8:
		v.SetUint(uint64(pick(d, "word", 0, 1, 2, 3, 5, 9, 200)))
	case reflect.Pointer:
		if d.maybe("pointer") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(d, v.Elem())
		}
	case reflect.Slice:
		if n := pick(d, "length", -1, 0, 1, 3); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(d, v.Index(i))
			}
		}
	case reflect.Map:
		if n := pick(d, "size", -1, 0, 2); n >= 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for i := range n {
				v.SetMapIndex(reflect.ValueOf("k"+strconv.Itoa(n-i)+"<"), reflect.ValueOf("v"))
			}
		}
	default:
		d.Fatalf("no value for %s", v.Type())
	}
}

// BenchmarkEncode is a book as it is after a payment was created.
func BenchmarkEncode(b *testing.B) {
	amount, at := ledger.Of(pay.New(250000, pay.KZT)), epoch.Add(123456*time.Microsecond)
	for b.Loop() {
		book := &ledger.Book{
			ID: bookID, Version: 4, Caller: "shop", Nonce: "0123456789abcdef0123456789abcdef", Revision: "sha256:0123456789abcdef",
			Connection: "rahmet-main", Provider: "rahmet", OrderID: "100500", ProviderRef: "111", Status: pay.PaymentPending, Amount: amount,
			Next: &ledger.Next{Type: pay.NextRedirect, URL: "https://rahmet.example/?id=3f1f7c2a9b"}, Metadata: map[string]string{"cart": "417"},
			CreatedAt: at, UpdatedAt: at, Operations: []ledger.Operation{{
				ID: ledger.OperationID(bookID, 1), Op: pay.OpCreate, Attempt: 1, ProviderKey: "100500", Amount: amount, Outcome: pay.OutcomeApplied,
				Evidence: ledger.Evidence{Wire: pay.WireAnswered, Status: 200, Calls: 1, BytesOut: 512}, Actor: "api:shop",
				BeganAt: at, SentAt: at, FirstSent: at, EndedAt: at,
			}},
		}
		if _, err := book.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}
