package payments

import (
	"context"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// Bind submits the code that the payer shows at the till.
func (e *Engine) Bind(ctx context.Context, call Call, payment, code string) (Answer, error) {
	return e.onPayment(ctx, call, payment, step{
		op: pay.OpBind, fields: code, request: request{Code: code},
		check: func(conn *host.Connection, b *ledger.Book) error {
			return conn.CheckBind(pay.BindRequest{Payment: b.Ref(), Code: code})
		},
		guard: mayBind,
	})
}

// Release sends the amount for a bound code.
func (e *Engine) Release(ctx context.Context, call Call, payment string, amount pay.Money) (Answer, error) {
	return e.onPayment(ctx, call, payment, step{
		op: pay.OpRelease, fields: amount, amount: amount,
		check: func(conn *host.Connection, b *ledger.Book) error {
			return conn.CheckRelease(pay.PaymentRequest{Payment: b.Ref(), Amount: amount})
		},
		guard: func(b *ledger.Book) error { return mayRelease(b, amount) },
	})
}

// Confirm finishes an authorized payment. Confirming a succeeded one does nothing.
func (e *Engine) Confirm(ctx context.Context, call Call, payment string) (Answer, error) {
	return e.onPayment(ctx, call, payment, step{
		op: pay.OpConfirm, guard: mayConfirm,
		done: func(b *ledger.Book) bool { return b.Status == pay.PaymentSucceeded },
	})
}

// Cancel voids, unbinds or withdraws a payment. Canceling a canceled one does
// nothing.
func (e *Engine) Cancel(ctx context.Context, call Call, payment string) (Answer, error) {
	return e.onPayment(ctx, call, payment, step{
		op: pay.OpCancel, guard: mayCancel,
		done: func(b *ledger.Book) bool { return b.Status == pay.PaymentCanceled },
	})
}

// step is an operation on a payment that is there.
type step struct {
	op      pay.Operation
	object  string // what it is on besides the payment: a refund's id
	fields  any
	amount  pay.Money
	request request
	look    bool                                       // the provider is asked how the payment is before this is decided
	check   func(*host.Connection, *ledger.Book) error // nil for none
	guard   func(*ledger.Book) error
	done    func(*ledger.Book) bool // there is nothing to do; nil for never
	shape   func(*ledger.Book, *ledger.Operation, *attempt)
	answer  func(*Answer, *ledger.Operation)
}

// addressed is what an operation on a payment is asked for with. Which payment it is on
// is one of the fields: a key that was used for another one is refused, since whoever
// uses it twice has mixed up something, and money would move.
type addressed struct {
	Payment string
	Object  string // a refund's id
	Fields  any
}

func (e *Engine) onPayment(ctx context.Context, call Call, payment string, s step) (Answer, error) {
	book, err := e.paymentBook(ctx, payment)
	if err != nil {
		return Answer{}, err
	}
	return e.onBook(ctx, call, "api:"+call.Caller, book, s)
}

// onBook runs a step on a book.
func (e *Engine) onBook(ctx context.Context, call Call, actor string, book *ledger.Book, s step) (Answer, error) {
	in := &intent{
		op: s.op, call: call, actor: actor, book: book.ID, request: s.request, answer: s.answer, look: s.look,
		fields: addressed{book.PaymentID(), s.object, s.fields},
		scope:  store.Scope{Caller: call.Caller, Connection: book.Connection, Operation: s.op.String(), Key: call.Key},
	}
	if in.answer == nil {
		in.answer = func(*Answer, *ledger.Operation) {}
	}
	in.decide = func(ctx context.Context, b *ledger.Book) (*attempt, bool, error) { return e.decideStep(ctx, in, b, &s) }
	return e.operate(ctx, in)
}

func (e *Engine) decideStep(ctx context.Context, in *intent, b *ledger.Book, s *step) (*attempt, bool, error) {
	conn, err := in.begin(e, b.Connection, b.ID)
	if err != nil {
		return nil, false, err
	}
	// What the provider was never told of is withdrawn here, and nowhere else.
	local := s.op == pay.OpCancel && untold(b)
	if !local && !conn.Supports(s.op) {
		return nil, false, unsupported(s.op)
	}
	if s.check != nil {
		if err := s.check(conn, b); err != nil {
			return nil, false, err
		}
	}
	if s.done != nil && s.done(b) && free(b, "") == nil {
		return nil, true, nil
	}
	if err := s.guard(b); err != nil {
		return nil, false, err
	}
	if in.look {
		return nil, false, e.looked(ctx, in, conn, b)
	}
	a := &attempt{
		engine: e, conn: conn, call: in.call, actor: in.actor, book: b, request: in.request, guard: s.guard, local: local,
	}
	op := ledger.Operation{Op: s.op, Amount: ledger.Of(s.amount)}
	if s.shape != nil {
		s.shape(b, &op, a)
	}
	return a, false, e.firstOperation(ctx, a, in, op)
}
