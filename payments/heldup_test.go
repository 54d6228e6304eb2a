package payments_test

import (
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/pay"
)

// slowly is a careless plugin that reads at the provider before it sends a refund, and
// is held up between the two.
type slowly struct {
	careless
	once   sync.Once
	holdUp func()
}

// Refund reads, waits, and sends.
func (s *slowly) Refund(h *sdk.Host, r *pay.RefundRequest) (*pay.Result, error) {
	var w form.Writer
	w.Add("merchant_order_ids[]", r.Payment.Keys[0])
	request := sdk.PostForm(rahmetStatus, &w, sdk.Read)
	request.Auth = sdk.OAuth2("rahmet", 0)
	if _, err := h.Send(request); err != nil {
		return nil, err
	}
	s.once.Do(s.holdUp)
	return s.careless.Refund(h, r)
}

// TestHeldUpBeforeItSends has a node stand still, as a machine that is moved does,
// after it has begun an attempt and before it sends. Another ends the attempt, since its
// lease is over, and the caller has it made again. The first must not send then: the
// provider knows no key, and would give the money back twice.
func TestHeldUpBeforeItSends(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		w := rig.NewWorld(t)
		s := openStoreOf(t, kind, w)
		first := &slowly{careless: careless{rahmet.New(), pay.IdempotencyNone}}
		b := openBench(t, w, s, rig.Options{Native: map[string]sdk.Provider{rig.Rahmet: first}})
		other := openBench(t, w, s, rig.Options{
			Native: map[string]sdk.Provider{rig.Rahmet: careless{rahmet.New(), pay.IdempotencyNone}},
		})
		book := paidRahmet(t, b)
		call, refund := b.call(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)}
		first.holdUp = func() {
			w.Clock.Advance(time.Minute)
			other.must(other.Engine.Refund(b.ctx(), call, book.PaymentID(), refund))
		}
		b.sends(rig.Rahmet, refundPath, 1, func() {
			answer, err := b.Engine.Refund(b.ctx(), call, book.PaymentID(), refund)
			after := b.must(answer, err)
			if op := after.Operation(answer.Operation); op.Outcome != pay.OutcomeAccepted || op.Attempt != 2 {
				t.Errorf("attempt %d is %s\n%s", op.Attempt, op.Outcome, b.timeline(after))
			}
		})
		b.folded(b.reload(book))
	})
}

// TestHeldUpOnTheDoorstep has the node stand still a moment later: that the call is about
// to leave is written down. By the time it goes on, another node has found the attempt
// in doubt, status has proven twice that there was no effect, and the caller has asked
// anew.
func TestHeldUpOnTheDoorstep(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		w := rig.NewWorld(t)
		s := openStoreOf(t, kind, w)
		native := map[string]sdk.Provider{rig.Rahmet: careless{rahmet.New(), pay.IdempotencyNone}}
		other := openBench(t, w, s, rig.Options{Native: native})
		part := payments.NewRefund{Amount: pay.New(100000, pay.KZT)}
		var once sync.Once
		var book *ledger.Book
		b := openBench(t, w, s, rig.Options{Native: native, Config: payments.Config{Fault: func(point string) {
			if point == "refund.after_write" {
				once.Do(func() {
					w.Clock.Advance(time.Minute)
					other.until(book, day, func(bk *ledger.Book) bool { return bk.Refunds[0].Status == pay.RefundFailed })
					other.must(other.Engine.Refund(other.ctx(), other.call(), book.PaymentID(), part))
				})
			}
		}}})
		book = paidRahmet(t, b)
		b.sends(rig.Rahmet, refundPath, 1, func() {
			answer, err := b.Engine.Refund(b.ctx(), payments.Call{Caller: "shop", Key: "held up"}, book.PaymentID(), part)
			if err == nil {
				t.Errorf("refund is %s", answer.Book.Refund(answer.RefundID).Status)
			}
		})
		b.folded(b.reload(book))
	})
}
