package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// again makes a genuine call once more, which must be acknowledged: else the provider
// goes on for days.
func (l *Life) again(what string, in Inbound) {
	if status, _ := l.Again(in); status/100 != 2 {
		l.Failf("%s is answered %d: the provider will call again and again", what, status)
	}
}

// liveReplayed makes one call many times.
func liveReplayed(l *Life) {
	p := l.Begin()
	genuine := l.paidCall(p)
	l.again("a genuine call", genuine)
	l.soon(p, paidStatuses()...)
	l.calm()
	was, events := l.stored(p), l.events(p)
	l.Step("the same call again")
	for range 20 {
		l.again("a call that came before", genuine)
	}
	l.calm()
	l.unmoved("a call that came before", p, was)
	if n := l.events(p); n != events {
		l.Failf("a call that came before is told to the merchant again: %d events, and there were %d", n, events)
	}
	l.goOn(p)
	if l.Has(pay.OpRefund) && !l.Till() {
		l.replayedAfterRefund(p, genuine)
	}
}

func (l *Life) replayedAfterRefund(p Answer, genuine Inbound) {
	newer, ok := l.mayWithhold(func() { l.GiveBack(p, l.RefundAmount()) })
	if ok { // else the old one might overtake it, and come behind nothing
		l.again("a call about a refund", newer)
	}
	l.calm()
	was := l.stored(p)
	l.Step("the call of the payment, after a refund")
	l.again("a call from before the refund", genuine)
	l.calm()
	l.unmoved("a call from before the refund", p, was)
	l.Verify()
}

// reordered has a life for each pair of calls that can come in the wrong order.
func (s *suite) reordered() ([]job, string) {
	var jobs []job
	m, o := &s.stations[0].manifest, s.target.Provider.Terms.Outcomes
	if _, ok := m.Operation(pay.OpRefund); ok && m.Flows[0] != pay.FlowTill {
		jobs = append(jobs, job{where: "the call about a refund came before the one about the payment", live: liveRefundFirst})
	}
	for _, word := range []string{o.Processing, o.Failed} {
		if word != "" {
			jobs = append(jobs, job{
				where: "the call about the payment came before one from when it was " + word + " there",
				live:  func(l *Life) { l.paidFirst(word) },
			})
		}
	}
	return jobs, "the provider calls about nothing but success"
}

func liveRefundFirst(l *Life) {
	p := l.Begin()
	old := l.paidCall(p)
	l.Until("/v1/payments/"+p.ID, words(paidStatuses())...) // by asking
	newer, ok := l.mayWithhold(func() { l.GiveBack(p, l.RefundAmount()) })
	if ok {
		l.again("a call about a refund", newer)
	}
	l.calm()
	was := l.stored(p)
	l.Step("an old call")
	l.again("an old call behind a newer one", old)
	l.calm()
	l.unmoved("an old call behind a newer one", p, was)
	l.Verify()
}

func (l *Life) paidFirst(word string) {
	p := l.Begin()
	o := l.objectOf(p)
	old, ok := l.mayWithhold(func() { l.Move(o.ID, word) })
	if !ok {
		return // the provider does not call about this
	}
	newer := l.withheld(func() { l.Move(o.ID, l.Terms.Outcomes.Paid) })
	l.again("a genuine call", newer)
	l.soon(p, paidStatuses()...)
	l.calm()
	was := l.stored(p)
	l.again("an old call behind a newer one", old)
	l.calm()
	l.unmoved("an old call behind a newer one", p, was)
	l.goOn(p)
}

// early has the provider call while the answer to create is held up, and after it was
// lost.
func (s *suite) early() ([]job, string) {
	d := s.dry["pay"]
	switch {
	case s.stations[0].manifest.Flows[0] == pay.FlowTill:
		return nil, "at a till the payer pays after the answers"
	case d == nil || d.failed != "":
		return nil, "the flow does not come to its end without faults"
	}
	var at *site
	for i := range d.sites {
		if d.sites[i].step == "create" {
			at = &d.sites[i]
		}
	}
	if at == nil {
		return nil, "a payment is created without a request"
	}
	return []job{
		{
			where: "the provider called while the answer to create was held up", live: liveEarly,
			faults: []wire.Fault{at.fault(wire.Fault{Kind: wire.Slow})},
		},
		{
			where: "the provider called after the answer to create was lost", live: liveEarly,
			faults: []wire.Fault{at.fault(wire.Fault{Kind: wire.CutAfter})},
		},
	}, ""
}

