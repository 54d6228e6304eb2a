package payments_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

func diffBooks(a, b *ledger.Book) string {
	one, _ := json.MarshalIndent(a, "", " ")
	two, _ := json.MarshalIndent(b, "", " ")
	return cmp.Diff(string(one), string(two))
}

// TestFlowRahmet lives a payment by link: paid, seen by polling, and partly given
// back twice, one refund at a time since the provider shows only their sum.
func TestFlowRahmet(t *testing.T) {
	t.Parallel()
	for _, kind := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, kind, rig.Options{})
			book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("100")))
			if book.Status != pay.PaymentPending || book.Next == nil || book.Next.Type != pay.NextRedirect || book.ProviderRef == "" {
				t.Fatalf("after create: %s, next %+v", book.Status, book.Next)
			}
			if err := b.Rahmet.Move("100", "payer_pays"); err != nil {
				t.Fatal(err)
			}
			book = b.until(book, time.Minute, status(pay.PaymentSucceeded))
			if book.Paid.Money != pay.New(250000, pay.KZT) {
				t.Errorf("paid %s", book.Paid)
			}
			part := payments.NewRefund{Amount: pay.New(100000, pay.KZT), Reason: "one pizza less"}
			answer, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), part)
			book = b.must(answer, err)
			if r := book.Refund(answer.RefundID); r == nil || r.Status != pay.RefundPending {
				t.Fatalf("refund %+v", r)
			}
			if _, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), part); pay.ClassOf(err) != pay.ClassStateConflict {
				t.Errorf("a second refund while one is pending: %v", err)
			}
			settleRefunds(t, b)
			book = b.until(book, time.Hour, func(bk *ledger.Book) bool { return bk.Refund(answer.RefundID).Status == pay.RefundSucceeded })
			if book.Refunded().Money != part.Amount {
				t.Errorf("refunded %s", book.Refunded())
			}
			if _, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: pay.New(200000, pay.KZT)}); pay.AsError(err).Field != "amount.value" {
				t.Errorf("a refund above the rest: %v", err)
			}
			if _, err := b.Engine.Cancel(b.ctx(), b.call(), book.PaymentID()); pay.ClassOf(err) != pay.ClassUnsupported {
				t.Errorf("cancel: %v", err)
			}
			b.folded(book)
		})
	}
}

func settleRefunds(t *testing.T, b *bench) {
	t.Helper()
	for _, o := range b.Rahmet.Objects() {
		if o.Kind == "refund" {
			if err := b.Rahmet.Move(o.ID, "settled"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestFlowYenilToleg pays one payment and gives it back whole, and withdraws
// another.
func TestFlowYenilToleg(t *testing.T) {
	t.Parallel()
	for _, kind := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, kind, rig.Options{})
			book := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("200")))
			if err := b.YenilToleg.Move(book.ProviderRef, "Succeeded"); err != nil {
				t.Fatal(err)
			}
			book = b.until(book, time.Minute, status(pay.PaymentSucceeded))
			answer, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: book.Paid.Money})
			book = b.must(answer, err)
			if r := book.Refund(answer.RefundID); r.Status != pay.RefundSucceeded {
				t.Errorf("refund is %s", r.Status)
			}
			b.folded(book)
			other := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("201")))
			other = b.must(b.Engine.Cancel(b.ctx(), b.call(), other.PaymentID()))
			if other.Status != pay.PaymentCanceled {
				t.Errorf("canceled payment is %s", other.Status)
			}
			b.must(b.Engine.Cancel(b.ctx(), b.call(), other.PaymentID())) // again: nothing to do
			b.folded(other)
		})
	}
}

// TestFlowSmartPay lives a sale at a till: code, amount, confirm, receipt, refund.
func TestFlowSmartPay(t *testing.T) {
	t.Parallel()
	for _, kind := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, kind, rig.Options{})
			book := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("till-7")))
			if book.Next == nil || book.Next.Type != pay.NextPresentCode || !book.Amount.IsZero() {
				t.Fatalf("after create: next %+v, amount %s", book.Next, book.Amount)
			}
			id, amount := book.PaymentID(), pay.New(129900, pay.RUB)
			if _, err := b.Engine.Release(b.ctx(), b.call(), id, amount); pay.ClassOf(err) != pay.ClassStateConflict {
				t.Errorf("release before bind: %v", err)
			}
			code := present(t, b)
			book = b.must(b.Engine.Bind(b.ctx(), b.call(), id, code))
			if book.ProviderRef == "" || book.Next != nil {
				t.Errorf("after bind: ref %q, next %+v", book.ProviderRef, book.Next)
			}
			other := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("till-8")))
			if _, err := b.Engine.Bind(b.ctx(), b.call(), other.PaymentID(), code); pay.ClassOf(err) != pay.ClassCodeInvalid {
				t.Errorf("the same code again: %v", err)
			}
			if _, err := b.Engine.Confirm(b.ctx(), b.call(), id); pay.ClassOf(err) != pay.ClassStateConflict {
				t.Errorf("confirm before release: %v", err)
			}
			book = b.must(b.Engine.Release(b.ctx(), b.call(), id, amount))
			if _, err := b.Engine.Release(b.ctx(), b.call(), id, pay.New(1, pay.RUB)); pay.ClassOf(err) != pay.ClassStateConflict {
				t.Errorf("release of another amount: %v", err)
			}
			b.until(book, time.Minute, status(pay.PaymentAuthorized))
			book = b.must(b.Engine.Confirm(b.ctx(), b.call(), id))
			if book.Status != pay.PaymentSucceeded || book.Paid.Money != amount {
				t.Fatalf("after confirm: %s, paid %s", book.Status, book.Paid)
			}
			b.must(b.Engine.Confirm(b.ctx(), b.call(), id)) // again: nothing to do
			receipt, err := b.Engine.Receipt(b.ctx(), b.call(), id, payments.NewReceipt{
				RegisterNumber: "0000000001012345", FiscalSign: "2718281828", Total: amount,
			})
			book = b.must(receipt, err)
			if r := book.ReceiptOf(receipt.ReceiptID); r == nil || r.Status != pay.ReceiptRegistered {
				t.Errorf("receipt %+v", r)
			}
			refund, err := b.Engine.Refund(b.ctx(), b.call(), id, payments.NewRefund{Amount: pay.New(29900, pay.RUB)})
			book = b.must(refund, err)
			book = b.until(book, time.Minute, func(bk *ledger.Book) bool { return bk.Refund(refund.RefundID).Status == pay.RefundSucceeded })
			b.must(b.Engine.ConfirmRefund(b.ctx(), b.call(), id, refund.RefundID))
			b.folded(book)
			lone, err := b.Engine.Receipt(b.ctx(), b.call(), "", payments.NewReceipt{
				Connection: rig.SmartPay, RegisterNumber: "0000000001012345", FiscalSign: "3141592653", Total: amount,
			})
			if err != nil || lone.Book.ReceiptOf(lone.ReceiptID).Status != pay.ReceiptRegistered {
				t.Errorf("a receipt that stands alone: %+v, %v", lone, err)
			}
		})
	}
}

func present(t *testing.T, b *bench) string {
	t.Helper()
	code, err := b.SmartPay.PresentFlawed("user-1", "")
	if err != nil {
		t.Fatal(err)
	}
	return code
}
