package payments_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// The paths of the providers that tests count.
const (
	rahmetCreate  = "/orders/v1/preorder/create"
	rahmetStatus  = "/orders/v1/preorder/status"
	rahmetRefund  = "/orders/v1/preorder/refund"
	yenilCreate   = "/api/v1/payment/register"
	yenilStatus   = "/api/v1/payment/getPaymentStatus/"
	yenilCancel   = "/api/v1/payment/cancel"
	yenilRefund   = "/api/v1/payment/refund"
	smartCommit   = "/v1/purchase/code/commit"
	smartRelease  = "/v1/purchase/release"
	smartVerdict  = "/v1/purchase/kassa/status"
	smartStatus   = "/v1/purchase/status"
	smartRefund   = "/v1/purchase/refund"
	smartRefunded = "/v1/purchase/refund/kassa/status"
)

// onStores runs a test on each store.
func onStores(t *testing.T, test func(t *testing.T, kind string)) {
	t.Helper()
	for _, kind := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, kind)
		})
	}
}

// requests are those that a provider got at a path, or under one that ends in a slash.
func (b *bench) requests(conn, path string) []simkit.Request {
	var list []simkit.Request
	for _, r := range b.Kits()[conn].Requests() {
		if r.Path == path || strings.HasSuffix(path, "/") && strings.HasPrefix(r.Path, path) {
			list = append(list, r)
		}
	}
	return list
}

// sends holds that a piece of work makes so many requests at a path.
func (b *bench) sends(conn, path string, want int, work func()) {
	b.t.Helper()
	before := len(b.requests(conn, path))
	work()
	if got := len(b.requests(conn, path)) - before; got != want {
		b.t.Errorf("%d requests to %s, want %d", got, path, want)
	}
}

// refuses holds that an error has a class.
func (b *bench) refuses(what string, err error, class pay.Class) {
	b.t.Helper()
	if pay.ClassOf(err) != class {
		b.t.Errorf("%s: %v [%s], want %s", what, err, pay.ClassOf(err), class)
	}
}

func (b *bench) fault(conn string, f simkit.Fault) {
	b.t.Helper()
	if err := b.Kits()[conn].Fault(f); err != nil {
		b.t.Fatal(err)
	}
}

// TestSameKey repeats every operation under its key: the answer is the same, and
// nothing is sent.
func TestSameKey(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		again := func(conn, path string, run func(payments.Call) (payments.Answer, error)) *ledger.Book {
			t.Helper()
			call := b.call()
			first, err := run(call)
			book := b.must(first, err)
			if first.Replayed {
				t.Errorf("%s: the first answer is said to be a replay", path)
			}
			b.sends(conn, path, 0, func() {
				second, err := run(call)
				if b.must(second, err); !second.Replayed || second.Operation != first.Operation || second.Book.ID != book.ID ||
					second.RefundID != first.RefundID || second.ReceiptID != first.ReceiptID {
					t.Errorf("%s: repeated, replayed %t: %+v, first %+v", path, second.Replayed, second, first)
				}
			})
			return book
		}
		book := again(rig.YenilToleg, yenilCreate, func(c payments.Call) (payments.Answer, error) {
			return b.Engine.Create(b.ctx(), c, yenilPayment("1"))
		})
		if err := b.YenilToleg.Move(book.ProviderRef, "Succeeded"); err != nil {
			t.Fatal(err)
		}
		book = b.until(book, time.Minute, status(pay.PaymentSucceeded))
		again(rig.YenilToleg, yenilRefund, func(c payments.Call) (payments.Answer, error) {
			return b.Engine.Refund(b.ctx(), c, book.PaymentID(), payments.NewRefund{Amount: book.Paid.Money})
		})
		other := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("2")))
		again(rig.YenilToleg, yenilCancel, func(c payments.Call) (payments.Answer, error) {
			return b.Engine.Cancel(b.ctx(), c, other.PaymentID())
		})
		till := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("3")))
		code, amount := present(t, b), pay.New(5000, pay.RUB)
		again(rig.SmartPay, smartCommit, func(c payments.Call) (payments.Answer, error) {
			return b.Engine.Bind(b.ctx(), c, till.PaymentID(), code)
		})
		again(rig.SmartPay, smartRelease, func(c payments.Call) (payments.Answer, error) {
			return b.Engine.Release(b.ctx(), c, till.PaymentID(), amount)
		})
		till = b.until(till, time.Minute, status(pay.PaymentAuthorized))
		again(rig.SmartPay, smartVerdict, func(c payments.Call) (payments.Answer, error) {
			return b.Engine.Confirm(b.ctx(), c, till.PaymentID())
		})
		again(rig.SmartPay, "/v1/purchase/fiscal", func(c payments.Call) (payments.Answer, error) {
			return b.Engine.Receipt(b.ctx(), c, till.PaymentID(), payments.NewReceipt{
				RegisterNumber: "0000000001012345", FiscalSign: "2718281828", Total: amount,
			})
		})
		again(rig.SmartPay, "/v1/purchase/fiscal", func(c payments.Call) (payments.Answer, error) {
			return b.Engine.Receipt(b.ctx(), c, "", payments.NewReceipt{
				Connection: rig.SmartPay, RegisterNumber: "0000000001012345", FiscalSign: "3141592653", Total: amount,
			})
		})
		b.folded(b.reload(till))
	})
}

