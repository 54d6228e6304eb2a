package payments_test

import (
	"cmp"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/form"
	"github.com/payhost/payhost/sdk/pay"
)

// rungs is when a doubt is looked at, by the contract (section 7): 5 s, 15 s, 1 m,
// 5 m, 15 m, 1 h and 6 h one after the other, then daily.
func rungs(until time.Duration) []time.Duration {
	var list []time.Duration
	at := time.Duration(0)
	steps := []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour}
	for i := 0; ; i++ {
		if i < len(steps) {
			at += steps[i]
		} else {
			at += day
		}
		if at > until {
			return list
		}
		list = append(list, at)
	}
}

// TestProbeClock has a provider answer nothing for six days: a doubt is looked at on
// every rung of the ladder and hardly ever else, and ends when the provider is back.
func TestProbeClock(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := boundTill(t, b)
		b.Advance(7 * time.Minute)
		b.lose(rig.SmartPay, smartRelease, smartStatus)
		book = b.doubtful(b.Engine.Release(b.ctx(), b.call(), book.PaymentID(), pay.New(5000, pay.RUB)))
		since := book.InDoubt().Since
		b.Advance(time.Second)
		seen := len(b.requests(rig.SmartPay, smartStatus))
		b.pass(6 * day)
		var asked []time.Duration
		for _, r := range b.requests(rig.SmartPay, smartStatus)[seen:] {
			asked = append(asked, r.At.Sub(since))
		}
		want := rungs(6 * day)
		for _, at := range want {
			if !near(asked, at) {
				t.Errorf("nobody asked %s after the doubt began", at)
			}
		}
		late := 0
		for _, at := range asked {
			if at > time.Hour {
				late++
			}
		}
		if late > 3*len(want) {
			t.Errorf("asked %d times after the first hour, %d rungs", late, len(want))
		}
		if book = b.reload(book); book.InDoubt() == nil || !book.InDoubt().Since.Equal(since) {
			t.Errorf("doubt is %+v, began %s", book.InDoubt(), since)
		}
		b.Kits()[rig.SmartPay].ClearFaults()
		book = b.until(book, 25*time.Hour, func(bk *ledger.Book) bool { return bk.InDoubt() == nil })
		b.folded(book)
	})
}

func near(list []time.Duration, want time.Duration) bool {
	for _, at := range list {
		if at >= want && at < want+2*time.Second {
			return true
		}
	}
	return false
}

// TestPollInterval asks while a payer may act: no faster than the plugin's interval,
// with some jitter, and not much slower.
func TestPollInterval(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		book := b.shortRahmet("1")
		b.pass(3 * time.Minute)
		list := b.requests(rig.Rahmet, rahmetStatus)
		if len(list) < 40 {
			t.Fatalf("asked %d times in three minutes", len(list))
		}
		gaps := map[time.Duration]bool{}
		for i := range list[1:] {
			gap := list[i+1].At.Sub(list[i].At)
			gaps[gap.Round(10*time.Millisecond)] = true
			if gap < 2900*time.Millisecond || gap > 4500*time.Millisecond {
				t.Errorf("asked again after %s", gap)
			}
		}
		if len(gaps) < 5 {
			t.Errorf("no jitter: gaps %v", gaps)
		}
		b.folded(book)
	})
}

// TestBatches has 25 payments due at once at a provider that answers for ten in a
// call.
func TestBatches(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		want := map[string]bool{}
		for i := range 25 {
			order := string(rune('a' + i))
			want[order] = true
			b.must(b.Engine.Create(b.ctx(), b.call(), rahmetPayment(order)))
		}
		b.Advance(10 * time.Second)
		b.sends(rig.Rahmet, rahmetStatus, 3, b.work)
		for _, r := range b.requests(rig.Rahmet, rahmetStatus) {
			form, err := url.ParseQuery(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for name, values := range form {
				if !strings.HasPrefix(name, "merchant_order_ids") {
					continue
				}
				for _, order := range values {
					n++
					delete(want, order)
				}
			}
			if n == 0 || n > 10 {
				t.Errorf("%d orders in one call", n)
			}
		}
		if len(want) > 0 {
			t.Errorf("nobody asked after %v", want)
		}
	})
}

// TestRate has more due than the connection's rate allows at once.
func TestRate(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{Config: payments.Config{Rates: map[string]int{rig.YenilToleg: 10}}})
		for i := range 15 {
			b.must(b.Engine.Create(b.ctx(), b.call(), yenilPayment(string(rune('a'+i)))))
		}
		b.Advance(10 * time.Second)
		began := time.Now()
		b.sends(rig.YenilToleg, yenilStatus, 15, b.work)
		if took := time.Since(began); took < 400*time.Millisecond {
			t.Errorf("15 calls at 10 a second took %s", took)
		}
	})
}

