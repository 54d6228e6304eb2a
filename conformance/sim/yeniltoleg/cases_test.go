package yeniltoleg_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/sim/yeniltoleg"
)

// TestCases runs the cases Y1 to Y5 and Y9 to Y11; the others are in states_test.go.
func TestCases(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"Y1 500 after the effect and without it", broken},
		{"Y1 answer lost, same key", answerLost},
		{"Y1 new key, same orderNumber", duplicateOrder},
		{"Y2 same key, other body", sameKeyOtherBody},
		{"Y3 400 with field messages", fieldErrors},
		{"Y3 401, 403, 404, 415", otherErrors},
		{"Y3 the sample's trailing comma", trailingComma},
		{"Y4 result false", resultFalse},
		{"Y9 exact amounts", exactAmounts},
		{"Y10 page forms and a foreign host", pageForms},
		{"Y11 card fields", cardFields},
		{"status names every field", allFields},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, start(t))
		})
	}
}

func broken(t *testing.T, b *bench) {
	fault := simkit.Fault{Path: registerPath, Kind: simkit.Status, Body: `{"status":500}`, Count: 1}
	for i, test := range []struct {
		name, amount string
		made         int
	}{
		{"fault after", "35.45", 1},
		{"fault before", "35.45", 0},
		{"magic after", "10.93", 1},
		{"magic before", "10.94", 0},
	} {
		if strings.HasPrefix(test.name, "fault") {
			fault.After = test.made == 1
			b.fault(fault)
		}
		got := b.send("POST", registerPath, body(test.name, test.name, test.amount))
		if got.status != 500 || !isJSON(got.body) {
			t.Errorf("%s: %d %s, want 500", test.name, got.status, got.body)
		}
		if made := len(b.Objects()) - i; made != test.made {
			t.Errorf("%s: %d payments made, want %d", test.name, made, test.made)
		}
		again := b.register(test.name, test.name, test.amount)
		o, err := b.Object(test.name)
		if err != nil || o.ID != again.PaymentID || len(b.Objects()) != i+1 {
			t.Errorf("%s: the same key gave %+v, the payment is %s, %v", test.name, again, o.ID, err)
		}
	}
}

func answerLost(t *testing.T, b *bench) {
	b.fault(simkit.Fault{Path: registerPath, Kind: simkit.CutAfter, Count: 1})
	if got, err := b.try("POST", registerPath, body("k", "1", "35.45")); err == nil {
		t.Fatalf("got %+v, want no answer", got)
	}
	made, err := b.Object("1")
	if err != nil {
		t.Fatal(err)
	}
	first, second := b.register("k", "1", "35.45"), b.register("k", "1", "35.45")
	if first != second || first.PaymentID != made.ID {
		t.Errorf("%+v, then %+v; the payment is %s", first, second, made.ID)
	}
}

func duplicateOrder(t *testing.T, b *bench) {
	first := b.register("k1", "1", "35.45")
	b.refused(b.send("POST", registerPath, body("k2", "1", "35.45")), 400, "OrderNumber")
	b.set("duplicate_order_number", "new_payment")
	if second := b.register("k3", "1", "35.45"); second.PaymentID == first.PaymentID {
		t.Error("new_payment gave the first payment")
	}
}

func sameKeyOtherBody(t *testing.T, b *bench) {
	first := b.register("k", "1", "35.45")
	got := b.refused(b.send("POST", registerPath, body("k", "1", "35.46")), 400, "IdempotencyKey")
	const message = "Указанное условие не было выполнено для 'Idempotency Key'."
	if len(got["IdempotencyKey"]) != 1 || got["IdempotencyKey"][0] != message {
		t.Errorf("errors %v, want the document's message", got)
	}
	b.set("same_key_other_body", "same")
	if second := b.register("k", "2", "35.46"); second != first {
		t.Errorf("same: %+v, want %+v", second, first)
	}
	spaced := strings.ReplaceAll(body("k", "1", "35.45"), `":`, `" : `)
	b.set("same_key_other_body", "error")
	if got := b.send("POST", registerPath, spaced); got.status != 200 {
		t.Errorf("the same body with spaces: %d %s", got.status, got.body)
	}
}