// TestKeyScope uses one key for many things: only the same caller, connection and
// operation share it, and then the fields must be the same, the payment among them.
func TestKeyScope(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		call := payments.Call{Caller: "shop", Key: "1"}
		book := b.must(b.Engine.Create(b.ctx(), call, rahmetPayment("1")))
		changed := map[string]func(*payments.NewPayment){
			"amount":   func(p *payments.NewPayment) { p.Amount = pay.New(250100, pay.KZT) },
			"order":    func(p *payments.NewPayment) { p.OrderID = "2" },
			"return":   func(p *payments.NewPayment) { p.ReturnURL = "https://shop.example/other" },
			"metadata": func(p *payments.NewPayment) { p.Metadata = map[string]string{"a": "b"} },
			"customer": func(p *payments.NewPayment) { p.Customer.Name = "Another" },
		}
		b.sends(rig.Rahmet, rahmetCreate, 0, func() {
			for name, change := range changed {
				p := rahmetPayment("1")
				change(&p)
				_, err := b.Engine.Create(b.ctx(), call, p)
				b.refuses("same key, other "+name, err, pay.ClassKeyReused)
			}
		})
		caller := b.must(b.Engine.Create(b.ctx(), payments.Call{Caller: "kiosk", Key: "1"}, rahmetPayment("1")))
		conn := b.must(b.Engine.Create(b.ctx(), call, yenilPayment("1")))
		if caller.ID == book.ID || conn.ID == book.ID {
			t.Errorf("a key is shared by callers or connections: %s, %s, %s", book.ID, caller.ID, conn.ID)
		}
		for _, p := range []*ledger.Book{book, conn} { // one key, two payments, and the operation differs from create
			if err := b.Rahmet.Move("1", "paid"); p.Connection == rig.Rahmet && err != nil {
				t.Fatal(err)
			}
			if err := b.YenilToleg.Move(conn.ProviderRef, "Succeeded"); err != nil {
				t.Fatal(err)
			}
			p = b.until(p, time.Minute, status(pay.PaymentSucceeded))
			answer, err := b.Engine.Refund(b.ctx(), call, p.PaymentID(), payments.NewRefund{Amount: p.Paid.Money})
			if b.must(answer, err); answer.Replayed {
				t.Errorf("refund of %s is a replay of something", p.Connection)
			}
			_, err = b.Engine.Refund(b.ctx(), call, p.PaymentID(), payments.NewRefund{Amount: p.Paid.Money, Reason: "another"})
			b.refuses("refund, same key, other reason", err, pay.ClassKeyReused)
		}
		first := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("2")))
		second := b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("3")))
		b.must(b.Engine.Cancel(b.ctx(), call, first.PaymentID()))
		_, err := b.Engine.Cancel(b.ctx(), call, second.PaymentID())
		b.refuses("cancel, same key, another payment", err, pay.ClassKeyReused)
		if again := b.reload(second); again.Status != pay.PaymentPending {
			t.Errorf("the other payment is %s", again.Status)
		}
		for name, c := range map[string]payments.Call{
			"no key": {Caller: "shop"}, "no caller": {Key: "1"}, "long": {Caller: "shop", Key: fmt.Sprintf("%0256d", 1)},
		} {
			_, err := b.Engine.Create(b.ctx(), c, rahmetPayment("9"))
			b.refuses(name, err, pay.ClassInvalidRequest)
		}
	})
}

