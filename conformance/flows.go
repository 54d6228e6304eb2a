package conformance

import (
	"github.com/payhost/payhost/sdk/pay"
)

// flow is a story that every plugin which declares its parts must live through, and
// that faults are put into.
type flow struct {
	name    string
	applies func(m *pay.Manifest, t *Terms) bool
	live    func(l *Life)
}

// flows are the stories of the fault matrix.
func flows() []flow {
	return []flow{
		{"pay", func(*pay.Manifest, *Terms) bool { return true }, livePay},
		{"cancel", func(m *pay.Manifest, _ *Terms) bool { _, ok := m.Operation(pay.OpCancel); return ok }, liveCancel},
	}
}

// livePay is the whole life: paid, a receipt, and a part of it given back.
func livePay(l *Life) {
	p := l.Sell()
	if l.Has(pay.OpReceipt) && l.Terms.Receipt != nil {
		l.Receipt(p)
	}
	if l.Has(pay.OpRefund) {
		l.GiveBack(p, l.RefundAmount())
	}
	l.Verify()
}

// liveCancel is a payment that the merchant takes back before it was paid.
func liveCancel(l *Life) {
	p := l.Begin()
	l.Step("cancel")
	a := l.Do("/v1/payments/"+p.ID+"/cancel", nil)
	if a.Code/100 != 2 && a.Class != "state_conflict" {
		l.Fatalf("the cancel was refused: %s", a)
	}
	// A cancel that was lost may only be known to be lost when the provider's own time is
	// over; then there is nothing left to cancel.
	l.Until("/v1/payments/"+p.ID, "canceled", "failed", "expired")
	l.Verify()
}

// Sell takes a payment from its beginning to succeeded.
func (l *Life) Sell() Answer {
	p := l.Begin()
	path := "/v1/payments/" + p.ID
	l.Step("pay")
	if l.Till() {
		p = l.Until(path, "processing", "authorized", "succeeded")
		l.Pay(p)
		l.Until(path, "authorized", "succeeded")
		if l.Has(pay.OpConfirm) {
			l.Step("confirm")
			l.Accepted(path+"/confirm", nil)
		}
	} else {
		p = l.Until(path, "pending", "succeeded")
		l.Pay(p)
	}
	l.Step("until succeeded")
	return l.Until(path, "succeeded")
}

// Begin takes a payment to where the payer has to do something: a link is there, or a
// code was scanned and the amount sent.
func (l *Life) Begin() Answer { return l.BeginWith(l.Terms.Amount, nil) }

// BeginWith is Begin for an amount, with fields besides those of the terms.
func (l *Life) BeginWith(amount int64, fields Object) Answer {
	l.Step("create")
	if !l.Till() {
		p := l.Create(amount, fields)
		l.Step("until pending")
		return l.Until("/v1/payments/"+p.ID, "pending", "succeeded")
	}
	p := l.Create(0, fields)
	path := "/v1/payments/" + p.ID
	l.Step("bind")
	l.Accepted(path+"/bind", Object{"code": l.Code("")})
	l.Step("release")
	l.Accepted(path+"/release", Object{"amount": l.Amount(amount)})
	return l.Get(path)
}

// Code is a code as a payer shows it.
func (l *Life) Code(kind string) string {
	presenter, ok := l.Sim.(Presenter)
	if !ok {
		l.Fatalf("simulator: the plugin is a till's, and the simulator presents no codes")
	}
	code, err := presenter.Present(kind)
	l.Must(err)
	l.codes = append(l.codes, code)
	return code
}

// Accepted is Do for what must not be refused.
func (l *Life) Accepted(path string, body any) Answer {
	a := l.Do(path, body)
	if a.Code/100 != 2 {
		l.Fatalf("POST %s was refused: %s", path, a)
	}
	return a
}

// Pay plays the payer of a payment, by the link that payhost has handed out.
func (l *Life) Pay(p Answer) {
	if l.Terms.Outcomes.Paid == "" || p.Is("succeeded") {
		return // it comes by itself
	}
	o, ok := l.ObjectOf(p)
	if !ok {
		l.Fatalf("payment is %v, and the provider has no %s for it", p.Status, l.Terms.PaymentKind)
	}
	l.Move(o.ID, l.Terms.Outcomes.Paid)
}

// Receipt registers a receipt of a payment.
func (l *Life) Receipt(p Answer) {
	l.Step("receipt")
	a := l.Accepted("/v1/payments/"+p.ID+"/receipts", l.Terms.Receipt)
	l.Until("/v1/receipts/"+a.ID, "registered")
}

// RefundAmount is what a life gives back: about two fifths, in whole major units and
// the currency's steps, or all where only that can be given back.
func (l *Life) RefundAmount() int64 {
	if l.Terms.WholeRefunds {
		return l.Terms.Amount
	}
	step := int64(100)
	if c, ok := l.Manifest.Currency(pay.Currency(l.Terms.Currency)); ok {
		step *= max(c.Step, 1)
	}
	return max(l.Terms.Amount*2/5/step*step, step)
}

// GiveBack refunds an amount and waits until it has gone back.
func (l *Life) GiveBack(p Answer, amount int64) Answer {
	l.Step("refund")
	a := l.Accepted("/v1/payments/"+p.ID+"/refunds", Object{"amount": l.Amount(amount), "reason": "one less"})
	path := "/v1/payments/" + p.ID + "/refunds/" + a.ID
	l.settleRefunds()
	l.Step("until refunded")
	r := l.Until(path, "succeeded")
	if l.Has(pay.OpConfirmRefund) {
		l.Step("confirm refund")
		l.Accepted(path+"/confirm", nil)
	}
	return r
}

// settleRefunds has the provider pay the refunds that it does not pay by itself.
func (l *Life) settleRefunds() {
	word := l.Terms.Outcomes.Refunded
	if word == "" {
		return
	}
	for _, o := range l.Sim.Objects() {
		if o.Kind == l.Terms.RefundKind && o.State != word {
			l.Move(o.ID, word)
		}
	}
}
