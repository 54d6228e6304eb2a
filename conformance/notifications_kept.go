package conformance

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance/wire"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// hint is for providers that can't prove their calls.
func (s *suite) hint() ([]job, string) {
	if s.strong() {
		return nil, "the provider proves its calls"
	}
	return []job{{live: liveHint}}, ""
}

func liveHint(l *Life) {
	paid := l.Begin()
	genuine := l.paidCall(paid)
	p := l.Begin()
	l.calm()
	was, asked := l.stored(p), l.Wire.Number()
	l.Step("a hint that is a lie")
	l.hostile("a call that says paid of what is not", l.about(genuine, paid, p))
	for end := time.Now().Add(3 * time.Second); l.Wire.Number() == asked && time.Now().Before(end); {
		time.Sleep(2 * time.Millisecond)
	}
	l.calm()
	if l.Wire.Number() == asked {
		l.Failf("a call that anybody could make has nobody asked: a true one would be lost")
	}
	l.unmoved("a call that anybody could make", p, was)
	l.goOn(p)
}

// liveQuiet watches what the plugin asks of the host while it reads calls.
func liveQuiet(l *Life) {
	p := l.Begin()
	genuine := l.paidCall(p)
	l.Step("calls of every kind")
	l.Again(genuine)
	l.Call(http.MethodGet, l.address(p), nil, nil)
	l.Call(http.MethodPost, l.address(p), nil, []byte(`{}`))
	l.calm()
	read := 0
	for _, r := range l.Recordings() {
		if r.Operation != pay.OpNotification {
			continue
		}
		read++
		for _, send := range r.Sends() {
			l.Failf("reading a call, the plugin tries to call %s %s itself", send.Request.Method, send.Request.URL)
			return
		}
	}
	if read == 0 {
		l.Failf("the plugin was given no call to read")
	}
	l.goOn(p)
}

// killedCalled kills payhost at both boundaries of taking a call in.
func (s *suite) killedCalled() ([]job, string) {
	var jobs []job
	for _, point := range []string{"notification.stored", "notification.digested"} {
		jobs = append(jobs, job{
			where: "payhost was killed at " + point, live: func(l *Life) { l.killedAt(point) },
		})
	}
	return jobs, ""
}

// killedAt lets the process die of a genuine call, which does not come again. Of a
// strong one nobody is asked then: the provider can't be reached.
func (l *Life) killedAt(point string) {
	p := l.Begin()
	l.calm()
	if l.strong() {
		l.Wire.Arm(wire.Fault{Kind: wire.ServerError})
	}
	l.KillAt(point, 1)
	before := len(l.Inbound())
	l.Step("the provider calls")
	l.Move(l.objectOf(p).ID, l.Terms.Outcomes.Paid)
	if calls := l.Inbound()[before:]; len(calls) == 0 || calls[0].Status != 0 {
		l.Fatalf("payhost did not die of the provider's call at %s", point)
	}
	for range 3 {
		l.Pass(time.Minute)
	}
	l.calm()
	if n := l.became(store.NotificationApplied, store.NotificationHint); n != 1 {
		l.Failf("a call that payhost died of counts %d times, and not once", n)
	}
	if l.strong() {
		l.soon(p, paidStatuses()...)
		l.Wire.Disarm()
	}
	was := l.stored(p)
	l.Step("the provider calls again")
	l.again("a call that payhost died of, when it comes again,", l.Inbound()[before])
	l.calm()
	if l.strong() {
		l.unmoved("a call that payhost died of", p, was)
	}
	l.goOn(p)
}

// unwritten has the disk full at each of the two writes that a call takes.
func (s *suite) unwritten() ([]job, string) {
	var jobs []job
	for n := range 2 {
		jobs = append(jobs, job{
			where: fmt.Sprintf("the disk was full at write %d of the provider's call", n+1), live: func(l *Life) { l.fullAt(n + 1) },
		})
	}
	return jobs, ""
}

func (l *Life) fullAt(n int) {
	p := l.Begin()
	genuine := l.paidCall(p)
	l.calm()
	l.Step("the provider calls, and the disk is full")
	l.process.store.fill(n)
	status, _ := l.Again(genuine)
	l.process.store.free()
	if status/100 == 2 {
		l.Failf("a call that could not be written down is acknowledged with %d: the provider forgets it", status)
	}
	l.Step("the provider calls again")
	l.again("a call that could not be written down before", genuine)
	l.soon(p, paidStatuses()...)
	l.goOn(p)
}

// Signer is a [Simulator] that can sign a call of its own making.
type Signer interface {
	// SignCall puts the proof of a body into the header of a call, as the provider would.
	SignCall(header http.Header, body []byte)
}

// otherAmount is for providers that prove their calls, and whose simulator can.
func (s *suite) otherAmount() ([]job, string) {
	if !s.strong() {
		return nil, "nothing that a call says counts here: the provider can't prove it"
	}
	return []job{{live: liveAmountCall}}, ""
}

func liveAmountCall(l *Life) {
	signer, ok := l.Sim.(Signer)
	if !ok {
		l.Skipf("the simulator signs no calls of our making")
	}
	p := l.Begin()
	genuine := l.paidCall(p)
	was := l.stored(p)
	texts := l.otherAmounts(string(genuine.Body))
	other := "USD"
	if l.Terms.Currency == other {
		other = "EUR"
	}
	if text := strings.ReplaceAll(string(genuine.Body), l.Terms.Currency, other); text != string(genuine.Body) {
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		l.Skipf("the provider's calls tell no amount")
	}
	l.Step("another amount, signed")
	for _, text := range texts {
		call := genuine
		call.Header, call.Body = genuine.Header.Clone(), []byte(text)
		signer.SignCall(call.Header, call.Body)
		what := "a genuine call about another amount (" + string(bytes.ReplaceAll(call.Body, []byte("\n"), nil)) + ")"
		l.hostile(what, call)
		if !l.unmoved(what, p, was) {
			break
		}
		if l.stored(p).Alerts == was.Alerts {
			l.Failf("%s is told to no operator", what)
			break
		}
	}
	l.Step("the genuine call")
	l.again("a genuine call", genuine)
	l.soon(p, paidStatuses()...)
	l.goOn(p)
}
