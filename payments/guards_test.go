package payments_test

import (
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// lose makes a provider lose the answers at a path and answer no status, so that a
// doubt stays.
func (b *bench) lose(conn, path, statusPath string) {
	b.t.Helper()
	b.fault(conn, simkit.Fault{Path: path, Kind: simkit.CutAfter})
	b.fault(conn, simkit.Fault{Path: statusPath, Kind: simkit.Status, Status: 500})
}

// doubtful holds that an answer is in doubt, and returns its book.
func (b *bench) doubtful(a payments.Answer, err error) *ledger.Book {
	b.t.Helper()
	book := b.must(a, err)
	if !a.InDoubt || book.InDoubt() == nil || book.Operation(a.Operation).Outcome != pay.OutcomeInDoubt {
		b.t.Fatalf("operation is %s, not in doubt\n%s", book.Operation(a.Operation).Outcome, b.timeline(book))
	}
	return book
}

// TestDoubtOfRelease refuses what depends on a release in doubt, and goes on as soon
// as status tells.
func TestDoubtOfRelease(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := boundTill(t, b)
		id, amount := book.PaymentID(), pay.New(5000, pay.RUB)
		b.lose(rig.SmartPay, smartRelease, smartStatus)
		call := b.call()
		b.doubtful(b.Engine.Release(b.ctx(), call, id, amount))
		b.sends(rig.SmartPay, smartRelease, 0, func() {
			b.sends(rig.SmartPay, smartVerdict, 0, func() {
				asked := len(b.requests(rig.SmartPay, smartStatus))
				_, err := b.Engine.Release(b.ctx(), b.call(), id, amount)
				b.refuses("release", err, pay.ClassInDoubt)
				if e := pay.AsError(err); e.Advice != pay.AdviceProbe || e.Effect != pay.EffectNone {
					t.Errorf("advice %s, effect %s", e.Advice, e.Effect)
				}
				if len(b.requests(rig.SmartPay, smartStatus)) == asked {
					t.Error("refused without asking the provider first")
				}
				_, err = b.Engine.Release(b.ctx(), b.call(), id, pay.New(1, pay.RUB))
				b.refuses("release of another amount", err, pay.ClassInDoubt)
				_, err = b.Engine.Confirm(b.ctx(), b.call(), id)
				b.refuses("confirm", err, pay.ClassInDoubt)
				_, err = b.Engine.Cancel(b.ctx(), b.call(), id)
				b.refuses("cancel", err, pay.ClassInDoubt)
				same, err := b.Engine.Release(b.ctx(), call, id, amount)
				if b.doubtful(same, err); !same.Replayed {
					t.Error("the same key is no replay")
				}
			})
		})
		b.Kits()[rig.SmartPay].ClearFaults()
		b.sends(rig.SmartPay, smartRelease, 0, func() {
			_, err := b.Engine.Release(b.ctx(), b.call(), id, amount)
			b.refuses("release after status told of the first", err, pay.ClassStateConflict)
		})
		b.until(book, time.Minute, status(pay.PaymentAuthorized))
		book = b.must(b.Engine.Confirm(b.ctx(), b.call(), id))
		if book.Status != pay.PaymentSucceeded || book.InDoubt() != nil {
			t.Errorf("payment is %s, in doubt %+v", book.Status, book.InDoubt())
		}
		b.folded(book)
	})
}

// TestDoubtOfRefund refuses a second refund while the first may have happened. Once
// status can tell, the second asks it and goes through by itself.
func TestDoubtOfRefund(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := paidRahmet(t, b)
		part := payments.NewRefund{Amount: pay.New(100000, pay.KZT)}
		b.asksFirst()
		b.lose(rig.Rahmet, rahmetRefund, rahmetStatus)
		first := b.doubtful(b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), part))
		if got := first.RefundPending().Money; got != part.Amount {
			t.Errorf("pending %s", got)
		}
		_, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), part)
		b.refuses("second refund", err, pay.ClassInDoubt)
		sent := b.requests(rig.Rahmet, rahmetRefund) // the first may be sent again, by its key
		for _, r := range sent {
			if key := r.Header.Get("X-Idempotency-Key"); key == "" || key != sent[0].Header.Get("X-Idempotency-Key") {
				t.Errorf("refund was sent with key %q", key)
			}
		}
		b.Kits()[rig.Rahmet].ClearFaults()
		settleRefunds(t, b)
		book = b.must(b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), part))
		if r := book.Refund(ledger.RefundID(book.ID, 1)); r.Status != pay.RefundSucceeded {
			t.Errorf("the first is %s\n%s", r.Status, b.timeline(book))
		}
		settleRefunds(t, b)
		book = b.until(book, time.Hour, func(bk *ledger.Book) bool { return bk.RefundPending().Minor == 0 })
		if book.Refunded().Minor != 200000 {
			t.Errorf("refunded %s", book.Refunded())
		}
		b.agrees(book, rig.Rahmet)
		b.folded(book)
	})
}

