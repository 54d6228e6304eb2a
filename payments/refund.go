package payments

import (
	"context"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const maxReason = 500 // bytes of a refund's reason

// Refund gives money back. Where the provider shows refunds only as a sum, it is asked
// for that sum before a part is given back: what somebody gave back without payhost, at
// the provider's own desk, would be taken for this refund. If it does not tell, nothing
// is sent. A sum that shows all to be back says so of a whole refund, whoever did it.
func (e *Engine) Refund(ctx context.Context, call Call, payment string, r NewRefund) (Answer, error) {
	book, err := e.paymentBook(ctx, payment)
	if err != nil {
		return Answer{}, err
	}
	return e.refund(ctx, call, "api:"+call.Caller, book, r)
}

func (e *Engine) refund(ctx context.Context, call Call, actor string, book *ledger.Book, r NewRefund) (Answer, error) {
	if len(r.Reason) > maxReason {
		return Answer{}, invalid("reason", "is longer than 500 bytes")
	}
	alone := !e.hints(book).refundStatus
	return e.onBook(ctx, call, actor, book, step{
		op: pay.OpRefund, fields: r, amount: r.Amount, look: alone && r.Amount.Minor < book.Paid.Minor,
		check: func(conn *host.Connection, b *ledger.Book) error {
			if err := mayRefund(b, r.Amount, alone); err != nil {
				return err
			}
			back := pay.New(b.Refunded().Minor+b.RefundPending().Minor, r.Amount.Currency)
			return conn.CheckRefund(pay.RefundRequest{Payment: b.Ref(), Amount: r.Amount, Paid: b.Paid.Money, Refunded: back})
		},
		guard: func(b *ledger.Book) error { return mayRefund(b, r.Amount, alone) },
		shape: func(b *ledger.Book, op *ledger.Operation, a *attempt) {
			op.Refund = ledger.RefundID(b.ID, len(b.Refunds)+1)
			a.reason = r.Reason
		},
		answer: func(answer *Answer, op *ledger.Operation) { answer.RefundID = op.Refund },
	})
}

// ConfirmRefund acknowledges a refund at the till.
func (e *Engine) ConfirmRefund(ctx context.Context, call Call, payment, refund string) (Answer, error) {
	return e.closeRefund(ctx, call, payment, refund, pay.OpConfirmRefund)
}

// CancelRefund gives up waiting for a refund at the till.
func (e *Engine) CancelRefund(ctx context.Context, call Call, payment, refund string) (Answer, error) {
	return e.closeRefund(ctx, call, payment, refund, pay.OpCancelRefund)
}

func (e *Engine) closeRefund(
	ctx context.Context, call Call, payment, refund string, op pay.Operation,
) (Answer, error) {
	return e.onPayment(ctx, call, payment, step{
		op: op, object: refund,
		guard: func(b *ledger.Book) error { return mayCloseRefund(b, refund, op == pay.OpConfirmRefund) },
		shape: func(b *ledger.Book, o *ledger.Operation, _ *attempt) {
			o.Refund = refund
			if r := b.Refund(refund); r != nil {
				o.Amount = r.Amount
			}
		},
		answer: func(answer *Answer, _ *ledger.Operation) { answer.RefundID = refund },
	})
}

// Receipt registers fiscal data of a payment or, with an empty payment and
// r.Connection, data that stand alone. A receipt never touches the payment.
func (e *Engine) Receipt(ctx context.Context, call Call, payment string, r NewReceipt) (Answer, error) {
	if payment == "" {
		return e.loneReceipt(ctx, call, r)
	}
	return e.onPayment(ctx, call, payment, step{
		op: pay.OpReceipt, fields: r, amount: r.Total, request: request{Receipt: &r},
		check: func(conn *host.Connection, b *ledger.Book) error {
			return conn.CheckReceipt(receiptRequest(b, &r, pay.Intent{}))
		},
		guard: func(b *ledger.Book) error { return mayRegister(b) },
		shape: func(b *ledger.Book, op *ledger.Operation, _ *attempt) {
			op.Receipt = ledger.ReceiptID(b.ID, len(b.Receipts)+1)
		},
		answer: func(answer *Answer, op *ledger.Operation) { answer.ReceiptID = op.Receipt },
	})
}

// mayRegister keeps two receipts of one book from being sent at once, since both
// would be given the same number.
func mayRegister(b *ledger.Book) error {
	for i := range b.Operations {
		if o := &b.Operations[i]; o.Op == pay.OpReceipt && o.Running() {
			return inProgress("another receipt of the payment is being registered")
		}
	}
	return nil
}

func (e *Engine) loneReceipt(ctx context.Context, call Call, r NewReceipt) (Answer, error) {
	in := &intent{
		op: pay.OpReceipt, call: call, actor: "api:" + call.Caller, fields: r, request: request{Receipt: &r},
		scope: store.Scope{
			Caller: call.Caller, Connection: r.Connection, Operation: pay.OpReceipt.String(), Key: call.Key,
		},
		answer: func(answer *Answer, op *ledger.Operation) { answer.ReceiptID = op.Receipt },
	}
	in.decide = func(ctx context.Context, _ *ledger.Book) (*attempt, bool, error) {
		id := ledger.NewID()
		conn, err := in.begin(e, r.Connection, id)
		if err != nil {
			return nil, false, err
		}
		manifest, err := conn.Manifest()
		if err != nil {
			return nil, false, err
		}
		if !conn.Supports(pay.OpReceipt) {
			return nil, false, unsupported(pay.OpReceipt)
		}
		a := &attempt{
			engine: e, conn: conn, call: in.call, actor: in.actor, request: in.request,
			opened: &ledger.Opened{
				Receipt: true, Connection: r.Connection, Provider: manifest.ID, Caller: call.Caller, Revision: conn.Revision(),
			},
		}
		a.book = preview(id, in.actor, e, *a.opened)
		if err := conn.CheckReceipt(receiptRequest(a.book, &r, pay.Intent{})); err != nil {
			return nil, false, err
		}
		op := ledger.Operation{Op: pay.OpReceipt, Amount: ledger.Of(r.Total), Receipt: ledger.ReceiptID(id, 0)}
		return a, false, e.firstOperation(ctx, a, in, op)
	}
	return e.operate(ctx, in)
}
