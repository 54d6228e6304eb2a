package payments_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// refuseAgain has Rahmet lose the answer to the next create, and then refuse to give
// that order's link again.
func refuseAgain(b *bench) {
	b.t.Helper()
	b.fault(rig.Rahmet, simkit.Fault{Path: rahmetCreate, Kind: simkit.CutAfter, Count: 1})
	b.fault(rig.Rahmet, simkit.Fault{
		Path: rahmetCreate, Kind: simkit.Answer, Body: `{"error_code":77,"status":"error","message":"no"}`, Count: 1,
	})
}

// twoOrders is a payment that goes on as another order at Rahmet, for that reason.
func twoOrders(b *bench) *ledger.Book {
	b.t.Helper()
	refuseAgain(b)
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

// meddled is a store with something done before the host looks for the key of a second
// order.
type meddled struct {
	store.Store
	meddle func()
	once   sync.Once
}

// Key implements [store.Store].
func (m *meddled) Key(ctx context.Context, scope store.Scope) (store.Claim, error) {
	if strings.HasPrefix(scope.Operation, "create pay_") {
		m.once.Do(m.meddle)
	}
	return m.Store.Key(ctx, scope)
}

// TestVisitWaitsForNoVisit has the first order be paid just when a visit is about to go on
// under the next one. It must not: but to ask the provider once more, as is done for a
// caller, would be to wait for the visit that it is part of.
func TestVisitWaitsForNoVisit(t *testing.T) {
	t.Parallel()
	w := rig.NewWorld(t)
	s := &meddled{Store: openStoreOf(t, "sqlite", w)}
	b := openBench(t, w, s, withSigned(newSigned()))
	refuseAgain(b)
	answer, err := b.Engine.Create(b.ctx(), b.call(), rahmetPayment("400"))
	book := b.doubtful(answer, err)
	s.meddle = func() {
		b.tell(nonce(book), word{Trust: pay.AuthenticityStrong, Key: book.Keys()[0], Status: pay.PaymentSucceeded})
	}
	b.Advance(time.Minute)
	done := make(chan error, 1)
	go func() {
		_, err := b.Engine.Payment(b.ctx(), book.PaymentID(), true)
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the visit waits for itself")
	}
	book = b.reload(book)
	if book.Status != pay.PaymentSucceeded || len(book.Keys()) != 1 {
		t.Errorf("payment is %s, with the keys %q\n%s", book.Status, book.Keys(), b.timeline(book))
	}
}

// interrupted is a store that fails once when the host looks for the key of a second order.
type interrupted struct {
	store.Store
	once sync.Once
}

// Key implements [store.Store].
func (f *interrupted) Key(ctx context.Context, scope store.Scope) (claim store.Claim, err error) {
	if strings.HasPrefix(scope.Operation, "create pay_") {
		f.once.Do(func() { err = store.ErrUnavailable })
	}
	if err != nil {
		return claim, err
	}
	return f.Store.Key(ctx, scope)
}

// TestNextOrderIsNotForgotten has the process fail between the refusal to give a link
// again and the next order. A later visit must place it: nothing else would end the doubt.
func TestNextOrderIsNotForgotten(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		w := rig.NewWorld(t)
		b := openBench(t, w, &interrupted{Store: openStoreOf(t, kind, w)}, rig.Options{})
		refuseAgain(b)
		answer, err := b.Engine.Create(b.ctx(), b.call(), rahmetPayment("400"))
		b.doubtful(answer, err)
		book := b.until(answer.Book, time.Hour, func(bk *ledger.Book) bool { return bk.Next != nil })
		if keys := book.Keys(); len(keys) != 2 || book.Status != pay.PaymentPending {
			t.Errorf("payment is %s, with the keys %q\n%s", book.Status, keys, b.timeline(book))
		}
		b.folded(book)
	})
}

// TestPaidTwice has somebody pay both orders of a payment: it succeeded, once, and an
// operator is told that one of the two must be given back.
func TestPaidTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	book := twoOrders(b)
	for _, order := range book.Keys() {
		if err := b.Rahmet.Move(order, "paid"); err != nil {
			t.Fatal(err)
		}
	}
	book = b.until(book, time.Hour, status(pay.PaymentSucceeded))
	if book.Alerts != 1 || !strings.Contains(book.Alert.Message, "both paid") || book.Paid != book.Amount {
		t.Errorf("%d alerts (%+v), paid %s\n%s", book.Alerts, book.Alert, book.Paid, b.timeline(book))
	}
	b.folded(book)
}

// TestEveryOrderRefused has Rahmet refuse every create in words that nobody knows. Each
// refusal may hide an order, so payhost tries the next key, but ever more rarely, as it
// does with all that is in doubt: it made two orders a second, for as long as that took.
// The payment still gets its link when the provider comes to itself.
func TestEveryOrderRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	b.fault(rig.Rahmet, simkit.Fault{
		Path: rahmetCreate, Kind: simkit.Answer, Body: `{"error_code":77,"status":"error","message":"no"}`,
	})
	answer, err := b.Engine.Create(b.ctx(), b.call(), rahmetPayment("400"))
	book := b.doubtful(answer, err)
	begun := b.Clock.Now()
	for _, tt := range []struct {
		after time.Duration
		most  int
	}{{time.Minute, 3}, {time.Hour, 6}, {day, 8}, {10 * day, 15}} {
		for next, ok := b.nextDue(); ok && next.Before(begun.Add(tt.after)); next, ok = b.nextDue() {
			b.Advance(max(0, next.Sub(b.Clock.Now())) + time.Millisecond)
			b.work()
			if keys := b.reload(book).Keys(); len(keys) > tt.most {
				t.Fatalf("after %s there are %d orders, want %d at most", b.Clock.Now().Sub(begun), len(keys), tt.most)
			}
		}
		if tt.after != day {
			continue
		}
		if keys := b.reload(book).Keys(); len(keys) < 4 {
			t.Fatalf("after a day the payment has the keys %q only", keys)
		}
	}
	book = b.reload(book)
	if book.InDoubt() == nil || book.Status != pay.PaymentCreated {
		t.Errorf("payment is %s, in doubt: %+v", book.Status, book.InDoubt())
	}
	b.folded(book)
}

// TestOrderAfterOutage has the same end after an hour: the next key gets the link.
func TestOrderAfterOutage(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	b.fault(rig.Rahmet, simkit.Fault{
		Path: rahmetCreate, Kind: simkit.Answer, Body: `{"error_code":77,"status":"error","message":"no"}`,
	})
	answer, err := b.Engine.Create(b.ctx(), b.call(), rahmetPayment("400"))
	book := b.doubtful(answer, err)
	begun := b.Clock.Now()
	for next, ok := b.nextDue(); ok && next.Before(begun.Add(time.Hour)); next, ok = b.nextDue() {
		b.Advance(max(0, next.Sub(b.Clock.Now())) + time.Millisecond)
		b.work()
	}
	b.Rahmet.ClearFaults()
	book = b.until(book, day, func(bk *ledger.Book) bool { return bk.Next != nil })
	b.agrees(book, rig.Rahmet)
	b.folded(book)
}