// TestOrderLikeAKey takes payments for an order whose id is the key that another order's
// payment went to the provider under, and for that other order again: each has a key of
// its own.
func TestOrderLikeAKey(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		for _, test := range []struct{ order, key string }{
			{"1", "1"}, {"1", "1-2"}, {"1-2", "1-2-2"}, {"1-2", "1-2-3"}, {"1", "1-3"}, {"2-2", "2-2"}, {"2", "2"}, {"2", "2-3"}, {"2-2", "2-2-2"},
		} {
			book := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment(test.order)))
			if got := book.Operations[0].ProviderKey; got != test.key || book.Operations[0].Outcome != pay.OutcomeApplied {
				t.Errorf("order %s went as %q, %s, want %q", test.order, got, book.Operations[0].Outcome, test.key)
			}
			b.folded(book)
		}
	})
}

// TestOrderIsBeingCreated takes a second payment for an order while the first is on its
// way: what comes of that may be in doubt, and then the payer could pay twice.
func TestOrderIsBeingCreated(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		var b *bench
		held := false
		b = newBench(t, kind, rig.Options{Config: payments.Config{Fault: func(point string) {
			if point != "create.after_write" || held {
				return
			}
			held = true
			b.sends(rig.Rahmet, rahmetCreate, 0, func() {
				_, err := b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1"))
				b.refuses("while the first is created", err, pay.ClassInProgress)
			})
			b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("2")))
		}}})
		first := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		second := b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1")))
		if first.ID == second.ID || !held {
			t.Errorf("payments %s and %s, held: %t", first.ID, second.ID, held)
		}
	})
}

// TestConcurrentSameKey asks for one payment 32 times at once.
func TestConcurrentSameKey(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		call := b.call()
		var wg sync.WaitGroup
		answers := make([]payments.Answer, 32)
		errs := make([]error, len(answers))
		b.sends(rig.Rahmet, rahmetCreate, 1, func() {
			for i := range answers {
				wg.Go(func() { answers[i], errs[i] = b.Engine.Create(b.ctx(), call, rahmetPayment("1")) })
			}
			wg.Wait()
		})
		fresh := 0
		for i, a := range answers {
			if b.must(a, errs[i]); a.Operation != answers[0].Operation || a.Book.Status != pay.PaymentPending || a.Book.Next == nil {
				t.Errorf("answer %d: %+v", i, a)
			}
			if !a.Replayed {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%d answers say that they are the first", fresh)
		}
	})
}

// twoPayhosts is two processes' worth of payhost in one world: on PostgreSQL each has
// a handle of its own.
func twoPayhosts(t *testing.T, kind string, o rig.Options) (*bench, *bench) {
	t.Helper()
	w := rig.NewWorld(t)
	if kind != "postgres" {
		s := openStoreOf(t, kind, w)
		return openBench(t, w, s, o), openBench(t, w, s, o)
	}
	database := pgtest.Database(t)
	open := func() *bench {
		s, err := store.OpenPostgres(t.Context(), database, store.Config{Now: w.Clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return openBench(t, w, s, o)
	}
	return open(), open()
}

// TestTwoProcessesOneKey has two processes asked for the same payment at once: one
// sends it, and the other says so until it can tell the answer.
func TestTwoProcessesOneKey(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		one, two := twoPayhosts(t, kind, rig.Options{})
		call := one.call()
		var wg sync.WaitGroup
		ids := make([]string, 32)
		one.sends(rig.YenilToleg, yenilCreate, 1, func() {
			for i := range ids {
				b := []*bench{one, two}[i%2]
				wg.Go(func() {
					for {
						a, err := b.Engine.Create(b.ctx(), call, yenilPayment("1"))
						if err == nil {
							ids[i] = a.Operation
							return
						}
						if pay.ClassOf(err) != pay.ClassInProgress {
							t.Errorf("answer %d: %v [%s]", i, err, pay.ClassOf(err))
							return
						}
					}
				})
			}
			wg.Wait()
		})
		for i := range ids {
			if ids[i] == "" || ids[i] != ids[0] {
				t.Errorf("operation %q, want %q", ids[i], ids[0])
			}
		}
	})
}

