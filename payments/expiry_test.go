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

const day = 24 * time.Hour

// pass lets time pass, from one due time to the next.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	end := b.Clock.Now().Add(d)
	for range 20_000 {
		next, ok := b.nextDue()
		if !ok || next.After(end) {
			b.Advance(end.Sub(b.Clock.Now()))
			return
		}
		b.Advance(max(0, next.Sub(b.Clock.Now())) + time.Millisecond)
		b.work()
	}
	b.t.Fatalf("something is due again and again before %s", end)
}

// shortRahmet is a payment that a payer has ten minutes for.
func (b *bench) shortRahmet(order string) *ledger.Book {
	b.t.Helper()
	p := rahmetPayment(order)
	p.ExpiresAt = b.Clock.Now().Add(10 * time.Minute)
	return b.must(b.Engine.Create(b.ctx(), b.call(), p))
}

// TestExpiryNeedsTheProvider lets the time to pay go by while the provider says
// nothing: our clock alone ends nothing. Its first word afterwards does.
func TestExpiryNeedsTheProvider(t *testing.T) {
	t.Parallel()
	silence := map[string]simkit.Fault{
		"down":    {Kind: simkit.CutBefore},
		"errors":  {Kind: simkit.Status, Status: 500},
		"rubbish": {Kind: simkit.HTML},
		"no word": {Kind: simkit.Answer, Body: `{"error_code":0,"status":"success","message":"","data":[]}`},
	}
	onStores(t, func(t *testing.T, kind string) {
		for name, fault := range silence {
			if kind == "postgres" && name != "down" {
				continue // the store makes no difference
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, kind, rig.Options{})
				book := b.shortRahmet("1")
				fault.Path = rahmetStatus
				b.fault(rig.Rahmet, fault)
				b.Advance(time.Hour) // nobody polls a provider that does not answer, for the test's sake
				b.pass(3 * day)
				if book = b.reload(book); book.Status != pay.PaymentPending || book.InDoubt() != nil {
					t.Fatalf("payment is %s\n%s", book.Status, b.timeline(book))
				}
				b.Kits()[rig.Rahmet].ClearFaults()
				book = b.until(book, 2*day, status(pay.PaymentExpired))
				if b.events(book)["payment.expired"] != 1 || book.EndedAt.IsZero() || book.Next != nil {
					t.Errorf("events %v, ended at %s, next %+v", b.events(book), book.EndedAt, book.Next)
				}
				b.folded(book)
			})
		}
	})
}

// TestExpiry has a provider that answers: the payment expires when the horizon behind
// its expiry is over, not before, and is paid up to then.
func TestExpiry(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book, paid := b.shortRahmet("1"), b.shortRahmet("2")
		over := book.ExpiresAt.Add(10 * time.Minute)
		b.pass(over.Sub(b.Clock.Now()) - time.Minute)
		if book = b.reload(book); book.Status != pay.PaymentPending {
			t.Fatalf("a minute before the horizon it is %s", book.Status)
		}
		if err := b.Rahmet.Move("2", "paid"); err != nil {
			t.Fatal(err)
		}
		b.until(paid, time.Hour, status(pay.PaymentSucceeded))
		book = b.until(book, time.Hour, status(pay.PaymentExpired))
		if late := b.Clock.Now().Sub(over); late < 0 || late > 5*time.Minute {
			t.Errorf("expired %s after the horizon", late)
		}
		b.folded(book)
	})
}

