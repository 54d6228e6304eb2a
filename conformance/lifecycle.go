package conformance

import (
	"fmt"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/sdk/pay"
)

// lifecycle are the checks of L1.
func lifecycle() []check {
	return []check{
		told("L1.pay", "A payment comes to succeeded, with its receipt, and a part of it goes back.", "contract 4, 8", livePay),
		one("L1.cancel", L1, "A payment that was not paid is canceled, or its end is known.", "contract 2, 4", liveCancelDeclared),
		told("L1.failed", "A payment that fails at the provider is failed.", "contract 4", liveFailed),
		told("L1.expired", "A payment that nobody pays ends, and the provider charged nothing.", "contract 4", liveExpired),
		told("L1.late", "A payment that is paid behind its end is succeeded all the same.", "contract 4", liveLate),
		one("L1.expires_at", L1,
			"The time to pay that the merchant gives is the provider's, to the minute, whatever the zone.",
			"providers 4, C9", liveExpiresAt),
		{
			Check: Check{
				ID: "L1.amounts", Level: L1, Sentence: "Every amount reaches the provider exactly.", Proves: "contract 2; providers 4, C10",
			},
			jobs: (*suite).amounts,
		},
		one("L1.bad_amounts", L1,
			"An amount that the provider can't take is refused before anything is sent.",
			"contract 2; providers 4, C10", liveBadAmounts),
		one("L1.currency", L1,
			"A currency that the plugin does not declare is refused, and nothing is sent.",
			"contract 2", liveCurrency),
		one("L1.undeclared", L1,
			"An operation that is not declared answers unsupported, and nothing is sent.",
			"contract 2", liveUndeclared),
		one("L1.refunds", L1,
			"Two equal refunds are two, one of more than is left is refused, and all of it can go back.",
			"contract 2, 5", liveRefunds),
		one("L1.codes", L1, "A code that is bad is refused as such, and a good one goes on.", "contract 8", liveCodes),
		one("L1.batch", L1,
			"A status call about many answers of each what one about it alone does, and never that an unknown one is paid.",
			"contract 2", liveBatch),
		one("L1.more_fields", L1,
			"Fields that did not exist when the plugin was written change nothing.",
			"providers 4, C5", liveAll(wire.MoreFields)),
		one("L1.numbers_text", L1,
			"Numbers told as texts, and texts that are numbers told as such, change no amount.",
			"providers 4, C5", liveAll(wire.NumbersText)),
		one("L1.unknown_word", L1,
			"A state word that the plugin does not know is no news, and never success.",
			"contract 3; providers 4, C6", liveUnknownWord),
		one("L1.other_amount", L1, "A payment about another amount than asked is not succeeded.", "contract 3", liveOtherAmount),
		one("L1.other_subject", L1, "What the provider tells of another payment moves none of ours.", "contract 3", liveOtherSubject),
		one("L1.tenants", L1, "Nothing that one merchant's provider said is told to another's.", "abi, isolation", liveTenants),
	}
}

// told makes a check of L1 that is lived as it comes, and once more by status alone: a
// provider that calls would hide that status can't be read.
func told(id, sentence, proves string, live func(*Life)) check {
	return check{
		Check: Check{ID: id, Level: L1, Sentence: sentence, Proves: proves},
		jobs: func(s *suite) ([]job, string) {
			jobs := []job{{live: live}}
			if _, calls := s.stations[0].manifest.Operation(pay.OpNotification); calls {
				jobs = append(jobs, job{where: "the provider's own calls did not come", live: func(l *Life) {
					l.KeepInbound(true)
					live(l)
				}})
			}
			return jobs, ""
		},
	}
}

func liveCancelDeclared(l *Life) {
	if !l.Has(pay.OpCancel) {
		l.Skipf("the plugin declares no cancel")
	}
	liveCancel(l)
	canceled := l.Get("/v1/payments/" + l.payments[0])
	if !canceled.Is("canceled") {
		return
	}
	// What is canceled is not at the provider as what was just begun is.
	was, _ := l.ObjectOf(l.Begin())
	if is, ok := l.ObjectOf(canceled); ok && is.State == was.State {
		l.Failf("the payment is canceled, and at the provider it is %s, as one that waits for its payer", is.State)
	}
}