// TestInProgress asks a second process while the first still waits for the provider.
func TestInProgress(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		one, two := twoPayhosts(t, kind, rig.Options{})
		one.fault(rig.YenilToleg, simkit.Fault{Path: yenilCreate, Kind: simkit.Slow, DelayMS: 600_000})
		call, done := one.call(), make(chan error, 1)
		go func() {
			_, err := one.Engine.Create(one.ctx(), call, yenilPayment("1"))
			done <- err
		}()
		waitFor(t, "the provider to be asked", func() bool { return len(one.requests(rig.YenilToleg, yenilCreate)) == 1 })
		_, err := two.Engine.Create(two.ctx(), call, yenilPayment("1"))
		two.refuses("same key elsewhere", err, pay.ClassInProgress)
		if pay.AsError(err).Advice != pay.AdviceRetrySameKey {
			t.Errorf("advice %s", pay.AsError(err).Advice)
		}
		other := yenilPayment("1")
		other.Amount = pay.New(1, pay.TMT)
		_, err = two.Engine.Create(two.ctx(), call, other)
		two.refuses("same key elsewhere, other fields", err, pay.ClassKeyReused)
		page, err := two.Engine.Payments(two.ctx(), payments.Filter{OrderID: "1"})
		if err != nil || len(page.Books) != 1 {
			t.Fatalf("%d payments, %v", len(page.Books), err)
		}
		_, err = two.Engine.Cancel(two.ctx(), two.call(), page.Books[0].PaymentID())
		two.refuses("another operation meanwhile", err, pay.ClassInProgress)
		_ = one.YenilToleg.Close() // ends the slow answer
		if err := <-done; err != nil {
			t.Errorf("the first: %v", err)
		}
	})
}

// waitFor waits for something that another goroutine brings about.
func waitFor(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range 15000 {
		if is() {
			return
		}
		<-tick.C
	}
	t.Fatalf("waited in vain for %s", what)
}

// down is a payhost whose Yenil-Toleg can't be reached: nobody listens there.
func (b *bench) down(s store.Store) *bench {
	b.t.Helper()
	p := b.Providers()
	p.YenilToleg = "http://127.0.0.1:1"
	host, err := p.Open(b.ctx(), b.Clock, s, rig.Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := host.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return &bench{World: b.World, Payhost: host, t: b.t}
}

// TestRetrySameKey repeats what had no effect: it is sent again under the same keys.
func TestRetrySameKey(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		call := b.call()
		first, err := b.down(b.Store).Engine.Create(b.ctx(), call, yenilPayment("1"))
		b.refuses("nobody listens", err, pay.ClassUnavailable)
		if e := pay.AsError(err); e.Advice != pay.AdviceRetrySameKey || e.Effect != pay.EffectNone {
			t.Errorf("advice %s, effect %s", e.Advice, e.Effect)
		}
		if first.Book == nil || first.Book.Status != pay.PaymentCreated || first.Book.InDoubt() != nil {
			t.Fatalf("answer %+v", first)
		}
		b.fault(rig.YenilToleg, simkit.Fault{Path: yenilCreate, Kind: simkit.Status, Status: 429, Count: 1})
		_, err = b.Engine.Create(b.ctx(), call, yenilPayment("1"))
		b.refuses("too many", err, pay.ClassRateLimited)
		third, err := b.Engine.Create(b.ctx(), call, yenilPayment("1"))
		book := b.must(third, err)
		if op := book.Operation(third.Operation); op.Attempt != 3 || third.Operation != first.Operation || third.Replayed {
			t.Errorf("attempt %d of %s, first was %s", op.Attempt, third.Operation, first.Operation)
		}
		sent := b.requests(rig.YenilToleg, yenilCreate)
		if len(sent) != 2 || sent[0].Body != sent[1].Body {
			t.Errorf("%d requests, or their bodies differ: %+v", len(sent), sent)
		}
		if page, err := b.Engine.Payments(b.ctx(), payments.Filter{}); err != nil || len(page.Books) != 1 {
			t.Errorf("%d payments, %v", len(page.Books), err)
		}
		b.folded(book)
	})
}

