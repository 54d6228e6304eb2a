package httpapi

import (
	"context"
	"net/http"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
)

const tagRefunds = "Refunds"

type refundPath struct {
	ID  string `path:"id" doc:"Id of the payment" example:"pay_01jd5x3v8c0000000000000000"`
	RID string `path:"rid" doc:"Id of the refund" example:"ref_01jd5x3v8c0000000000000000_1"`
}

type refundQuery struct {
	ID      string `path:"id" doc:"Id of the payment" example:"pay_01jd5x3v8c0000000000000000"`
	RID     string `path:"rid" doc:"Id of the refund" example:"ref_01jd5x3v8c0000000000000000_1"`
	Refresh bool   `query:"refresh" doc:"Ask the provider first, if anything is open"`
}

func (a *API) serveRefunds() {
	write(a, route{
		id: "create-refund", method: http.MethodPost, path: "/v1/payments/{id}/refunds", tag: tagRefunds, scope: ScopePayments,
		status: http.StatusCreated, keyed: true, doubt: true, fails: operationFails(), summary: "Give money back",
		about: "Every refund has its own key, even for equal amounts. The answer may be `pending`: follow the refund or the events. " +
			"A second refund is refused with `in_doubt` while an earlier one is in doubt.",
		example: map[string]any{"amount": exampleAmount("100000", "KZT"), "reason": "returned goods"},
	}, a.createRefund)
	read(a, route{
		id: "list-refunds", method: http.MethodGet, path: "/v1/payments/{id}/refunds", tag: tagRefunds, scope: ScopePayments,
		fails: []int{404}, summary: "List a payment's refunds",
	}, a.listRefunds)
	read(a, route{
		id: "get-refund", method: http.MethodGet, path: "/v1/payments/{id}/refunds/{rid}", tag: tagRefunds, scope: ScopePayments,
		fails: []int{404}, summary: "Get a refund",
	}, a.getRefund)
	write(a, a.refundStep("confirm", "Acknowledge a refund at the till"),
		func(ctx context.Context, x *exchange, in *refundPath, _ *nothing) (*done[payments.RefundView], error) {
			return onRefund(in, func() (payments.Answer, error) {
				return a.config.Engine.ConfirmRefund(ctx, x.call(), in.ID, in.RID)
			})
		})
	write(a, a.refundStep("cancel", "Give up waiting for a refund at the till"),
		func(ctx context.Context, x *exchange, in *refundPath, _ *nothing) (*done[payments.RefundView], error) {
			return onRefund(in, func() (payments.Answer, error) {
				return a.config.Engine.CancelRefund(ctx, x.call(), in.ID, in.RID)
			})
		})
}

func (a *API) refundStep(name, summary string) route {
	return route{
		id: name + "-refund", method: http.MethodPost, path: "/v1/payments/{id}/refunds/{rid}/" + name, tag: tagRefunds,
		scope: ScopePayments, keyed: true, doubt: true, optional: true, fails: operationFails(), summary: summary,
		about: "The body may be left out.",
	}
}

func (a *API) createRefund(
	ctx context.Context, x *exchange, in *paymentPath, body *newRefund,
) (*done[payments.RefundView], error) {
	if !isID(in.ID, "pay_") {
		return nil, notFound("no such payment")
	}
	refund := payments.NewRefund{Amount: body.Amount.money(), Reason: body.Reason}
	answer, err := a.config.Engine.Refund(ctx, x.call(), in.ID, refund)
	out, err := answerRefund(answer, err, answer.RefundID, http.StatusCreated)
	if out != nil {
		out.Location = "/v1/payments/" + out.Body.PaymentID + "/refunds/" + out.Body.ID
	}
	return out, err
}

func (a *API) listRefunds(ctx context.Context, _ *exchange, in *paymentQuery) (*found[refundList], error) {
	b, err := a.payment(ctx, in.ID, in.Refresh)
	if err != nil {
		return nil, err
	}
	out := refundList{Refunds: make([]payments.RefundView, 0, len(b.Refunds))}
	for i := range b.Refunds {
		out.Refunds = append(out.Refunds, payments.ViewRefund(b, &b.Refunds[i]))
	}
	return &found[refundList]{out}, nil
}

func (a *API) getRefund(ctx context.Context, _ *exchange, in *refundQuery) (*found[payments.RefundView], error) {
	if !refundOf(in.ID, in.RID) {
		return nil, notFound("no such refund")
	}
	b, err := a.payment(ctx, in.ID, in.Refresh)
	if err != nil {
		return nil, err
	}
	r := b.Refund(in.RID)
	if r == nil {
		return nil, notFound("no such refund")
	}
	return &found[payments.RefundView]{payments.ViewRefund(b, r)}, nil
}

func onRefund(in *refundPath, run func() (payments.Answer, error)) (*done[payments.RefundView], error) {
	if !isID(in.ID, "pay_") || !refundOf(in.ID, in.RID) {
		return nil, notFound("no such refund")
	}
	answer, err := run()
	return answerRefund(answer, err, in.RID, http.StatusOK)
}

func answerRefund(answer payments.Answer, err error, id string, status int) (*done[payments.RefundView], error) {
	return answered(answer, err, status, func(b *ledger.Book) (payments.RefundView, bool) {
		r := b.Refund(id)
		if r == nil {
			return payments.RefundView{}, false
		}
		return payments.ViewRefund(b, r), true
	})
}

// refundOf reports whether a refund's id can be one of the payment's.
func refundOf(payment, refund string) bool {
	of, _ := ledger.BookOf(payment)
	book, ok := ledger.BookOf(refund)
	return ok && book == of && isID(refund, "ref_")
}
