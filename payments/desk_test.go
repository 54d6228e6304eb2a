package payments_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// inDoubt are operations in doubt, and how to bring one about.
func inDoubt() map[string]func(*testing.T, *bench) payments.Answer {
	lose := func(b *bench, conn, path, statusPath string, run func() (payments.Answer, error)) payments.Answer {
		b.lose(conn, path, statusPath)
		answer, err := run()
		b.doubtful(answer, err)
		return answer
	}
	return map[string]func(*testing.T, *bench) payments.Answer{
		"create": func(_ *testing.T, b *bench) payments.Answer {
			return lose(b, rig.Rahmet, rahmetCreate, rahmetStatus, func() (payments.Answer, error) {
				return b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1"))
			})
		},
		"release": func(t *testing.T, b *bench) payments.Answer {
			book := boundTill(t, b)
			return lose(b, rig.SmartPay, smartRelease, smartStatus, func() (payments.Answer, error) {
				return b.Engine.Release(b.ctx(), b.call(), book.PaymentID(), pay.New(5000, pay.RUB))
			})
		},
		"refund": func(t *testing.T, b *bench) payments.Answer {
			book := paidRahmet(t, b)
			b.asksFirst()
			return lose(b, rig.Rahmet, rahmetRefund, rahmetStatus, func() (payments.Answer, error) {
				return b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)})
			})
		},
	}
}

// TestResolve ends doubts by an operator's word, with evidence only, and only doubts.
func TestResolve(t *testing.T) {
	t.Parallel()
	want := map[string]map[pay.Outcome]string{ // the payment, and the refund where there is one
		"create":  {pay.OutcomeApplied: "pending", pay.OutcomeDeclined: "failed", pay.OutcomeNotApplied: "failed"},
		"release": {pay.OutcomeApplied: "processing", pay.OutcomeDeclined: "pending", pay.OutcomeNotApplied: "pending"},
		"refund": {
			pay.OutcomeApplied: "succeeded succeeded", pay.OutcomeDeclined: "succeeded failed", pay.OutcomeNotApplied: "succeeded failed",
		},
	}
	onStores(t, func(t *testing.T, kind string) {
		for name, begin := range inDoubt() {
			for outcome, want := range want[name] {
				t.Run(name+"/"+outcome.String(), func(t *testing.T) {
					t.Parallel()
					b := newBench(t, kind, rig.Options{})
					resolve(t, b, begin(t, b), outcome, want)
				})
			}
		}
	})
}

func resolve(t *testing.T, b *bench, answer payments.Answer, outcome pay.Outcome, want string) {
	t.Helper()
	for what, proof := range map[string]payments.Proof{
		"no evidence":         {Outcome: outcome},
		"too much evidence":   {Outcome: outcome, Evidence: strings.Repeat("x", 4097)},
		"no outcome":          {Evidence: "a letter"},
		"doubt":               {Outcome: pay.OutcomeInDoubt, Evidence: "a letter"},
		"accepted":            {Outcome: pay.OutcomeAccepted, Evidence: "a letter"},
		"no outcome there is": {Outcome: 99, Evidence: "a letter"},
	} {
		_, err := b.Engine.Resolve(b.ctx(), "ann", answer.Operation, proof)
		b.refuses(what, err, pay.ClassInvalidRequest)
	}
	proof := payments.Proof{Outcome: outcome, Evidence: "ticket 17: the provider's letter"}
	book, err := b.Engine.Resolve(b.ctx(), "ann", answer.Operation, proof)
	if err != nil {
		t.Fatal(err)
	}
	got := book.Status.String()
	if r := book.Refund(answer.RefundID); r != nil {
		got += " " + r.Status.String()
	}
	if op := book.Operation(answer.Operation); got != want || op.Outcome != outcome || book.InDoubt() != nil {
		t.Errorf("%s, operation %s, want %s; in doubt %+v", got, op.Outcome, want, book.InDoubt())
	}
	entries, err := b.Engine.Timeline(b.ctx(), book.PaymentID())
	if err != nil {
		t.Fatal(err)
	}
	last := entries[len(entries)-1]
	wrote := ledger.Resolved{Operation: answer.Operation, Outcome: outcome, Evidence: proof.Evidence}
	if last.Actor != "operator:ann" || last.Body != ledger.Body(wrote) {
		t.Errorf("the last entry is by %s: %+v", last.Actor, last.Body)
	}
	_, err = b.Engine.Resolve(b.ctx(), "ann", answer.Operation, proof)
	b.refuses("resolve again", err, pay.ClassStateConflict)
	var events map[string]int
	waitFor(t, "the end of the doubt among the events", func() bool {
		events = b.events(book)
		return events[payments.EventDoubtEnded] > 0
	})
	if events[payments.EventInDoubt] != 1 || events[payments.EventDoubtEnded] != 1 {
		t.Errorf("events: %v", events)
	}
	b.folded(book)
}

