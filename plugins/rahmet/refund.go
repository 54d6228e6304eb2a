package rahmet

import (
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// Refund asks for money back, whole or in part. The provider only accepts it; that
// it is done shows as a sum in status. The key goes along at every send, so a send
// whose answer was lost is repeated with the same key.
func (*Provider) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	s := settingsOf(h)
	if err := checkAmount(&s, r.Amount); err != nil {
		return nil, err
	}
	orderID, err := paidOrder(h, r)
	if err != nil {
		return nil, err
	}
	request := sdk.PostForm(pathRefund, refundForm(orderID, wireAmount(r.Amount)), sdk.Money)
	request.Header = append(request.Header, pay.Field{Name: headerRefundKey, Value: r.ProviderKey})
	a, err := send(h, request)
	if err != nil {
		return nil, err
	}
	if e := a.failure(); e != nil {
		return nil, e
	}
	return accepted(h, r, a)
}

// accepted reads the answer to a refund that the provider took. An empty one is as
// good as a full one, but what contradicts the request is an alarm.
func accepted(h *sdk.Host, r *pay.RefundRequest, a *answer) (*pay.Result, error) {
	got, ok := parseRefund(a.data)
	switch {
	case !ok:
		return nil, wrongField("amount of a refund")
	case got.key != "" && got.key != r.ProviderKey:
		return nil, &pay.Error{
			Class: pay.ClassIntegrity, Field: fieldIdempotencyKey, Message: "provider answers for another refund key",
		}
	case !got.requested.IsZero() && got.requested != r.Amount:
		return nil, &pay.Error{
			Class: pay.ClassIntegrity, Field: fieldRequestedAmount,
			Message: "provider took a refund of " + got.requested.String() + ", asked was " + r.Amount.String(),
		}
	}
	seen := pay.Observation{
		Subject: pay.SubjectRefund, Refund: pay.RefundPending, ProviderRef: got.id, ProviderKey: r.ProviderKey,
		Amount: got.requested,
	}
	if !got.amount.IsZero() && got.amount != r.Amount {
		h.Log(sdk.Info, "refund: amount differs from the requested one", "amount", got.amount.String())
		seen.Detail = "provider names " + got.amount.String() + " of the requested " + r.Amount.String()
	}
	return &pay.Result{
		Outcome: pay.OutcomeAccepted, ProviderRef: got.id, Observations: []pay.Observation{seen},
	}, nil
}

// paidOrder returns the order id to refund. A payment has several only after a
// create that was given up; then status tells which one took the money. Two that did
// are left to a person: a repeat of this refund must never meet another order.
func paidOrder(h *sdk.Host, r *pay.RefundRequest) (string, error) {
	keys := keysOf([]pay.Ref{r.Payment})
	switch len(keys) {
	case 0:
		return "", &pay.Error{Class: pay.ClassStateConflict, Message: "payment was never sent to the provider"}
	case 1:
		return keys[0], nil
	}
	found, err := ask(h, keys)
	if err != nil {
		return "", err
	}
	paid := ""
	for _, key := range keys {
		o, known := found.orders[key]
		switch {
		case found.failed[key] != nil:
			return "", found.failed[key]
		case !known:
		case o == nil:
			return "", unreadable()
		case o.tookMoney() && paid != "":
			return "", &pay.Error{
				Class: pay.ClassStateConflict, Advice: pay.AdviceOperator,
				Message: "orders " + paid + " and " + key + " of this payment are both paid: refund at the provider",
			}
		case o.tookMoney():
			paid = key
		}
	}
	if paid == "" {
		return "", &pay.Error{Class: pay.ClassStateConflict, Message: "no order of this payment is paid"}
	}
	return paid, nil
}