// moved takes a payment that waits for its payer to an outcome at the provider, and
// waits for the status.
func (l *Life) moved(outcome string, statuses ...string) {
	if outcome == "" {
		l.Skipf("the provider has no such end")
	}
	p := l.Begin()
	o, ok := l.ObjectOf(p)
	if !ok {
		l.Fatalf("the provider has no %s for the payment", l.Terms.PaymentKind)
	}
	l.Step("moved to %s", outcome)
	l.Move(o.ID, outcome)
	l.Until("/v1/payments/"+p.ID, statuses...)
	l.Verify()
}

func liveFailed(l *Life) { l.moved(l.Terms.Outcomes.Failed, "failed") }

// liveExpired lets the time to pay go by.
func liveExpired(l *Life) {
	if l.Terms.Lifetime == 0 {
		l.Skipf("an unpaid payment is never over at the provider")
	}
	p := l.Begin()
	l.Step("nobody pays")
	l.Pass(l.Terms.Lifetime + time.Minute)
	over := l.Now()
	l.Until("/v1/payments/"+p.ID, "expired", "failed", "canceled")
	if late := l.Now().Sub(over).Round(time.Minute); late > 12*time.Hour {
		l.Failf("payhost has given the payment up by its own clock, %s behind the provider's end: the plugin does not read that one", late)
	}
	l.Verify()
}

