// Package plugin is the work of package benchwork as a payhost plugin, written on
// the SDK as any author would.
package plugin

import (
	"strconv"
	"time"

	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// Provider is the plugin.
type Provider struct{}

var _ sdk.Provider = Provider{}

// Manifest says what the plugin is and needs.
func (Provider) Manifest() pay.Manifest {
	return pay.Manifest{
		ID: "bench", Version: "1.0.0", Title: "The provider of the benchmarks",
		Operations: []pay.OperationSpec{
			{Operation: pay.OpDescribe},
			{Operation: pay.OpCheckConfig},
			{Operation: pay.OpStatus},
			{Operation: pay.OpCreate, Idempotency: pay.IdempotencyNative, KeyForm: pay.KeyText, MoneyCalls: 1},
		},
		Flows:      []pay.Flow{pay.FlowRedirect},
		Currencies: []pay.CurrencySpec{{Currency: "EUR", Step: 1, Min: 1}},
		Egress:     []pay.EgressRule{{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: "/v1/payments"}},
		Secrets:    []pay.SecretSpec{{Name: "api_key", Title: "API key", Required: true, Slots: []pay.Slot{pay.SlotBearer}}},
		BatchSize:  1,
	}
}

// CheckConfig finds nothing: there are no settings.
func (Provider) CheckConfig(*sdk.Host) []pay.Problem { return nil }

// Status knows nothing of any payment.
func (Provider) Status(*sdk.Host, []pay.Ref) ([]pay.StatusItem, error) { return nil, nil }

// Create asks the provider for a payment.
func (Provider) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	var w form.Writer
	fill(&w, r)
	request := sdk.PostForm("/v1/payments", &w, sdk.Money)
	request.Auth = sdk.Bearer("api_key")
	request.Header = append(request.Header, pay.Field{Name: "Idempotency-Key", Value: r.ProviderKey})
	response, err := h.Send(request)
	if err != nil {
		return nil, err
	}
	if response.Status != 200 {
		return nil, &pay.Error{Class: pay.ClassProtocol, Message: "provider answered " + strconv.Itoa(response.Status)}
	}
	answer, err := json.Parse(response.Body)
	if err != nil {
		return nil, &pay.Error{Class: pay.ClassProtocol, Message: "answer is not JSON"}
	}
	return read(answer), nil
}

func fill(w *form.Writer, r *pay.CreateRequest) {
	w.AddInt("amount", r.Amount.Minor)
	w.Add("currency", string(r.Amount.Currency))
	w.Add("capture_method", r.Option("capture_method"))
	w.Add("payment_method", r.Option("payment_method"))
	w.Add("client_ip", r.Option("client_ip"))
	w.Add("statement_descriptor", r.Option("statement_descriptor"))
	w.Add("return_url", r.ReturnURL)
	w.Add("cancel_url", r.FailURL)
	w.Add("notification_url", r.NotificationURL)
	w.Add("description", r.Description)
	w.Add("locale", r.Locale)
	w.Add("metadata[payment_id]", r.PaymentID)
	w.Add("metadata[order_id]", r.OrderID)
	w.Add("customer[name]", r.Customer.Name)
	w.Add("customer[email]", r.Customer.Email)
	w.Add("customer[phone]", r.Customer.Phone)
	for i, line := range r.Lines {
		key := "items[" + strconv.Itoa(i) + "]"
		w.Add(key+"[name]", line.Name)
		w.AddInt(key+"[quantity]", line.Quantity)
		w.AddInt(key+"[unit_amount]", line.Price.Minor)
	}
}

func read(answer json.Value) *pay.Result {
	amount, _ := answer.Get("amount").Int()
	expires, _ := answer.Get("expires_at").Int()
	state := answer.Get("status").Str()
	result := &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: answer.Get("id").Str(), ExpiresAt: time.Unix(expires, 0).UTC(),
		Next: pay.NextAction{Type: pay.NextRedirect, URL: answer.Get("next_action").Get("redirect_url").Str()},
	}
	result.Observations = []pay.Observation{{
		Subject: pay.SubjectPayment, Payment: status(state), ProviderState: state, ProviderRef: result.ProviderRef,
		Amount: pay.New(amount, pay.Currency(answer.Get("currency").Str())),
	}}
	return result
}

func status(state string) pay.PaymentStatus {
	switch state {
	case "requires_action":
		return pay.PaymentPending
	case "requires_capture":
		return pay.PaymentAuthorized
	case "succeeded":
		return pay.PaymentSucceeded
	case "canceled":
		return pay.PaymentCanceled
	}
	return pay.PaymentFailed
}
