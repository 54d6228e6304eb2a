package payments_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// TestContradictionProvesNoAbsence loses the answer to a refund that is never sent
// again, and has status show it in sums that don't add up. What payhost can't take is no
// proof that nothing went back: a merchant would give it back once more.
func TestContradictionProvesNoAbsence(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{Native: map[string]sdk.Provider{rig.Rahmet: careless{rahmet.New(), pay.IdempotencyNone}}})
		book := paidRahmet(t, b)
		b.asksFirst()
		b.fault(rig.Rahmet, simkit.Fault{Path: refundPath, Kind: simkit.CutAfter})
		b.fault(rig.Rahmet, simkit.Fault{Path: rahmetStatus, Kind: simkit.Answer, Body: `{"error_code":0,"status":"success","data":
			{"310":{"is_paid":true,"reference":9001,"amount":1490,"refund":{"refunded_amount":1000}}}}`})
		answer, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)})
		b.doubtful(answer, err)
		b.pass(3 * day)
		book = b.reload(book)
		if r := book.Refund(answer.RefundID); r.Status != pay.RefundPending || book.InDoubt() == nil || book.Alerts != 1 {
			t.Errorf("the refund is %s, %d alerts\n%s", r.Status, book.Alerts, b.timeline(book))
		}
		b.Kits()[rig.Rahmet].ClearFaults()
		settleRefunds(t, b)
		book = b.until(book, 2*day, func(bk *ledger.Book) bool { return bk.RefundPending().Minor == 0 })
		b.agrees(book, rig.Rahmet)
		b.folded(book)
	})
}

// TestRefundOnContradiction asks for the sum before a refund, and gets sums that don't
// add up: nothing is sent on them.
func TestRefundOnContradiction(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	book := paidRahmet(t, b)
	b.fault(rig.Rahmet, simkit.Fault{Path: rahmetStatus, Kind: simkit.Answer, Body: `{"error_code":0,"status":"success","data":
		{"310":{"is_paid":true,"reference":9001,"amount":1490,"refund":{"refunded_amount":1000}}}}`})
	call, part := b.call(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)}
	b.sends(rig.Rahmet, refundPath, 0, func() {
		_, err := b.Engine.Refund(b.ctx(), call, book.PaymentID(), part)
		b.refuses("refund on a contradiction", err, pay.ClassUnavailable)
	})
	b.Kits()[rig.Rahmet].ClearFaults()
	b.sends(rig.Rahmet, refundPath, 1, func() {
		b.must(b.Engine.Refund(b.ctx(), call, book.PaymentID(), part))
	})
}

// TestContradictionExpiresNothing has the provider say, after the time to pay, that
// another sum was paid. That is an alert, and not its word that the payment is unpaid.
func TestContradictionExpiresNothing(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := b.shortRahmet("1")
		b.fault(rig.Rahmet, simkit.Fault{
			Path: rahmetStatus, Kind: simkit.Answer,
			Body: `{"error_code":0,"status":"success","data":{"1":{"is_paid":true,"reference":111,"amount":2400}}}`,
		})
		b.Advance(time.Hour)
		b.pass(day)
		if book = b.reload(book); book.Status != pay.PaymentPending || book.Alerts != 1 {
			t.Errorf("payment is %s, %d alerts\n%s", book.Status, book.Alerts, b.timeline(book))
		}
		b.Kits()[rig.Rahmet].ClearFaults()
		b.folded(b.until(book, 2*day, status(pay.PaymentExpired)))
	})
}

// vague is a plugin that has seen a payment and does not know the provider's word for
// how it is.
type vague struct {
	*rahmet.Provider
	lost atomic.Bool
}

// Status says no more than that the payment is there.
func (v *vague) Status(h *sdk.Host, payments []pay.Ref) ([]pay.StatusItem, error) {
	items, err := v.Provider.Status(h, payments)
	for i := range items {
		if v.lost.Load() {
			items[i].Observations = []pay.Observation{{Subject: pay.SubjectPayment, ProviderState: "held"}}
		}
	}
	return items, err
}

// TestUnknownWordProvesNothing has a payment's time go by while the provider says of it
// what nobody knows: that it is not paid is not among it.
func TestUnknownWordProvesNothing(t *testing.T) {
	t.Parallel()
	v := &vague{Provider: rahmet.New()}
	b := newBench(t, "sqlite", rig.Options{Native: map[string]sdk.Provider{rig.Rahmet: v}})
	book := b.shortRahmet("1")
	v.lost.Store(true)
	b.Advance(time.Hour)
	b.pass(day)
	if book = b.reload(book); book.Status != pay.PaymentPending {
		t.Errorf("payment is %s\n%s", book.Status, b.timeline(book))
	}
	v.lost.Store(false)
	b.folded(b.until(book, 2*day, status(pay.PaymentExpired)))
}
