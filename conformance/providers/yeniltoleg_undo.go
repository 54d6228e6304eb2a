package providers

import (
	"context"
	"fmt"
	"net/http"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/sdk/pay"
)

// These are the cases of cancel and refund: Y7 and Y8.

// yenilRefusals are the two forms in which a state is refused.
func yenilRefusals() []string { return []string{"problem", "result_false"} }

// yenilY7: a cancel and the payer at once.
func yenilY7(y *yenil) {
	for _, form := range yenilRefusals() {
		y.Step("cancel while the payer pays, refusal %s", form)
		y.set("refusal", form)
		p := y.Begin()
		y.Move(p.ProviderRef, "InProgress")
		y.holds("cancel while the payer pays, refusal "+form, y.undo(p, 0), want{
			code: 409, class: "state_conflict", effect: "none", provider: "InProgress", says: "Операция невозможна",
		})
		y.holds("a cancel that came too late", y.fresh(p), want{status: "processing", doubt: "-"})
		y.Pay(p)
		y.holds("a payment whose cancel came too late", y.fresh(p), want{status: "succeeded", doubt: "-"})
		y.money("a payment whose cancel came too late", p, "charge 35.45")

		p = y.Begin()
		y.Move(p.ProviderRef, "Canceled")
		y.holds("cancel of what was canceled before, refusal "+form, y.undo(p, 0), want{status: "canceled", doubt: "-"})
	}
	y.set("refusal", "problem")
	yenilLostCancels(y)
	yenilLooksFirst(y)
}

// yenilLostCancels loses the answer to cancel, with the effect and without it, and
// lets the payer pay where there was none.
func yenilLostCancels(y *yenil) {
	for _, c := range []struct {
		fault wire.Fault
		pays  bool
		ends  string
	}{
		{wire.Fault{Kind: wire.CutAfter}, false, "canceled"},
		{wire.Fault{Kind: wire.ServerError, After: true}, false, "canceled"},
		{wire.Fault{Kind: wire.CutBefore}, true, "succeeded"},
		{wire.Fault{Kind: wire.ServerError}, true, "succeeded"},
		{wire.Fault{Kind: wire.ServerError}, false, "failed"}, // the session ends by itself
	} {
		what := fmt.Sprintf("cancel with %s, payer pays: %v", c.fault, c.pays)
		y.Step("%s", what)
		p, sent := y.Begin(), len(y.calls(yenilCancel))
		y.during(c.fault, yenilCancel, func() {
			y.holds(what, y.undo(p, 0), want{code: http.StatusAccepted, doubt: "cancel"})
		})
		if c.pays {
			y.Pay(p)
		}
		y.Until(yenilPath(p), c.ends)
		if n := len(y.calls(yenilCancel)) - sent; n != 1 {
			y.Failf("%s: cancel was sent %d times; it has no key, so the status decides and not a repeat", what, n)
		}
	}
	y.Step("cancel answers as the document prints it")
	y.set("cancel_answer", "as_printed")
	p := y.Begin()
	y.holds("cancel answered with what is not JSON", y.undo(p, 0), want{code: http.StatusAccepted, doubt: "cancel"})
	y.Until(yenilPath(p), "canceled")
	y.set("cancel_answer", "json")
}

// yenilLooksFirst repeats cancel and refund after a doubt: nothing may be sent before
// the status was asked for, and nothing at all if it was done.
func yenilLooksFirst(y *yenil) {
	y.Step("a repeat of cancel")
	p, done := y.Begin(), y.Begin()
	y.Move(done.ProviderRef, "Canceled")
	repeat := func(p conformance.Answer) (host pay.Outcome, sent []wire.Exchange) {
		before := y.Wire.Number()
		result, err := y.Calls().Cancel(context.Background(), pay.PaymentRequest{Intent: yenilDoubt(), Payment: yenilRef(y, p)})
		if err != nil {
			y.Failf("a repeat of cancel after a doubt: %v", err)
		}
		return result.Outcome, y.Wire.Journal()[before:]
	}
	outcome, sent := repeat(done)
	y.looked("a repeat of a cancel that was done", outcome, sent, 1)
	outcome, sent = repeat(p)
	y.looked("a repeat of a cancel that was not done", outcome, sent, 2)
}

// looked holds that a repeat was done, with a look first and as many calls as given.
func (y *yenil) looked(what string, outcome pay.Outcome, sent []wire.Exchange, calls int) {
	if outcome != pay.OutcomeApplied {
		y.Failf("%s is %s, and should be applied", what, outcome)
	}
	if len(sent) != calls || sent[0].Method != http.MethodGet {
		y.Failf("%s sends %v: it should ask for the status first, and send nothing more if it is done", what, yenilLines(sent))
	}
}

func yenilLines(list []wire.Exchange) []string {
	lines := make([]string, 0, len(list))
	for i := range list {
		lines = append(lines, list[i].String())
	}
	return lines
}

// yenilDoubt is the intent of an operation whose first send got no answer.
func yenilDoubt() pay.Intent {
	return pay.Intent{Key: "op-doubt", Attempt: 2, Earlier: pay.Evidence{Wire: pay.WireUnknown, Calls: 1, BytesOut: 300}}
}

func yenilRef(y *yenil, p conformance.Answer) pay.Ref {
	return pay.Ref{ID: p.ID, ProviderRef: p.ProviderRef, Amount: pay.New(y.Terms.Amount, pay.TMT)}
}