// liveLate pays behind the end.
func liveLate(l *Life) {
	end := cmpOr(l.Terms.Outcomes.Expired, l.Terms.Outcomes.Failed)
	if end == "" || l.Terms.Outcomes.Paid == "" {
		l.Skipf("a payment has no end before it is paid, or is not paid by a word")
	}
	p := l.Begin()
	path := "/v1/payments/" + p.ID
	o, ok := l.ObjectOf(p)
	if !ok {
		l.Fatalf("the provider has no %s for the payment", l.Terms.PaymentKind)
	}
	l.Step("moved to %s", end)
	l.Move(o.ID, end)
	l.Until(path, "failed", "expired", "canceled")
	l.Step("paid behind its end")
	l.Move(o.ID, l.Terms.Outcomes.Paid)
	l.Until(path, "succeeded")
	l.Verify()
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// liveExpiresAt gives ten minutes to pay: after eight the payment can be paid, and
// after eleven its time is over at the provider.
func liveExpiresAt(l *Life) {
	if !l.Terms.Expiry {
		l.Skipf("the provider takes no time to pay")
	}
	const minutes = 10
	until := Object{"expires_at": l.Now().Add(minutes * time.Minute).UTC().Format(time.RFC3339)}
	p := l.BeginWith(l.Terms.Amount, until)
	at := func(where string) string {
		o, ok := l.ObjectOf(p)
		if !ok {
			l.Fatalf("%s: the provider has no %s for the payment", where, l.Terms.PaymentKind)
		}
		return o.State
	}
	first := at("at the beginning")
	l.Pass((minutes - 2) * time.Minute)
	if now := at("after eight minutes"); now != first {
		l.Failf("two minutes before its time the payment is %s at the provider: the time to pay was sent in the wrong zone or unit", now)
	}
	l.Pass(3 * time.Minute)
	if now := at("after eleven minutes"); now == first {
		l.Failf("a minute behind its time the payment is still %s at the provider: the time to pay was not "+
			"sent, or in the wrong zone or unit", now)
	}
}

// amounts sells for each amount of the terms.
func (s *suite) amounts() ([]job, string) {
	var jobs []job
	for _, amount := range s.target.Provider.Terms.Amounts {
		jobs = append(jobs, job{where: fmt.Sprintf("a payment of %d minor units", amount), live: func(l *Life) {
			p := l.BeginWith(amount, nil)
			if o, ok := l.ObjectOf(p); !ok || o.Amount != amount {
				l.Failf("a payment of %d minor units is one of %d at the provider", amount, o.Amount)
			}
		}})
	}
	return jobs, "the provider's description names no amounts"
}

func liveBadAmounts(l *Life) {
	if len(l.Terms.BadAmounts) == 0 {
		l.Skipf("the provider's description names no bad amounts")
	}
	for _, amount := range l.Terms.BadAmounts {
		l.unsent(fmt.Sprintf("an amount of %d minor units", amount), "amount", func() Answer {
			return l.Try("/v1/payments", l.NewPayment(amount, nil))
		})
	}
}

// unsent holds that a request is refused as invalid, with the field, before anything
// is sent that has an effect.
func (l *Life) unsent(what, field string, try func() Answer) { l.lookedOnly(0, what, field, try) }

// lookedOnly is unsent for what payhost may look up at the provider before it asks the
// plugin: so many requests at most.
func (l *Life) lookedOnly(looks int, what, field string, try func() Answer) {
	before, objects := l.Wire.Number(), len(l.Sim.Objects())
	a := try()
	switch {
	case a.Class != "invalid_request" || !strings.Contains(a.Field, field):
		l.Failf("%s is not refused as an invalid %s: %s", what, field, a)
	case l.Wire.Number() > before+looks || len(l.Sim.Objects()) != objects:
		l.Failf("%s is refused, and only after something was sent", what)
	}
}

func liveCurrency(l *Life) {
	for _, currency := range []string{"JPY", "CHF"} {
		if _, ok := l.Manifest.Currency(pay.Currency(currency)); ok {
			l.Failf("the manifest declares %s, which the provider does not take", currency)
			continue
		}
		if l.Till() {
			continue
		}
		l.unsent("a payment in "+currency, "amount", func() Answer {
			return l.Try("/v1/payments", l.NewPayment(0, Object{"amount": Object{"value": "5000", "currency": currency}}))
		})
	}
	if _, ok := l.Manifest.Currency(pay.Currency(l.Terms.Currency)); !ok {
		l.Failf("the manifest does not declare the provider's %s", l.Terms.Currency)
	}
}

// liveUndeclared tries over the API what is not in the manifest.
func liveUndeclared(l *Life) {
	p := l.Begin()
	tried := 0
	for op, try := range map[pay.Operation]struct {
		path string
		body any
	}{
		pay.OpCancel:  {"/cancel", nil},
		pay.OpBind:    {"/bind", Object{"code": "code"}},
		pay.OpRelease: {"/release", Object{"amount": l.Amount(l.Terms.Amount)}},
		pay.OpConfirm: {"/confirm", nil},
		pay.OpReceipt: {"/receipts", Object{"register_number": "0000000001012345", "fiscal_sign": "2718281828"}},
		pay.OpRefund:  {"/refunds", Object{"amount": l.Amount(l.Terms.Amount)}},
	} {
		if l.Has(op) {
			continue
		}
		tried++
		before := l.Wire.Number()
		if a := l.Try("/v1/payments/"+p.ID+try.path, try.body); a.Class != "unsupported" || l.Wire.Number() != before {
			l.Failf("%s is not declared, and answers %s", op, a)
		}
	}
	if tried == 0 {
		l.Skipf("the plugin declares every operation")
	}
}

// liveCodes shows bad codes at the till, and then a good one.
func liveCodes(l *Life) {
	if !l.Till() || len(l.Terms.BadCodes) == 0 {
		l.Skipf("no payer shows a code")
	}
	p := l.Create(0, nil)
	path := "/v1/payments/" + p.ID
	for _, kind := range l.Terms.BadCodes {
		a := l.Try(path+"/bind", Object{"code": l.Code(kind)})
		if a.Class != "code_invalid" && a.Class != "code_expired" {
			l.Failf("a code that is %s is not refused as one: %s", kind, a)
		}
	}
	l.Accepted(path+"/bind", Object{"code": l.Code("")})
}
