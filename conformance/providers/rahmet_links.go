package providers

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/wire"
)

// rahmetLinkCases are about the calls that the provider makes.
func rahmetLinkCases() []conformance.Case {
	return []conformance.Case{
		rahmetCase(conformance.Check{
			ID: "R15", Level: conformance.L3, Proves: "providers 4, R15; contract 7",
			Sentence: "A postlink of any form has payhost ask status at once, and moves nothing by what it says.",
		}, rahmetPostlinks),
		rahmetCase(conformance.Check{
			ID: "R16", Level: conformance.L3, Proves: "providers 4, R16; contract 7",
			Sentence: "A failed_postlink ends nothing: the payer may try again, and does.",
		}, rahmetFailed),
		rahmetCase(conformance.Check{
			ID: "R17", Level: conformance.L3, Proves: "providers 4, R17",
			Sentence: "No checklink is ever offered to the provider, so that no answer of payhost, or none, can keep a payer from paying.",
		}, rahmetChecklink),
	}
}

// calls returns the provider's calls after the first n that were answered with 200.
// Every one must be.
func (l *rahmetLife) calls(n, want int) []conformance.Inbound {
	list := l.Inbound()[n:]
	if len(list) != want {
		l.Fatalf("the provider made %d calls, want %d", len(list), want)
	}
	for _, in := range list {
		if in.Status != http.StatusOK {
			l.Failf("the provider's call %s %s was answered with %d, want 200: it would go on calling, or give up", in.Method, in.URI, in.Status)
		}
	}
	return list
}

// hinted waits until a hint has had status asked, and its answer written down.
func (l *rahmetLife) hinted(p conformance.Answer, mark int, status, what string) {
	asked := func(x wire.Exchange) bool { return !x.Ended.IsZero() && x.Said(l.orderID(p)) }
	if !l.soon(func() bool {
		for _, x := range l.sent(mark, rahmetStatus) {
			if asked(x) {
				now := l.Get(l.path(p))
				return now.Is(status)
			}
		}
		return false
	}) {
		l.Fatalf("after %s the payment is %v, want %s by a status call that is made at once", what, l.Get(l.path(p)).Status, status)
	}
}

func rahmetPostlinks(l *rahmetLife) {
	rahmetForged(l)
	for _, params := range []string{"0", "2", "4"} {
		for _, join := range []string{"correct", "naive"} {
			l.Step("pay; postlink with %s parameters, joined as %s", params, join)
			l.set("postlink_params", params)
			l.set("postlink_join", join)
			p, n := l.Begin(), len(l.Inbound())
			mark := l.Wire.Number()
			l.Move(l.order(p).ID, "paid")
			l.calls(n, 1)
			l.hinted(p, mark, "succeeded", "a postlink with "+params+" parameters, joined as "+join)
			l.money(p, l.Terms.Amount, 0)
		}
	}
	l.set("postlink_join", "correct")
	rahmetTwice(l)
	rahmetEarly(l)
	rahmetUncalled(l)
	l.Verify()
}

// rahmetTwice has the provider call twice, and once more a day later.
func rahmetTwice(l *rahmetLife) {
	l.Step("pay; postlink is called twice")
	l.set("postlink_copies", "2")
	defer l.set("postlink_copies", "1")
	p, n := l.Begin(), len(l.Inbound())
	mark := l.Wire.Number()
	l.Move(l.order(p).ID, "paid")
	calls := l.calls(n, 2)
	l.hinted(p, mark, "succeeded", "a postlink that came twice")
	l.Pass(24 * time.Hour)
	if status, _ := l.Again(calls[0]); status != http.StatusOK {
		l.Failf("a postlink that is repeated a day later is answered with %d, want 200", status)
	}
	l.Pass(time.Minute)
	l.money(p, l.Terms.Amount, 0)
	if p = l.Get(l.path(p)); !p.Is("succeeded") || p.Alerts != 0 {
		l.Failf("after a repeated postlink the payment is %v with %d alerts", p.Status, p.Alerts)
	}
}

// rahmetEarly has the provider call before it answers to create.
func rahmetEarly(l *rahmetLife) {
	const paidAtOnce = 590100
	l.Step("create an order whose postlink comes before its answer")
	l.set("postlink_timing", "before_answer")
	defer l.set("postlink_timing", "async")
	n := len(l.Inbound())
	p := l.Create(paidAtOnce, nil)
	l.calls(n, 1)
	p = l.Until(l.path(p), "succeeded")
	l.money(p, paidAtOnce, 0)
}