func fieldErrors(t *testing.T, b *bench) {
	tests := []struct {
		name, body string
		fields     []string
	}{
		{"nothing", `{}`, []string{"IdempotencyKey", "OrderNumber", "ReturnUrl", "Amount", "Customer"}},
		{
			"nulls", `{"idempotencyKey":null,"orderNumber":null,"returnUrl":null,"amount":null,"customer":null}`,
			[]string{"IdempotencyKey", "OrderNumber", "ReturnUrl", "Amount", "Customer"},
		},
		{"spaces", body(" ", " ", "1"), []string{"IdempotencyKey", "OrderNumber"}},
		{"not JSON", `{"amount":`, []string{"$"}},
		{"not an object", `[]`, []string{"$"}},
		{"null", `null`, []string{"$"}},
		{"amount text", body("k", "1", `"35.45"`), []string{"$.amount"}},
		{"amount zero", body("k", "1", `0`), []string{"Amount"}},
		{"amount negative", body("k", "1", `-1`), []string{"Amount"}},
		{"C10 amount of three decimals", body("k", "1", `35.449`), []string{"Amount"}},
		{"C10 amount of a float", body("k", "1", `35.449999999999996`), []string{"Amount"}},
		{"C10 sum of floats", body("k", "1", `0.30000000000000004`), []string{"Amount"}},
		{"amount huge", body("k", "1", `1e30`), []string{"Amount"}},
		{
			"key number", body("k", "1", `1`, "idempotencyKey", `5`),
			[]string{"$.idempotencyKey", "IdempotencyKey"},
		},
		{"return link", body("k", "1", `1`, "returnUrl", `"/paid"`), []string{"ReturnUrl"}},
		{"fail link", body("k", "1", `1`, "failUrl", `"javascript:alert(1)"`), []string{"FailUrl"}},
		{"locale", body("k", "1", `1`, "locale", `"en"`), []string{"Locale"}},
		{"method", body("k", "1", `1`, "paymentMethod", `1`), []string{"PaymentMethod"}},
		{"customer text", body("k", "1", `1`, "customer", `"Test"`), []string{"$.customer"}},
		{
			"customer", body("k", "1", `1`, "customer", `{"email":"nobody"}`),
			[]string{"Customer.Name", "Customer.Email"},
		},
		{
			"C9 time with a zone", body("k", "1", `1`, "expireAt", `"2030-01-02T10:30:00Z"`),
			[]string{"$.expireAt"},
		},
		{"time in the past", body("k", "1", `1`, "expireAt", `"2030-01-02T10:00:00"`), []string{"ExpireAt"}},
		{"lines", body("k", "1", `1`, "lines", `{}`), []string{"$.lines"}},
		{
			"a line", body("k", "1", `1`, "lines", `[{"quantity":0},5]`),
			[]string{"Lines[0].Name", "Lines[0].Price", "Lines[0].Quantity", "$.lines[1]"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inner := &bench{Server: b.Server, t: t, url: b.url}
			inner.refused(inner.send("POST", registerPath, test.body), 400, test.fields...)
		})
	}
	if len(b.Objects()) != 0 {
		t.Error("a refused register made a payment")
	}
}

func otherErrors(t *testing.T, b *bench) {
	good := b.register("k", "1", "1")
	const token = yeniltoleg.AccessToken
	for _, header := range []string{"", "Bearer wrong", "bearer " + token, "Bearer  " + token, token} {
		got := b.send("GET", statusPath+good.PaymentID, "", "Authorization", header)
		b.refused(got, 401)
		if got.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("401 without WWW-Authenticate: %v", got.header)
		}
	}
	b.set("token", "revoked")
	b.refused(b.send("GET", statusPath+good.PaymentID, ""), 401)
	b.set("token", "forbidden")
	b.refused(b.send("GET", statusPath+good.PaymentID, ""), 403)
	b.set("token", "valid")
	const unknown = "3b8dc587-9c6a-4b98-894e-fb46493205ca"
	b.refused(b.send("GET", statusPath+unknown, ""), 404)
	b.refused(b.post(cancelPath, unknown), 404)
	b.refused(b.post(refundPath, unknown), 404)
	b.refused(b.send("GET", statusPath+"12", ""), 400, "paymentId")
	b.refused(b.post(cancelPath, "12"), 400, "$.paymentId")
	b.refused(b.send("POST", refundPath, `{}`), 400, "PaymentId")
	b.refused(b.send("GET", "/api/v1/ payment/register", ""), 404)
	for _, kind := range []string{"application/x-www-form-urlencoded", "text/plain", ""} {
		b.refused(b.send("POST", cancelPath, `{"paymentId":"`+good.PaymentID+`"}`, "Content-Type", kind), 415)
	}
	b.state(good.PaymentID, "Pending")
}

func trailingComma(t *testing.T, b *bench) {
	b.set("problem_json", "trailing_comma")
	got := b.send("POST", registerPath, `{}`)
	if got.status != 400 || isJSON(got.body) || !strings.Contains(got.body, "\",\n    ]") {
		t.Errorf("got %d %s, want the sample's broken JSON", got.status, got.body)
	}
}

func resultFalse(t *testing.T, b *bench) {
	b.set("register_answer", "result_false")
	want := `{"message":"Платеж не зарегистрирован","result":false}`
	if got := b.send("POST", registerPath, body("k", "1", "35.45")); strings.TrimSpace(got.body) != want {
		t.Errorf("got %d %s, want %s", got.status, got.body, want)
	}
	b.set("register_answer", "ok")
	if got := b.send("POST", registerPath, body("k", "2", "5.96")); strings.TrimSpace(got.body) != want {
		t.Errorf(".96: got %d %s, want %s", got.status, got.body, want)
	}
	if len(b.Objects()) != 0 {
		t.Error("result false made a payment")
	}
}

