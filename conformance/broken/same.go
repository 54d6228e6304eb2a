package broken

import (
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/pay"
)

// ofSame are the plugins that say something else at every send.
func ofSame() []Plugin {
	return []Plugin{brokenRahmet("dated_refund", "adds the number of the attempt to a refund that it sends again",
		rahmetPlugin{refund: datedRefund}, "L2.same_body", "R3")} // it reads no error codes, either
}

// datedRefund sends what the plugin sends, and one field more. The simulator does not
// mind; a provider that holds a repeat against the first request would.
func datedRefund(p *rahmet.Provider, h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	if r.Attempt < 2 {
		return p.Refund(h, r)
	}
	whole, _ := r.Amount.Whole()
	var w form.Writer
	w.Add("merchant_order_id", r.Payment.Keys[0])
	w.AddInt("amount", whole)
	w.AddInt("attempt", int64(r.Attempt))
	request := sdk.PostForm("/orders/v1/preorder/refund", &w, sdk.Money)
	request.Auth = sdk.OAuth2("rahmet", 0)
	request.Header = append(request.Header, pay.Field{Name: "X-Idempotency-Key", Value: r.ProviderKey})
	response, err := h.Send(request)
	if err != nil {
		return nil, err
	}
	if response.Status != 200 || len(response.Body) < 2 || response.Body[0] != '{' {
		return nil, &pay.Error{Class: pay.ClassProtocol, Message: "answer is no success"}
	}
	return &pay.Result{Outcome: pay.OutcomeAccepted}, nil
}