// rahmetForged has strangers, and the provider itself, say what is not so.
func rahmetForged(l *rahmetLife) {
	p := l.Begin()
	o, n := l.order(p), len(l.Inbound())
	link := rahmetDetails[rahmetOrderDetails](o).Postlink
	at, err := url.Parse(link)
	l.Must(err)
	still := func(mark int, what string) {
		l.hinted(p, mark, "pending", what)
		l.Pass(time.Minute)
		if p = l.Get(l.path(p)); !p.Is("pending") || p.Paid.Minor() != 0 || p.Alerts != 0 || rahmetNextOf(p).URL == "" {
			l.Fatalf("after %s the payment is %v, paid %d, with %d alerts; nobody has paid", what, p.Status, p.Paid.Minor(), p.Alerts)
		}
	}
	for _, query := range []string{
		"", "&reference=" + o.ID + "&amount=2500", "?reference=" + o.ID + "&amount=2500&cardAmount=2500&balanceAmount=0",
		"&amount=1&amount=999999999999999999999&reference=x%00y",
	} {
		l.Step("forge a postlink: %q", query)
		mark := l.Wire.Number()
		if status, _ := l.Call(http.MethodGet, at.RequestURI()+query, nil, nil); status != http.StatusOK {
			l.Failf("a postlink with %q is answered with %d, want 200: a real one may look so", query, status)
		}
		still(mark, "a forged postlink")
	}
	l.Step("postlink of an unpaid order, for another amount")
	mark := l.Wire.Number()
	l.Move(o.ID, "postlink_other_amount")
	l.calls(n+4, 1)
	still(mark, "a postlink for another amount")
	rahmetStrangers(l, at)
	l.Move(o.ID, "paid")
	l.Until(l.path(p), "succeeded")
	l.Step("postlink of the paid order, for another amount")
	l.Move(o.ID, "postlink_other_amount")
	l.Pass(time.Minute)
	l.money(p, l.Terms.Amount, 0)
}

// rahmetStrangers makes calls that are none of the provider's.
func rahmetStrangers(l *rahmetLife, at *url.URL) {
	l.Step("calls of strangers")
	mark := l.Wire.Number()
	wrong := strings.Replace(at.RequestURI(), at.Path, at.Path[:len(at.Path)-4]+"zzzz", 1)
	if status, _ := l.Call(http.MethodGet, wrong, nil, nil); status != http.StatusNotFound {
		l.Failf("a link with another nonce is answered with %d, want 404", status)
	}
	form := http.Header{"Content-Type": {rahmetForm}}
	if status, _ := l.Call(http.MethodPost, at.RequestURI(), form, []byte("amount=2500")); status != http.StatusMethodNotAllowed {
		l.Failf("POST to a postlink is answered with %d, want 405: Rahmet calls by GET", status)
	}
	if n := len(l.sent(mark, rahmetStatus)); n > 0 {
		l.Failf("calls that can't be the provider's have status asked %d times", n)
	}
}

// rahmetUncalled has the provider not call at all, or in vain.
func rahmetUncalled(l *rahmetLife) {
	for _, copies := range []string{"0", "1"} {
		l.Step("pay; %s postlinks, which do not arrive", copies)
		l.set("postlink_copies", copies)
		l.KeepInbound(true)
		p := l.sell()
		l.KeepInbound(false)
		l.money(p, l.Terms.Amount, 0)
	}
}

