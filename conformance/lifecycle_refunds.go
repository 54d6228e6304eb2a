package conformance

import "github.com/payhost/payhost/sdk/pay"

// liveRefunds gives a payment back in parts where that is offered: two equal ones,
// one that is too much, and the rest.
func liveRefunds(l *Life) {
	if !l.Has(pay.OpRefund) {
		l.Skipf("the plugin declares no refund")
	}
	p := l.Sell()
	path := "/v1/payments/" + p.ID
	if l.Terms.WholeRefunds {
		l.wholeRefund(p)
		return
	}
	part := l.RefundAmount()
	l.GiveBack(p, part)
	l.GiveBack(p, part)
	l.Step("refund of too much")
	before := len(l.Sim.Effects())
	if a := l.Try(path+"/refunds", Object{"amount": l.Amount(l.Terms.Amount - 2*part + 100)}); a.Code/100 == 2 {
		l.Failf("a refund of more than is left is taken: %s", a)
	}
	if len(l.Sim.Effects()) != before {
		l.Failf("a refund of more than is left moved money")
	}
	if rest := l.Terms.Amount - 2*part; rest > 0 {
		l.GiveBack(p, rest)
	}
	l.Verify()
	if t := l.truthOf(l.Get(path)); t.refunds != 3 || t.refunded != l.Terms.Amount {
		l.Failf("the provider paid %d refunds, %d in all, and should have paid 3 of %d", t.refunds, t.refunded, l.Terms.Amount)
	}
}

func (l *Life) wholeRefund(p Answer) {
	looks := 1 // after what was given back already, where only status tells
	l.lookedOnly(looks, "a refund of a part, where only the whole can go back,", "amount", func() Answer {
		return l.Try("/v1/payments/"+p.ID+"/refunds", Object{"amount": l.Amount(l.Terms.Amount / 2)})
	})
	l.GiveBack(p, l.Terms.Amount)
	l.Verify()
}
