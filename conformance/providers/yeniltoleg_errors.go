package providers

import (
	"context"
	"net/http"
	"strings"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// yenilY3: every form of the provider's errors.
func yenilY3(y *yenil) {
	yenilFields(y)
	yenilForms(y)
	yenilToken(y)
	yenilUnknown(y)
}

// yenilFields are requests that the provider itself refuses for a field.
func yenilFields(y *yenil) {
	y.Step("requests that the provider refuses for a field")
	tooMuch := int64(100_000_000_001)
	line := func(price int64) conformance.Object {
		return conformance.Object{"lines": []any{conformance.Object{"name": "Билет", "quantity": 1, "price": y.Amount(price)}}}
	}
	y.set("lines_sum", "check")
	for _, c := range []struct {
		field, says string
		fields      conformance.Object
	}{
		{"amount", "Amount: 'Amount' имеет неверный формат", conformance.Object{"amount": y.Amount(tooMuch)}},
		{"customer.email", "Customer.Email: 'Email' неверный email адрес.", conformance.Object{
			"customer": conformance.Object{"name": "Aman Watched", "email": "nowhere"},
		}},
		{"return_url", "ReturnUrl: 'Return Url' имеет неверный формат.", conformance.Object{"return_url": "ftp://shop.example/thanks"}},
		{"fail_url", "FailUrl: 'Fail Url' имеет неверный формат.", conformance.Object{"fail_url": "ftp://shop.example/sorry"}},
		{"options.payment_method", "PaymentMethod: 'Payment Method' имеет диапазон", conformance.Object{
			"options": conformance.Object{"payment_method": "7"},
		}},
		{"lines", "Lines: Сумма позиций не равна 'Amount'.", line(y.Terms.Amount - 1)},
		{"lines[0].price", "Lines[0].Price: 'Price' имеет неверный формат", line(tooMuch)},
	} {
		y.holds("a bad "+c.field, y.create(c.fields), want{
			code: 422, class: "invalid_request", effect: "none", field: c.field, says: c.says, provider: "400",
		})
	}
	y.set("lines_sum", "ignore")
	y.made("requests refused for a field", 0)
}

// yenilForms are the forms that a 400 may have.
func yenilForms(y *yenil) {
	y.Step("the forms of a 400")
	y.set("problem_json", "trailing_comma")
	y.holds("the document's own sample, which is not JSON", y.create(conformance.Object{
		"customer": conformance.Object{"name": "Aman Watched", "email": "nowhere"},
	}), want{code: 422, class: "invalid_request", effect: "none", field: "-", provider: "400"})
	y.set("problem_json", "valid")
	for _, c := range []struct{ body, field, says string }{
		{`{"errors":{"$.lines[2].quantity":["Не число."]}}`, "lines[2].quantity", "Не число."},
		{`{"errors":{"Amount":"Сумма неверна."}}`, "amount", "Amount: Сумма неверна."},
		{`{"errors":{"customer.name":["Пусто.","Коротко."]}}`, "customer.name", "Пусто."},
		{
			`{"errors":{"Ставка":["Не задана."],"Customer.Email":["Нет адреса."]}}`, "customer.email",
			"Ставка: Не задана.; Customer.Email: Нет адреса.",
		},
		{`{"errors":{"parameter":["errorMessage1","errorMessage2"]}}`, "-", "parameter: errorMessage1"},
		{`{"title":"Неправильный запрос","status":400,"errors":null}`, "-", "Неправильный запрос"},
		{`{"message":"Запрос отклонен"}`, "-", "Запрос отклонен"},
		{``, "-", ""},
	} {
		y.answers(yenilRegister, 400, c.body)
		y.holds("400 with the body "+c.body, y.create(nil), want{
			code: 422, class: "invalid_request", effect: "none", field: c.field, says: c.says, provider: "400",
		})
	}
	y.made("the forms of a 400", 0)
}

// yenilToken has the provider refuse the token, and then the right.
func yenilToken(y *yenil) {
	open, paid := y.Begin(), y.Sell()
	count := len(y.sim.Objects())
	for setting, code := range map[string]string{"revoked": "401", "forbidden": "403"} {
		y.Step("every call answers %s", code)
		y.set("token", setting)
		auth := want{code: http.StatusBadGateway, class: "auth", effect: "none", provider: code}
		y.holds(code+" to register", y.create(nil), auth)
		y.holds(code+" to cancel", y.undo(open, 0), auth)
		y.holds(code+" to refund", y.undo(paid, y.Terms.Amount), auth)
		y.holds(code+" to status", y.fresh(open), want{status: "pending", doubt: "-"})
		y.set("token", "valid")
	}
	y.made("calls without a good token", count)
	y.money("calls without a good token", paid, "charge 35.45")
	y.holds("refund with a good token again", y.undo(paid, y.Terms.Amount), want{status: "succeeded"})
	y.Pay(open)
	y.holds("a payment that could not be asked after for a while", y.fresh(open), want{status: "succeeded"})
}

// yenilUnknown are the meanings of 404.
func yenilUnknown(y *yenil) {
	y.Step("404")
	open, paid := y.Begin(), y.Sell()
	ref := pay.Ref{ID: open.ID, ProviderRef: open.ProviderRef}
	y.Must(y.sim.Fault(simkit.Fault{Path: yenilStatus + "*", Kind: simkit.HTML, Status: 404, Count: 1}))
	if item := y.status(ref); item.Found != pay.FoundNothing {
		y.Failf("a page of HTML with 404 to status is read as %s: a proxy's page is not the provider's word", item.Found)
	}
	y.sim.Reset() // the provider knows no payment any more
	if item := y.status(ref); item.Found != pay.FoundNot {
		y.Failf("404 to status is read as %s (%v), and should be not_found", item.Found, item.Err)
	}
	y.holds("404 to status", y.fresh(open), want{status: "pending", doubt: "-"})
	unknown := want{code: 404, class: "not_found", effect: "none", provider: "404"}
	y.holds("404 to cancel", y.undo(open, 0), unknown)
	y.holds("404 to refund", y.undo(paid, y.Terms.Amount), unknown)
	if p := y.Get(yenilPath(paid)); p.Refunded.Minor() != 0 || !p.Is("succeeded") {
		y.Failf("404 to refund: the payment is %v with %d refunded", p.Status, p.Refunded.Minor())
	}
	y.Reconnect(func(c *host.ConnectionConfig) { c.BaseURL = strings.TrimSuffix(c.BaseURL, "/") + "/elsewhere" })
	y.holds("404 to register, which names no payment", y.create(nil), want{
		code: http.StatusBadGateway, class: "config", effect: "none", field: "base_url", provider: "404",
	})
	y.made("404", 0)
}

// status asks after one payment without the engine.
func (y *yenil) status(ref pay.Ref) pay.StatusItem {
	items, err := y.Calls().Status(context.Background(), ref)
	y.Must(err)
	return items[0]
}