// yenilY8: a refund in every state, two times, with its answer lost, and of a part.
func yenilY8(y *yenil) {
	yenilUnpaid(y)
	yenilElsewhere(y)
	yenilTwice(y)
	yenilLostRefunds(y)
	y.Step("a repeat of refund")
	for _, c := range []struct {
		state string
		calls int
	}{{"Refunded", 1}, {"Succeeded", 2}} {
		p := y.Sell()
		y.Move(p.ProviderRef, c.state)
		before := y.Wire.Number()
		whole := pay.New(y.Terms.Amount, pay.TMT)
		result, err := y.Calls().Refund(context.Background(), pay.RefundRequest{
			Intent: yenilDoubt(), Payment: yenilRef(y, p), Amount: whole, Paid: whole,
		})
		if err != nil {
			y.Failf("a repeat of refund after a doubt: %v", err)
		}
		y.looked("a repeat of a refund, payment "+c.state, result.Outcome, y.Wire.Journal()[before:], c.calls)
		y.money("a repeat of a refund, payment "+c.state, p, "charge 35.45, refund 35.45")
	}
}

// yenilUnpaid asks for refunds of payments that payhost knows to be unpaid.
func yenilUnpaid(y *yenil) {
	for _, state := range []string{"Pending", "InProgress", "Canceled", "Failed", "Expired"} {
		y.Step("refund of a payment that is %s", state)
		p := y.Begin()
		y.Move(p.ProviderRef, state)
		y.fresh(p)
		y.holds("refund of a payment that is "+state, y.undo(p, y.Terms.Amount), want{code: 409, class: "state_conflict", effect: "none"})
	}
	if n := len(y.calls(yenilRefund)); n > 0 {
		y.Failf("refund was sent %d times for payments that were never paid", n)
	}
}

// yenilElsewhere has the provider bring a paid payment elsewhere before the refund,
// and payhost not know it yet.
func yenilElsewhere(y *yenil) {
	for n, state := range []string{"Pending", "InProgress", "Canceled", "Failed", "Expired", "Refunded", "Refunded"} {
		form := yenilRefusals()[n%2]
		what := fmt.Sprintf("refund while the provider has %s, refusal %s", state, form)
		y.Step("%s", what)
		y.set("refusal", form)
		p := y.Sell()
		y.Move(p.ProviderRef, state)
		a := y.undo(p, y.Terms.Amount)
		if state == "Refunded" { // somebody gave it back by hand: what was asked for is so
			y.holds(what, a, want{status: "succeeded"})
			y.money(what, p, "charge 35.45, refund 35.45")
			if p = y.Get(yenilPath(p)); p.Refunded.Minor() != y.Terms.Amount {
				y.Failf("%s: amount_refunded is %d", what, p.Refunded.Minor())
			}
			continue
		}
		y.holds(what, a, want{code: 409, class: "state_conflict", effect: "none", provider: state, says: "Операция невозможна"})
		y.money(what, p, "charge 35.45, reversal 35.45")
		if p = y.Get(yenilPath(p)); p.Refunded.Minor() != 0 {
			y.Failf("%s: amount_refunded is %d", what, p.Refunded.Minor())
		}
	}
	y.set("refusal", "problem")
}

// yenilTwice gives the same money back two times, and a part of it.
func yenilTwice(y *yenil) {
	y.Step("refund of a part, and two times")
	p, sent := y.Sell(), len(y.calls(yenilRefund))
	y.holds("refund of a part", y.undo(p, y.Terms.Amount-1), want{code: 422, class: "invalid_request", effect: "none", field: "amount"})
	if n := len(y.calls(yenilRefund)); n != sent {
		y.Failf("refund of a part was sent: the provider would give the whole back")
	}
	key, body := y.NewKey(), conformance.Object{"amount": y.Amount(y.Terms.Amount)}
	first := y.Request(http.MethodPost, yenilPath(p)+"/refunds", key, body)
	again := y.Request(http.MethodPost, yenilPath(p)+"/refunds", key, body)
	y.holds("refund", first, want{status: "succeeded"})
	if again.ID != first.ID || !again.Is("succeeded") {
		y.Failf("refund under the same key: %s, and first it was %s", again.Raw, first.Raw)
	}
	y.holds("refund of what was given back", y.undo(p, y.Terms.Amount), want{code: 422, class: "invalid_request", effect: "none"})
	y.money("refund two times", p, "charge 35.45, refund 35.45")
}

// yenilLostRefunds loses the answer to refund, with the effect and without it.
func yenilLostRefunds(y *yenil) {
	for _, c := range []struct {
		what   string
		amount int64
		sends  int
		money  string
	}{
		{"refund with 500 behind the effect", 3597, 1, "charge 35.97, refund 35.97"},
		{"refund with 500 and no effect", 998, 2, "charge 9.98, refund 9.98"},
	} {
		y.Step("%s", c.what)
		p, sent := y.BeginWith(c.amount, nil), len(y.calls(yenilRefund))
		y.Pay(p)
		y.Until(yenilPath(p), "succeeded")
		y.GiveBack(p, c.amount)
		y.money(c.what, p, c.money)
		if n := len(y.calls(yenilRefund)) - sent; n != c.sends {
			y.Failf("%s: refund was sent %d times, and should be %d: the status decides first", c.what, n, c.sends)
		}
		if p = y.Get(yenilPath(p)); p.Refunded.Minor() != c.amount || p.InDoubt != nil {
			y.Failf("%s: the payment in the end: %s", c.what, p.Raw)
		}
	}
}
