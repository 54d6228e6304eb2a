package yeniltoleg_test

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk/pay"
	"github.com/payhost/payhost/sdk/sdktest"
)

func redirect(id, page string) outcome {
	return outcome{result: &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: id, Next: pay.NextAction{Type: pay.NextRedirect, URL: page},
	}}
}

// refusal is an error of create.
func refusal(e pay.Error) outcome {
	e.Operation = pay.OpCreate
	return outcome{err: &e}
}

func unclear(message string) outcome {
	return refusal(pay.Error{Class: pay.ClassProtocol, Message: message})
}

// processed has what create makes of answers with HTTP status 200.
func processed() map[string]outcome {
	const (
		bank   = "https://bank.example/payment_ru.html?mdOrder=cd460886-11df-4bb3-afa9-191045af7edd"
		own    = "https://provider.test/payments/checkout/confirmation/41765a1a?culture=ru"
		noID   = "register: answer has no payment id"
		noPage = "register: answer has no payment page"
		uuid   = "3b8dc587-9c6a-4b98-894e-fb46493205ca"
	)
	return map[string]outcome{
		"page at the bank":                   redirect(uuid, bank),
		"page at the provider":               redirect(uuid, own),
		"byte order mark and unknown fields": redirect("p-1", "http://bank.example/p"),
		"result false": refusal(pay.Error{
			Class: pay.ClassDeclined, Reason: pay.DeclinedOther, Message: "provider declined",
			ProviderMessage: "Магазин заблокирован",
		}),
		"result false with a payment": unclear("register: answer says no and names a payment"),
		"no payment id":               unclear(noID),
		"payment id is a number":      unclear(noID),
		"payment id with a slash":     unclear("register: payment id can't stand in a path"),
		"no page":                     unclear(noPage),
		"page is a script":            unclear(noPage),
		"empty":                       unclear(noID),
		"truncated":                   unclear(noID),
		"html":                        unclear(noID),
		"array":                       unclear(noID),
	}
}

// failed has what create makes of other answers, and of none.
func failed() map[string]outcome {
	const (
		refused = "provider refused the request"
		nothing = "provider answered with an HTTP status that means nothing here"
		cantSay = "provider can't say what became of the request"
		seen    = "provider has seen the key or the order before"
		badKey  = "IdempotencyKey: " +
			"Указанное условие не было выполнено для 'Idempotency Key'."
		badName  = "Something: Неверно.; Customer.Name: Слишком длинное имя."
		badOrder = "OrderNumber: Уже есть"
	)
	return map[string]outcome{
		"400 field errors": refusal(pay.Error{
			Class: pay.ClassInvalidRequest, Field: "customer.name", Message: refused,
			ProviderCode: "400", ProviderMessage: badName,
		}),
		"400 idempotency key": refusal(pay.Error{
			Class: pay.ClassDuplicate, Message: seen, ProviderCode: "400", ProviderMessage: badKey,
		}),
		"400 order number": refusal(pay.Error{
			Class: pay.ClassInvalidRequest, Field: "order_id", Message: refused,
			ProviderCode: "400", ProviderMessage: badOrder,
		}),
		"400 as printed": refusal(pay.Error{
			Class: pay.ClassInvalidRequest, Message: refused, ProviderCode: "400",
		}),
		"401": refusal(pay.Error{
			Class: pay.ClassAuth, ProviderCode: "401",
			Message: "provider refused the access token: it has expired or was revoked",
		}),
		"403": refusal(pay.Error{
			Class: pay.ClassAuth, ProviderCode: "403", ProviderMessage: "Forbidden",
			Message: "the access token has no right to this operation",
		}),
		"404": refusal(pay.Error{
			Class: pay.ClassConfig, Field: "base_url", ProviderCode: "404",
			Message: "provider has no register call at this address",
		}),
		"409": refusal(pay.Error{Class: pay.ClassDuplicate, Message: seen, ProviderCode: "409"}),
		"418": refusal(pay.Error{Class: pay.ClassProtocol, Message: nothing, ProviderCode: "418"}),
		"429": refusal(pay.Error{
			Class: pay.ClassRateLimited, Message: "provider says too many requests",
			ProviderCode: "429", RetryAfter: 17e9,
		}),
		"302": refusal(pay.Error{Class: pay.ClassProtocol, Message: nothing, ProviderCode: "302"}),
		"500": refusal(pay.Error{
			Class: pay.ClassProtocol, Message: cantSay, ProviderCode: "500",
			ProviderMessage: "An error occurred.",
		}),
		"502 with a good body": refusal(pay.Error{
			Class: pay.ClassProtocol, Message: cantSay, ProviderCode: "502",
		}),
		"lost": refusal(pay.Error{
			Class: pay.ClassTimeout, Effect: pay.EffectMaybe, Message: "connection reset",
		}),
		"not sent": refusal(pay.Error{Class: pay.ClassUnavailable, Message: "connection refused"}),
	}
}

