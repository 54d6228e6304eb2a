package payments_test

import (
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// TestRefundBehindPayhost has somebody give half of the money back at the provider's own
// desk. A refund by payhost that the provider then refuses in words nobody knows must
// not be taken for that one, though the sum has risen by enough.
func TestRefundBehindPayhost(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := paidRahmet(t, b)
		if err := b.Rahmet.Move(book.ProviderRef, "partially_refunded"); err != nil {
			t.Fatal(err)
		}
		b.fault(rig.Rahmet, simkit.Fault{
			Path: refundPath, Kind: simkit.Answer, Body: `{"error_code":77,"status":"error","message":"no"}`,
		})
		part := payments.NewRefund{Amount: pay.New(100000, pay.KZT)}
		answer, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), part)
		b.doubtful(answer, err)
		if got := answer.Book.Returned.Money; got != pay.New(125000, pay.KZT) {
			t.Errorf("what was given back before is %s", got)
		}
		book = b.until(answer.Book, 8*day, func(bk *ledger.Book) bool { return len(bk.Doubts(true)) == 0 })
		if got := book.Refund(answer.RefundID).Status; got != pay.RefundFailed {
			t.Errorf("the refund is %s, and the provider never did it\n%s", got, b.timeline(book))
		}
		b.folded(book)
	})
}

// TestRefundNeedsTheSum has a provider that does not say what was given back: a refund
// is not sent, and the same key sends it once it does.
func TestRefundNeedsTheSum(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simkit.Fault{
		"down":    {Kind: simkit.CutBefore},
		"no word": {Kind: simkit.Answer, Body: `{"error_code":0,"status":"success","message":"","data":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "sqlite", rig.Options{CallTimeout: time.Second})
			book := paidRahmet(t, b)
			fault.Path = rahmetStatus
			b.fault(rig.Rahmet, fault)
			call, part := b.call(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)}
			b.sends(rig.Rahmet, refundPath, 0, func() {
				_, err := b.Engine.Refund(b.ctx(), call, book.PaymentID(), part)
				b.refuses("refund without the sum", err, pay.ClassUnavailable)
				if e := pay.AsError(err); e.Advice != pay.AdviceRetrySameKey || e.Effect != pay.EffectNone {
					t.Errorf("advice %s, effect %s", e.Advice, e.Effect)
				}
			})
			b.Kits()[rig.Rahmet].ClearFaults()
			b.sends(rig.Rahmet, refundPath, 1, func() {
				b.must(b.Engine.Refund(b.ctx(), call, book.PaymentID(), part))
				b.must(b.Engine.Refund(b.ctx(), call, book.PaymentID(), part))
			})
			b.folded(b.reload(book))
		})
	}
}

// TestRefundInPart has the provider's sum rise by less than a refund in doubt: it may
// have kept a commission. That is no proof that the refund came to nothing, and not one
// that it was done; an operator is told.
func TestRefundInPart(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := paidRahmet(t, b)
		b.fault(rig.Rahmet, simkit.Fault{Path: refundPath, Kind: simkit.CutBefore})
		answer, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: pay.New(200000, pay.KZT)})
		b.doubtful(answer, err)
		if err := b.Rahmet.Move(book.ProviderRef, "partially_refunded"); err != nil { // half of it
			t.Fatal(err)
		}
		b.Advance(2 * time.Hour) // nobody polls meanwhile, for the test's sake
		b.pass(3 * day)
		book = b.reload(book)
		if r := book.Refund(answer.RefundID); r.Status != pay.RefundPending || book.InDoubt() == nil {
			t.Errorf("the refund is %s, in doubt %+v\n%s", r.Status, book.InDoubt(), b.timeline(book))
		}
		if book.Alerts != 1 || book.Alert.Field != "refund.amount" || !strings.Contains(book.Alert.Message, "given back 1250.00 KZT") {
			t.Errorf("%d alerts: %+v", book.Alerts, book.Alert)
		}
		b.folded(book)
	})
}

// asksFirst lets the next status call through, however broken status is behind it: the
// one before a refund.
func (b *bench) asksFirst() {
	b.t.Helper()
	b.fault(rig.Rahmet, simkit.Fault{Path: rahmetStatus, Kind: simkit.Slow, DelayMS: 1, Count: 1})
}

// TestRefundBehindARepeat has a refund be refused for the moment, and somebody give half
// of the money back at the provider's own desk before its caller comes again. What went
// back is not the refund: it was not made, and is by the same key.
func TestRefundBehindARepeat(t *testing.T) {
	t.Parallel()
	refused := simkit.Fault{Path: refundPath, Kind: simkit.Answer, Body: `{"error_code":77,"status":"error","message":"no"}`}
	for name, then := range map[string]*simkit.Fault{"made": nil, "refused": &refused} {
		for _, visited := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				onStores(t, func(t *testing.T, kind string) {
					b := newBench(t, kind, rig.Options{})
					book := paidRahmet(t, b)
					call, part := b.call(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)}
					b.fault(rig.Rahmet, simkit.Fault{Path: refundPath, Kind: simkit.Status, Status: 429, Count: 1})
					_, err := b.Engine.Refund(b.ctx(), call, book.PaymentID(), part)
					b.refuses("refund for now", err, pay.ClassRateLimited)
					if err := b.Rahmet.Move(book.ProviderRef, "partially_refunded"); err != nil {
						t.Fatal(err)
					}
					if visited {
						if book, err = b.Engine.Payment(b.ctx(), book.PaymentID(), true); err != nil || book.Refunds[0].Status != pay.RefundPending {
							t.Errorf("the refund is %s, error %v\n%s", book.Refunds[0].Status, err, b.timeline(book))
						}
					}
					want := pay.RefundSucceeded
					if then != nil {
						b.fault(rig.Rahmet, *then)
						want = pay.RefundFailed
					}
					answer, err := b.Engine.Refund(b.ctx(), call, book.PaymentID(), part)
					book = b.must(answer, err)
					if r := book.Refunds[0]; r.Status != pay.RefundPending || r.Base.Money != pay.New(125000, pay.KZT) {
						t.Errorf("the refund is %s, on top of %s\n%s", r.Status, r.Base, b.timeline(book))
					}
					if then == nil {
						settleRefunds(t, b)
					}
					book = b.until(book, 8*day, func(bk *ledger.Book) bool { return bk.Refunds[0].Status != pay.RefundPending })
					if got := book.Refunds[0].Status; got != want {
						t.Errorf("the refund is %s, want %s\n%s", got, want, b.timeline(book))
					}
					b.folded(book)
				})
			})
		}
	}
}