// TestDoubtOfCreate refuses a new payment for an order while one of it may exist, and
// asks the provider before it does.
func TestDoubtOfCreate(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		b.lose(rig.Rahmet, rahmetCreate, rahmetStatus)
		call := b.call()
		book := b.doubtful(b.Engine.Create(b.ctx(), call, rahmetPayment("1")))
		b.sends(rig.Rahmet, rahmetCreate, 0, func() {
			asked := len(b.requests(rig.Rahmet, rahmetStatus))
			_, err := b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1"))
			b.refuses("another payment of the order", err, pay.ClassInDoubt)
			if len(b.requests(rig.Rahmet, rahmetStatus)) == asked {
				t.Error("refused without asking the provider first")
			}
			_, err = b.Engine.Create(b.ctx(), payments.Call{Caller: "kiosk", Key: "1"}, rahmetPayment("1"))
			b.refuses("another payment of the order, by another caller", err, pay.ClassInDoubt)
			b.doubtful(b.Engine.Create(b.ctx(), call, rahmetPayment("1")))
		})
		if page, err := b.Engine.Payments(b.ctx(), payments.Filter{OrderID: "1"}); err != nil || len(page.Books) != 1 {
			t.Errorf("%d payments of the order, %v", len(page.Books), err)
		}
		b.Kits()[rig.Rahmet].ClearFaults()
		if err := b.Rahmet.Move("1", "paid"); err != nil {
			t.Fatal(err)
		}
		other := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1"))) // clears up the doubt by itself
		if book = b.reload(book); book.Status != pay.PaymentSucceeded || book.InDoubt() != nil || other.ID == book.ID {
			t.Errorf("payment is %s, in doubt %+v", book.Status, book.InDoubt())
		}
		b.folded(book)
		b.folded(other)
	})
}

// TestDoubtOfAnotherCreate has a create wait to be repeated, while another payment of the
// order gets in doubt: the repeat is refused as a new one would be.
func TestDoubtOfAnotherCreate(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		b.fault(rig.Rahmet, simkit.Fault{Path: rahmetCreate, Kind: simkit.Status, Status: 429, Count: 1})
		call := b.call()
		_, err := b.Engine.Create(b.ctx(), call, rahmetPayment("1"))
		b.refuses("create for now", err, pay.ClassRateLimited)
		b.lose(rig.Rahmet, rahmetCreate, rahmetStatus)
		other := b.doubtful(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		b.sends(rig.Rahmet, rahmetCreate, 0, func() {
			_, err := b.Engine.Create(b.ctx(), call, rahmetPayment("1"))
			b.refuses("the repeat", err, pay.ClassInDoubt)
		})
		b.Kits()[rig.Rahmet].ClearFaults()
		b.until(other, time.Hour, settled)
		book := b.must(b.Engine.Create(b.ctx(), call, rahmetPayment("1")))
		if book.Status != pay.PaymentPending || book.ID == other.ID {
			t.Errorf("payment is %s\n%s", book.Status, b.timeline(book))
		}
		b.folded(book)
	})
}

