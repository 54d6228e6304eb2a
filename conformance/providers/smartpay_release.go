package providers

import (
	"context"
	"fmt"
	"net/http"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/sdk/pay"
)

// liveReleases is S4.
func liveReleases(d *desk) {
	d.set("payer", "waits") // he pays when the amount is where it should be
	d.beforeCommit()
	d.whileBindIsLost()
	for _, repeat := range []string{"same", "error"} {
		d.set("release_repeat", repeat)
		d.releasedTwice()
		d.releasedTwiceThere(repeat)
		d.releaseLost(wire.CutBefore)
		d.releaseLost(wire.CutAfter)
	}
	d.Verify()
}

// beforeCommit releases an amount where no code is bound.
func (d *desk) beforeCommit() {
	d.Step("release before commit")
	p, mark := d.Create(0, nil), d.mark()
	d.refused("release before a code is bound", d.release(p, d.Terms.Amount), "state_conflict")
	_, err := d.Calls().Release(context.Background(), pay.PaymentRequest{
		Intent: d.intent(""), Payment: d.ref(p), Amount: d.rubles(d.Terms.Amount),
	})
	d.failed("release of a payment without a purchase", err, pay.ClassStateConflict)
	d.sent("release before a code is bound", mark)
	d.done("bind afterwards", d.bind(p, d.Code("")))
	d.sells(p)
}

// sells takes a payment with a claimed code to its end.
func (d *desk) sells(p conformance.Answer) {
	d.Accepted(at(p, "release"), conformance.Object{"amount": d.Amount(d.Terms.Amount)})
	d.confirms(p)
}

// confirms has the payer of a released payment pay, if he waits with that, and takes
// it to its end.
func (d *desk) confirms(p conformance.Answer) {
	if o, ok := d.ObjectOf(d.Get(at(p))); ok && o.State == "pending" {
		d.Move(o.ID, "success")
	}
	d.Until(at(p), "authorized")
	d.Accepted(at(p, "confirm"), nil)
	p = d.Until(at(p), "succeeded")
	d.money("a payment that is through", p, fmt.Sprintf("charge %d", d.Terms.Amount))
}

// whileBindIsLost releases an amount while nobody knows whether the code is bound.
func (d *desk) whileBindIsLost() {
	d.Step("release while bind is in doubt")
	for _, kind := range []wire.Kind{wire.CutBefore, wire.CutAfter} {
		p, mark := d.Create(0, nil), d.mark()
		d.during(kind, wireCommit, func() {
			d.doubted("bind that is lost", d.bind(p, d.Code("")))
			d.refused("release while bind is in doubt", d.release(p, d.Terms.Amount), "in_doubt")
		})
		if n := len(d.since(mark, wireRelease)); n != 0 {
			d.Failf("release while bind is in doubt was sent %d times", n)
		}
		p = d.Until(at(p), "pending")
		d.sells(p)
	}
}

// releasedTwice asks payhost for the same again, and for more.
func (d *desk) releasedTwice() {
	d.Step("release twice")
	p, key, mark := d.bound(), d.NewKey(), d.mark()
	body := conformance.Object{"amount": d.Amount(d.Terms.Amount)}
	d.done("release", d.Request(http.MethodPost, at(p, "release"), key, body))
	d.done("the same release again", d.Request(http.MethodPost, at(p, "release"), key, body))
	d.refused("another release of the same amount", d.release(p, d.Terms.Amount), "state_conflict")
	d.refused("release of another amount", d.release(p, d.Terms.Amount+1), "state_conflict")
	d.refused("the same release of another amount", d.Request(http.MethodPost, at(p, "release"), key,
		conformance.Object{"amount": d.Amount(d.Terms.Amount + 1)}), "key_reused")
	d.releasedOnce("release twice", mark)
	d.confirms(p)
}

// releasedOnce holds that a release went out once, of one amount.
func (d *desk) releasedOnce(what string, mark int) {
	amount := d.one(what, mark, wireRelease, "amount", 1)
	if n := len(d.since(mark, wireRelease)); n != 1 || amount != fmt.Sprint(d.Terms.Amount) {
		d.Failf("%s: %d releases of %s were sent, and should be one of %d", what, n, amount, d.Terms.Amount)
	}
}

// releasedTwiceThere has the plugin release again what the provider has already, as
// it is when payhost's ledger and the provider disagree.
func (d *desk) releasedTwiceThere(repeat string) {
	d.Step("release twice at the provider, which answers %s", repeat)
	p := d.released(d.Terms.Amount)
	ask := func(amount int64) error {
		_, err := d.Calls().Release(context.Background(), pay.PaymentRequest{
			Intent: d.intent(""), Payment: d.ref(p), Amount: d.rubles(amount),
		})
		return err
	}
	if err := ask(d.Terms.Amount); err != nil {
		d.Failf("release of what is released, which the provider answers with %s: the plugin answers %v, and should adopt it", repeat, err)
	}
	d.failed("release of another amount than the provider has", ask(d.Terms.Amount+1), pay.ClassIntegrity)
	if o := d.object(p.ProviderRef); o.Amount != d.Terms.Amount {
		d.Failf("the provider has the amount %d, and %d was released", o.Amount, d.Terms.Amount)
	}
	d.confirms(p)
}

// releaseLost loses a release. A second amount is not sent while the first may be
// there, and the first is sent again only if it is not.
func (d *desk) releaseLost(kind wire.Kind) {
	what := "release that is lost, " + string(kind)
	d.Step("%s", what)
	p, key, mark := d.bound(), d.NewKey(), d.mark()
	body := conformance.Object{"amount": d.Amount(d.Terms.Amount)}
	d.during(kind, wireRelease, func() {
		d.doubted(what, d.Request(http.MethodPost, at(p, "release"), key, body))
		d.refused(what+", then of another amount", d.release(p, d.Terms.Amount+1), "in_doubt", "state_conflict")
	})
	now := d.Until(at(p), "pending", "processing", "authorized")
	if now.Is("pending") { // it is proven to be lost
		d.Accepted(at(p, "release"), body)
	} else {
		d.releasedOnce(what, mark)
	}
	d.one(what, mark, wireRelease, "amount", 1)
	if o := d.object(now.ProviderRef); o.Amount != d.Terms.Amount {
		d.Failf("%s: the provider has the amount %d, and %d was released", what, o.Amount, d.Terms.Amount)
	}
	d.confirms(p)
}