func exactAmounts(t *testing.T, b *bench) {
	tests := []struct {
		text  string
		minor int64
		shown string
	}{
		{"35.45", 3545, "35.45"},
		{"0.3", 30, "0.3"},
		{"80.00", 8000, "80"},
		{"3.545E1", 3545, "35.45"},
		{"0.01", 1, "0.01"},
		{"999999999.99", 99_999_999_999, "999999999.99"},
	}
	for _, test := range tests {
		made := b.register("key "+test.text, "order "+test.text, test.text)
		if o, err := b.Object(made.PaymentID); err != nil || o.Amount != test.minor {
			t.Errorf("%s: %d minor units, %v; want %d", test.text, o.Amount, err, test.minor)
		}
		if got := b.status(made.PaymentID)["amount"]; got != json.Number(test.shown) {
			t.Errorf("%s: status shows %v, want %s", test.text, got, test.shown)
		}
	}
	const lines = `[{"name":"Пицца","quantity":3,"price":80.00},{"name":"Сок","quantity":0.5,"price":7.1}]`
	made := b.register("careless", "lines", "35.45", "lines", lines)
	got := fmt.Sprint(b.status(made.PaymentID)["lines"])
	if got != "[map[name:Пицца price:80 quantity:3] map[name:Сок price:7.1 quantity:0.5]]" {
		t.Errorf("lines %s", got)
	}
	b.set("lines_sum", "check")
	b.refused(b.send("POST", registerPath, body("k", "1", "35.45", "lines", lines)), 400, "Lines")
	b.register("k", "1", "240", "lines", `[{"name":"Пицца","quantity":3,"price":80.00}]`)
	b.set("amount_type", "string")
	if got := b.status(made.PaymentID)["amount"]; got != "35.45" {
		t.Errorf("C5: amount %v, want text", got)
	}
}

func pageForms(t *testing.T, b *bench) {
	checkout := b.register("k1", "1", "1").ReturnURL
	if !strings.HasPrefix(checkout, b.url+"/payments/checkout/confirmation/") ||
		!strings.HasSuffix(checkout, "?culture=ru") {
		t.Errorf("checkout page %s", checkout)
	}
	b.set("page_form", "bank")
	bank := b.register("k2", "2", "1").ReturnURL
	if !strings.HasPrefix(bank, b.url+"/payment/merchants/online/payment_ru.html?mdOrder=") {
		t.Errorf("bank page %s", bank)
	}
	for _, page := range []string{checkout, bank} {
		if got := b.send("GET", strings.TrimPrefix(page, b.url), ""); got.status != 200 {
			t.Errorf("page %s: %d", page, got.status)
		}
	}
	b.set("page_host", "https://mpi.example")
	foreign := b.register("k3", "3", "1").ReturnURL
	if !strings.HasPrefix(foreign, "https://mpi.example/payment/") {
		t.Errorf("foreign page %s", foreign)
	}
	if err := b.Set("page_host", "mpi.example/path"); err == nil {
		t.Error("a page_host that is not a scheme and a host was taken")
	}
}

func cardFields(t *testing.T, b *bench) {
	made := b.register("k", "1", "35.45")
	fields := []string{"operationNumber", "cardMask", "rrn", "reason"}
	before := b.status(made.PaymentID)
	for _, field := range fields {
		if value, there := before[field]; !there || value != nil {
			t.Errorf("%s before the payment: %v, %v; want null", field, value, there)
		}
	}
	b.set("unpaid_fields", "omit")
	if got := b.status(made.PaymentID); len(got) != len(before)-len(fields) {
		t.Errorf("omit: %v", got)
	}
	b.move(made.PaymentID, "succeeded")
	paid := b.status(made.PaymentID)
	mask, _ := paid["cardMask"].(string)
	if len(mask) != 16 || strings.Trim(mask[6:12], "*") != "" ||
		paid["rrn"] == nil || paid["operationNumber"] == nil {
		t.Errorf("after the payment: %v", paid)
	}
}

func allFields(t *testing.T, b *bench) {
	made := b.register("k", "1", "35.45", "customer", `{"name":"Test Testov","email":"test@shop.example"}`,
		"description", `"Заказ"`, "locale", `"tk"`, "expireAt", `"2030-01-02T11:30:00"`, "paymentMethod", `0`)
	want := map[string]any{
		"id": made.PaymentID, "customerEmail": "test@shop.example", "customerName": "Test Testov",
		"expiresAt": "2030-01-02T11:30:00", "amount": json.Number("35.45"),
		"operationNumber": nil, "cardMask": nil,
		"rrn": nil, "status": "Pending", "orderNumber": "1", "description": "Заказ", "locale": "tk",
		"lines": []any{}, "reason": nil,
	}
	if got := b.status(made.PaymentID); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	plain := b.register("k2", "2", "1")
	if got := b.status(plain.PaymentID)["expiresAt"]; got != "2030-01-02T10:15:00" {
		t.Errorf("C9: expiresAt %v without expireAt, want the end of the session in Ashgabat", got)
	}
	b.set("status_name", "Status")
	if got := b.status(plain.PaymentID); got["Status"] != "Pending" || got["status"] != nil {
		t.Errorf("status_name: %v", got)
	}
	b.Advance(time.Minute)
	if got := b.status(plain.PaymentID)["expiresAt"]; got != "2030-01-02T10:15:00" {
		t.Errorf("expiresAt moved to %v", got)
	}
}