// TestRetryIsBounded repeats what the provider keeps refusing to take.
func TestRetryIsBounded(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		b.fault(rig.YenilToleg, simkit.Fault{Path: yenilCreate, Kind: simkit.Status, Status: 429})
		call := b.call()
		b.sends(rig.YenilToleg, yenilCreate, 20, func() {
			for range 25 {
				_, err := b.Engine.Create(b.ctx(), call, yenilPayment("1"))
				b.refuses("too many", err, pay.ClassRateLimited)
			}
		})
	})
}

// TestAbandoned does not come back to repeat: the payment fails, and a late repeat of
// the same key sends nothing.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		b.fault(rig.YenilToleg, simkit.Fault{Path: yenilCreate, Kind: simkit.Status, Status: 429, Count: 1})
		call, began := b.call(), b.Clock.Now()
		answer, err := b.Engine.Create(b.ctx(), call, yenilPayment("1"))
		b.refuses("too many", err, pay.ClassRateLimited)
		book := b.until(answer.Book, time.Hour, status(pay.PaymentFailed))
		if waited := b.Clock.Now().Sub(began); waited < 15*time.Minute || waited > 16*time.Minute {
			t.Errorf("given up after %s", waited)
		}
		b.sends(rig.YenilToleg, yenilCreate, 0, func() {
			_, err := b.Engine.Create(b.ctx(), call, yenilPayment("1"))
			if e := pay.AsError(err); e == nil || e.Class != pay.ClassRateLimited || e.Advice != pay.AdviceNewAttempt {
				t.Errorf("repeat after it was given up: %v", err)
			}
		})
		b.folded(book)
		b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment("1")))
	})
}

// TestRepeatAfterTheOthers repeats an operation without effect after the payment has
// gone on under another key: it is not sent.
func TestRepeatAfterTheOthers(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := boundTill(t, b)
		b.fault(rig.SmartPay, simkit.Fault{Path: smartRelease, Kind: simkit.Status, Status: 429, Count: 1})
		late := b.call()
		_, err := b.Engine.Release(b.ctx(), late, book.PaymentID(), pay.New(7000, pay.RUB))
		b.refuses("too many", err, pay.ClassRateLimited)
		b.must(b.Engine.Release(b.ctx(), b.call(), book.PaymentID(), pay.New(5000, pay.RUB)))
		b.sends(rig.SmartPay, smartRelease, 0, func() {
			_, err := b.Engine.Release(b.ctx(), late, book.PaymentID(), pay.New(7000, pay.RUB))
			b.refuses("repeat after another release", err, pay.ClassStateConflict)
		})
		book = b.until(book, time.Minute, status(pay.PaymentAuthorized))
		if book.Amount.Money != pay.New(5000, pay.RUB) {
			t.Errorf("amount %s", book.Amount)
		}
		b.folded(book)

		other := boundTill(t, b)
		b.fault(rig.SmartPay, simkit.Fault{Path: smartRelease, Kind: simkit.Status, Status: 429, Count: 1})
		late = b.call()
		_, err = b.Engine.Release(b.ctx(), late, other.PaymentID(), pay.New(7000, pay.RUB))
		b.refuses("too many", err, pay.ClassRateLimited)
		b.must(b.Engine.Cancel(b.ctx(), b.call(), other.PaymentID()))
		b.sends(rig.SmartPay, smartRelease, 0, func() {
			_, err := b.Engine.Release(b.ctx(), late, other.PaymentID(), pay.New(7000, pay.RUB))
			b.refuses("repeat after a cancel", err, pay.ClassStateConflict)
		})
	})
}