// TestResolvedWrongly has an operator deny a refund that the provider made, and a
// release that it took: what is seen later counts, and is not sent twice in silence.
func TestResolvedWrongly(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		answer := inDoubt()["refund"](t, b)
		deny := payments.Proof{Outcome: pay.OutcomeNotApplied, Evidence: "somebody said so"}
		if _, err := b.Engine.Resolve(b.ctx(), "ann", answer.Operation, deny); err != nil {
			t.Fatal(err)
		}
		b.Kits()[rig.Rahmet].ClearFaults()
		settleRefunds(t, b)
		book, err := b.Engine.Probe(b.ctx(), answer.Operation)
		if err != nil {
			t.Fatal(err)
		}
		if book.Refunded().Minor != 100000 {
			t.Errorf("the provider gave 1000 back, the book says %s", book.Refunded())
		}
		_, err = b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: book.Paid.Money})
		b.refuses("the whole amount after that", err, pay.ClassInvalidRequest)
		b.folded(book)
	})
}

// TestDesk lists what is in doubt, the oldest first, receipts too, page by page.
func TestDesk(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		var want []string
		doubt := func(a payments.Answer, err error) {
			t.Helper()
			if err != nil || !a.InDoubt {
				t.Fatalf("%+v, %v", a, err)
			}
			want = append(want, a.Operation)
			b.Advance(time.Second)
		}
		newest := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("5")))
		b.lose(rig.Rahmet, rahmetCreate, rahmetStatus)
		doubt(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		b.fault(rig.SmartPay, simkit.Fault{Path: "/v2/purchase/fiscal", Kind: simkit.CutAfter})
		doubt(b.Engine.Receipt(b.ctx(), b.call(), "", payments.NewReceipt{
			Connection: rig.SmartPay, RegisterNumber: "0000000001012345", FiscalSign: "1", Total: pay.New(1, pay.RUB),
		}))
		doubt(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("2")))
		doubt(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("3")))
		b.lose(rig.YenilToleg, yenilCancel, yenilStatus+"*")
		doubt(b.Engine.Cancel(b.ctx(), b.call(), newest.PaymentID()))
		for _, size := range []int{0, 1, 2, 5} {
			var got []string
			cursor := ""
			for range 10 {
				page, next, err := b.Engine.InDoubt(b.ctx(), size, cursor)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range page {
					got = append(got, d.Doubt.Operation)
					if d.Due == "" || d.Book == nil || d.Doubt.Reason == "" || d.Doubt.Since.IsZero() {
						t.Errorf("row %+v", d)
					}
				}
				if cursor = next; next == "" {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages of %d (-want +got):\n%s", size, diff)
			}
		}
		for _, bad := range []struct {
			limit  int
			cursor string
		}{{-1, ""}, {201, ""}, {1, "x"}} {
			_, _, err := b.Engine.InDoubt(b.ctx(), bad.limit, bad.cursor)
			b.refuses("cursor "+bad.cursor, err, pay.ClassInvalidRequest)
		}
		if _, err := b.Engine.Resolve(b.ctx(), "ann", want[2], payments.Proof{Outcome: pay.OutcomeApplied, Evidence: "seen"}); err != nil {
			t.Fatal(err)
		}
		page, _, err := b.Engine.InDoubt(b.ctx(), 0, "")
		if err != nil || len(page) != 4 {
			t.Errorf("%d rows after one was resolved, %v", len(page), err)
		}
	})
}

