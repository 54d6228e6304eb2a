package providers

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/conformance/wire"
)

// liveCancels is S6.
func liveCancels(d *desk) {
	for _, polls := range []int{0, 2} {
		d.set("cancel_polls", strconv.Itoa(polls))
		d.voided()
		d.notVoided()
	}
	d.set("cancel_polls", "0")
	d.paidUnseen("none")
	d.paidUnseen("final_success")
	d.set("cancel_race", "none")
	d.cancelsNothing()
	d.cancelLost()
	d.declinedUnseen()
	d.Verify()
}

// voided cancels while the payer's bank pays; the provider voids the charge.
func (d *desk) voided() {
	const what = "a cancel that meets the charge, which is then voided"
	d.Step("%s", what)
	p := d.released(smartpay.AmountRaceVoid)
	d.done(what, d.Try(at(p, "cancel"), nil))
	p = d.Until(at(p), "canceled")
	d.money(what, p, charge(smartpay.AmountRaceVoid), fmt.Sprintf("reversal %d", smartpay.AmountRaceVoid))
	d.refused("refund of what was voided", d.Try(at(p, "refunds"), conformance.Object{"amount": d.Amount(100)}), "state_conflict")
	d.done("cancel of what is canceled", d.Try(at(p, "cancel"), nil))
}

func charge(amount int64) string { return fmt.Sprintf("charge %d", amount) }

// notVoided cancels too late: the payer has paid, and what was paid goes on or back.
func (d *desk) notVoided() {
	const what = "a cancel that comes too late"
	d.Step("%s", what)
	p := d.released(smartpay.AmountRaceSuccess)
	d.done(what, d.Try(at(p, "cancel"), nil))
	p = d.Until(at(p), "authorized", "canceled")
	d.is("the payment after "+what, p, "authorized")
	d.done("another cancel, which comes too late again", d.Try(at(p, "cancel"), nil))
	d.Pass(pollEvery)
	d.goesBack(what, p, smartpay.AmountRaceSuccess)
}

// goesBack confirms what could not be canceled and gives all of it back.
func (d *desk) goesBack(what string, p conformance.Answer, amount int64) {
	d.neverSaid(what, p, "canceled")
	d.Accepted(at(p, "confirm"), nil)
	p = d.Until(at(p), "succeeded")
	if paid := p.Paid.Minor(); paid != amount {
		d.Failf("%s: amount_paid is %d, and the payer paid %d", what, paid, amount)
	}
	d.GiveBack(p, amount)
	d.money(what, p, charge(amount), fmt.Sprintf("refund %d", amount))
}

// neverSaid holds that payhost has not told the merchant a status.
func (d *desk) neverSaid(what string, p conformance.Answer, status string) {
	says := func(e conformance.Entry) bool { return observedStatus(e) == status }
	if slices.ContainsFunc(d.Timeline(p.ID), says) {
		d.Failf("%s: the plugin observed %s, and the provider has never said so", what, status)
	}
}

// paidUnseen cancels when the payer has paid and the till has not seen it yet. Before
// it is confirmed the provider can void it, or not any more.
func (d *desk) paidUnseen(race string) {
	what := "a cancel of what is paid and not seen yet, with the race " + race
	d.Step("%s", what)
	d.set("cancel_race", race)
	p := d.released(d.Terms.Amount)
	d.Move(p.ProviderRef, "success")
	d.done(what, d.Try(at(p, "cancel"), nil))
	if race == "none" {
		p = d.Until(at(p), "canceled")
		d.money(what, p, charge(d.Terms.Amount), fmt.Sprintf("reversal %d", d.Terms.Amount))
		return
	}
	p = d.Until(at(p), "authorized", "canceled")
	d.is("the payment after "+what, p, "authorized")
	d.goesBack(what, p, d.Terms.Amount)
}

// cancelsNothing cancels before an amount is known, and before a code is.
func (d *desk) cancelsNothing() {
	p, mark := d.Create(0, nil), d.mark()
	d.done("cancel of a payment without a code", d.Try(at(p, "cancel"), nil))
	d.sent("cancel of a payment that the provider was never told of", mark)
	d.is("a payment without a code, canceled", d.Get(at(p)), "canceled")
	p = d.bound()
	d.done("cancel of a payment without an amount", d.Try(at(p, "cancel"), nil))
	p = d.Until(at(p), "canceled")
	d.money("a payment without an amount, canceled", p)
	d.refused("release of what is canceled", d.release(p, d.Terms.Amount), "state_conflict")
}

// cancelLost loses a cancel, which is repeated until it is heard.
func (d *desk) cancelLost() {
	for _, kind := range []wire.Kind{wire.CutBefore, wire.CutAfter} {
		what := "a cancel that is lost, " + string(kind)
		d.Step("%s", what)
		p := d.released(smartpay.AmountWaits)
		d.during(kind, wireVerdict, func() { d.doubted(what, d.Try(at(p, "cancel"), nil)) })
		p = d.Until(at(p), "canceled")
		d.money(what, p)
	}
}

// declinedUnseen cancels what the payer's bank has declined meanwhile.
func (d *desk) declinedUnseen() {
	const what = "a cancel of what was declined and not seen yet"
	d.Step("%s", what)
	p := d.released(d.Terms.Amount)
	d.Move(p.ProviderRef, "fail")
	d.refused(what, d.Try(at(p, "cancel"), nil), "state_conflict")
	p = d.Until(at(p), "failed")
	d.money(what, p)
}
