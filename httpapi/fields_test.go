package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/sdk/pay"
)

// wrong is a body, or a change of a good one, and the field that is to be named.
type wrong struct {
	path  string // where to put the value, "lines.0.price"; "" for the body as a whole
	value string // JSON; "" takes the field out
	field string // "" for the same as path, in the API's notation
}

// texts of a length.
func long(n int) string { return `"` + strings.Repeat("ж", n) + `"` }

// amountsWrong is everything that no amount may be.
func amountsWrong(at string) []wrong {
	var list []wrong
	for _, v := range []string{
		`35.45`, `1e3`, `1E3`, `1.0`, `-1`, `-0`, `0`, `"0"`, `"00"`, `"-1"`, `"+5"`, `"1.5"`, `"1e3"`, `" 1"`, `"1 "`, `"1,000"`, `""`, `"٣"`, `"0x10"`,
		`"1_000"`, `"007"`, `9223372036854775808`, `"9223372036854775808"`, `1e999`, `99999999999999999999999999`, `true`, `null`, `[]`, `{}`, `"a"`, `"١"`,
	} {
		list = append(list, wrong{path: at + ".value", value: v})
	}
	list = append(list, wrong{path: at + ".value"})
	for _, v := range []string{`"kzt"`, `"XXX"`, `"KZ"`, `"KZTT"`, `""`, `643`, `null`, `"KZT "`, `{}`} {
		list = append(list, wrong{path: at + ".currency", value: v})
	}
	list = append(list, wrong{path: at + ".currency"})
	for _, v := range []string{`"250000"`, `250000`, `[]`, `true`} {
		list = append(list, wrong{path: at, value: v})
	}
	return append(list, wrong{path: at + ".amount", value: `1`}, wrong{path: at + ".Value", value: `"1"`})
}

// textsWrong is everything that no text of a length may be.
func textsWrong(at string, required bool, most int) []wrong {
	list := []wrong{
		{path: at, value: `1`},
		{path: at, value: `true`},
		{path: at, value: `{}`},
		{path: at, value: `["a"]`},
		{path: at, value: long(most + 1)},
		{path: at, value: `"a\u0000b"`},
		{path: at, value: `"a\u001bb"`},
		{path: at, value: `"\u007f"`},
	}
	if required {
		list = append(list, wrong{path: at}, wrong{path: at, value: `null`}, wrong{path: at, value: `""`})
	}
	return list
}

func linesWrong() []wrong {
	list := []wrong{
		{path: "lines", value: `{}`},
		{path: "lines", value: `"a"`},
		{path: "lines", value: `[1]`, field: "lines[0]"},
		{path: "lines", value: `[null]`, field: "lines[0]"},
		{path: "lines", value: "[" + strings.Repeat(`{"name":"n","quantity":1,"price":`+money+`},`, 200) + `{"name":"n","quantity":1,"price":` + money + `}]`},
		{path: "lines.0.quantity"},
		{path: "lines.0.quantity", value: `0`},
		{path: "lines.0.quantity", value: `-1`},
		{path: "lines.0.quantity", value: `1.5`},
		{path: "lines.0.quantity", value: `1e1`},
		{path: "lines.0.quantity", value: `"1"`},
		{path: "lines.0.quantity", value: `null`},
		{path: "lines.0.quantity", value: `1000000001`},
		{path: "lines.0.quantity", value: `99999999999999999999`},
		{path: "lines.0.price"},
		{path: "lines.0.sku", value: `"1"`},
	}
	list = append(list, textsWrong("lines.0.name", true, 255)...)
	return append(list, amountsWrong("lines.0.price")...)
}

