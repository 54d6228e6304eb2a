package conformance

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// stored is what payhost has written down of a payment. Reading it asks nobody, as
// reading it by the API would.
func (l *Life) stored(p Answer) *ledger.Book {
	id, _ := ledger.BookOf(p.ID)
	b, err := l.process.store.Book(l.ctx, id)
	l.Must(err)
	return b
}

// address is the path at which the provider calls about a payment.
func (l *Life) address(p Answer) string {
	b := l.stored(p)
	return "/n/" + l.Connection + "/" + b.ID + "-" + b.Nonce
}

// objectOf is ObjectOf, of what must be there.
func (l *Life) objectOf(p Answer) simkit.Object {
	o, ok := l.ObjectOf(p)
	if !ok {
		l.Fatalf("payment is %v, and the provider has no %s for it", p.Status, l.Terms.PaymentKind)
	}
	return o
}

// withheld does what the provider calls about, and returns its last call, which
// payhost did not get.
func (l *Life) withheld(do func()) Inbound {
	in, ok := l.mayWithhold(do)
	if !ok {
		l.Fatalf("the provider calls nobody about a payment: it was not given the address")
	}
	return in
}

func (l *Life) mayWithhold(do func()) (Inbound, bool) {
	before := len(l.Inbound())
	l.KeepInbound(true)
	do()
	calls := l.Inbound()[before:]
	l.KeepInbound(false)
	if len(calls) == 0 {
		return Inbound{}, false
	}
	return calls[len(calls)-1], true
}

// paidCall has the payer pay, and returns the call about it, which payhost did not
// get.
func (l *Life) paidCall(p Answer) Inbound {
	l.Step("pay")
	return l.withheld(func() { l.Pay(p) })
}

// about turns a call about one payment into the same about another, as somebody
// would who knows all names of both.
func (l *Life) about(in Inbound, from, to Answer) Inbound {
	a, b := l.stored(from), l.stored(to)
	var names []string
	add := func(old, next string) {
		if old != "" && next != "" {
			names = append(names, old, next)
		}
	}
	add(l.address(from), l.address(to))
	add(a.ProviderRef, b.ProviderRef)
	for i, key := range a.Keys() {
		if i < len(b.Keys()) {
			add(key, b.Keys()[i])
		}
	}
	add(a.OrderID, b.OrderID)
	r := strings.NewReplacer(names...)
	in.URI, in.Body, in.Header = r.Replace(in.URI), []byte(r.Replace(string(in.Body))), in.Header.Clone()
	return in
}

// at is a call at another address.
func (in Inbound) at(address string) Inbound {
	path, query, found := strings.Cut(in.URI, "?")
	if address != "" {
		path = address
	}
	in.URI = path
	if found {
		in.URI += "?" + query
	}
	return in
}

// asRead is a call as the plugin is given it.
func (l *Life) asRead(in Inbound, p Answer) pay.NotificationRequest {
	path, query, _ := strings.Cut(in.URI, "?")
	r := pay.NotificationRequest{
		Method: in.Method, Path: path, Query: query, Body: in.Body, ReceivedAt: l.Now(), Payment: l.stored(p).Ref(),
	}
	for name, values := range in.Header {
		for _, v := range values {
			r.Header = append(r.Header, pay.Field{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(r.Header, func(a, b pay.Field) int { return strings.Compare(a.Name, b.Name) })
	return r
}

// hostile makes a call that must not break anything, and returns its answer's status.
func (l *Life) hostile(what string, in Inbound) int {
	status, _ := l.Again(in)
	if status == 0 || status >= 500 {
		l.Failf("%s is answered %d: whoever sends such calls can make payhost look broken", what, status)
	}
	return status
}

// calm lets everything that goes on in the background come to its end: the process
// is closed, which waits for it, and another goes on from what is stored.
func (l *Life) calm() { l.Restart() }

// unmoved holds that a payment is as it was, as far as a merchant sees it.
func (l *Life) unmoved(what string, p Answer, was *ledger.Book) bool {
	is := l.stored(p)
	switch {
	case is.Status != was.Status:
		l.Failf("%s moves the payment from %s to %s", what, was.Status, is.Status)
	case is.Paid != was.Paid || is.Returned != was.Returned:
		l.Failf("%s changes what was paid or given back: %s and %s, and it was %s and %s",
			what, is.Paid, is.Returned, was.Paid, was.Returned)
	case !slices.EqualFunc(is.Refunds, was.Refunds, func(a, b ledger.Refund) bool {
		return a.Status == b.Status && a.Bounced == b.Bounced
	}):
		l.Failf("%s moves a refund", what)
	default:
		return true
	}
	return false
}

// soon holds that a payment comes to one of the statuses though no time goes by, so
// that the probe clock does nothing for it.
func (l *Life) soon(p Answer, statuses ...pay.PaymentStatus) bool {
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if b := l.stored(p); slices.Contains(statuses, b.Status) {
			return true
		} else if time.Now().After(end) {
			l.Failf("the payment is %s after the provider has called, and should be %s at once", b.Status,
				strings.Join(words(statuses), " or "))
			return false
		}
	}
}

func words(statuses []pay.PaymentStatus) []string {
	list := make([]string, len(statuses))
	for i, s := range statuses {
		list[i] = s.String()
	}
	return list
}

// goOn has a payment paid after whatever was done to it, and learns of every other
// that was paid meanwhile: payhost goes on.
func (l *Life) goOn(p Answer) {
	l.Step("the life goes on")
	if o := l.objectOf(p); o.State != l.Terms.Outcomes.Paid {
		l.Pay(p)
	}
	for _, id := range l.payments {
		if o, ok := l.ObjectOf(l.Get("/v1/payments/" + id)); ok && o.State == l.Terms.Outcomes.Paid {
			l.Until("/v1/payments/"+id, words(paidStatuses())...)
		}
	}
	l.Verify()
}

// events counts the events about a payment.
func (l *Life) events(p Answer) int {
	id, _ := ledger.BookOf(p.ID)
	list, _, err := l.process.store.Events(l.ctx, "", 500)
	l.Must(err)
	n := 0
	for i := range list {
		if list[i].Book == id {
			n++
		}
	}
	return n
}

// became counts the notifications by what became of them.
func (l *Life) became(states ...store.NotificationState) int {
	n := 0
	for _, one := range l.noted.all() {
		if slices.Contains(states, one.State) {
			n++
		}
	}
	return n
}

// ordinary are the headers that any client sends; the others are a provider's own.
func ordinary(name string) bool {
	return slices.Contains([]string{"Accept-Encoding", "Content-Length", "Content-Type", "User-Agent", "Connection", "Accept"},
		http.CanonicalHeaderKey(name))
}
