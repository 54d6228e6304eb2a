package providers

import (
	"context"
	"fmt"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/sdk/pay"
)

// liveRefunds is S10.
func liveRefunds(d *desk) {
	d.sums()
	d.pendingSums()
	d.unfinished()
	d.givenUp("none")
	d.givenUp("final_success")
	d.refundLost(wire.CutBefore)
	d.refundLost(wire.CutAfter)
	d.sameRefund()
	d.refundVerdictLost()
	d.refundDeclined()
	d.Verify()
}

// giveBack is one attempt to refund an amount.
func (d *desk) giveBack(p conformance.Answer, amount int64) conformance.Answer {
	return d.Try(at(p, "refunds"), conformance.Object{"amount": d.Amount(amount)})
}

func gone(amount int64) string { return fmt.Sprintf("refund %d", amount) }

// sums gives parts back up to what was paid, equal ones among them, and tries more.
func (d *desk) sums() {
	d.Step("refunds up to what was paid, and over")
	p, mark := d.sold(5000), d.mark()
	d.refused("refund of more than was paid", d.giveBack(p, 5001), "invalid_request")
	d.sent("refund of more than was paid", mark)
	for _, part := range []int64{2000, 2000} {
		r := d.done("refund", d.giveBack(p, part))
		d.Until(at(p, "refunds", r.ID), "succeeded")
	}
	now := d.mark()
	d.refused("refund of more than is left", d.giveBack(p, 1001), "invalid_request")
	d.sent("refund of more than is left", now)
	d.overThere(p)
	r := d.done("refund of what is left", d.giveBack(p, 1000))
	d.Until(at(p, "refunds", r.ID), "succeeded")
	d.refused("refund of what is all gone", d.giveBack(p, 1), "invalid_request")
	d.money("refunds up to what was paid", p, charge(5000), gone(2000), gone(2000), gone(1000))
	if back := d.Get(at(p)).Refunded.Minor(); back != 5000 {
		d.Failf("refunds up to what was paid: amount_refunded is %d, and should be 5000", back)
	}
	// The one that only the provider refused has an id of its own, too.
	if ids := d.members(mark, wireRefund, "kassa_refund_id"); len(ids) != 4 {
		d.Failf("4 refunds have the kassa_refund_id %s, and each should have its own, also for the same amount", orNothing(ids))
	}
}

// overThere has the plugin believe that more is left than the provider has.
func (d *desk) overThere(p conformance.Answer) {
	_, err := d.Calls().Refund(context.Background(), pay.RefundRequest{
		Intent: d.intent("over"), Payment: d.ref(p), Refund: pay.Ref{ID: "r"}, Amount: d.rubles(1001), Paid: d.rubles(9000),
	})
	d.failed("refund of more than the provider has left", err, pay.ClassInvalidRequest)
}

// pendingSums has refunds be pending: what they will take is not there for others.
func (d *desk) pendingSums() {
	d.Step("refunds while others are pending")
	d.set("refund_outcome", "waits")
	p := d.sold(5000)
	r := d.done("refund", d.giveBack(p, 3000))
	d.refused("refund of more than a pending one leaves", d.giveBack(p, 2001), "invalid_request")
	other := d.done("refund of what a pending one leaves", d.giveBack(p, 2000))
	d.set("refund_outcome", "success")
	for _, one := range []conformance.Answer{r, other} {
		d.is("a refund that the provider is at", d.Get(at(p, "refunds", one.ID)), "pending")
		d.Move(one.ProviderRef, "success")
		d.Until(at(p, "refunds", one.ID), "succeeded")
	}
	d.money("refunds while others are pending", p, charge(5000), gone(3000), gone(2000))
}

// unfinished refunds what is not paid yet, at payhost and at the provider.
func (d *desk) unfinished() {
	const what = "refund of a payment that is not finished"
	d.Step("%s", what)
	p := d.released(d.Terms.Amount)
	mark := d.mark()
	d.refused(what, d.giveBack(p, 1000), "state_conflict")
	if n := len(d.since(mark, wireRefund)); n != 0 {
		d.Failf("%s was sent", what)
	}
	result, err := d.Calls().Refund(context.Background(), pay.RefundRequest{
		Intent: d.intent("early"), Payment: d.ref(p), Refund: pay.Ref{ID: "r"}, Amount: d.rubles(1000), Paid: d.rubles(d.Terms.Amount),
	})
	d.failed(what+" at the provider", err, pay.ClassStateConflict)
	if result.Outcome != pay.OutcomeNotApplied {
		d.Failf("%s at the provider is %v, and nothing was done", what, result.Outcome)
	}
	d.confirms(p)
}