func createWrong() []wrong {
	list := amountsWrong("amount")
	list = append(list, textsWrong("connection", true, 128)...)
	list = append(list, textsWrong("order_id", true, 128)...)
	for field, most := range map[string]int{
		"description": 1000, "return_url": 2048, "fail_url": 2048, "locale": 35, "customer.name": 255, "customer.email": 254, "customer.phone": 32,
	} {
		list = append(list, textsWrong(field, false, most)...)
	}
	for _, v := range []string{`"shop.example"`, `"/thanks"`, `"http://"`, `"javascript:alert(1)"`, `"http://a b"`, `":"`} {
		list = append(list, wrong{path: "return_url", value: v}, wrong{path: "fail_url", value: v})
	}
	for _, v := range []string{`1767225600`, `"tomorrow"`, `"2026-03-01"`, `"2026-03-01T12:00:00"`, `"0001-01-01T00:00:00Z"`, `{}`, `""`} {
		list = append(list, wrong{path: "expires_at", value: v})
	}
	for _, field := range []string{"metadata", "options"} {
		many := map[string]string{}
		for i := range 51 {
			many[fmt.Sprint("k", i)] = "v"
		}
		text, _ := json.Marshal(many)
		list = append(list,
			wrong{path: field, value: `[]`}, wrong{path: field, value: `"a"`}, wrong{path: field, value: string(text)},
			wrong{path: field + ".k", value: `1`}, wrong{path: field + ".k", value: `null`}, wrong{path: field + ".k", value: `{}`},
			wrong{path: field + ".k", value: long(251)}, // 502 bytes
			wrong{path: field + ".k", value: `"` + strings.Repeat("a", 501) + `"`},
			wrong{path: field + "." + strings.Repeat("k", 65), value: `"v"`, field: field}, wrong{path: field, value: `{"":"v"}`},
			wrong{path: field, value: `{"a\u0000":"v"}`}, wrong{path: field, value: `{"a":"v","a":"w"}`, field: field + ".a"},
		)
	}
	list = append(list, wrong{path: "customer", value: `"Ann"`}, wrong{path: "customer", value: `[]`}, wrong{path: "customer.age", value: `1`})
	for _, name := range []string{"Order_ID", "orderId", "amount_minor", "metadata ", "idempotency_key", "customer.name", "$schema", "__proto__", "AMOUNT"} {
		list = append(list, wrong{path: "|" + name, value: `"x"`, field: name})
	}
	return append(list, linesWrong()...)
}

// TestWrongFields puts everything wrong into every field of every body, and wants
// the field named and the engine left alone.
func TestWrongFields(t *testing.T) {
	t.Parallel()
	full := `{"connection":"c","order_id":"o","amount":` + money + `,"customer":{},"metadata":{},"options":{},"lines":[{"name":"n","quantity":1,"price":` + money + `}]}`
	receipt := `{"register_number":"r","fiscal_sign":"f","total":` + money + `,"lines":[{"name":"n","quantity":1,"price":` + money + `}]}`
	loose := strings.Replace(receipt, "{", `{"connection":"c",`, 1)
	receipts := append(textsWrong("register_number", true, 128), textsWrong("fiscal_sign", true, 128)...)
	receipts = append(receipts, textsWrong("code", false, 4096)...)
	receipts = append(receipts, amountsWrong("total")...)
	receipts = append(receipts, linesWrong()...)
	receipts = append(receipts, wrong{path: "issued_at", value: `"now"`}, wrong{path: "issued_at", value: `1`}, wrong{path: "extra", value: `1`})
	digests := textsWrong("digest", true, 64)
	for _, v := range []string{`"` + strings.Repeat("A", 64) + `"`, `"` + strings.Repeat("g", 64) + `"`, `"` + strings.Repeat("a", 63) + `"`} {
		digests = append(digests, wrong{path: "digest", value: v})
	}
	for _, v := range []string{`0`, `-1`, `101`, `"100"`, `1.5`, `100.0`, `true`} {
		digests = append(digests, wrong{path: "canary_percent", value: v})
	}
	resolutions := append(textsWrong("evidence", true, 4096), textsWrong("outcome", true, 32)...)
	for _, v := range []string{`"accepted"`, `"in_doubt"`, `"prepared"`, `"Applied"`, `"unknown"`} {
		resolutions = append(resolutions, wrong{path: "outcome", value: v})
	}
	resolutions = append(resolutions, wrong{path: "evidence", value: long(2049)}) // 4098 bytes
	forces := []wrong{{path: "force", value: `"true"`}, {path: "force", value: "1"}, {path: "force", value: "{}"}}
	empty := []wrong{{path: "amount", value: money}, {path: "force", value: `true`}}
	bodies := []struct {
		endpoint, good string
		wrong          []wrong
	}{
		{"POST /v1/payments", full, createWrong()},
		{"POST /v1/payments/{id}/bind", `{"code":"c"}`, append(textsWrong("code", true, 4096), wrong{path: "amount", value: money})},
		{"POST /v1/payments/{id}/release", `{"amount":` + money + `}`, append(amountsWrong("amount"), wrong{path: "amount"}, wrong{path: "amount", value: "null"})},
		{"POST /v1/payments/{id}/confirm", `{}`, empty},
		{"POST /v1/payments/{id}/cancel", `{}`, empty},
		{
			"POST /v1/payments/{id}/refunds", `{"amount":` + money + `,"reason":"r"}`,
			append(append(amountsWrong("amount"), textsWrong("reason", false, 500)...), wrong{path: "amount"}, wrong{path: "amount", value: "null"}),
		},
		{"POST /v1/payments/{id}/refunds/{rid}/confirm", `{}`, empty},
		{"POST /v1/payments/{id}/refunds/{rid}/cancel", `{}`, empty},
		{"POST /v1/payments/{id}/receipts", receipt, append(receipts, wrong{path: "connection", value: `"c"`})},
		{"POST /v1/receipts", loose, append(receipts, textsWrong("connection", true, 128)...)},
		{"POST /v1/operations/{id}/probe", `{}`, empty},
		{"POST /v1/operations/{id}/resolve", resolveBody, append(resolutions, wrong{path: "by", value: `"me"`})},
		{"POST /v1/payments/{id}/acknowledge", `{"evidence":"e"}`, append(textsWrong("evidence", true, 4096), wrong{path: "by", value: `"me"`})},
		{"POST /v1/plugins/{name}/activate", activateBody, append(digests, append(forces, wrong{path: "version", value: `"1"`})...)},
		{"POST /v1/plugins/{name}/rollback", `{}`, append(forces, wrong{path: "amount", value: money})},
		{"POST /v1/events/{id}/redeliver", redeliverBody, append(textsWrong("endpoint", false, 2048), wrong{path: "all", value: `true`})},
	}
	tested := map[string]bool{}
	for _, b := range bodies {
		tested[b.endpoint] = true
		t.Run(b.endpoint, func(t *testing.T) {
			t.Parallel()
			refuseAll(t, b.endpoint, b.good, b.wrong)
		})
	}
	for _, e := range endpoints() {
		if e.method == "POST" && !strings.HasPrefix(e.path, "/n/") && e.body != moduleBody && !tested[e.method+" "+e.path] {
			t.Errorf("%s %s: body is not tested", e.method, e.path)
		}
	}
}

