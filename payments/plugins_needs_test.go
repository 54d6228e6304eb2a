package payments_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// bootPlugins is the plugins of a payhost in a world, with a SmartPay module in place of the native one.
func bootPlugins(t *testing.T, b *bench, file host.Source, logger hclog.Logger) *payments.Plugins {
	t.Helper()
	p := payments.NewPlugins(b.Host, b.Store, logger)
	if err := p.Boot(b.ctx(), "smartpay", file); err != nil {
		t.Fatal(err)
	}
	return p
}

func refusedFor(t *testing.T, err error, want string) {
	t.Helper()
	e := pay.AsError(err)
	if err == nil {
		t.Fatalf("not refused, want a refusal for %q", want)
	}
	if pay.ClassOf(err) != pay.ClassStateConflict || e.Effect != pay.EffectNone || !strings.Contains(e.Message, "lacks: "+want+";") {
		t.Errorf("error %v [%s], want a refusal for %q", err, pay.ClassOf(err), want)
	}
}

// TestSwapKeepsWhatIsNeeded puts a revision with fewer operations in place, or tries to,
// at every point of a till payment's life, by activation, by rollback and by a start.
func TestSwapKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	m, cache := pluginBuilds(t), rig.Cache(t)
	onStores(t, func(t *testing.T, kind string) {
		b, logs := newBench(t, kind, rig.Options{CacheDir: cache}), &syncBuffer{}
		p := bootPlugins(t, b, m.whole, hclog.New(&hclog.LoggerOptions{Output: logs}))
		runs := func(want host.Source) {
			t.Helper()
			if rev, _ := b.Host.Revision("smartpay"); rev.Digest() != want.SHA256 {
				t.Errorf("runs %.12s, want %.12s", rev.Digest(), want.SHA256)
			}
		}
		swap := func(lost string, do func() (store.Activation, error)) {
			t.Helper()
			if a, err := do(); err != nil || strings.Join(a.Lost, " ") != lost {
				t.Fatalf("lost %q, %v; want %q", a.Lost, err, lost)
			}
		}
		activate := func(of host.Source, force bool) func() (store.Activation, error) {
			return func() (store.Activation, error) { return p.Activate(b.ctx(), "ops", "smartpay", of.SHA256, force) }
		}
		rollback := func() (store.Activation, error) { return p.Rollback(b.ctx(), "ops", "smartpay", false) }
		const lost = "error_catalog refund_status confirm"
		if _, err := p.Push(b.ctx(), "ops", "smartpay", m.lean.Bytes); err != nil {
			t.Fatal(err)
		}
		b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1"))) // of another plugin
		swap(lost, activate(m.lean, false))                            // nobody needs any of it
		swap("", rollback)

		book := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("till-1")))
		other := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("till-2")))
		id, amount := book.PaymentID(), pay.New(129900, pay.RUB)
		_, err := activate(m.lean, false)()
		refusedFor(t, err, "confirm (2 of smartpay-till-1)")
		_, err = rollback() // to the lean one, which was in place before
		refusedFor(t, err, "confirm (2 of smartpay-till-1)")
		runs(m.whole)

		b.must(b.Engine.Cancel(b.ctx(), b.call(), other.PaymentID()))
		b.must(b.Engine.Bind(b.ctx(), b.call(), id, present(t, b)))
		book = b.must(b.Engine.Release(b.ctx(), b.call(), id, amount))
		b.until(book, time.Minute, status(pay.PaymentAuthorized))
		_, err = activate(m.lean, false)()
		refusedFor(t, err, "confirm (1 of smartpay-till-1)")
		b.must(b.Engine.Confirm(b.ctx(), b.call(), id))
		swap(lost, activate(m.lean, false)) // what ended needs nothing
		swap("", rollback)

		refund, err := b.Engine.Refund(b.ctx(), b.call(), id, payments.NewRefund{Amount: pay.New(29900, pay.RUB)})
		book = b.must(refund, err)
		_, err = activate(m.lean, false)()
		refusedFor(t, err, "refund_status (1 of smartpay-till-1)")

		again := bootPlugins(t, b, m.lean, nil) // a start with the lean one as a new file
		runs(m.whole)
		if problem := again.List()[0].Problem; !strings.Contains(problem, "refund_status (1 of smartpay-till-1)") {
			t.Errorf("problem %q", problem)
		}
		next := openBench(t, b.World, b.Store, rig.Options{CacheDir: cache}) // a start before any connection is made
		next.Host.Disconnect(rig.SmartPay)
		follower := bootPlugins(t, next, m.lean, nil)
		if problem := follower.List()[0].Problem; !strings.Contains(problem, "refund_status (1 of smartpay-till-1)") {
			t.Errorf("problem without connections %q", problem)
		}

		following, stop := context.WithCancel(b.ctx())
		done := make(chan struct{})
		go func() { follower.Follow(following); close(done) }()
		defer func() { stop(); <-done }()
		swap(lost, activate(m.lean, true))
		if text := logs.String(); !strings.Contains(text, "by force: plugin=smartpay by=ops") || !strings.Contains(text, "refund_status (1 of") {
			t.Errorf("the log does not say who insisted:\n%s", text)
		}
		runs(m.lean)
		forced, err := p.Activations(b.ctx(), "smartpay")
		if err != nil || !forced[0].Forced || forced[0].By != "ops" || forced[0].Needed != "refund_status (1 of smartpay-till-1)" ||
			strings.Join(forced[0].Lost, " ") != lost || forced[1].Forced || forced[1].Needed != "" {
			t.Errorf("the record does not say who insisted, and on what: %+v, %v", forced, err)
		}
		untilMet(t, func() bool { // what was insisted on here, others take
			rev, _ := next.Host.Revision("smartpay")
			return rev.Digest() == m.lean.SHA256
		})
		swap("", rollback)
		b.until(book, time.Minute, func(bk *ledger.Book) bool { return bk.Refund(refund.RefundID).Status == pay.RefundSucceeded })
		swap(lost, activate(m.lean, false))
	})
}