func liveEarly(l *Life) {
	l.Step("create")
	key, body := l.NewKey(), l.NewPayment(l.Terms.Amount, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.askBeside("/v1/payments", key, body)
	}()
	var o simkit.Object
	for end := time.Now().Add(2 * callTimeout); ; time.Sleep(time.Millisecond) {
		var ok bool
		if o, ok = l.Object(l.Terms.PaymentKind, ""); ok {
			break
		}
		if time.Now().After(end) {
			l.Fatalf("create comes to nothing at the provider")
		}
	}
	before := len(l.Inbound())
	l.Move(o.ID, l.Terms.Outcomes.Paid)
	calls := l.Inbound()[before:]
	<-done
	if len(calls) == 0 {
		l.Fatalf("the provider calls nobody about a payment: it was not given the address")
	}
	for _, call := range calls {
		if call.Status/100 != 2 {
			l.Failf("a call that comes before the answer to create is answered %d", call.Status)
		}
	}
	p := l.underKey("/v1/payments", key, body)
	l.payments = append(l.payments, p.ID)
	l.Until("/v1/payments/"+p.ID, words(paidStatuses())...)
	l.calm()
	if is := l.stored(p).Status; is != pay.PaymentSucceeded && is != pay.PaymentAuthorized {
		l.Failf("the payment goes back to %s", is)
	}
	l.Verify()
}

// askBeside makes a request beside the merchant's own, and lets the answer go.
func (l *Life) askBeside(path, key string, body Object) {
	raw, err := json.Marshal(body)
	if err != nil {
		return
	}
	r, err := http.NewRequestWithContext(l.ctx, http.MethodPost, l.front.url+path, bytes.NewReader(raw))
	if err != nil {
		return
	}
	r.Header = http.Header{
		"Authorization": {"Bearer " + apiToken}, "Content-Type": {"application/json"}, "Idempotency-Key": {key},
	}
	if response, err := l.suite.client.Do(r); err == nil {
		_ = response.Body.Close()
	}
}

// underKey asks under a key until there is an object.
func (l *Life) underKey(path, key string, body Object) Answer {
	for range 50 {
		a := l.Request(http.MethodPost, path, key, body)
		if a.Code/100 == 2 && a.ID != "" {
			return a
		}
		l.Pass(max(l.untilDue(), time.Second))
	}
	l.Fatalf("POST %s under its key answers nothing", path)
	return Answer{}
}

// late has a life for every end that a success may come after.
func (s *suite) late() ([]job, string) {
	m, o := &s.stations[0].manifest, s.target.Provider.Terms.Outcomes
	jobs := []job{{where: "the call came after payhost had asked", live: liveKnown}}
	till := m.Flows[0] == pay.FlowTill
	if !till {
		jobs = append(jobs, job{where: "the call came after the payment had expired", live: liveLateExpired})
	}
	if o.Failed != "" {
		jobs = append(jobs, job{where: "the call came after the payment had failed", live: func(l *Life) {
			l.lateSuccess(func(p Answer) Answer {
				l.withheldQuietly(func() { l.Move(l.objectOf(p).ID, o.Failed) })
				return l.Until("/v1/payments/"+p.ID, "failed")
			}, nil)
		}})
	}
	if _, ok := m.Operation(pay.OpCancel); ok && !till {
		jobs = append(jobs, job{where: "the call came after the payment had been canceled", live: func(l *Life) {
			l.lateSuccess(func(p Answer) Answer {
				l.Do("/v1/payments/"+p.ID+"/cancel", nil)
				return l.Until("/v1/payments/"+p.ID, "canceled", "expired", "failed")
			}, nil)
		}})
	}
	return jobs, ""
}

func (l *Life) withheldQuietly(do func()) { _, _ = l.mayWithhold(do) }

func liveKnown(l *Life) {
	p := l.Begin()
	genuine := l.paidCall(p)
	l.Until("/v1/payments/"+p.ID, words(paidStatuses())...)
	was := l.stored(p)
	l.again("a call about what is known", genuine)
	l.calm()
	l.unmoved("a call about what is known", p, was)
	l.Verify()
}

