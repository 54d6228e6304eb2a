package payments

import (
	"context"
	"crypto/sha256"
	"encoding/json"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// request is what an operation needs besides the book to be sent again. It holds
// personal data and payers' codes, so it is kept apart from the ledger and
// forgotten when the operation is settled.
type request struct {
	Create  *NewPayment `json:"create,omitempty"`
	Code    string      `json:"code,omitempty"`
	Receipt *NewReceipt `json:"receipt,omitempty"`
}

func (r request) empty() bool { return r.Create == nil && r.Code == "" && r.Receipt == nil }

func (r request) encode() []byte {
	b, err := json.Marshal(r)
	if err != nil { // texts, numbers and times can always be written
		panic("payments: request: " + err.Error())
	}
	return b
}

func decodeRequest(data []byte) (request, error) {
	var r request
	err := json.Unmarshal(data, &r)
	return r, err
}

// fingerprint is of the business fields of a request: equal requests have equal
// ones.
func fingerprint(fields any) []byte {
	b, err := json.Marshal(fields)
	if err != nil {
		panic("payments: fingerprint: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// send carries out one attempt of an operation on the host. reason is a refund's, for
// its first attempt: later ones find it in the book.
func (e *Engine) send(
	ctx context.Context, conn *host.Connection, b *ledger.Book, op *ledger.Operation, r request, reason string, j host.Journal,
) (host.Result, error) {
	intent := pay.Intent{Key: op.ID, ProviderKey: op.ProviderKey, Attempt: op.Attempt, Earlier: op.Earlier()}
	journal := host.WithJournal(j)
	switch op.Op {
	case pay.OpCreate:
		return conn.Create(ctx, e.createRequest(b, r.Create, intent), journal)
	case pay.OpBind:
		return conn.Bind(ctx, pay.BindRequest{Intent: intent, Payment: b.Ref(), Code: r.Code}, journal)
	case pay.OpRelease:
		return conn.Release(ctx, paymentRequest(b, op, intent), journal)
	case pay.OpConfirm:
		return conn.Confirm(ctx, paymentRequest(b, op, intent), journal)
	case pay.OpCancel:
		return conn.Cancel(ctx, paymentRequest(b, op, intent), journal)
	case pay.OpRefund:
		return conn.Refund(ctx, refundRequest(b, op, intent, reason), journal)
	case pay.OpConfirmRefund:
		return conn.ConfirmRefund(ctx, refundRequest(b, op, intent, ""), journal)
	case pay.OpCancelRefund:
		return conn.CancelRefund(ctx, refundRequest(b, op, intent, ""), journal)
	case pay.OpReceipt:
		return conn.Receipt(ctx, receiptRequest(b, r.Receipt, intent), journal)
	}
	return host.Result{}, &pay.Error{Class: pay.ClassUnsupported, Operation: op.Op, Message: "is no writing operation"}
}

func (e *Engine) createRequest(b *ledger.Book, p *NewPayment, intent pay.Intent) pay.CreateRequest {
	return pay.CreateRequest{
		Intent: intent, PaymentID: b.PaymentID(), OrderID: p.OrderID, Amount: p.Amount, Description: p.Description,
		ReturnURL: p.ReturnURL, FailURL: p.FailURL, NotificationURL: e.notificationURL(b), Customer: p.Customer,
		Lines: p.Lines, Locale: p.Locale, ExpiresAt: p.ExpiresAt, Options: p.Options,
	}
}

func paymentRequest(b *ledger.Book, op *ledger.Operation, intent pay.Intent) pay.PaymentRequest {
	r := pay.PaymentRequest{Intent: intent, Payment: b.Ref(), Amount: b.Amount.Money}
	if op.Op == pay.OpRelease {
		r.Amount, r.Payment.Amount = op.Amount.Money, op.Amount.Money
	}
	return r
}

func refundRequest(b *ledger.Book, op *ledger.Operation, intent pay.Intent, reason string) pay.RefundRequest {
	refund := b.Refund(op.Refund)
	r := pay.RefundRequest{Intent: intent, Payment: b.Ref(), Paid: b.Paid.Money, Amount: op.Amount.Money, Reason: reason}
	if refund == nil { // its first attempt, not written down yet
		r.Refund = pay.Ref{ID: op.Refund, OrderID: b.OrderID, Amount: op.Amount.Money, CreatedAt: op.BeganAt}
		r.Refunded = pay.New(b.Refunded().Minor+b.RefundPending().Minor, op.Amount.Currency)
		return r
	}
	r.Refund, r.Reason, r.Refunded = b.RefundRef(refund), refund.Reason, refund.Base.Money
	if r.Amount.IsZero() {
		r.Amount = refund.Amount.Money
	}
	return r
}

func receiptRequest(b *ledger.Book, n *NewReceipt, intent pay.Intent) pay.ReceiptRequest {
	r := pay.ReceiptRequest{
		Intent: intent, Code: n.Code, RegisterNumber: n.RegisterNumber, FiscalSign: n.FiscalSign, Total: n.Total,
		Lines: n.Lines, IssuedAt: n.IssuedAt,
	}
	if !b.Receipt {
		ref := b.Ref()
		r.Payment = &ref
	}
	return r
}
