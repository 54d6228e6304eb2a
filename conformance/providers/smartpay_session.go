package providers

import (
	"context"
	"fmt"
	"strings"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/sim/certs"
	"github.com/payhost/payhost/conformance/sim/smartpay"
	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/sdk/pay"
)

// liveSessions is S1.
func liveSessions(d *desk) {
	d.set("cookie_name", "random")
	d.set("open_calls", "no")
	d.set("pending_polls", "0")
	d.set("refund_polls", "0")
	d.firstSession()
	certificate := 0
	for _, end := range []struct {
		why string
		do  func()
	}{
		{"the session is over", d.sim.Server.ExpireSessions},
		{"there is no such session", d.sim.Server.ForgetSessions},
		{"the session is another certificate's", func() {
			certificate++
			d.sitAt(smartpay.DefaultTill, fmt.Sprintf("renewed-%d", certificate))
		}},
	} {
		d.everyCall(end.why, end.do)
	}
	d.refusedForever()
	d.unknownTill()
	d.refusedCertificate()
	d.Verify()
}

// firstSession has the very first call open a session, and the next one use it.
func (d *desk) firstSession() {
	p := d.Create(0, nil)
	d.answers("the first call of all, bind", 0, func() { d.done("bind", d.bind(p, d.Code(""))) },
		wireAuth+" 200", wireCommit+" 200")
	d.answers("release, with a session that is good", d.mark(), func() { d.done("release", d.release(p, d.Terms.Amount)) },
		wireRelease+" 200")
	d.Until(at(p), "authorized")
	d.done("confirm", d.Try(at(p, "confirm"), nil))
}

// answers holds that something made these requests and no others, with these answers.
func (d *desk) answers(what string, mark int, do func(), want ...string) {
	do()
	var got []string
	for _, x := range d.since(mark) {
		got = append(got, fmt.Sprintf("%s %d", x.Path, x.Status))
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		d.Failf("%s: the requests were %s, and should be %s", what, orNothing(got), orNothing(want))
	}
}

// everyCall makes every call of the provider just after the session has ended: it is
// refused, a session is opened, and the call is made again.
func (d *desk) everyCall(why string, end func()) {
	over := func(name, path string, do func()) {
		d.Step("%s, and %s", name, why)
		end()
		d.answers(name+", and "+why, d.mark(), do, path+" 401", wireAuth+" 200", path+" 200")
	}
	post := func(name, path, step string, body any) (a conformance.Answer) {
		over(name, path, func() { a = d.done(name+", and "+why, d.Try(step, body)) })
		return a
	}
	p := d.Create(0, nil)
	post("bind", wireCommit, at(p, "bind"), conformance.Object{"code": d.Code("")})
	post("release", wireRelease, at(p, "release"), conformance.Object{"amount": d.Amount(d.Terms.Amount)})
	over("status", wireStatus, func() { d.is("the payment", d.Get(at(p)+"?refresh=true"), "authorized") })
	post("confirm", wireVerdict, at(p, "confirm"), nil)
	post("receipt", wireFiscal, at(p, "receipts"), d.Terms.Receipt)
	post("receipt of its own", wireReceipt, "/v1/receipts", conformance.Object{
		"connection": d.Connection, "register_number": "1", "fiscal_sign": d.NewKey(),
	})
	r := post("refund", wireRefund, at(p, "refunds"), conformance.Object{"amount": d.Amount(1000)})
	over("refund_status", wireRefundStatus, func() {
		items, err := d.Calls().RefundStatus(context.Background(), pay.Ref{ID: r.ID, ProviderRef: r.ProviderRef})
		if d.Must(err); items[0].Found != pay.FoundObserved {
			d.Failf("refund_status, and %s: the plugin observed nothing: %v", why, items[0].Err)
		}
	})
	d.Until(at(p, "refunds", r.ID), "succeeded")
	post("confirm_refund", wireRefundVerdict, at(p, "refunds", r.ID, "confirm"), nil)
	d.set("refund_outcome", "waits")
	r = d.Accepted(at(p, "refunds"), conformance.Object{"amount": d.Amount(500)})
	post("cancel_refund", wireRefundVerdict, at(p, "refunds", r.ID, "cancel"), nil)
	d.set("refund_outcome", "success")
	d.Until(at(p, "refunds", r.ID), "failed")
	q := d.bound()
	post("cancel", wireVerdict, at(q, "cancel"), nil)
	d.Until(at(q), "canceled")
	over("ping", wirePing, func() { d.Must(d.Calls().Ping(context.Background())) })
	over("error_catalog", wireErrors, func() {
		_, err := d.Calls().ErrorCatalog(context.Background())
		d.Must(err)
	})
}

// refusedForever has a provider that takes no session that it gives: one is opened and
// no more, and what was asked for has not happened and goes through later.
func (d *desk) refusedForever() {
	d.Step("no session is good")
	p, code := d.Create(0, nil), d.Code("")
	was := d.count("purchase")
	d.set("session_lifetime", "0s")
	d.sim.Server.ExpireSessions()
	d.answers("bind, and no session is good", d.mark(), func() {
		d.refused("bind, and no session is good", d.bind(p, code), "auth")
	}, wireCommit+" 401", wireAuth+" 200", wireCommit+" 401")
	d.untouched("bind, and no session is good", p, was)
	d.set("session_lifetime", "30m")
	d.done("the code again, and sessions are good again", d.bind(p, code))
}

// untouched holds that a payment waits for its code, and that no code was claimed.
func (d *desk) untouched(what string, p conformance.Answer, purchases int) {
	d.is("the payment after "+what, d.Get(at(p)), "pending")
	if n := d.count("purchase"); n != purchases {
		d.Failf("%s: the provider has claimed %d codes, and should have claimed %d", what, n, purchases)
	}
}

// unknownTill is a provider that does not know the till any more.
func (d *desk) unknownTill() {
	p, code := d.Create(0, nil), d.Code("")
	was := d.count("purchase")
	d.set("tills", "another")
	d.sim.Server.ForgetSessions()
	d.answers("bind at a till that the provider does not know", d.mark(), func() {
		d.refused("bind at a till that the provider does not know", d.bind(p, code), "config")
	}, wireCommit+" 401", wireAuth+" 403")
	d.untouched("bind at a till that the provider does not know", p, was)
	d.set("tills", "")
	d.done("the code again, and the till is known", d.bind(p, code))
}

// refusedCertificate shows the provider a certificate that it never signed, and none.
func (d *desk) refusedCertificate() {
	d.Step("the certificate is refused")
	stranger, err := certs.NewAuthority("a stranger")
	d.Must(err)
	id, err := stranger.Client(smartpay.DefaultTill)
	d.Must(err)
	p, code := d.Create(0, nil), d.Code("")
	was := d.count("purchase")
	// As a till of its own it has no session yet, so that opening one is what fails.
	d.show(id, "strangers-till")
	d.refused("bind with a certificate that the provider refuses", d.bind(p, code),
		"unavailable", "timeout", "auth", "config")
	d.untouched("bind with a certificate that the provider refuses", p, was)
	if err := d.Calls().Ping(context.Background()); err == nil {
		d.Failf("ping finds the provider there, though it refuses the certificate")
	}
	d.sitDown()
	d.done("the code again with the right certificate", d.bind(p, code))
	err = d.TryConnect(func(c *host.ConnectionConfig) { c.TLS = nil })
	if err == nil || !strings.Contains(err.Error(), "client") {
		d.Failf("a connection without the till's certificate is answered %v, and should be refused with the name of the identity, client", err)
	}
}