func refuseAll(t *testing.T, endpoint, good string, list []wrong) {
	f := newFake()
	api := serve(t, f, nil)
	var e endpointOf
	for _, candidate := range endpoints() {
		if candidate.method+" "+candidate.path == endpoint {
			e = endpointOf{candidate}
		}
	}
	if w := send(api, request("POST", e.url(), good)); w.Code >= 300 {
		t.Fatalf("the good body: %d %s", w.Code, w.Body.String())
	}
	f.asked = nil
	for _, b := range list {
		field := b.field
		if field == "" {
			field = strings.NewReplacer(".0", "[0]").Replace(b.path)
		}
		p := problem(t, send(api, request("POST", e.url(), change(t, good, b.path, b.value))), 422)
		if p["field"] != field || p["class"] != "invalid_request" || p["effect"] != "none" || p["advice"] != "fix" {
			t.Errorf("%s = %.60s: field %v, want %s; %v", b.path, b.value, p["field"], field, p["detail"])
		}
		f.untouched(t)
	}
	for body, status := range map[string]int{
		``: 400, `{`: 400, `{"a":1}x`: 400, `nonsense`: 400, "{\"a\":\"\xff\"}": 400, `{'a':1}`: 400, `{"a":1,}`: 400, `[]`: 422, `"a"`: 422, `1`: 422, `null`: 422,
		strings.Repeat("[", 10000): 400, `{"a":NaN}`: 400,
	} {
		if body == "" && (good == "{}" || good == redeliverBody) {
			continue // may be left out
		}
		problem(t, send(api, request("POST", e.url(), body)), status)
		f.untouched(t)
	}
}

type endpointOf struct{ endpoint }

// change puts a value into a JSON text, or takes one out. A path that begins with |
// is one name.
func change(t *testing.T, good, path, value string) string {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(good), &root); err != nil {
		t.Fatal(err)
	}
	steps := strings.Split(path, ".")
	if name, ok := strings.CutPrefix(path, "|"); ok {
		steps = []string{name}
	}
	at := root
	for _, s := range steps[:len(steps)-1] {
		if s == "0" {
			at = at.([]any)[0]
		} else {
			at = at.(map[string]any)[s]
		}
	}
	m, last := at.(map[string]any), steps[len(steps)-1]
	delete(m, last)
	if value != "" {
		m[last] = json.RawMessage(`"` + "\u0001" + `"`) // a mark, so that no value is changed on the way
		if json.Valid([]byte(value)) {
			m[last] = json.RawMessage(value)
		}
	}
	text, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDuplicateNames wants no second value of a name, in whatever case.