func TestCreateAnswers(t *testing.T) {
	t.Parallel()
	tests := processed()
	maps.Copy(tests, failed())
	complete(t, "testdata/register.txt", tests)
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plugin(t)
			p.Transcript("testdata/register.txt#" + name)
			r := createRequest()
			if name == "page at the bank" {
				r = wholeRequest()
			}
			result, err := p.Create(r)
			want.check(t, result, err)
			if len(p.Logs()) != 0 {
				t.Errorf("logs: %q", p.Logs())
			}
		})
	}
}

// wholeRequest has every field that the provider takes.
func wholeRequest() pay.CreateRequest {
	r := createRequest()
	r.FailURL = "https://shop.example/failed"
	r.Locale = "tk-TM"
	r.Description = "Заказ на сумму 35.45 TMT"
	r.ExpiresAt = at(10, 30, 7)
	r.NotificationURL = "https://payhost.example/n/1" // the provider has no field for it
	r.Customer.Email, r.Customer.Phone = "test@shop.example", "+99312345678"
	r.Options = []pay.Option{{Name: "payment_method", Value: "0"}}
	r.Lines = []pay.Line{ // the sum is not the amount's: neither is the document's
		{Name: "Пицца 4 сыра", Quantity: 3, Price: pay.New(8000, pay.TMT)},
		{Name: `Пицца "ассорти"`, Quantity: 1, Price: pay.New(10, pay.TMT)},
	}
	return r
}

// TestCreateDoubts shows when a reused order number is taken for our own earlier
// send, and when for a mistake of the merchant.
func TestCreateDoubts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		intent pay.Intent
		want   pay.Class
	}{
		"first":          {pay.Intent{Attempt: 1}, pay.ClassInvalidRequest},
		"lost":           {pay.Intent{Attempt: 2, Earlier: pay.Evidence{Wire: pay.WireUnknown}}, pay.ClassDuplicate},
		"server's error": {pay.Intent{Earlier: pay.Evidence{Wire: pay.WireAnswered, Status: 500}}, pay.ClassDuplicate},
		"in doubt": {
			pay.Intent{Earlier: pay.Evidence{Wire: pay.WireAnswered, Status: 200, InDoubt: true}}, pay.ClassDuplicate,
		},
		"nobody knows": {pay.Intent{Attempt: 2}, pay.ClassDuplicate},
		"not sent": {
			pay.Intent{Attempt: 2, Earlier: pay.Evidence{Wire: pay.WireNotSent}}, pay.ClassInvalidRequest,
		},
	}
	for name, test := range tests {
		p := plugin(t)
		p.Transcript("testdata/register.txt#400 order number")
		r := createRequest()
		r.Intent = test.intent
		if _, err := p.Create(r); pay.ClassOf(err) != test.want {
			t.Errorf("%s: %v, want class %v", name, err, test.want)
		}
	}
}

// TestCreateAgain covers a repeat after a doubt, where a refusal may be of the
// repeat and not of the payment.
func TestCreateAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]pay.Class{
		"400 idempotency key": pay.ClassDuplicate,
		"400 order number":    pay.ClassDuplicate,
		"400 as printed":      pay.ClassProtocol,
		"400 field errors":    pay.ClassInvalidRequest,
		"401":                 pay.ClassAuth,
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plugin(t)
			p.Transcript("testdata/register.txt#" + name)
			r := createRequest()
			r.Intent = earlier()
			if _, err := p.Create(r); pay.ClassOf(err) != want {
				t.Errorf("got %v, want class %v", err, want)
			}
		})
	}
}

func TestCreateRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*pay.CreateRequest)
		field  string
	}{
		"no amount":      {func(r *pay.CreateRequest) { r.Amount = pay.Money{} }, "amount"},
		"zero":           {func(r *pay.CreateRequest) { r.Amount.Minor = 0 }, "amount"},
		"negative":       {func(r *pay.CreateRequest) { r.Amount.Minor = -1 }, "amount"},
		"other currency": {func(r *pay.CreateRequest) { r.Amount.Currency = pay.KZT }, "amount"},
		"no order":       {func(r *pay.CreateRequest) { r.OrderID = "" }, "order_id"},
		"no name":        {func(r *pay.CreateRequest) { r.Customer.Name = "" }, "customer.name"},
		"no return link": {func(r *pay.CreateRequest) { r.ReturnURL = "" }, "return_url"},
		"line, no name":  {func(r *pay.CreateRequest) { r.Lines[1].Name = "" }, "lines[1].name"},
		"line, no piece": {func(r *pay.CreateRequest) { r.Lines[0].Quantity = 0 }, "lines[0].quantity"},
		"line, currency": {func(r *pay.CreateRequest) { r.Lines[0].Price.Currency = "USD" }, "lines[0].price"},
		"line, negative": {func(r *pay.CreateRequest) { r.Lines[0].Price.Minor = -1 }, "lines[0].price"},
		"method":         {func(r *pay.CreateRequest) { r.Options[0].Value = "card" }, "options.payment_method"},
		"option":         {func(r *pay.CreateRequest) { r.Options[0].Name = "speed" }, "options.speed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := wholeRequest()
			test.change(&r)
			_, err := plugin(t).Create(r) // without a transcript: a request would fail the test
			e := pay.AsError(err)
			if e == nil || e.Class != pay.ClassInvalidRequest || e.Field != test.field {
				t.Errorf("got %v, want invalid_request of %s", err, test.field)
			}
		})
	}
}