// TestReceiptOnDesk loses the answer to a payment's receipt: an operator sees it,
// and the payment is held up by nothing.
func TestReceiptOnDesk(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := paidTill(t, b)
		if err := b.SmartPay.Kit().Fault(simkit.Fault{Path: "/v1/purchase/fiscal", Kind: simkit.CutAfter}); err != nil {
			t.Fatal(err)
		}
		answer, err := b.Engine.Receipt(b.ctx(), b.call(), book.PaymentID(), payments.NewReceipt{
			RegisterNumber: "0000000001012345", FiscalSign: "2718281828", Total: pay.New(5000, pay.RUB),
		})
		if err != nil || !answer.InDoubt {
			t.Fatalf("in doubt %t, error %v", answer.InDoubt, err)
		}
		list, _, err := b.Engine.InDoubt(b.ctx(), 10, "")
		if err != nil || len(list) != 1 || list[0].Doubt.Operation != answer.Operation {
			t.Errorf("desk: %+v, error %v", list, err)
		}
		yes := true
		page, err := b.Engine.Payments(b.ctx(), payments.Filter{InDoubt: &yes})
		if err != nil || len(page.Books) != 0 {
			t.Errorf("payments in doubt: %d, error %v", len(page.Books), err)
		}
		b.must(b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: pay.New(1000, pay.RUB)}))
	})
}

// TestAcknowledge ends the alerts of a payment by a person's word: the same
// contradiction seen again is no new one.
func TestAcknowledge(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("alert")))
	_, err := b.Engine.Acknowledge(b.ctx(), "ann", book.PaymentID(), "nothing to see")
	b.refuses("acknowledge without an alert", err, pay.ClassStateConflict)
	if err := b.Rahmet.Fault(simkit.Fault{
		Path: "/orders/v1/preorder/status", Kind: simkit.Answer,
		Body: `{"error_code":0,"status":"success","data":{"alert":{"is_paid":true,"reference":111,"amount":1}}}`,
	}); err != nil {
		t.Fatal(err)
	}
	book = b.until(book, time.Minute, func(bk *ledger.Book) bool { return bk.Alerts > 0 })
	page, err := b.Engine.Payments(b.ctx(), payments.Filter{Alerts: true})
	if err != nil || len(page.Books) != 1 || book.Status != pay.PaymentPending {
		t.Errorf("%d payments with alerts, error %v, payment is %s", len(page.Books), err, book.Status)
	}
	_, err = b.Engine.Acknowledge(b.ctx(), "ann", book.PaymentID(), "")
	b.refuses("acknowledge without a word", err, pay.ClassInvalidRequest)
	if book, err = b.Engine.Acknowledge(b.ctx(), "ann", book.PaymentID(), "ticket 9"); err != nil || book.Alerts != 0 {
		t.Errorf("alerts %d, error %v", book.Alerts, err)
	}
	b.Advance(time.Minute)
	b.work()
	if book = b.reload(book); book.Alerts != 0 {
		t.Errorf("the same contradiction again: %d alerts", book.Alerts)
	}
	b.folded(book)
}

// TestContradictingAnswer has a plugin say that the provider's answer is about another
// amount: nothing moves, and an operator is told, once.
func TestContradictingAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	book := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("other")))
	if err := b.YenilToleg.Move(book.ProviderRef, "Succeeded"); err != nil {
		t.Fatal(err)
	}
	if err := b.YenilToleg.Fault(simkit.Fault{
		Path: "/api/v1/payment/getPaymentStatus/*", Kind: simkit.Answer, Body: `{"status":"Succeeded","amount":35.46}`,
	}); err != nil {
		t.Fatal(err)
	}
	book = b.until(book, time.Minute, func(bk *ledger.Book) bool { return bk.Alerts > 0 })
	b.Advance(time.Minute)
	b.work()
	if book = b.reload(book); book.Alerts != 1 || book.Status != pay.PaymentPending || !book.Paid.IsZero() {
		t.Errorf("%d alerts, payment is %s, paid %s\n%s", book.Alerts, book.Status, book.Paid, b.timeline(book))
	}
	b.YenilToleg.ClearFaults()
	b.folded(b.until(book, time.Minute, status(pay.PaymentSucceeded)))
}
