// Package aurora is a plugin for Aurora Pay, a provider that does not exist. It
// is the worked example of docs/writing-a-plugin.md: a redirect flow, partial
// refunds and signed notifications, over JSON.
package aurora

import (
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/json"
	"github.com/payhost/payhost/sdk/pay"
)

// Provider is the plugin. It has no state: whatever must outlive a call goes into
// the host's storage.
type Provider struct{}

// New returns the plugin.
func New() Provider { return Provider{} }

// What the plugin can do, checked by the compiler.
var (
	_ sdk.Provider = Provider{}
	_ sdk.Refunder = Provider{}
	_ sdk.Notifiee = Provider{}
)

// Manifest says what the plugin is and needs.
func (Provider) Manifest() pay.Manifest {
	return pay.Manifest{
		ID: "aurora", Version: "1.0.0", Title: "Aurora Pay (an example)",
		Operations: []pay.OperationSpec{
			{Operation: pay.OpDescribe},
			{Operation: pay.OpCheckConfig},
			{Operation: pay.OpStatus},
			{Operation: pay.OpNotification},
			// Aurora answers a repeated Idempotency-Key with the first result.
			{Operation: pay.OpCreate, Idempotency: pay.IdempotencyNative, KeyForm: pay.KeyText, MoneyCalls: 1},
			{Operation: pay.OpRefund, Idempotency: pay.IdempotencyNative, KeyForm: pay.KeyText, MoneyCalls: 1},
		},
		Flows:      []pay.Flow{pay.FlowRedirect},
		Currencies: []pay.CurrencySpec{{Currency: "EUR", Step: 1, Min: 50}},
		Egress: []pay.EgressRule{
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: "/v1/orders"},
			{Origin: "base_url", Methods: []string{"POST"}, PathPrefix: "/v1/refunds"},
			{Origin: "base_url", Methods: []string{"GET"}, PathPrefix: "/v1/orders", Read: true},
		},
		Secrets:      []pay.SecretSpec{{Name: "api_key", Title: "API key", Required: true, Slots: []pay.Slot{pay.SlotHeader}}},
		Keys:         []pay.KeySpec{{Name: "webhook", Title: "webhook signing key", Algorithms: []string{"HS256"}}},
		BatchSize:    20,
		Notification: pay.AuthenticityStrong,
		SettingsSchema: `{"type":"object","additionalProperties":false,"properties":{` +
			`"shop_id":{"type":"string","minLength":1}},"required":["shop_id"]}`,
	}
}

// CheckConfig finds nothing that the settings schema has not found.
func (Provider) CheckConfig(*sdk.Host) []pay.Problem { return nil }

// Create registers an order and returns its payment page.
func (Provider) Create(h *sdk.Host, r *pay.CreateRequest) (*pay.Result, error) {
	var w json.Writer
	w.Object("")
	w.String("shop", h.Setting("shop_id", ""))
	w.String("order", r.OrderID)
	w.Money("amount", r.Amount) // 12.30, exact
	w.String("currency", string(r.Amount.Currency))
	w.StringIf("return_url", r.ReturnURL)
	w.StringIf("notify_url", r.NotificationURL)
	w.End()
	answer, err := send(h, "/v1/orders", &w, r.ProviderKey)
	if err != nil {
		return nil, err
	}
	id, page := answer.Get("id").Str(), answer.Get("page").Str()
	if id == "" || page == "" {
		return nil, protocol("answer has no id or no page")
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: id,
		Next: pay.NextAction{Type: pay.NextRedirect, URL: page},
	}, nil
}

// Refund gives back a part of an order, or all of it.
func (Provider) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	var w json.Writer
	w.Object("")
	w.String("order_id", r.Payment.ProviderRef)
	w.Money("amount", r.Amount)
	w.End()
	answer, err := send(h, "/v1/refunds", &w, r.ProviderKey)
	if err != nil {
		return nil, err
	}
	if answer.Get("id").Str() == "" {
		return nil, protocol("answer has no id")
	}
	return &pay.Result{
		Outcome: pay.OutcomeApplied, ProviderRef: answer.Get("id").Str(),
		Observations: []pay.Observation{{Subject: pay.SubjectRefund, Refund: pay.RefundSucceeded, Amount: r.Amount}},
	}, nil
}

// Status asks after each order. One order that can't be read does not keep the
// others from an answer.
func (Provider) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	var items []pay.StatusItem
	for _, ref := range payments {
		if ref.ProviderRef == "" {
			continue // no id, so no information
		}
		items = append(items, status(h, ref))
	}
	return items, nil
}

func status(h *sdk.Host, ref pay.Ref) pay.StatusItem {
	item := pay.StatusItem{ID: ref.ID}
	request := sdk.GetJSON("/v1/orders/" + ref.ProviderRef)
	request.Auth = sdk.HeaderSecret("X-Api-Key", "", "api_key")
	response, err := h.Send(request)
	if err == nil && response.Status == 404 {
		item.Found = pay.FoundNot
		return item
	}
	answer, err := read(response, err)
	if err != nil {
		item.Err = pay.AsError(err)
		return item
	}
	observation, err := observe(answer, ref.Amount.Currency)
	if err != nil {
		item.Err = pay.AsError(err)
		return item
	}
	item.Found, item.Observations = pay.FoundObserved, []pay.Observation{observation}
	return item
}
