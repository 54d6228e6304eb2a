package payments_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/rig"
	"github.com/payhost/payhost/payments"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

// limited is Rahmet with a most.
type limited struct {
	*rahmet.Provider
	most int64
}

func (l limited) Manifest() pay.Manifest {
	m := l.Provider.Manifest()
	m.Currencies[0].Max = l.most
	return m
}

// TestSwapCountsWhatBeginsMeanwhile begins a payment after the gate has said that nothing is needed, and before the switch.
func TestSwapCountsWhatBeginsMeanwhile(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{})
		ask := payments.NewPlugins(b.Host, b.Store, nil).Unneeded(b.ctx(), "smartpay")
		next := host.Source{Native: sdk.Native(bounded{smartpay.New(), pay.CurrencySpec{Currency: pay.RUB, Step: 1, Min: 1, Max: 4000}})}
		known := tillPayment("t1")
		known.Amount = pay.New(5000, pay.RUB)
		var answers []error
		_, err := b.Host.SwapIf(b.ctx(), "smartpay", next, func(lost host.Losses) error {
			answers = append(answers, ask(lost))
			if len(answers) == 1 {
				b.must(b.Engine.Create(b.ctx(), b.call(), known))
			}
			return answers[len(answers)-1]
		})
		refusedFor(t, err, "amounts RUB max none to 40.00 RUB (1 of smartpay-till-1)")
		if len(answers) != 2 || answers[0] != nil {
			t.Errorf("asked with %v", answers)
		}
	})
}

// TestSwapWaitsForWhatBegins has a create on its way to the ledger while the gate is asked first: asked for the last time, it
// knows of it. And a create that comes while it is asked for the last time is decided on by the next revision.
func TestSwapWaitsForWhatBegins(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, kind string) {
		reached, goOn, end := make(chan struct{}), make(chan struct{}), make(chan struct{})
		var once sync.Once
		b := newBench(t, kind, rig.Options{Config: payments.Config{Fault: func(point string) {
			switch point {
			case "create.before_write":
				once.Do(func() { close(reached); <-goOn })
			case "create.before_outcome":
				<-end
			}
		}}})
		letEnd := sync.OnceFunc(func() { close(end) })
		t.Cleanup(letEnd)
		ask := payments.NewPlugins(b.Host, b.Store, nil).Unneeded(b.ctx(), "rahmet")
		next := host.Source{Native: sdk.Native(limited{rahmet.New(), 200000})}
		create := func(order string) <-chan error {
			done := make(chan error, 1)
			call := b.call()
			go func() {
				_, err := b.Engine.Create(b.ctx(), call, rahmetPayment(order))
				done <- err
			}()
			return done
		}
		first := create("1")
		<-reached
		asked := 0
		_, err := b.Host.SwapIf(b.ctx(), "rahmet", next, func(lost host.Losses) error {
			if asked++; asked > 1 {
				return ask(lost)
			}
			time.AfterFunc(200*time.Millisecond, func() { close(goOn) }) // long after a gate that does not wait has asked again
			return ask(lost)
		})
		refusedFor(t, err, "amounts KZT max none to 2000.00 KZT (1 of rahmet-main)")
		letEnd()
		if err := <-first; err != nil || asked != 2 {
			t.Fatalf("asked %d times, create: %v", asked, err)
		}
		var second <-chan error
		asked = 0
		next = host.Source{Native: sdk.Native(limited{rahmet.New(), 100000})}
		if _, err := b.Host.SwapIf(b.ctx(), "rahmet", next, func(lost host.Losses) error {
			if asked++; asked > 1 {
				second = create("2")
				select {
				case err := <-second:
					t.Errorf("a create went on while the gate was asked for the last time: %v", err)
				case <-time.After(200 * time.Millisecond):
				}
			}
			return ask(lost)
		}); err != nil {
			t.Fatal(err)
		}
		if err := <-second; pay.ClassOf(err) != pay.ClassInvalidRequest || !strings.Contains(err.Error(), "1000.00 KZT") {
			t.Errorf("decided on by another revision: %v", err)
		}
	})
}

// TestFollowerTellsWhatItLeaves begins a payment on a node that has not followed yet: once it has, it says that the
// revision lacks what the payment needs.
func TestFollowerTellsWhatItLeaves(t *testing.T) {
	t.Parallel()
	m, cache := pluginBuilds(t), rig.Cache(t)
	onStores(t, func(t *testing.T, kind string) {
		b := newBench(t, kind, rig.Options{CacheDir: cache})
		p := bootPlugins(t, b, m.whole, nil)
		if _, err := p.Push(b.ctx(), "ops", "smartpay", m.lean.Bytes); err != nil {
			t.Fatal(err)
		}
		b.must(b.Engine.Create(b.ctx(), b.call(), tillPayment("till-1")))
		for _, forced := range []bool{true, false} {
			a := store.Activation{Plugin: "smartpay", Digest: m.lean.SHA256, Source: "api", By: "ops", At: time.Now(), Forced: forced}
			if err := b.Store.Activate(b.ctx(), &a); err != nil { // by another node
				t.Fatal(err)
			}
			following, stop := context.WithCancel(b.ctx())
			ended := make(chan struct{})
			go func() { p.Follow(following); close(ended) }()
			untilMet(t, func() bool {
				rev, _ := b.Host.Revision("smartpay")
				return rev.Digest() == m.lean.SHA256
			})
			stop()
			<-ended
			if problem := p.List()[0].Problem; strings.Contains(problem, "confirm (1 of smartpay-till-1)") == forced {
				t.Errorf("forced %t: problem %q", forced, problem)
			}
			if _, err := p.Rollback(b.ctx(), "ops", "smartpay", false); err != nil {
				t.Fatal(err)
			}
		}
		book, err := b.Store.Books(b.ctx(), store.Query{Limit: 1})
		if err != nil || len(book) != 1 {
			t.Fatal(err)
		}
		b.until(book[0], 3*day, func(bk *ledger.Book) bool { return bk.Status == pay.PaymentExpired })
	})
}
