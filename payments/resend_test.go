package payments_test

import (
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/pay"
)

// careless is a plugin whose refund has no key, and which never looks before it
// sends: whoever calls it twice pays twice.
type careless struct {
	*rahmet.Provider
	kind pay.Idempotency
}

const refundPath = "/orders/v1/preorder/refund"

// Manifest declares what refund is.
func (c careless) Manifest() pay.Manifest {
	m := c.Provider.Manifest()
	for i := range m.Operations {
		if spec := &m.Operations[i]; spec.Operation == pay.OpRefund {
			*spec = pay.OperationSpec{Operation: pay.OpRefund, Idempotency: c.kind, MoneyCalls: 2}
		}
	}
	return m
}

// Refund sends whatever it is asked for.
func (c careless) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	whole, _ := r.Amount.Whole()
	var w form.Writer
	w.Add("merchant_order_id", r.Payment.Keys[0])
	w.AddInt("amount", whole)
	request := sdk.PostForm(refundPath, &w, sdk.Money)
	request.Auth = sdk.OAuth2("rahmet", 0)
	response, err := h.Send(request)
	if err != nil {
		return nil, err
	}
	if response.Status != 200 {
		return nil, &pay.Error{Class: pay.ClassProtocol, Message: "answer is no success"}
	}
	return &pay.Result{Outcome: pay.OutcomeAccepted}, nil
}

// TestNeverSentAgain loses the answer to a refund that the provider knows no key
// for: whatever happens in the weeks after, it is sent once. With effect, the
// provider's sum shows it; without, two looks beyond the horizon prove that it never
// was.
func TestNeverSentAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range []pay.Idempotency{pay.IdempotencyNone, pay.IdempotencyLookup} {
		for name, fault := range map[string]simkit.Fault{
			"with effect": {Kind: simkit.CutAfter}, "without effect": {Kind: simkit.CutBefore},
		} {
			t.Run(kind.String()+"/"+name, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, "sqlite", rig.Options{Native: map[string]sdk.Provider{rig.Rahmet: careless{rahmet.New(), kind}}})
				book := paidRahmet(t, b)
				fault.Path, fault.Count = refundPath, 1
				if err := b.Rahmet.Fault(fault); err != nil {
					t.Fatal(err)
				}
				call, refund := b.call(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)}
				answer, err := b.Engine.Refund(b.ctx(), call, book.PaymentID(), refund)
				if err != nil || !answer.InDoubt {
					t.Fatalf("in doubt %t, error %v", answer.InDoubt, err)
				}
				settleRefunds(t, b)
				settled := b.until(answer.Book, 15*24*time.Hour, func(bk *ledger.Book) bool { return len(bk.Doubts(true)) == 0 })
				want := pay.RefundSucceeded
				if fault.Kind == simkit.CutBefore {
					want = pay.RefundFailed
				}
				if got := settled.Refund(answer.RefundID).Status; got != want {
					t.Errorf("refund is %s, want %s\n%s", got, want, b.timeline(settled))
				}
				if again, _ := b.Engine.Refund(b.ctx(), call, book.PaymentID(), refund); again.RefundID != answer.RefundID {
					t.Errorf("the same key made %s, and before %s", again.RefundID, answer.RefundID)
				}
				sent := 0
				for _, r := range b.Rahmet.Requests() {
					if r.Path == refundPath {
						sent++
					}
				}
				if sent != 1 {
					t.Errorf("refund was sent %d times", sent)
				}
			})
		}
	}
}

// TestRevisionWithoutTheKey has a refund be in doubt that a plugin sent with a key, and
// then another revision which sends none. That the first could be repeated is no reason
// to have this one do it.
func TestRevisionWithoutTheKey(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		w := rig.NewWorld(t)
		s := openStoreOf(t, kind, w)
		old := openBench(t, w, s, rig.Options{})
		book := paidRahmet(t, old)
		old.fault(rig.Rahmet, simkit.Fault{Path: refundPath, Kind: simkit.CutAfter, Count: 2})
		answer, err := old.Engine.Refund(old.ctx(), old.call(), book.PaymentID(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)})
		old.doubtful(answer, err)
		b := openBench(t, w, s, rig.Options{
			Native: map[string]sdk.Provider{rig.Rahmet: careless{rahmet.New(), pay.IdempotencyLookup}},
		})
		b.sends(rig.Rahmet, refundPath, 0, func() {
			b.Clock.Advance(time.Minute) // the provider takes its time
			b.work()
			settleRefunds(t, b)
			book = b.until(book, 3*day, settled)
		})
		if book.Refunded().Minor != 100000 {
			t.Errorf("refunded %s\n%s", book.Refunded(), b.timeline(book))
		}
		b.agrees(book, rig.Rahmet)
		b.folded(book)
	})
}