// givenUp cancels a refund that the provider is at; whether the money goes back all
// the same only the provider can say.
func (d *desk) givenUp(race string) {
	what := "cancel of a refund with the race " + race
	d.Step("%s", what)
	d.set("refund_cancel_race", race)
	d.set("refund_outcome", "waits")
	p := d.sold(5000)
	r := d.done("refund", d.giveBack(p, 2000))
	path := at(p, "refunds", r.ID)
	d.done(what, d.Try(path+"/cancel", nil))
	d.set("refund_outcome", "success")
	d.set("refund_cancel_race", "none")
	if race == "final_success" {
		d.is("a refund whose cancel came too late", d.Until(path, "succeeded", "failed"), "succeeded")
		d.money(what, p, charge(5000), gone(2000))
		d.refused("cancel of a refund that has succeeded", d.Try(path+"/cancel", nil), "state_conflict")
		return
	}
	d.is("a refund that was canceled in time", d.Until(path, "succeeded", "failed"), "failed")
	d.money(what, p, charge(5000))
	if back := d.Get(at(p)).Refunded.Minor(); back != 0 {
		d.Failf("%s: amount_refunded is %d, and nothing went back", what, back)
	}
	r = d.done("refund of all after one was canceled", d.giveBack(p, 5000))
	d.Until(at(p, "refunds", r.ID), "succeeded")
	d.money(what+", and another", p, charge(5000), gone(5000))
}

// refundLost loses a refund: it is sent again under the same id, and no other goes out
// meanwhile.
func (d *desk) refundLost(kind wire.Kind) {
	what := "a refund that is lost, " + string(kind)
	d.Step("%s", what)
	p, mark := d.sold(5000), d.mark()
	var r conformance.Answer
	d.during(kind, wireRefund, func() {
		r = d.doubted(what, d.giveBack(p, 2000))
		d.refused("another refund after "+what, d.giveBack(p, 1000), "in_doubt")
	})
	d.Until(at(p, "refunds", r.ID), "succeeded")
	d.one(what, mark, wireRefund, "kassa_refund_id", 2)
	d.money(what, p, charge(5000), gone(2000))
}

// sameRefund sends one kassa_refund_id twice: for the same it is the same refund, and
// for something else none.
func (d *desk) sameRefund() {
	d.Step("the same kassa_refund_id")
	p := d.sold(5000)
	ask := func(amount int64) (string, error) {
		result, err := d.Calls().Refund(context.Background(), pay.RefundRequest{
			Intent: d.intent("same-refund"), Payment: d.ref(p), Refund: pay.Ref{ID: "r"},
			Amount: d.rubles(amount), Paid: d.rubles(5000),
		})
		return result.ProviderRef, err
	}
	was := d.count("refund")
	first, err := ask(1000)
	d.Must(err)
	again, err := ask(1000)
	d.Must(err)
	if again != first {
		d.Failf("the same kassa_refund_id gave the refund %q and then %q", first, again)
	}
	_, err = ask(1500)
	d.failed("refund of another amount with the same kassa_refund_id", err, pay.ClassDuplicate)
	if n := d.count("refund") - was; n != 1 {
		d.Failf("one kassa_refund_id made %d refunds", n)
	}
	d.Move(first, "fail") // payhost's ledger knows nothing of it
}

// refundVerdictLost loses the till's word on a refund, and repeats it.
func (d *desk) refundVerdictLost() {
	const what = "a confirm_refund that is lost"
	d.Step("%s", what)
	p := d.sold(5000)
	r := d.done("refund", d.giveBack(p, 2000))
	path, mark := at(p, "refunds", r.ID), d.mark()
	d.Until(path, "succeeded")
	d.during(wire.CutBefore, wireRefundVerdict, func() { d.doubted(what, d.Try(path+"/confirm", nil)) })
	d.Until(path, "succeeded")
	d.done("confirm_refund again", d.Try(path+"/confirm", nil))
	if word := d.one(what, mark, wireRefundVerdict, "status", 2); word != "success" {
		d.Failf("%s: the till's word was %q, and should be success", what, word)
	}
	if d.detail(r.ProviderRef, "confirmed") != true {
		d.Failf("%s: the provider has not heard the till's word", what)
	}
	d.money(what, p, charge(5000), gone(2000))
}

// refundDeclined has the provider refuse a refund in the end.
func (d *desk) refundDeclined() {
	const what = "a refund that fails"
	d.Step("%s", what)
	p := d.sold(20000)
	r := d.done("refund", d.giveBack(p, smartpay.RefundDeclined))
	d.Until(at(p, "refunds", r.ID), "failed")
	d.Pass(time.Hour)
	d.refused("confirm of a refund that failed", d.Try(at(p, "refunds", r.ID, "confirm"), nil), "state_conflict")
	d.money(what, p, charge(20000))
}
