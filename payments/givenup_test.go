package payments_test

import (
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// twoOrders is a payment whose first create lost its answer, and whose provider then
// refused to give that order's link again: it goes on as another order there.
func twoOrders(b *bench) *ledger.Book {
	b.t.Helper()
	b.fault(rig.Rahmet, simkit.Fault{Path: rahmetCreate, Kind: simkit.CutAfter, Count: 1})
	b.fault(rig.Rahmet, simkit.Fault{
		Path: rahmetCreate, Kind: simkit.Answer, Body: `{"error_code":77,"status":"error","message":"no"}`, Count: 1,
	})
	p := rahmetPayment("400")
	p.ExpiresAt = b.Clock.Now().Add(10 * time.Minute)
	answer, err := b.Engine.Create(b.ctx(), b.call(), p)
	b.doubtful(answer, err)
	book := b.until(answer.Book, time.Hour, func(bk *ledger.Book) bool { return bk.Next != nil })
	if keys := book.Keys(); len(keys) != 2 || book.Status != pay.PaymentPending {
		b.t.Fatalf("payment is %s, with the keys %q\n%s", book.Status, keys, b.timeline(book))
	}
	return book
}

// TestExpiryOfTwoOrders lets the time of such a payment go by: nobody has paid either
// order, the provider says so, and nothing stays in doubt.
func TestExpiryOfTwoOrders(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := b.until(twoOrders(b), 2*time.Hour, status(pay.PaymentExpired))
		if doubts := book.Doubts(true); len(doubts) > 0 {
			t.Errorf("in doubt: %+v\n%s", doubts, b.timeline(book))
		}
		b.agrees(book, rig.Rahmet)
		b.folded(book)
	})
}

// TestLatePayerOfTwoOrders pays the order whose link got lost, after all.
func TestLatePayerOfTwoOrders(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	book := b.until(twoOrders(b), 2*time.Hour, status(pay.PaymentExpired))
	if err := b.Rahmet.Move(book.Keys()[0], "paid"); err != nil {
		t.Fatal(err)
	}
	book = b.until(book, 2*day, status(pay.PaymentSucceeded))
	if !book.Reopened || len(book.Doubts(true)) > 0 {
		t.Errorf("reopened %t, in doubt %+v\n%s", book.Reopened, book.Doubts(true), b.timeline(book))
	}
	b.agrees(book, rig.Rahmet)
	b.folded(book)
}