// TestGuards asks for what a payment does not allow: nothing is sent and nothing
// written.
func TestGuards(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		id := func(bk *ledger.Book) string { return bk.PaymentID() }
		refund := func(bk *ledger.Book, m pay.Money) error {
			_, err := b.Engine.Refund(b.ctx(), b.call(), id(bk), payments.NewRefund{Amount: m})
			return err
		}
		release := func(bk *ledger.Book, m pay.Money) error {
			_, err := b.Engine.Release(b.ctx(), b.call(), id(bk), m)
			return err
		}
		confirm := func(bk *ledger.Book) error { _, err := b.Engine.Confirm(b.ctx(), b.call(), id(bk)); return err }
		cancel := func(bk *ledger.Book) error { _, err := b.Engine.Cancel(b.ctx(), b.call(), id(bk)); return err }
		bind := func(bk *ledger.Book, code string) error {
			_, err := b.Engine.Bind(b.ctx(), b.call(), id(bk), code)
			return err
		}
		rub := func(n int64) pay.Money { return pay.New(n, pay.RUB) }
		fresh := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("t9")))
		bound, authorized, paid := boundTill(t, b), authorizedTill(t, b), paidTill(t, b)
		link := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("1")))
		paths := []string{smartCommit, smartRelease, smartVerdict, smartRefund, smartRefunded}
		before := len(b.writes(rig.SmartPay, paths)) + len(b.writes(rig.YenilToleg, []string{yenilCancel, yenilRefund}))
		versions := b.versions(fresh, bound, authorized, paid, link)
		for _, test := range []struct {
			what  string
			err   error
			class pay.Class
		}{
			{"release without a code", release(fresh, rub(5000)), pay.ClassStateConflict},
			{"confirm without a code", confirm(fresh), pay.ClassStateConflict},
			{"refund without payment", refund(fresh, rub(1)), pay.ClassStateConflict},
			{"bind nothing", bind(fresh, ""), pay.ClassInvalidRequest},
			{"bind a second code", bind(bound, present(t, b)), pay.ClassStateConflict},
			{"release nothing", release(bound, pay.Money{}), pay.ClassInvalidRequest},
			{"release zero", release(bound, rub(0)), pay.ClassInvalidRequest},
			{"release less than nothing", release(bound, rub(-1)), pay.ClassInvalidRequest},
			{"release tenge", release(bound, pay.New(5000, pay.KZT)), pay.ClassInvalidRequest},
			{"confirm before the amount", confirm(bound), pay.ClassStateConflict},
			{"release again", release(authorized, rub(5000)), pay.ClassStateConflict},
			{"release more", release(authorized, rub(6000)), pay.ClassStateConflict},
			{"refund before confirm", refund(authorized, rub(1)), pay.ClassStateConflict},
			{"release a paid one", release(paid, rub(5000)), pay.ClassStateConflict},
			{"cancel a paid one", cancel(paid), pay.ClassStateConflict},
			{"refund too much", refund(paid, rub(5001)), pay.ClassInvalidRequest},
			{"refund zero", refund(paid, rub(0)), pay.ClassInvalidRequest},
			{"refund nothing", refund(paid, pay.Money{}), pay.ClassInvalidRequest},
			{"refund less than nothing", refund(paid, rub(-1)), pay.ClassInvalidRequest},
			{"refund tenge", refund(paid, pay.New(5000, pay.KZT)), pay.ClassInvalidRequest},
			{"bind at a page", bind(link, "x"), pay.ClassUnsupported},
			{"release at a page", release(link, pay.New(3545, pay.TMT)), pay.ClassUnsupported},
			{"confirm at a page", confirm(link), pay.ClassUnsupported},
			{"refund an unpaid page", refund(link, pay.New(3545, pay.TMT)), pay.ClassStateConflict},
		} {
			b.refuses(test.what, test.err, test.class)
		}
		after := len(b.writes(rig.SmartPay, paths)) + len(b.writes(rig.YenilToleg, []string{yenilCancel, yenilRefund}))
		if after != before {
			t.Errorf("%d writing requests were sent", after-before)
		}
		for i, n := range b.versions(fresh, bound, authorized, paid, link) {
			if n != versions[i] {
				t.Errorf("book %d has %d operations, had %d", i, n, versions[i])
			}
		}
	})
}

// writes are the requests at several paths.
func (b *bench) writes(conn string, paths []string) []simkit.Request {
	var list []simkit.Request
	for _, path := range paths {
		list = append(list, b.requests(conn, path)...)
	}
	return list
}

// TestRubbishCode scans what is no code: it is declined, and a good one can follow.
func TestRubbishCode(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("t1")))
		b.sends(rig.SmartPay, smartCommit, 0, func() {
			_, err := b.Engine.Bind(b.ctx(), b.call(), book.PaymentID(), "rubbish")
			b.refuses("rubbish", err, pay.ClassCodeInvalid)
		})
		book = b.must(b.Engine.Bind(b.ctx(), b.call(), book.PaymentID(), present(t, b)))
		if book.ProviderRef == "" || book.LastError != nil {
			t.Errorf("after a good code: ref %q, last error %+v", book.ProviderRef, book.LastError)
		}
		b.folded(book)
	})
}

// versions counts the operations of books.
func (b *bench) versions(books ...*ledger.Book) []int {
	b.t.Helper()
	var list []int
	for _, bk := range books {
		list = append(list, len(b.reload(bk).Operations))
	}
	return list
}

