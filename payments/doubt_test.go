package payments_test

import (
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// calls are the writing calls of the providers, and how to bring a payment to the
// point where one is made.
type doubtCase struct {
	name string
	conn string
	path string
	// before brings a payment to the step; run makes it.
	before func(*testing.T, *bench) *ledger.Book
	run    func(*bench, payments.Call, *ledger.Book) (payments.Answer, error)
	// effect is the money that may move at most once; "" for none.
	effect string
}

func doubtCases() []doubtCase {
	refund := func(amount pay.Money) func(*bench, payments.Call, *ledger.Book) (payments.Answer, error) {
		return func(b *bench, c payments.Call, book *ledger.Book) (payments.Answer, error) {
			return b.Engine.Refund(b.ctx(), c, book.PaymentID(), payments.NewRefund{Amount: amount})
		}
	}
	return []doubtCase{
		{
			name: "rahmet create", conn: rig.Rahmet, path: "/orders/v1/preorder/create", effect: "charge",
			run: func(b *bench, c payments.Call, _ *ledger.Book) (payments.Answer, error) {
				return b.Engine.Create(b.ctx(), c, rahmetPayment("300"))
			},
		},
		{
			name: "rahmet refund", conn: rig.Rahmet, path: "/orders/v1/preorder/refund", effect: "refund",
			before: paidRahmet, run: refund(pay.New(100000, pay.KZT)),
		},
		{
			name: "yeniltoleg create", conn: rig.YenilToleg, path: "/api/v1/payment/register", effect: "charge",
			run: func(b *bench, c payments.Call, _ *ledger.Book) (payments.Answer, error) {
				return b.Engine.Create(b.ctx(), c, yenilPayment("300"))
			},
		},
		{
			name: "yeniltoleg cancel", conn: rig.YenilToleg, path: "/api/v1/payment/cancel",
			before: func(_ *testing.T, b *bench) *ledger.Book {
				return b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("301")))
			},
			run: func(b *bench, c payments.Call, book *ledger.Book) (payments.Answer, error) {
				return b.Engine.Cancel(b.ctx(), c, book.PaymentID())
			},
		},
		{
			name: "yeniltoleg refund", conn: rig.YenilToleg, path: "/api/v1/payment/refund", effect: "refund",
			before: paidYenil, run: refund(pay.New(3545, pay.TMT)),
		},
		{
			name: "smartpay bind", conn: rig.SmartPay, path: "/v1/purchase/code/commit",
			before: func(_ *testing.T, b *bench) *ledger.Book {
				return b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("t1")))
			},
			run: func(b *bench, c payments.Call, book *ledger.Book) (payments.Answer, error) {
				return b.Engine.Bind(b.ctx(), c, book.PaymentID(), present(b.t, b))
			},
		},
		{
			name: "smartpay release", conn: rig.SmartPay, path: "/v1/purchase/release", effect: "charge",
			before: boundTill,
			run: func(b *bench, c payments.Call, book *ledger.Book) (payments.Answer, error) {
				return b.Engine.Release(b.ctx(), c, book.PaymentID(), pay.New(5000, pay.RUB))
			},
		},
		{
			name: "smartpay confirm", conn: rig.SmartPay, path: "/v1/purchase/kassa/status",
			before: authorizedTill,
			run: func(b *bench, c payments.Call, book *ledger.Book) (payments.Answer, error) {
				return b.Engine.Confirm(b.ctx(), c, book.PaymentID())
			},
		},
		{
			name: "smartpay cancel", conn: rig.SmartPay, path: "/v1/purchase/kassa/status",
			before: boundTill,
			run: func(b *bench, c payments.Call, book *ledger.Book) (payments.Answer, error) {
				return b.Engine.Cancel(b.ctx(), c, book.PaymentID())
			},
		},
		{
			name: "smartpay refund", conn: rig.SmartPay, path: "/v1/purchase/refund", effect: "refund",
			before: paidTill, run: refund(pay.New(2000, pay.RUB)),
		},
		{
			name: "smartpay receipt", conn: rig.SmartPay, path: "/v1/purchase/fiscal",
			before: paidTill,
			run: func(b *bench, c payments.Call, book *ledger.Book) (payments.Answer, error) {
				return b.Engine.Receipt(b.ctx(), c, book.PaymentID(), payments.NewReceipt{
					RegisterNumber: "0000000001012345", FiscalSign: "2718281828", Total: pay.New(5000, pay.RUB),
				})
			},
		},
	}
}

func paidRahmet(t *testing.T, b *bench) *ledger.Book {
	t.Helper()
	book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("310")))
	if err := b.Rahmet.Move("310", "payer_pays"); err != nil {
		t.Fatal(err)
	}
	return b.until(book, time.Minute, status(pay.PaymentSucceeded))
}

func paidYenil(t *testing.T, b *bench) *ledger.Book {
	t.Helper()
	book := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("310")))
	if err := b.YenilToleg.Move(book.ProviderRef, "Succeeded"); err != nil {
		t.Fatal(err)
	}
	return b.until(book, time.Minute, status(pay.PaymentSucceeded))
}