// TestExpiryOfATill needs nobody: the provider was never told of the payment.
func TestExpiryOfATill(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		p := tillPayment("t1")
		p.ExpiresAt = b.Clock.Now().Add(5 * time.Minute)
		short := b.must(b.Engine.Create(b.ctx(), b.call(), p))
		long := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("t2")))
		b.sends(rig.SmartPay, smartStatus, 0, func() {
			b.pass(4 * time.Minute)
			if short = b.reload(short); short.Status != pay.PaymentPending {
				t.Errorf("payment is %s before its time", short.Status)
			}
			short = b.until(short, 2*time.Minute, status(pay.PaymentExpired))
			_, err := b.Engine.Bind(b.ctx(), b.call(), short.PaymentID(), present(t, b))
			b.refuses("a code after the end", err, pay.ClassStateConflict)
			b.pass(23 * time.Hour)
			if long = b.reload(long); long.Status != pay.PaymentPending {
				t.Errorf("payment is %s before a day is over", long.Status)
			}
			long = b.until(long, 2*time.Hour, status(pay.PaymentExpired))
		})
		b.folded(short)
		b.folded(long)
		if due, ok := b.nextDue(); ok {
			t.Errorf("something is due at %s", due)
		}
	})
}

// lateCase brings a payment to an end, and then pays it.
type lateCase struct {
	conn string
	end  func(*testing.T, *bench) *ledger.Book
	pay  func(*bench, *ledger.Book) error
}

func lateCases() map[string]lateCase {
	yenil := func(b *bench, bk *ledger.Book) error { return b.YenilToleg.Move(bk.ProviderRef, "Succeeded") }
	return map[string]lateCase{
		"expired": {
			conn: rig.Rahmet, pay: func(b *bench, _ *ledger.Book) error { return b.Rahmet.Move("1", "paid") },
			end: func(_ *testing.T, b *bench) *ledger.Book {
				return b.until(b.shortRahmet("1"), time.Hour, status(pay.PaymentExpired))
			},
		},
		"canceled": {
			conn: rig.YenilToleg, pay: yenil,
			end: func(_ *testing.T, b *bench) *ledger.Book {
				book := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("1")))
				return b.must(b.Engine.Cancel(b.ctx(), b.call(), book.PaymentID()))
			},
		},
		"failed": {
			conn: rig.YenilToleg, pay: yenil,
			end: func(t *testing.T, b *bench) *ledger.Book {
				book := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("1")))
				if err := b.YenilToleg.Move(book.ProviderRef, "Failed"); err != nil {
					t.Fatal(err)
				}
				return b.until(book, time.Hour, status(pay.PaymentFailed))
			},
		},
	}
}

// TestLateSuccess pays after the end, under every policy: the payment succeeds, and
// what follows is what the policy says, once.
func TestLateSuccess(t *testing.T) {
	t.Parallel()
	policies := []payments.LatePolicy{"", payments.LateAccept, payments.LateReview, payments.LateAutoRefund}
	onStores(t, func(t *testing.T, kind string) {
		for name, c := range lateCases() {
			for _, policy := range policies {
				if kind == "postgres" && policy != payments.LateAutoRefund {
					continue // the store makes no difference
				}
				t.Run(name+"/"+string(policy), func(t *testing.T) {
					t.Parallel()
					o := rig.Options{}
					if policy != "" {
						o.Config.Late = map[string]payments.LatePolicy{c.conn: policy}
					}
					payLate(t, newBench(t, kind, o), c, policy)
				})
			}
		}
	})
}

func payLate(t *testing.T, b *bench, c lateCase, policy payments.LatePolicy) {
	t.Helper()
	book := c.end(t, b)
	b.pass(2 * day)
	if err := c.pay(b, book); err != nil {
		t.Fatal(err)
	}
	book = b.until(book, 2*day, status(pay.PaymentSucceeded))
	if !book.Reopened || book.Paid.IsZero() {
		t.Errorf("reopened %t, paid %s", book.Reopened, book.Paid)
	}
	if policy == payments.LateAutoRefund {
		b.pass(time.Minute)
		if c.conn == rig.Rahmet {
			settleRefunds(t, b)
		}
	}
	b.pass(10 * day)
	book = b.reload(book)
	alerts, refunds := 0, 0
	switch policy {
	case payments.LateReview:
		alerts = 1
	case payments.LateAutoRefund:
		refunds = 1
		if book.Refunded() != book.Paid {
			t.Errorf("refunded %s of %s\n%s", book.Refunded(), book.Paid, b.timeline(book))
		}
	}
	sent := 0
	for _, e := range b.Kits()[c.conn].Effects() {
		if e.Kind == simkit.Refund {
			sent++
		}
	}
	if book.Alerts != alerts || len(book.Refunds) != refunds || sent != refunds {
		t.Errorf("%d alerts, %d refunds, %d of them at the provider\n%s", book.Alerts, len(book.Refunds), sent, b.timeline(book))
	}
	events := b.events(book)
	if events["payment.succeeded"] != 1 || events[payments.EventAlert] != alerts || events["refund.succeeded"] != refunds {
		t.Errorf("events: %v", events)
	}
	b.folded(book)
}