func TestDuplicateNames(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	for body, field := range map[string]string{
		`{"connection":"c","order_id":"o","order_id":"p"}`:                                   "order_id",
		`{"connection":"c","order_id":"o","Order_id":"p"}`:                                   "Order_id",
		`{"connection":"c","order_id":"o","amount":{"value":1,"value":2,"currency":"KZT"}}`:  "amount.value",
		`{"connection":"c","order_id":"o","amount":{"value":1,"currency":"KZT"},"AMOUNT":1}`: "AMOUNT",
	} {
		if p := problem(t, send(api, request("POST", "/v1/payments", body)), 422); p["field"] != field {
			t.Errorf("%s: field %v, want %s", body, p["field"], field)
		}
	}
	f.untouched(t)
}

// TestAllWrongFieldsAtOnce wants each told.
func TestAllWrongFieldsAtOnce(t *testing.T) {
	t.Parallel()
	p := problem(t, send(serve(t, newFake(), nil), request("POST", "/v1/payments", `{"amount":{"value":1.5,"currency":"kzt"},"lines":[{"quantity":0}],"x":1}`)), 422)
	got := map[string]bool{}
	for _, e := range p["errors"].([]any) {
		got[e.(map[string]any)["field"].(string)] = true
	}
	want := map[string]bool{
		"connection": true, "order_id": true, "amount.value": true, "amount.currency": true, "lines[0].name": true, "lines[0].quantity": true,
		"lines[0].price": true, "x": true,
	}
	if !maps.Equal(got, want) {
		t.Errorf("fields %v", got)
	}
}

// TestGoodFields wants everything that a body can say to reach the engine as it
// was said.
func TestGoodFields(t *testing.T) {
	t.Parallel()
	f := newFake()
	api := serve(t, f, nil)
	body := `{"connection":"c","order_id":"o","amount":{"value":9223372036854775807,"currency":"KZT"},"description":"д\n<&>","return_url":"https://a.example/?x=1&y",
		"fail_url":"myapp://sorry","customer":{"name":"Ann","email":"a@b","phone":"+7"},"lines":[{"name":"n","quantity":2,"price":{"value":"9007199254740993","currency":"TMT"}}],
		"locale":"ru","expires_at":"2026-03-01T17:00:00.5+05:00","metadata":{"k":"v"},"options":{"b":"2","a":"1"}}`
	if w := send(api, request("POST", "/v1/payments", body)); w.Code != 201 {
		t.Fatal(w.Body.String())
	}
	got := f.only(t)
	p := got.args[0].(payments.NewPayment)
	if p.Amount != pay.New(math.MaxInt64, "KZT") || p.Lines[0].Price != pay.New(9007199254740993, "TMT") || p.Lines[0].Quantity != 2 ||
		p.Description != "д\n<&>" || p.Customer != (pay.Customer{Name: "Ann", Email: "a@b", Phone: "+7"}) || p.FailURL != "myapp://sorry" ||
		p.Metadata["k"] != "v" || len(p.Options) != 2 || p.Options[0] != (pay.Option{Name: "a", Value: "1"}) || !p.ExpiresAt.Equal(began.Add(500e6)) {
		t.Errorf("got %+v", p)
	}
	if got.call.Caller != "both" || got.call.Key != "key-1" || got.call.RequestID == "" {
		t.Errorf("call %+v", got.call)
	}
	for _, body := range []string{
		`{"connection":"c","order_id":"o","amount":null,"customer":null,"lines":null,"metadata":null,"expires_at":null,"description":null}`,
		`{"connection":"c","order_id":"o"}`, "\xef\xbb\xbf{\"connection\":\"c\",\"order_id\":\"o\"}",
	} {
		f.asked = nil
		if w := send(api, request("POST", "/v1/payments", body)); w.Code != 201 || !f.only(t).args[0].(payments.NewPayment).Amount.IsZero() {
			t.Errorf("%s: %d %s", body, w.Code, w.Body.String())
		}
	}
}