func boundTill(t *testing.T, b *bench) *ledger.Book {
	t.Helper()
	book := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("t2")))
	return b.must(b.Engine.Bind(b.ctx(), b.call(), book.PaymentID(), present(t, b)))
}

func authorizedTill(t *testing.T, b *bench) *ledger.Book {
	t.Helper()
	book := boundTill(t, b)
	book = b.must(b.Engine.Release(b.ctx(), b.call(), book.PaymentID(), pay.New(5000, pay.RUB)))
	return b.until(book, time.Minute, status(pay.PaymentAuthorized))
}

func paidTill(t *testing.T, b *bench) *ledger.Book {
	t.Helper()
	book := authorizedTill(t, b)
	return b.must(b.Engine.Confirm(b.ctx(), b.call(), book.PaymentID()))
}

// doubtFaults are the ways in which an answer gets lost.
func doubtFaults() map[string]simkit.Fault {
	return map[string]simkit.Fault{
		"cut before the effect":  {Kind: simkit.CutBefore},
		"cut after the effect":   {Kind: simkit.CutAfter},
		"500 without effect":     {Kind: simkit.Status, Status: 500},
		"500 with effect":        {Kind: simkit.Status, Status: 500, After: true},
		"html with effect":       {Kind: simkit.HTML, After: true},
		"truncated":              {Kind: simkit.Truncate},
		"slow past the deadline": {Kind: simkit.Slow, DelayMS: 1500},
	}
}

// TestDoubts loses the answer to every writing call in every way: the operation is
// in doubt, what depends on it is refused, and once the provider is well again the
// doubt ends with at most one effect.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for _, kind := range stores() {
		for _, c := range doubtCases() {
			for name, fault := range doubtFaults() {
				if kind == "postgres" && fault.Kind != simkit.CutBefore && fault.Kind != simkit.CutAfter {
					continue // the engine is the same: on this store two of them will do
				}
				t.Run(kind+"/"+c.name+"/"+name, func(t *testing.T) {
					t.Parallel()
					loseAnswer(t, kind, c, fault)
				})
			}
		}
	}
}

func loseAnswer(t *testing.T, kind string, c doubtCase, fault simkit.Fault) {
	b := newBench(t, kind, rig.Options{CallTimeout: time.Second})
	var book *ledger.Book
	if c.before != nil {
		book = c.before(t, b)
	}
	fault.Path, fault.Count = c.path, 2 // a host may send once more by itself
	kit := b.Kits()[c.conn]
	if err := kit.Fault(fault); err != nil {
		t.Fatal(err)
	}
	call := b.call()
	answer, err := c.run(b, call, book)
	if err != nil {
		t.Fatalf("error %v [%s]", err, pay.ClassOf(err))
	}
	if !answer.InDoubt {
		// A repeat within the call may have cleared it up; then it must have happened.
		if op := answer.Book.Operation(answer.Operation); op.Outcome != pay.OutcomeApplied && op.Outcome != pay.OutcomeAccepted {
			t.Fatalf("operation is %s\n%s", op.Outcome, b.timeline(answer.Book))
		}
	}
	kit.ClearFaults()
	settled := b.until(answer.Book, 8*24*time.Hour, func(bk *ledger.Book) bool { return len(bk.Doubts(true)) == 0 })
	op := settled.Operation(answer.Operation)
	t.Logf("ended as %s after %d attempt(s), payment %s", op.Outcome, op.Attempt, settled.Status)
	effects := 0
	for _, e := range kit.Effects() {
		if e.Kind == c.effect {
			effects++
		}
	}
	if effects > 1 {
		t.Errorf("%d effects of kind %s\n%s", effects, c.effect, b.timeline(settled))
	}
	b.agrees(settled, c.conn)
	b.folded(settled)
}

// agrees holds the settled book against the provider's truth about its last
// operation.
func (b *bench) agrees(book *ledger.Book, conn string) {
	b.t.Helper()
	charged, refunded := int64(0), int64(0)
	for _, e := range b.Kits()[conn].Effects() {
		switch {
		case e.Object != book.ProviderRef && e.Ref != book.OrderID && !contains(book.Keys(), e.Ref):
		case e.Kind == simkit.Charge:
			charged += e.Amount
		case e.Kind == simkit.Refund:
			refunded += e.Amount
		case e.Kind == simkit.Reversal:
			charged -= e.Amount
		}
	}
	if book.Status == pay.PaymentSucceeded && charged == 0 {
		b.t.Errorf("payment is succeeded, and the provider took nothing\n%s", b.timeline(book))
	}
	if book.Status.Final() && book.Status != pay.PaymentSucceeded && charged > 0 {
		b.t.Errorf("payment is %s, and the provider took %d\n%s", book.Status, charged, b.timeline(book))
	}
	if got := book.Refunded().Minor; got > refunded {
		b.t.Errorf("payhost says %d was refunded, the provider %d\n%s", got, refunded, b.timeline(book))
	}
	for i := range book.Refunds {
		if book.Refunds[i].Status == pay.RefundFailed && refunded > 0 {
			b.t.Errorf("refund is failed, and the provider gave back %d\n%s", refunded, b.timeline(book))
		}
	}
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}