func rahmetFailed(l *rahmetLife) {
	l.Step("decline, and pay then")
	p, n := l.Begin(), len(l.Inbound())
	o, mark := l.order(p), l.Wire.Number()
	l.Move(o.ID, "declined")
	calls := l.calls(n, 1)
	l.hinted(p, mark, "pending", "a failed_postlink")
	l.Pass(time.Minute)
	if p = l.Get(l.path(p)); !p.Is("pending") || rahmetNextOf(p).URL == "" {
		l.Fatalf("after a failed_postlink the payment is %v with the link %q; the payer may try again", p.Status, rahmetNextOf(p).URL)
	}
	l.money(p, 0, 0)
	l.Move(o.ID, "paid")
	l.Until(l.path(p), "succeeded")
	l.money(p, l.Terms.Amount, 0)
	l.Step("failed_postlink after the success")
	if status, _ := l.Again(calls[0]); status != http.StatusOK {
		l.Failf("a failed_postlink after the success is answered with %d, want 200", status)
	}
	l.Move(o.ID, "failed_postlink")
	l.Pass(time.Minute)
	l.money(p, l.Terms.Amount, 0)
	if p = l.Get(l.path(p)); !p.Is("succeeded") {
		l.Failf("a failed_postlink after the success makes the payment %v", p.Status)
	}
	for _, t := range []struct {
		what    string
		amount  int64
		charged int64
	}{{"declined at once", 190200, 0}, {"declined, then paid, at once", 190500, 190500}} {
		l.Step("create an order that is %s", t.what)
		p := l.Create(t.amount, nil)
		if t.charged == 0 {
			p = l.Until(l.path(p), "pending")
			l.Pass(time.Minute)
			l.Move(l.order(p).ID, "paid")
		}
		l.Until(l.path(p), "succeeded")
		l.money(p, t.amount, 0)
	}
	l.Verify()
}

func rahmetChecklink(l *rahmetLife) {
	for _, settings := range []map[string]any{nil, {"api_version": "v2", "image_size": 300}} {
		l.settings(settings)
		p := l.Begin()
		calls := len(l.sim.Deliveries())
		l.Move(l.order(p).ID, "payer_pays") // as the page's button does, which asks checklink first
		l.Until(l.path(p), "succeeded")
		l.money(p, l.Terms.Amount, 0)
		for _, d := range l.sim.Deliveries()[calls:] {
			if d.Kind == "checklink" {
				l.Failf("the provider asked payhost whether the order may be paid")
			}
		}
	}
	for _, x := range append(l.sent(0, rahmetCreateV1), l.sent(0, rahmetCreateV2)...) {
		for _, name := range []string{"checklink", "failed_on_check"} {
			if rahmetFields(&x).Has(name) {
				l.Failf("create has the field %s, and payhost answers no checks: the payer is turned away, or not, by its default", name)
			}
		}
	}
	l.settings(nil)
	l.Step("ask for a check")
	for _, name := range []string{"checklink", "failed_on_check"} {
		mark := l.Wire.Number()
		a := l.Try("/v1/payments", l.NewPayment(l.Terms.Amount, conformance.Object{"options": conformance.Object{name: "true"}}))
		if a.Class != "invalid_request" || a.Field != "options."+name || len(l.sent(mark, rahmetCreateV1)) > 0 {
			l.Failf("the option %s is answered %d %s, want invalid_request of options.%s: what is not sent must not be taken",
				name, a.Code, a.Raw, name)
		}
	}
	rahmetCheckedThere(l)
	l.Verify()
}

// rahmetCheckedThere has somebody place an order past payhost that names a payment's
// link as its checklink. payhost's answer is no word on it, so the provider goes by
// failed_on_check; the payment that is payhost's own is not touched.
func rahmetCheckedThere(l *rahmetLife) {
	p := l.Begin()
	link, token := rahmetDetails[rahmetOrderDetails](l.order(p)).Postlink, l.bearer()
	for _, t := range []struct{ failed, state string }{{"true", "declined"}, {"false", "paid"}} {
		failed, state := t.failed, t.state
		l.Step("an order of a stranger is checked; failed_on_check %s", failed)
		body := url.Values{
			"merchant_order_id": {"stranger-" + failed}, "amount": {"100"}, "token": {"sim-rahmet-branch"}, "checklink": {link},
			"failed_on_check": {failed},
		}.Encode()
		if code, _ := l.direct(rahmetCreateV1, rahmetForm, body, "Authorization", "Bearer "+token); code != 0 {
			l.Fatalf("simulator: an order with a checklink is answered with error_code %d", code)
		}
		o, _ := l.Object("order", "stranger-"+failed)
		l.Move(o.ID, "payer_pays")
		calls := l.Inbound()
		if last := calls[len(calls)-1]; last.Method != http.MethodPost || last.Status != http.StatusMethodNotAllowed {
			l.Failf("the check is answered with %d to %s, want 405: payhost checks nothing", last.Status, last.Method)
		}
		if o, _ = l.Object("order", "stranger-"+failed); o.State != state {
			l.Failf("the stranger's order is %s, want %s", o.State, state)
		}
	}
	l.Pass(time.Minute)
	if p = l.Get(l.path(p)); !p.Is("pending") {
		l.Failf("checks of another order make the payment %v", p.Status)
	}
	l.money(p, 0, 0)
}