// TestAmounts shows that no amount is ever written through a binary fraction.
func TestAmounts(t *testing.T) {
	t.Parallel()
	minor := []int64{1, 9, 10, 29, 30, 57, 99, 100, 101, 3545, 110, 1999, 100000, 123456789, 9007199254740993}
	for i := range int64(50) {
		minor = append(minor, 7919*i*i+1)
	}
	p := plugin(t)
	for _, m := range minor {
		p.Transcript(fmt.Sprintf(`
> POST /api/v1/payment/register money
>
> {"idempotencyKey": "{{any}}", "orderNumber": "100500", "amount": %d.%02d,
>  "returnUrl": "{{any}}", "customer": {"name": "{{any}}"}}
< !not_sent enough seen
`, m/100, m%100))
		r := createRequest()
		r.Amount.Minor = m
		if _, err := p.Create(r); pay.ClassOf(err) != pay.ClassUnavailable {
			t.Errorf("%s: %v", strconv.FormatInt(m, 10), err)
		}
	}
}

func TestLocales(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"ru": `"locale": "ru",`, "RU": `"locale": "ru",`, "tk-Latn-TM": `"locale": "tk",`, "en": "", "kk": "",
	} {
		p := plugin(t)
		p.Transcript(`
> POST /api/v1/payment/register money
>
> {` + want + `"idempotencyKey": "{{any}}", "orderNumber": "100500", "amount": 35.45,
>  "returnUrl": "{{any}}", "customer": {"name": "{{any}}"}}
< !not_sent enough seen
`)
		r := createRequest()
		r.Locale = tag
		if _, err := p.Create(r); pay.ClassOf(err) != pay.ClassUnavailable {
			t.Errorf("%s: %v", tag, err)
		}
	}
}

func TestTimeZones(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // what 2026-01-15 21:30:07 UTC is there; "" if refused
		"Asia/Ashgabat": "2026-01-16T02:30:07", "UTC": "2026-01-15T21:30:07", "+05:00": "2026-01-16T02:30:07",
		"-03:30": "2026-01-15T18:00:07", "+14:00": "2026-01-16T11:30:07",
		"": "", "Europe/Moscow": "", "+15:00": "", "+05:60": "", "5": "", "+5:00": "", "05:00": "", "+0500": "",
		"+05:0x": "", "+0x:00": "", "++5:00": "", "Z": "", "utc": "",
	}
	for zone, want := range tests {
		p := sdktest.New(t, yeniltoleg.New(), sdktest.Config{
			Settings: `{"time_zone": ` + strconv.Quote(zone) + `}`, Secrets: []string{"access_token"},
		})
		r := createRequest()
		r.ExpiresAt = at(21, 30, 7)
		problems := p.CheckConfig()
		if want == "" {
			if len(problems) != 1 || problems[0].Field != "settings.time_zone" {
				t.Errorf("zone %q: problems %v", zone, problems)
			}
			if _, err := p.Create(r); pay.ClassOf(err) != pay.ClassConfig {
				t.Errorf("zone %q: %v", zone, err)
			}
			continue
		}
		if len(problems) != 0 {
			t.Errorf("zone %q: problems %v", zone, problems)
		}
		p.Transcript(`
> POST /api/v1/payment/register money
>
> {"idempotencyKey": "{{any}}", "orderNumber": "100500", "amount": 35.45, "expireAt": "` + want + `",
>  "returnUrl": "{{any}}", "customer": {"name": "{{any}}"}}
< !not_sent enough seen
`)
		if _, err := p.Create(r); pay.ClassOf(err) != pay.ClassUnavailable {
			t.Errorf("zone %q: %v", zone, err)
		}
	}
	if problems := plugin(t).CheckConfig(); len(problems) != 0 {
		t.Errorf("without settings: %v", problems)
	}
}

// TestFieldNames maps the names of the provider's error object to ours.
func TestFieldNames(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"Amount": "amount", "$.amount": "amount", "OrderNumber": "order_id", "ReturnUrl": "return_url",
		"FailUrl": "fail_url", "ExpireAt": "expires_at", "Locale": "locale", "Description": "description",
		"PaymentMethod": "options.payment_method", "Customer": "customer", "Customer.Email": "customer.email",
		"Lines": "lines", "Lines[3].Price": "lines[3].price", "Lines[0]": "lines[0]",
		"Lines[x].Price": "", "Lines[0": "", "Lines[0].Color": "", "parameter": "", "": "",
	}
	got := map[string]string{}
	for name := range tests {
		p := plugin(t)
		p.Transcript(strings.Replace(`
> POST /api/v1/payment/register money
>
> "{{any}}"
< 400
<
< {"errors": {"NAME": ["no"]}}
`, "NAME", name, 1))
		_, err := p.Create(createRequest())
		e := pay.AsError(err)
		if e == nil || e.Class != pay.ClassInvalidRequest {
			t.Fatalf("%s: %v", name, err)
		}
		got[name] = e.Field
	}
	if diff := cmp.Diff(tests, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}