// TestUnneeded asks about books of every kind.
func TestUnneeded(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	now := time.Now().UTC().Truncate(time.Second)
	op := func(op pay.Operation, outcome pay.Outcome, repeat pay.Idempotency) ledger.Operation {
		o := ledger.Operation{Op: op, Outcome: outcome, Idempotency: repeat}
		if outcome == pay.OutcomeInDoubt {
			o.DoubtSince = now
		}
		return o
	}
	retry := op(pay.OpRefund, pay.OutcomeNotApplied, pay.IdempotencyLookup)
	retry.Error = &ledger.Error{Advice: pay.AdviceRetrySameKey}
	keyed := op(pay.OpCreate, pay.OutcomeApplied, pay.IdempotencyNative)
	keyed.ProviderKey = "key"
	list := func(ops ...ledger.Operation) []ledger.Operation { return ops }
	pending := []ledger.Refund{{Status: pay.RefundPending}}
	for name, tt := range map[string]struct {
		book ledger.Book
		want string // names of what is needed; "" for nothing
	}{
		"succeeded":                {ledger.Book{Status: pay.PaymentSucceeded}, ""},
		"succeeded and given back": {ledger.Book{Status: pay.PaymentSucceeded, Refunds: []ledger.Refund{{Status: pay.RefundSucceeded}}}, ""},
		"failed":                   {ledger.Book{Status: pay.PaymentFailed}, ""},
		"of another provider":      {ledger.Book{Status: pay.PaymentPending, Provider: "rahmet"}, ""},
		"of another plugin":        {ledger.Book{Status: pay.PaymentPending, Connection: rig.Rahmet}, ""},
		"link":                     {ledger.Book{Status: pay.PaymentPending, Flow: "redirect", ProviderRef: "r"}, "cancel, confirm"},
		"nobody was told":          {ledger.Book{Status: pay.PaymentPending, Flow: "redirect"}, "confirm"},
		"till":                     {ledger.Book{Status: pay.PaymentPending, Flow: "till"}, "bind, confirm, flow till, release"},
		"till, bound":              {ledger.Book{Status: pay.PaymentPending, Flow: "till", ProviderRef: "r"}, "cancel, confirm, flow till, release"},
		"till, released": {ledger.Book{
			Status: pay.PaymentAuthorized, Flow: "till", ProviderRef: "r",
			Operations: list(op(pay.OpRelease, pay.OutcomeApplied, pay.IdempotencyLookup)),
		}, "cancel, confirm, flow till"},
		"till, released in vain": {ledger.Book{
			Status: pay.PaymentPending, Flow: "till", ProviderRef: "r",
			Operations: list(op(pay.OpRelease, pay.OutcomeDeclined, pay.IdempotencyLookup)),
		}, "cancel, confirm, flow till, release"},
		"create in doubt": {ledger.Book{Status: pay.PaymentCreated, Operations: list(keyed)}, "cancel, confirm"},
		"refund pending":  {ledger.Book{Status: pay.PaymentSucceeded, Refunds: pending}, "cancel_refund, confirm_refund, refund_status"},
		"refund in doubt, native": {ledger.Book{
			Status: pay.PaymentSucceeded, Operations: list(op(pay.OpRefund, pay.OutcomeInDoubt, pay.IdempotencyNative)),
		}, "refund"},
		"refund in doubt, lookup": {ledger.Book{
			Status: pay.PaymentSucceeded, Refunds: pending,
			Operations: list(op(pay.OpRefund, pay.OutcomeInDoubt, pay.IdempotencyLookup)),
		}, "cancel_refund, confirm_refund, refund_status"},
		"refund to be repeated": {ledger.Book{Status: pay.PaymentSucceeded, Operations: list(retry)}, "refund"},
		"cancel under way": {ledger.Book{
			Status: pay.PaymentFailed, Operations: list(op(pay.OpCancel, pay.OutcomeSending, pay.IdempotencyNone)),
		}, "cancel"},
		"receipt in doubt": {ledger.Book{
			Receipt: true, Operations: list(op(pay.OpReceipt, pay.OutcomeInDoubt, pay.IdempotencyNatural)),
		}, "receipt"},
		"doubt that only status ends": {ledger.Book{
			Status: pay.PaymentCanceled, Flow: "till", Operations: list(op(pay.OpCancel, pay.OutcomeInDoubt, pay.IdempotencyNone)),
		}, "flow till"},
		"currency": {ledger.Book{
			Status: pay.PaymentSucceeded, Refunds: pending, Paid: ledger.Of(pay.New(1, pay.RUB)),
		}, "cancel_refund, confirm_refund, currency RUB, refund_status"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openRevisions(t)
			tt.book.ID, tt.book.Version, tt.book.CreatedAt = ledger.NewID(), 1, now
			tt.book.Connection, tt.book.Provider = cmp.Or(tt.book.Connection, "shop"), cmp.Or(tt.book.Provider, "smartpay")
			note := []ledger.Entry{{Book: tt.book.ID, At: now, Actor: "test", Body: ledger.Note{Text: "as it was"}}}
			if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(&tt.book, now, note) }); err != nil {
				t.Fatal(err)
			}
			ask := payments.NewPlugins(b.Host, s, nil).Unneeded(t.Context(), "smartpay")
			if err := ask(host.Losses{}); err != nil {
				t.Errorf("nothing is lost: %v", err)
			}
			err := ask(host.Losses{
				Operations: slices.DeleteFunc(pay.Operations(), pay.Operation.Required),
				Flows:      []pay.Flow{pay.FlowTill, pay.FlowQR}, Currencies: []pay.Currency{pay.RUB, pay.KZT},
			})
			if tt.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			refusedFor(t, err, strings.ReplaceAll(tt.want, ", ", " (1 of shop), ")+" (1 of shop)")
		})
	}
}
