package providers

import (
	"fmt"
	"strconv"
	"time"

	"github.com/payhost/payhost/conformance"
)

// pollEvery is the least time between two status calls that the plugin's manifest
// should ask for: the provider's document says "in a loop", contract 7 says 3 s.
const pollEvery = 3 * time.Second

// livePolls is S5.
func livePolls(d *desk) {
	for _, polls := range []int{0, 1, 5} {
		d.polled(polls, "approves", "authorized")
		d.polled(polls, "declines", "failed")
	}
	d.set("payer", "waits")
	d.budgetEnds(0)
	d.budgetEnds(3)
	d.Verify()
}

// polled has a payment be pending for a while, and then end.
func (d *desk) polled(polls int, payer, end string) {
	what := fmt.Sprintf("a payment that is pending %d times, and then %s", polls, end)
	d.Step("%s", what)
	d.set("payer", payer)
	d.set("pending_polls", strconv.Itoa(polls))
	p := d.released(d.Terms.Amount)
	d.is("a payment that was released", p, "processing")
	mark := d.mark()
	d.refused("confirm of a payment that is pending", d.tryEarly(p, polls), "state_conflict")
	p = d.Until(at(p), end)
	calls := about(p.ProviderRef, d.since(mark, wireStatus))
	if len(calls) != polls+1 {
		d.Failf("%s: status was called %d times, and should be %d", what, len(calls), polls+1)
	}
	for i := 1; i < len(calls); i++ {
		if gap := calls[i].At.Sub(calls[i-1].At); i > 1 && gap < pollEvery {
			d.Failf("%s: status was called %s after it was called before; the provider is asked every %s", what, gap, pollEvery)
			break
		}
	}
	if end == "authorized" {
		d.confirms(p)
		return
	}
	d.refused("confirm of a payment that was declined", d.Try(at(p, "confirm"), nil), "state_conflict")
	d.money(what, d.Get(at(p)))
}

// tryEarly confirms a payment that is not paid. Payhost asks the provider before it
// refuses, which is a poll too; where the first one would tell that it is paid, it is
// not tried.
func (d *desk) tryEarly(p conformance.Answer, polls int) conformance.Answer {
	if polls == 0 {
		return conformance.Answer{Class: "state_conflict", Effect: "none"}
	}
	return d.Try(at(p, "confirm"), nil)
}

// budgetEnds has the provider refuse to be asked any more, and the cashier give up.
func (d *desk) budgetEnds(cancelPolls int) {
	what := "a payment that may not be asked after any more"
	d.Step("%s", what)
	d.set("poll_budget", "3")
	d.set("cancel_polls", strconv.Itoa(cancelPolls))
	p, mark := d.released(d.Terms.Amount), d.mark()
	for range 8 {
		d.Pass(pollEvery + time.Second)
	}
	if n := len(about(p.ProviderRef, d.since(mark, wireStatus))); n < 4 {
		d.Failf("%s: status was called %d times within half a minute", what, n)
	}
	d.is(what, d.Get(at(p)), "processing")
	d.done("cancel of "+what, d.Try(at(p, "cancel"), nil))
	if cancelPolls > 0 { // it is still pending there, and may still not be asked after
		d.Pass(pollEvery + time.Second)
		d.is(what+", canceled", d.Get(at(p)), "processing")
	}
	d.set("poll_budget", "0")
	p = d.Until(at(p), "canceled")
	d.money(what, p)
}