// TestNotFound uses ids that lead nowhere, or to something else.
func TestNotFound(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		lone, err := b.Engine.Receipt(b.ctx(), b.call(), "", payments.NewReceipt{
			Connection: rig.SmartPay, RegisterNumber: "0000000001012345", FiscalSign: "1", Total: pay.New(1, pay.RUB),
		})
		receipt := b.must(lone, err)
		book := paidTill(t, b)
		for _, id := range []string{
			"", "pay_", "pay_x", ledger.PaymentID(ledger.NewID()), receipt.PaymentID(), book.ID, "rec_" + book.ID,
			ledger.OperationID(book.ID, 1), book.PaymentID() + "_1", "PAY_" + book.ID,
		} {
			_, err := b.Engine.Payment(b.ctx(), id, true)
			b.refuses("payment "+id, err, pay.ClassNotFound)
			_, err = b.Engine.Refund(b.ctx(), b.call(), id, payments.NewRefund{Amount: pay.New(1, pay.RUB)})
			b.refuses("refund of "+id, err, pay.ClassNotFound)
			_, err = b.Engine.Cancel(b.ctx(), b.call(), id)
			b.refuses("cancel of "+id, err, pay.ClassNotFound)
		}
		for _, id := range []string{"", "ref_x", ledger.RefundID(book.ID, 1), ledger.RefundID(ledger.NewID(), 1)} {
			_, err := b.Engine.ConfirmRefund(b.ctx(), b.call(), book.PaymentID(), id)
			b.refuses("confirm refund "+id, err, pay.ClassNotFound)
		}
		for _, id := range []string{"", book.PaymentID(), ledger.OperationID(book.ID, 99), ledger.OperationID(ledger.NewID(), 1)} {
			_, err := b.Engine.Probe(b.ctx(), id)
			b.refuses("probe "+id, err, pay.ClassNotFound)
			_, err = b.Engine.Resolve(b.ctx(), "ann", id, payments.Proof{Outcome: pay.OutcomeApplied, Evidence: "x"})
			b.refuses("resolve "+id, err, pay.ClassNotFound)
		}
		for _, id := range []string{"", "rec_x", ledger.ReceiptID(book.ID, 1), ledger.ReceiptID(book.ID, 0)} {
			_, err := b.Engine.ReceiptBook(b.ctx(), id)
			b.refuses("receipt "+id, err, pay.ClassNotFound)
		}
	})
}

// TestConcurrentRefunds asks for more refunds at once than there is money.
func TestConcurrentRefunds(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := paidTill(t, b) // 50.00
		part := payments.NewRefund{Amount: pay.New(2000, pay.RUB)}
		for range 3 {
			var wg sync.WaitGroup
			for range 6 {
				call := b.call()
				wg.Go(func() {
					_, err := b.Engine.Refund(b.ctx(), call, book.PaymentID(), part)
					switch pay.ClassOf(err) {
					case 0, pay.ClassInProgress, pay.ClassInvalidRequest:
					default:
						t.Errorf("refund: %v [%s]", err, pay.ClassOf(err))
					}
				})
			}
			wg.Wait()
		}
		book = b.until(book, time.Hour, func(bk *ledger.Book) bool { return bk.RefundPending().Minor == 0 })
		if len(book.Refunds) != 2 || book.Refunded().Minor != 4000 {
			t.Errorf("%d refunds, %s in all\n%s", len(book.Refunds), book.Refunded(), b.timeline(book))
		}
		b.agrees(book, rig.SmartPay)
		b.folded(book)
	})
}

// TestCancelUntold withdraws a till's payment before a code is bound: the provider
// was never told, so nobody has to be.
func TestCancelUntold(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	book := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("untold")))
	call := b.call()
	book = b.must(b.Engine.Cancel(b.ctx(), call, book.PaymentID()))
	if book.Status != pay.PaymentCanceled {
		t.Errorf("payment is %s", book.Status)
	}
	if again, err := b.Engine.Cancel(b.ctx(), call, book.PaymentID()); err != nil || !again.Replayed {
		t.Errorf("again: replayed %t, error %v", again.Replayed, err)
	}
	if _, err := b.Engine.Bind(b.ctx(), b.call(), book.PaymentID(), present(t, b)); pay.ClassOf(err) != pay.ClassStateConflict {
		t.Errorf("bind after it: %v", err)
	}
	if sent := b.SmartPay.Kit().Requests(); len(sent) != 0 {
		t.Errorf("the provider got %d requests", len(sent))
	}
	b.folded(book)
}
