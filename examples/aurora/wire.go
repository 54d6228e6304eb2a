package aurora

import (
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// send posts JSON with the API key and the operation's key, and reads the answer.
func send(h *sdk.Host, path string, body *json.Writer, key string) (json.Value, error) {
	request := sdk.PostJSON(path, body, sdk.Money)
	request.Auth = sdk.HeaderSecret("X-Api-Key", "", "api_key")
	request.Header = append(request.Header, pay.Field{Name: "Idempotency-Key", Value: key})
	return read(h.Send(request))
}

// read sorts answers: an error of the host goes on as it is, a definite refusal
// has a class that says so, and what can't be understood is protocol, so that the
// host keeps the doubt.
func read(response *sdk.Response, err error) (json.Value, error) {
	if err != nil {
		return json.Value{}, err
	}
	answer, err := json.Parse(response.Body)
	if err != nil {
		return json.Value{}, protocol("answer is not JSON")
	}
	if response.Status < 300 {
		return answer, nil
	}
	e := &pay.Error{
		Class: pay.ClassProtocol, Message: "unknown error",
		ProviderCode: answer.Get("code").Str(), ProviderMessage: answer.Get("message").Str(),
	}
	switch e.ProviderCode {
	case "bad_field":
		e.Class, e.Field, e.Message = pay.ClassInvalidRequest, answer.Get("field").Str(), "provider refused the field"
	case "bad_key":
		e.Class, e.Message = pay.ClassAuth, "provider refused the API key"
	case "declined":
		e.Class, e.Message, e.Reason = pay.ClassDeclined, "declined", pay.DeclinedOther
	}
	return json.Value{}, e
}

// observe turns an order into an observation. A state word that is not known is
// no news, never a guess.
func observe(order json.Value, currency pay.Currency) (pay.Observation, error) {
	word := order.Get("state").Str()
	o := pay.Observation{Subject: pay.SubjectPayment, ProviderRef: order.Get("id").Str(), ProviderState: word}
	switch word {
	case "new":
		o.Payment = pay.PaymentPending
	case "paid":
		o.Payment = pay.PaymentSucceeded
	case "failed":
		o.Payment = pay.PaymentFailed
	case "expired":
		o.Payment = pay.PaymentExpired
	}
	for _, f := range []struct {
		name string
		into *pay.Money
	}{{"amount", &o.Amount}, {"paid", &o.AmountPaid}, {"refunded", &o.AmountRefunded}} {
		text, ok := order.Get(f.name).Decimal()
		if !ok {
			continue
		}
		amount, err := pay.ParseMoney(text, currency)
		if err != nil {
			return o, protocol(f.name + ": " + err.Error())
		}
		*f.into = amount
	}
	return o, nil
}

func protocol(message string) *pay.Error {
	return &pay.Error{Class: pay.ClassProtocol, Message: message}
}