// TestAutoRefundInDoubt loses the answer to the refund that a late success brings: it
// is given back once all the same.
func TestAutoRefundInDoubt(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{Config: payments.Config{
			Late: map[string]payments.LatePolicy{rig.Rahmet: payments.LateAutoRefund},
		}})
		book := b.until(b.shortRahmet("1"), time.Hour, status(pay.PaymentExpired))
		b.fault(rig.Rahmet, simkit.Fault{Path: rahmetRefund, Kind: simkit.CutAfter, Count: 3})
		if err := b.Rahmet.Move("1", "paid"); err != nil {
			t.Fatal(err)
		}
		b.pass(day)
		settleRefunds(t, b)
		b.pass(10 * day)
		if book = b.reload(book); book.Refunded() != book.Paid || len(book.Refunds) != 1 || book.InDoubt() != nil {
			t.Errorf("refunded %s of %s in %d refunds\n%s", book.Refunded(), book.Paid, len(book.Refunds), b.timeline(book))
		}
		b.agrees(book, rig.Rahmet)
	})
}

// TestAutoRefundIsNotForgotten has a late success be given back while the provider takes
// nothing, for an hour: it is given back once it does.
func TestAutoRefundIsNotForgotten(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{Config: payments.Config{
			Late: map[string]payments.LatePolicy{rig.Rahmet: payments.LateAutoRefund},
		}})
		book := b.until(b.shortRahmet("1"), time.Hour, status(pay.PaymentExpired))
		b.fault(rig.Rahmet, simkit.Fault{Path: rahmetRefund, Kind: simkit.Status, Status: 429})
		if err := b.Rahmet.Move("1", "paid"); err != nil {
			t.Fatal(err)
		}
		book = b.until(book, 2*day, status(pay.PaymentSucceeded))
		b.pass(time.Hour)
		b.Kits()[rig.Rahmet].ClearFaults()
		b.pass(day)
		settleRefunds(t, b)
		b.pass(10 * day)
		if book = b.reload(book); book.Refunded() != book.Paid || len(book.Refunds) != 1 || book.Alerts != 0 {
			t.Errorf("refunded %s of %s in %d refunds, %d alerts\n%s",
				book.Refunded(), book.Paid, len(book.Refunds), book.Alerts, b.timeline(book))
		}
		b.agrees(book, rig.Rahmet)
		b.folded(book)
	})
}

// TestAutoRefundThatFails never gets a late success back to the payer: an operator is
// told.
func TestAutoRefundThatFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{Config: payments.Config{
		Late: map[string]payments.LatePolicy{rig.YenilToleg: payments.LateAutoRefund},
	}})
	c := lateCases()["failed"]
	book := c.end(t, b)
	b.fault(rig.YenilToleg, simkit.Fault{Path: yenilRefund, Kind: simkit.Status, Status: 403})
	if err := c.pay(b, book); err != nil {
		t.Fatal(err)
	}
	b.pass(60 * day)
	book = b.reload(book)
	if book.Status != pay.PaymentSucceeded || len(book.Refunds) != 1 || book.Refunds[0].Status != pay.RefundFailed || book.Alerts != 1 {
		t.Errorf("payment is %s, %d alerts, refunds %+v\n%s", book.Status, book.Alerts, book.Refunds, b.timeline(book))
	}
	b.folded(book)
}
