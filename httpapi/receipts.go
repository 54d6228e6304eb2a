package httpapi

import (
	"context"
	"net/http"

	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
)

const tagReceipts = "Receipts"

type receiptPath struct {
	ID string `path:"id" doc:"Id of the receipt" example:"rec_01jd5x3v8c0000000000000000_1"`
}

func (a *API) serveReceipts() {
	write(a, route{
		id: "create-receipt", method: http.MethodPost, path: "/v1/payments/{id}/receipts", tag: tagReceipts, scope: ScopePayments,
		status: http.StatusCreated, keyed: true, doubt: true, fails: operationFails(), summary: "Register a payment's receipt",
		about:   "A receipt that fails never touches the payment.",
		example: map[string]any{"register_number": "0000000001012345", "fiscal_sign": "2718281828"},
	}, func(ctx context.Context, x *exchange, in *paymentPath, body *newReceipt) (*done[payments.ReceiptView], error) {
		if !isID(in.ID, "pay_") {
			return nil, notFound("no such payment")
		}
		return answerReceipt(a.config.Engine.Receipt(ctx, x.call(), in.ID, body.engine()))
	})
	write(a, route{
		id: "create-standalone-receipt", method: http.MethodPost, path: "/v1/receipts", tag: tagReceipts, scope: ScopePayments,
		status: http.StatusCreated, keyed: true, doubt: true, fails: operationFails(),
		summary: "Register a receipt that stands alone", about: "Of any tender: no payment of payhost belongs to it.",
		example: map[string]any{
			"connection": "smartpay-till-1", "register_number": "0000000001012345", "fiscal_sign": "2718281828",
			"total": exampleAmount("129900", "RUB"),
		},
	}, func(ctx context.Context, x *exchange, _ *struct{}, body *newLooseReceipt) (*done[payments.ReceiptView], error) {
		return answerReceipt(a.config.Engine.Receipt(ctx, x.call(), "", body.engine()))
	})
	read(a, route{
		id: "get-receipt", method: http.MethodGet, path: "/v1/receipts/{id}", tag: tagReceipts, scope: ScopePayments,
		fails: []int{404}, summary: "Get a receipt",
	}, a.getReceipt)
	read(a, route{
		id: "get-receipt-timeline", method: http.MethodGet, path: "/v1/receipts/{id}/timeline", tag: tagReceipts,
		scope: ScopePayments, fails: []int{404}, summary: "Get the timeline that a receipt stands in",
		about: "Of a receipt that stands alone its own, else that of its payment.",
	}, a.receiptTimeline)
}

func (a *API) getReceipt(ctx context.Context, _ *exchange, in *receiptPath) (*found[payments.ReceiptView], error) {
	if !isID(in.ID, "rec_") {
		return nil, notFound("no such receipt")
	}
	b, err := a.config.Engine.ReceiptBook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r := b.ReceiptOf(in.ID)
	if r == nil {
		return nil, notFound("no such receipt")
	}
	return &found[payments.ReceiptView]{payments.ViewReceipt(b, r)}, nil
}

func (a *API) receiptTimeline(ctx context.Context, _ *exchange, in *receiptPath) (*found[timelineOut], error) {
	if !isID(in.ID, "rec_") {
		return nil, notFound("no such receipt")
	}
	id := in.ID
	if book, _ := ledger.BookOf(id); id != ledger.ReceiptID(book, 0) { // one of a payment
		id = ledger.PaymentID(book)
	}
	entries, err := a.config.Engine.Timeline(ctx, id)
	if err != nil {
		return nil, err
	}
	return &found[timelineOut]{viewTimeline(entries)}, nil
}

func answerReceipt(answer payments.Answer, err error) (*done[payments.ReceiptView], error) {
	out, err := answered(answer, err, http.StatusCreated, func(b *ledger.Book) (payments.ReceiptView, bool) {
		r := b.ReceiptOf(answer.ReceiptID)
		if r == nil {
			return payments.ReceiptView{}, false
		}
		return payments.ViewReceipt(b, r), true
	})
	if out != nil {
		out.Location = "/v1/receipts/" + out.Body.ID
	}
	return out, err
}