// TestWeekOfRepair sends a create in doubt again and again while the provider fails,
// always under its key, and ends with one payment.
func TestWeekOfRepair(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		b.fault(rig.YenilToleg, simkit.Fault{Path: yenilCreate, Kind: simkit.Status, Status: 500, After: true})
		book := b.doubtful(b.Engine.Create(b.ctx(), b.call(), yenilPayment("1")))
		b.pass(20 * time.Hour)
		sent := b.requests(rig.YenilToleg, yenilCreate)
		for _, r := range sent {
			if r.Body != sent[0].Body {
				t.Errorf("sent %s\nfirst %s", r.Body, sent[0].Body)
			}
		}
		if book = b.reload(book); len(sent) < 6 || book.InDoubt() == nil || book.Operations[0].Attempt < 6 {
			t.Errorf("%d requests, attempt %d, in doubt %+v", len(sent), book.Operations[0].Attempt, book.InDoubt())
		}
		b.Kits()[rig.YenilToleg].ClearFaults()
		if _, err := b.Engine.Probe(b.ctx(), book.Operations[0].ID); err != nil {
			t.Fatal(err)
		}
		book = b.until(book, 2*day, func(bk *ledger.Book) bool { return bk.InDoubt() == nil })
		if objects := b.YenilToleg.Objects(); len(objects) != 1 || book.ProviderRef != objects[0].ID {
			t.Errorf("%d payments at the provider, ours is %q", len(objects), book.ProviderRef)
		}
		b.folded(book)
	})
}

// TestBrokenConnectionIsNoLoop has an operation wait to be repeated, or to be given up,
// on a connection that is gone: it is looked at every now and then, and not at once again.
func TestBrokenConnectionIsNoLoop(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	b.fault(rig.Rahmet, simkit.Fault{Path: rahmetCreate, Kind: simkit.Status, Status: 429})
	_, err := b.Engine.Create(b.ctx(), b.call(), rahmetPayment("1"))
	b.refuses("create", err, pay.ClassRateLimited)
	b.Host.Disconnect(rig.Rahmet)
	b.Advance(time.Hour)
	b.work()
	if due, ok := b.nextDue(); !ok || !due.After(b.Clock.Now()) {
		t.Errorf("due again at %s, and it is %s", due, b.Clock.Now())
	}
}

// TestUntoldOnABrokenConnection has the time of a payment pass that no provider was ever told of, on a connection that was
// taken out of the configuration: it ends all the same, and nobody looks at it every second.
func TestUntoldOnABrokenConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{})
	book := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("t1")))
	b.Host.Disconnect(rig.SmartPay)
	b.Advance(25 * time.Hour)
	b.work()
	if book = b.reload(book); book.Status != pay.PaymentExpired {
		t.Errorf("payment is %s", book.Status)
	}
	if due, ok := b.nextDue(); ok && due.Before(b.Clock.Now().Add(time.Minute)) {
		t.Errorf("due again at %s, and it is %s", due, b.Clock.Now())
	}
}

// keyless is a till's plugin whose provider knows no key of a bind, and does not answer one.
type keyless struct{ *smartpay.Provider }

func (k keyless) Manifest() pay.Manifest {
	m := k.Provider.Manifest()
	for i := range m.Operations {
		if spec := &m.Operations[i]; spec.Operation == pay.OpBind {
			*spec = pay.OperationSpec{Operation: pay.OpBind, Idempotency: pay.IdempotencyNone, MoneyCalls: 1}
		}
	}
	return m
}

// Bind sends a code and does not understand the answer.
func (keyless) Bind(h *sdk.Host, _ *pay.BindRequest) (*pay.Result, error) {
	var w form.Writer
	_, err := h.Send(sdk.PostForm("/v1/purchase/code/commit", &w, sdk.Money))
	return nil, cmp.Or(err, error(&pay.Error{Class: pay.ClassProtocol, Message: "answer can't be read"}))
}

// TestDoubtOfAKeylessBind has a doubt that nothing can end outlive the time to pay: it is looked at by its own clock, and
// not every second.
func TestDoubtOfAKeylessBind(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sqlite", rig.Options{Native: map[string]sdk.Provider{rig.SmartPay: keyless{smartpay.New()}}})
	book := b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("t1")))
	b.doubtful(b.Engine.Bind(b.ctx(), b.call(), book.PaymentID(), present(t, b)))
	b.Advance(25 * time.Hour)
	b.work()
	if due, ok := b.nextDue(); !ok || due.Before(b.Clock.Now().Add(time.Minute)) {
		t.Errorf("due again at %s, and it is %s", due, b.Clock.Now())
	}
}