// TestBadRequestLeavesNoTrace refuses what can't be: no book, no entry, and the key
// is free for the request as it should have been.
func TestBadRequestLeavesNoTrace(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		payment payments.NewPayment
		spoil   func(*payments.NewPayment)
		class   pay.Class
	}{
		"tiyn":          {rahmetPayment("1"), func(p *payments.NewPayment) { p.Amount = pay.New(250050, pay.KZT) }, pay.ClassInvalidRequest},
		"no customer":   {yenilPayment("1"), func(p *payments.NewPayment) { p.Customer.Name = "" }, pay.ClassInvalidRequest},
		"currency":      {yenilPayment("1"), func(p *payments.NewPayment) { p.Amount = pay.New(3545, pay.KZT) }, pay.ClassInvalidRequest},
		"zero":          {yenilPayment("1"), func(p *payments.NewPayment) { p.Amount = pay.New(0, pay.TMT) }, pay.ClassInvalidRequest},
		"negative":      {rahmetPayment("1"), func(p *payments.NewPayment) { p.Amount = pay.New(-100, pay.KZT) }, pay.ClassInvalidRequest},
		"no amount":     {rahmetPayment("1"), func(p *payments.NewPayment) { p.Amount = pay.Money{} }, pay.ClassInvalidRequest},
		"no order":      {rahmetPayment("1"), func(p *payments.NewPayment) { p.OrderID = "" }, pay.ClassInvalidRequest},
		"option":        {rahmetPayment("1"), func(p *payments.NewPayment) { p.Options = []pay.Option{{Name: "color"}} }, pay.ClassInvalidRequest},
		"metadata":      {rahmetPayment("1"), func(p *payments.NewPayment) { p.Metadata = map[string]string{"": "x"} }, pay.ClassInvalidRequest},
		"past":          {rahmetPayment("1"), func(p *payments.NewPayment) { p.ExpiresAt = time.Now().Add(-time.Hour) }, pay.ClassInvalidRequest},
		"no connection": {yenilPayment("1"), func(p *payments.NewPayment) { p.Connection = "none" }, pay.ClassInvalidRequest},
	}
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		for name, test := range tests {
			call := b.call()
			bad := test.payment
			test.spoil(&bad)
			before := len(b.Kits()[test.payment.Connection].Requests())
			_, err := b.Engine.Create(b.ctx(), call, bad)
			b.refuses(name, err, test.class)
			if pay.AsError(err).Field == "" {
				t.Errorf("%s: error names no field: %v", name, err)
			}
			for _, r := range b.Kits()[test.payment.Connection].Requests()[before:] {
				t.Errorf("%s: sent %s %s", name, r.Method, r.Path)
			}
			b.untouched(name, call, bad.Connection)
			good := test.payment
			good.OrderID = "good " + name
			if good.Connection == rig.Rahmet {
				good.OrderID = "good-" + call.Key
			}
			b.must(b.Engine.Create(b.ctx(), call, good))
		}
	})
}

// untouched holds that a request left nothing behind.
func (b *bench) untouched(name string, call payments.Call, conn string) {
	b.t.Helper()
	books, err := b.Store.Books(b.ctx(), store.Query{OrderID: "1", Limit: 10})
	if err != nil || len(books) != 0 {
		b.t.Errorf("%s: %d books, %v", name, len(books), err)
	}
	scope := store.Scope{Caller: call.Caller, Connection: conn, Operation: "create", Key: call.Key}
	if claim, err := b.Store.Key(b.ctx(), scope); !errors.Is(err, store.ErrNotFound) {
		b.t.Errorf("%s: key is taken by %+v, %v", name, claim, err)
	}
}
