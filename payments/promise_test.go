package payments_test

import (
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// patient is the careless plugin with a horizon of its own.
type patient struct {
	careless
	horizon time.Duration
}

func (p patient) Manifest() pay.Manifest {
	m := p.careless.Manifest()
	m.VisibilityHorizon = p.horizon
	return m
}

// forgetful is Yenil-Toleg with a lifetime of create's key.
type forgetful struct {
	*yeniltoleg.Provider
	lifetime time.Duration
}

func (f forgetful) Manifest() pay.Manifest {
	m := f.Provider.Manifest()
	for i := range m.Operations {
		if spec := &m.Operations[i]; spec.Operation == pay.OpCreate {
			spec.KeyLifetime = f.lifetime
		}
	}
	return m
}

// swapTo puts a native revision in place, whatever it lacks.
func (b *bench) swapTo(plugin string, p sdk.Provider) {
	b.t.Helper()
	if _, err := b.Host.Swap(b.ctx(), plugin, host.Source{Native: sdk.Native(p)}); err != nil {
		b.t.Fatal(err)
	}
}

// TestRepeatByAnotherRevision loses the answer to a refund that may be sent again under its key, and puts a revision in
// place that sends no key: it is not sent again, since the provider would give the money back twice. The way back repeats it.
func TestRepeatByAnotherRevision(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := paidRahmet(t, b)
		b.fault(rig.Rahmet, simkit.Fault{Path: refundPath, Kind: simkit.CutBefore, Count: 2})
		answer, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)})
		book = b.doubtful(answer, err)
		b.swapTo("rahmet", careless{rahmet.New(), pay.IdempotencyNone})
		b.sends(rig.Rahmet, refundPath, 0, func() { b.pass(5 * time.Minute) })
		b.swapTo("rahmet", rahmet.New())
		b.sends(rig.Rahmet, refundPath, 1, func() { b.pass(15 * time.Minute) })
		settleRefunds(t, b)
		book = b.until(book, day, func(bk *ledger.Book) bool { return bk.Refund(answer.RefundID).Status == pay.RefundSucceeded })
		b.folded(book)
	})
}

// TestKeyLifetimeOfBoth has two revisions that disagree on how long the provider knows a key: a create in doubt is sent
// again as long as both say so, whichever is in place.
func TestKeyLifetimeOfBoth(t *testing.T) {
	t.Parallel()
	short, long := forgetful{yeniltoleg.New(), time.Hour}, forgetful{yeniltoleg.New(), 10 * 24 * time.Hour}
	for name, order := range map[string][2]sdk.Provider{"longer": {short, long}, "shorter": {long, short}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStores(t, func(t *testing.T, kind string) {
				b := newBench(t, kind, rig.Options{Native: map[string]sdk.Provider{rig.YenilToleg: order[0]}})
				b.fault(rig.YenilToleg, simkit.Fault{Path: yenilCreate, Kind: simkit.CutAfter, Count: 1000})
				answer, err := b.Engine.Create(b.ctx(), b.call(), yenilPayment("1"))
				book := b.doubtful(answer, err)
				b.swapTo("yeniltoleg", order[1])
				before := len(b.requests(rig.YenilToleg, yenilCreate))
				b.pass(time.Hour)
				if after := len(b.requests(rig.YenilToleg, yenilCreate)); after <= before {
					t.Errorf("not sent again within the hour\n%s", b.timeline(book))
				}
				b.sends(rig.YenilToleg, yenilCreate, 0, func() { b.pass(3 * 24 * time.Hour) })
				b.folded(b.reload(book))
			})
		})
	}
}

// TestHorizonOfBoth sends under a long horizon, and puts a revision in place that declares a short one: what was sent
// before it is proven absent, and what was offered before it expires, only after the long one.
func TestHorizonOfBoth(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		const long = 6 * time.Hour
		of := func(horizon time.Duration) patient {
			return patient{careless{rahmet.New(), pay.IdempotencyLookup}, horizon}
		}
		b := newBench(t, kind, rig.Options{Native: map[string]sdk.Provider{rig.Rahmet: of(long)}})
		book := paidRahmet(t, b)
		unpaid := b.shortRahmet("1")
		b.fault(rig.Rahmet, simkit.Fault{Path: refundPath, Kind: simkit.CutBefore, Count: 1})
		answer, err := b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)})
		book = b.doubtful(answer, err)
		b.swapTo("rahmet", of(time.Minute))
		b.pass(long - 15*time.Minute)
		if book = b.reload(book); book.InDoubt() == nil {
			t.Fatalf("the doubt ended within the horizon that it was sent under\n%s", b.timeline(book))
		}
		if unpaid = b.reload(unpaid); unpaid.Status != pay.PaymentPending {
			t.Fatalf("it is %s within the horizon that it was offered under\n%s", unpaid.Status, b.timeline(unpaid))
		}
		book = b.until(book, 2*day, func(bk *ledger.Book) bool { return bk.InDoubt() == nil })
		unpaid = b.until(unpaid, 2*day, status(pay.PaymentExpired))
		if got := book.Refund(answer.RefundID).Status; got != pay.RefundFailed {
			t.Errorf("refund is %s\n%s", got, b.timeline(book))
		}
		b.folded(book)
		b.folded(unpaid)
	})
}

// TestHorizonBeginsAtTheEnd sends a refund slowly: what it asks for may have left at the end, long after "sending" was
// written, and only from then on does its absence begin to count.
func TestHorizonBeginsAtTheEnd(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		const horizon, slow = 6 * time.Hour, 4 * time.Second
		var b *bench
		b = newBench(t, kind, rig.Options{
			Native: map[string]sdk.Provider{rig.Rahmet: patient{careless{rahmet.New(), pay.IdempotencyLookup}, horizon}},
			Config: payments.Config{Fault: func(point string) {
				if point == "refund.after_write" {
					b.Clock.Advance(slow)
				}
			}},
		})
		book := paidRahmet(t, b)
		b.fault(rig.Rahmet, simkit.Fault{Path: refundPath, Kind: simkit.CutBefore, Count: 1})
		book = b.doubtful(b.Engine.Refund(b.ctx(), b.call(), book.PaymentID(), payments.NewRefund{Amount: pay.New(100000, pay.KZT)}))
		doubt := book.Operation(book.InDoubt().Operation)
		for _, look := range []struct {
			after  time.Duration // of "sending"
			counts int
		}{{horizon + slow/2, 0}, {horizon + 2*slow, 1}} {
			b.Clock.Advance(doubt.SentAt.Add(look.after).Sub(b.Clock.Now()))
			book, err := b.Engine.Probe(b.ctx(), doubt.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got := book.Operation(doubt.ID).Absent; got != look.counts {
				t.Errorf("%s after it was to be sent: %d looks count, want %d\n%s", look.after, got, look.counts, b.timeline(book))
			}
		}
	})
}
