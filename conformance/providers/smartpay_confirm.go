package providers

import (
	"context"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/sdk/pay"
)

// liveConfirms is S7.
func liveConfirms(d *desk) {
	for _, kind := range []wire.Kind{wire.CutBefore, wire.CutAfter, wire.ServerError} {
		d.confirmLost(kind)
	}
	d.confirmedAgain()
	d.canceledTooLate()
	d.neverConfirmed()
	d.set("confirm_within", "10m")
	d.confirmLostForGood()
	d.set("confirm_within", "0s")
	d.Verify()
}

// confirmLost loses the till's word. The money is there, so it is never taken back
// meanwhile, and the word is repeated until it is heard.
func (d *desk) confirmLost(kind wire.Kind) {
	what := "a confirm that is lost, " + string(kind)
	d.Step("%s", what)
	p, mark := d.authorized(d.Terms.Amount), d.mark()
	d.during(kind, wireVerdict, func() {
		d.doubted(what, d.Try(at(p, "confirm"), nil))
		d.refused("cancel after "+what, d.Try(at(p, "cancel"), nil), "in_doubt")
	})
	p = d.Until(at(p), "succeeded")
	if word := d.one(what, mark, wireVerdict, "status", 2); word != "success" {
		d.Failf("%s: the till's word was %q, and should be success", what, word)
	}
	d.heard(what, p)
}

// heard holds that the provider knows that the sale is done, and charged once.
func (d *desk) heard(what string, p conformance.Answer) {
	if d.detail(p.ProviderRef, "confirmed") != true {
		d.Failf("%s: the payment is succeeded, and the provider has not heard the till's word", what)
	}
	d.money(what, p, charge(d.Terms.Amount))
}

// confirmedAgain confirms what is confirmed, at payhost and at the provider.
func (d *desk) confirmedAgain() {
	d.Step("confirm again")
	p := d.sold(d.Terms.Amount)
	mark := d.mark()
	d.is("a payment that is confirmed again", d.done("confirm again", d.Try(at(p, "confirm"), nil)), "succeeded")
	d.sent("confirm of what is confirmed", mark)
	result, err := d.Calls().Confirm(context.Background(), pay.PaymentRequest{Intent: d.intent(""), Payment: d.ref(p)})
	if err != nil || result.Outcome != pay.OutcomeApplied {
		d.Failf("confirm of what the provider has confirmed: the plugin answers %v with %v, and a repeat is as good as the first",
			result.Outcome, err)
	}
	d.heard("confirm again", p)
}

// canceledTooLate cancels what is confirmed.
func (d *desk) canceledTooLate() {
	d.Step("cancel after confirm")
	p := d.sold(d.Terms.Amount)
	mark := d.mark()
	d.refused("cancel of what is confirmed", d.Try(at(p, "cancel"), nil), "state_conflict")
	d.sent("cancel of what is confirmed", mark)
	result, err := d.Calls().Cancel(context.Background(), pay.PaymentRequest{Intent: d.intent(""), Payment: d.ref(p)})
	d.failed("cancel of what the provider has confirmed", err, pay.ClassStateConflict)
	if result.Outcome != pay.OutcomeNotApplied {
		d.Failf("cancel of what the provider has confirmed is %v, and the provider did nothing", result.Outcome)
	}
	d.Pass(time.Hour)
	d.is("a payment whose cancel was refused", d.Get(at(p)), "succeeded")
	d.heard("cancel after confirm", p)
}

// neverConfirmed leaves a success without the till's word until the provider takes it
// back.
func (d *desk) neverConfirmed() {
	const what = "a success that is never confirmed, which the provider takes back"
	d.Step("%s", what)
	p := d.authorized(d.Terms.Amount)
	d.Move(p.ProviderRef, "canceled") // and payhost has not looked yet
	d.refused("confirm of what the provider has taken back", d.Try(at(p, "confirm"), nil), "state_conflict")
	d.takenBack(what, p)
}

// confirmLostForGood loses every confirm until the provider takes the money back.
func (d *desk) confirmLostForGood() {
	const what = "a confirm that is lost until the provider takes the money back"
	d.Step("%s", what)
	p := d.authorized(d.Terms.Amount)
	d.during(wire.CutBefore, wireVerdict, func() {
		d.doubted(what, d.Try(at(p, "confirm"), nil))
		for range 6 {
			d.Pass(2 * time.Minute)
		}
	})
	d.takenBack(what, p)
}

func (d *desk) takenBack(what string, p conformance.Answer) {
	p = d.Until(at(p), "canceled")
	d.money(what, p, charge(d.Terms.Amount), "reversal "+d.Amount(d.Terms.Amount)["value"].(string))
}