func liveLateExpired(l *Life) {
	end := l.Now().Add(10 * time.Minute).UTC().Truncate(time.Second)
	l.lateSuccess(func(p Answer) Answer {
		if word := l.Terms.Outcomes.Expired; word != "" {
			l.withheldQuietly(func() { l.Move(l.objectOf(p).ID, word) })
		}
		return l.Until("/v1/payments/"+p.ID, "expired", "failed")
	}, Object{"expires_at": end.Format(time.RFC3339)})
}

// lateSuccess has a payment end, and then be paid.
func (l *Life) lateSuccess(end func(p Answer) Answer, fields Object) {
	p := l.BeginWith(l.Terms.Amount, fields)
	p = end(p)
	l.calm()
	l.Step("paid late")
	before := len(l.Inbound())
	l.Move(l.objectOf(p).ID, l.Terms.Outcomes.Paid)
	for _, call := range l.Inbound()[before:] {
		if call.Status/100 != 2 {
			l.Failf("a genuine call about a payment that has ended is answered %d", call.Status)
		}
	}
	if l.soon(p, paidStatuses()...) {
		l.calm()
		l.Verify()
	}
}

// liveForeign sends genuine calls to the addresses of other payments.
func liveForeign(l *Life) {
	paid := l.Begin()
	genuine := l.paidCall(paid)
	p := l.Begin()
	was := l.stored(p)
	l.Step("a call about another payment")
	l.hostile("a genuine call about another payment", genuine.at(l.address(p)))
	l.calm()
	l.unmoved("a genuine call about another payment", p, was)
	l.goOn(p)
	l.elsewhere(genuine, paid)
}

// liveForeignInDoubt sends a call about one payment to the address of another that the
// provider has not named yet: the answer to its create was lost.
func liveForeignInDoubt(l *Life) {
	paid := l.Begin()
	genuine := l.paidCall(paid)
	l.Step("create")
	l.Wire.Arm(wire.Fault{Kind: wire.CutAfter})
	key, body := l.NewKey(), l.NewPayment(l.Terms.Amount, nil)
	p := l.Request(http.MethodPost, "/v1/payments", key, body)
	if p.ID == "" {
		l.Wire.Disarm()
		return // nothing was sent: there is no such payment
	}
	l.payments = append(l.payments, p.ID)
	l.Step("a call about another payment")
	l.hostile("a genuine call about another payment", genuine.at(l.address(p)))
	l.calm()
	if b := l.stored(p); b.Status == pay.PaymentSucceeded || b.ProviderRef != "" && b.ProviderRef == l.stored(paid).ProviderRef {
		l.Failf("a payment whose create is in doubt takes the call about another for its own: it is %s", b.Status)
	}
	l.Wire.Disarm()
	l.underKey("/v1/payments", key, body)
	l.Until("/v1/payments/"+p.ID, "pending")
	l.goOn(l.Get("/v1/payments/" + p.ID))
}

// elsewhere sends a call to another connection of the same merchant.
func (l *Life) elsewhere(genuine Inbound, paid Answer) {
	other := l.config
	other.Name = l.Connection + "-two"
	l.station.wires.Store(other.Name, l.Wire)
	defer l.station.wires.Delete(other.Name)
	if _, err := l.station.host.Connect(l.ctx, other); err != nil {
		l.Fatalf("connect: %v", err)
	}
	defer l.station.host.Disconnect(other.Name)
	mine := l.Connection
	l.Connection = other.Name
	p := l.Begin()
	l.Connection = mine
	was, before := l.stored(p), l.stored(paid)
	l.Step("a call about a payment of another connection")
	address := strings.Replace(genuine.at("").URI, "/n/"+mine+"/", "/n/"+other.Name+"/", 1)
	for _, call := range []Inbound{
		{Method: genuine.Method, URI: address, Header: genuine.Header, Body: genuine.Body},
		genuine.at("/n/" + other.Name + "/" + nonceOf(was)),
	} {
		l.hostile("a genuine call about a payment of another connection", call)
	}
	l.unmoved("a genuine call about a payment of another connection", p, was)
	l.unmoved("a genuine call to another connection", paid, before)
}

func nonceOf(b *ledger.Book) string { return b.ID + "-" + b.Nonce }
