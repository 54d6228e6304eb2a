package payments_test

import (
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// changesOf is what is lost to a manifest of roubles in steps of a kopeck, with a native create and refund, a natural
// confirm, a release and a cancel that are never sent again, by what next makes of it.
func changesOf(next func(*pay.Manifest)) host.Losses {
	manifest := func() *pay.Manifest {
		return &pay.Manifest{
			Operations: []pay.OperationSpec{
				{Operation: pay.OpCreate, Idempotency: pay.IdempotencyNative, KeyForm: pay.KeyText},
				{Operation: pay.OpRefund, Idempotency: pay.IdempotencyNative, KeyForm: pay.KeyUUID},
				{Operation: pay.OpConfirm, Idempotency: pay.IdempotencyNatural},
				{Operation: pay.OpRelease, Idempotency: pay.IdempotencyNone},
				{Operation: pay.OpNotification},
			},
			Currencies: []pay.CurrencySpec{{Currency: pay.RUB, Step: 1, Min: 1}}, Notification: pay.AuthenticityStrong,
		}
	}
	now, then := manifest(), manifest()
	next(then)
	return host.Lost(now, then)
}

// TestUnneededOfWhatChanged asks about books of every kind, of a revision that has all operations and declares something
// otherwise of them, or of amounts.
func TestUnneededOfWhatChanged(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	rub := func(minor int64) ledger.Amount { return ledger.Of(pay.New(minor, pay.RUB)) }
	of := func(o pay.Operation, outcome pay.Outcome, minor int64) ledger.Operation {
		op := ledger.Operation{
			Op: o, Outcome: outcome, Idempotency: pay.IdempotencyNative, Amount: rub(minor), ProviderKey: "k-0123456789", FirstSent: now,
		}
		if outcome == pay.OutcomeInDoubt {
			op.DoubtSince = now
		}
		if outcome == pay.OutcomeNotApplied {
			op.Error = &ledger.Error{Advice: pay.AdviceRetrySameKey}
		}
		return op
	}
	with := func(o ledger.Operation, change func(*ledger.Operation)) ledger.Operation { change(&o); return o }
	ended := func(ops ...ledger.Operation) ledger.Book {
		return ledger.Book{Status: pay.PaymentSucceeded, Amount: rub(25050), Paid: rub(25050), Operations: ops}
	}
	open := func(flow string, minor int64, ops ...ledger.Operation) ledger.Book {
		return ledger.Book{Status: pay.PaymentPending, Flow: flow, Amount: rub(minor), ProviderRef: "r", Operations: ops}
	}
	most := changesOf(func(m *pay.Manifest) { m.Currencies[0].Max = 20000 })
	least := changesOf(func(m *pay.Manifest) { m.Currencies[0].Min = 1000 })
	step := changesOf(func(m *pay.Manifest) { m.Currencies[0].Step = 100 })
	kind := changesOf(func(m *pay.Manifest) { m.Operations[1].Idempotency = pay.IdempotencyLookup })
	form := changesOf(func(m *pay.Manifest) { m.Operations[1].KeyForm = pay.KeyText })
	life := changesOf(func(m *pay.Manifest) { m.Operations[1].KeyLifetime = time.Hour })
	weak := changesOf(func(m *pay.Manifest) { m.Notification = pay.AuthenticityWeak })
	doubt, retry, sending := pay.OutcomeInDoubt, pay.OutcomeNotApplied, pay.OutcomeSending
	cases := map[string]struct {
		lost   host.Losses
		book   ledger.Book
		needed bool
	}{
		"most: ended":                         {most, ended(), false},
		"most: link, its refund has no bound": {most, open("redirect", 25050), false},
		"most: create in doubt":               {most, open("redirect", 25050, of(pay.OpCreate, doubt, 25050)), true},
		"most: create in doubt, below it":     {most, open("redirect", 20000, of(pay.OpCreate, doubt, 20000)), false},
		"most: create that is done":           {most, open("redirect", 25050, of(pay.OpCreate, pay.OutcomeApplied, 25050)), false},
		"most: till, to be released":          {most, open("till", 25050), true},
		"most: till, released":                {most, open("till", 25050, of(pay.OpRelease, pay.OutcomeApplied, 25050)), false},
		"most: till, nobody knows the amount": {most, ledger.Book{Status: pay.PaymentPending, Flow: "till"}, false},
		"most: another currency": {
			most, ledger.Book{Status: pay.PaymentPending, Flow: "till", Amount: ledger.Of(pay.New(25050, pay.KZT))}, false,
		},
		"most: refund in doubt":              {most, ended(of(pay.OpRefund, doubt, 25050)), false},
		"least: refund in doubt":             {least, ended(of(pay.OpRefund, doubt, 500)), true},
		"least: refund that may be repeated": {least, ended(of(pay.OpRefund, retry, 500)), true},
		"least: all of it": {least, ledger.Book{
			Status: pay.PaymentSucceeded, Paid: rub(500), Operations: []ledger.Operation{of(pay.OpRefund, doubt, 500)},
		}, false},
		"least: refund that is never repeated": {least, ended(with(of(pay.OpRefund, doubt, 500), func(o *ledger.Operation) {
			o.Idempotency = pay.IdempotencyLookup
		})), false},
		"step: link, all of it could not go back": {step, open("redirect", 25050), true},
		"step: link in steps":                     {step, open("redirect", 25000), false},
		"step: ended":                             {step, ended(), false},
		"kind: ended":                             {kind, ended(of(pay.OpRefund, pay.OutcomeApplied, 1)), false},
		"kind: refund in doubt":                   {kind, ended(of(pay.OpRefund, doubt, 1)), true},
		"kind: refund under way":                  {kind, ended(of(pay.OpRefund, sending, 1)), true},
		"kind: refund without effect":             {kind, ended(of(pay.OpRefund, retry, 1)), false},
		"kind: refund begun by another revision": {kind, ended(with(of(pay.OpRefund, doubt, 1), func(o *ledger.Operation) {
			o.Idempotency = pay.IdempotencyNone
		})), false},
		"kind: another operation":           {kind, ended(of(pay.OpConfirm, doubt, 1)), false},
		"form: refund in doubt":             {form, ended(of(pay.OpRefund, doubt, 1)), true},
		"form: refund that may be repeated": {form, ended(of(pay.OpRefund, retry, 1)), true},
		"form: done":                        {form, ended(of(pay.OpRefund, pay.OutcomeApplied, 1)), false},
		"life: refund in doubt":             {life, ended(of(pay.OpRefund, doubt, 1)), true},
		"life: refund without effect":       {life, ended(of(pay.OpRefund, retry, 1)), false},
		"life: over by either revision": {life, ended(with(of(pay.OpRefund, doubt, 1), func(o *ledger.Operation) {
			o.FirstSent = now.Add(-25 * time.Hour)
		})), false},
		"life: shorter when it was sent, and over": {life, ended(with(of(pay.OpRefund, doubt, 1), func(o *ledger.Operation) {
			o.FirstSent, o.KeyLifetimeMS = now.Add(-2*time.Minute), 60_000
		})), false},
		"notifications: pending": {weak, open("redirect", 25050), false},
	}
	onStores(t, func(t *testing.T, on string) {
		b := newBench(t, on, rig.Options{})
		ask := payments.NewPlugins(b.Host, b.Store, nil).Unneeded(t.Context(), "smartpay")
		for name, tt := range cases {
			book := tt.book
			book.ID, book.CreatedAt, book.Connection, book.Provider = ledger.NewID(), now, "shop", "smartpay"
			due := func(at time.Time) {
				t.Helper()
				book.Version++
				note := []ledger.Entry{{Book: book.ID, At: now, Actor: "test", Body: ledger.Note{Text: "as it was"}}}
				if err := b.Store.Update(t.Context(), func(tx store.Tx) error { return tx.Append(&book, at, note) }); err != nil {
					t.Fatal(err)
				}
			}
			due(now)
			err := ask(tt.lost)
			due(time.Time{}) // out of the way of the next one
			switch {
			case tt.lost.None():
				t.Errorf("%s: nothing is lost", name)
			case tt.needed && (err == nil || !strings.Contains(err.Error(), "lacks: "+tt.lost.String()+" (1 of shop);")):
				t.Errorf("%s: error %v, want a refusal for %q", name, err, tt.lost)
			case !tt.needed && err != nil:
				t.Errorf("%s: refused: %v", name, err)
			}
		}
	})
}

// bounded is SmartPay with bounds of amounts.
type bounded struct {
	*smartpay.Provider
	of pay.CurrencySpec
}

func (n bounded) Manifest() pay.Manifest {
	m := n.Provider.Manifest()
	m.Currencies = []pay.CurrencySpec{n.of}
	return m
}

// TestSwapToNarrowerBounds puts a revision in place that takes less than a payment under way is of, or tries to, and has
// it give back what was paid before.
func TestSwapToNarrowerBounds(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		ask := payments.NewPlugins(b.Host, b.Store, nil).Unneeded(b.ctx(), "smartpay")
		least := pay.CurrencySpec{Currency: pay.RUB, Step: 1, Min: 1, Max: 4000}
		next := host.Source{Native: sdk.Native(bounded{smartpay.New(), least})}
		swap := func() error { _, err := b.Host.SwapIf(b.ctx(), "smartpay", next, ask); return err }
		known := tillPayment("t0")
		known.Amount = pay.New(5000, pay.RUB)
		waiting := b.must(b.Engine.Create(b.ctx(), b.call(), known))
		paid := paidTill(t, b)
		refusedFor(t, swap(), "amounts RUB max none to 40.00 RUB (1 of smartpay-till-1)")
		b.must(b.Engine.Cancel(b.ctx(), b.call(), waiting.PaymentID()))
		if err := swap(); err != nil {
			t.Fatal(err)
		}
		_, err := b.Engine.Create(b.ctx(), b.call(), known)
		b.refuses("above the most", err, pay.ClassInvalidRequest)
		answer, err := b.Engine.Refund(b.ctx(), b.call(), paid.PaymentID(), payments.NewRefund{Amount: pay.New(5000, pay.RUB)})
		b.until(b.must(answer, err), time.Minute, func(bk *ledger.Book) bool {
			return bk.Refund(answer.RefundID).Status == pay.RefundSucceeded
		})
	})
}
