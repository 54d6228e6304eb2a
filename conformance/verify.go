package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/payhost/payhost/conformance/sim/simkit"
	"github.com/payhost/payhost/sdk/pay"
)

// ObjectOf returns the provider's object of a payment: by its id there, or the newest
// that bears our order's id.
func (l *Life) ObjectOf(p Answer) (simkit.Object, bool) {
	if p.ProviderRef != "" {
		if o, ok := l.Object(l.Terms.PaymentKind, p.ProviderRef); ok {
			return o, true
		}
	}
	order := l.orderOf(p)
	if order == "" {
		return simkit.Object{}, false
	}
	return l.Object(l.Terms.PaymentKind, order)
}

// orderOf returns a payment's order id.
func (l *Life) orderOf(p Answer) string {
	_, rest, _ := strings.Cut(p.Raw, `"order_id":"`)
	order, _, _ := strings.Cut(rest, `"`)
	return order
}

// truth is what the provider's own ledger says of a payment.
type truth struct {
	charges, refunds int // how many
	charged          int64
	refunded         int64
}

// truthOf sums the provider's ledger for a payment. In a life of one payment all of
// it is its.
func (l *Life) truthOf(p Answer) truth {
	var t truth
	order := l.orderOf(p)
	for _, e := range l.Sim.Effects() {
		if !l.concerns(e, p.ProviderRef, order) {
			continue
		}
		switch e.Kind {
		case simkit.Charge:
			t.charges++
			t.charged += e.Amount
		case simkit.Reversal:
			t.charges--
			t.charged -= e.Amount
		case simkit.Refund:
			t.refunds++
			t.refunded += e.Amount
		case simkit.RefundReturned:
			t.refunds--
			t.refunded -= e.Amount
		}
	}
	return t
}

// concerns reports whether an effect is of a payment. In a life of one all are.
func (l *Life) concerns(e simkit.Effect, ref, order string) bool {
	return len(l.payments) == 1 || ref != "" && (e.Object == ref || e.Ref == ref) ||
		order != "" && (e.Ref == order || strings.HasPrefix(e.Ref, order+"-"))
}

// watchEnds holds that no status call has had a payment end without money that the
// provider had charged by then. That such an end is taken back later does not help:
// the merchant was told.
func (l *Life) watchEnds() {
	for _, id := range l.payments {
		var ref, order string
		for _, entry := range l.Timeline(id) {
			var seen struct {
				Source  string `json:"source"`
				Payment string `json:"payment"`
				Ref     string `json:"provider_ref"`
				Order   string `json:"order_id"`
			}
			at, err := time.Parse(time.RFC3339, entry.At)
			if err != nil || json.Unmarshal(entry.Body, &seen) != nil {
				continue
			}
			ref, order = cmp.Or(ref, seen.Ref), cmp.Or(order, seen.Order)
			switch seen.Payment {
			case "failed", "canceled", "expired":
				if seen.Source == "probe" && l.chargedBy(at.Add(-callTimeout), ref, order) && l.chargedBy(at, ref, order) {
					l.Failf("a status call had the payment %s at %s, though the provider had charged it", seen.Payment, clockOf(entry.At))
					return
				}
			}
		}
	}
}

// chargedBy reports whether a charge of a payment stood at a time.
func (l *Life) chargedBy(at time.Time, ref, order string) bool {
	charges := 0
	for _, e := range l.Sim.Effects() {
		switch {
		case e.At.After(at) || !l.concerns(e, ref, order):
		case e.Kind == simkit.Charge:
			charges++
		case e.Kind == simkit.Reversal:
			charges--
		}
	}
	return charges > 0
}

// Verify holds what payhost says of every payment of the life against the provider's
// own ledger: no money moved twice, none that payhost does not know of, and none that
// it only believes in.
func (l *Life) Verify() {
	for _, id := range l.payments {
		p := l.Get("/v1/payments/" + id)
		t := l.truthOf(p)
		refunds := l.refundsOf(id)
		if l.open && p.InDoubt != nil {
			continue // it says that it does not know
		}
		for _, problem := range compare(p, t, refunds) {
			l.Failf("%s", problem)
		}
		l.oneObject(p)
	}
}

// refundsOf returns the refunds that payhost was asked for.
func (l *Life) refundsOf(id string) []Answer {
	var list struct {
		Refunds []Answer `json:"refunds"`
	}
	a := l.Get("/v1/payments/" + id + "/refunds")
	l.Must(json.Unmarshal([]byte(a.Raw), &list))
	return list.Refunds
}

func compare(p Answer, t truth, refunds []Answer) []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	asked, failed := 0, 0
	for _, r := range refunds {
		switch {
		case r.Is("succeeded"):
			asked++
		case r.Is("failed"):
			failed++
		}
	}
	word := p.Word()
	switch {
	case p.InDoubt != nil:
		say("the payment is still in doubt about %s, and the provider has long been there", p.InDoubt.Operation)
	case t.charges > 1:
		say("the provider charged %d times, %d in all, for one payment", t.charges, t.charged)
	case word == "succeeded" && t.charged == 0:
		say("the payment is succeeded, and the provider charged nothing")
	case word != "succeeded" && t.charged > 0:
		say("the payment is %s, though the provider charged %d", word, t.charged)
	case p.Paid.Minor() != t.charged:
		say("amount_paid is %d, and the provider charged %d", p.Paid.Minor(), t.charged)
	case word == "succeeded" && p.Amount.Minor() != t.charged:
		say("the payment is of %d, and the provider charged %d", p.Amount.Minor(), t.charged)
	case t.refunds > len(refunds):
		say("the provider paid %d refunds, %d in all, for %d that were asked for", t.refunds, t.refunded, len(refunds))
	case t.refunds > len(refunds)-failed:
		say("%d of %d refunds failed, and the provider paid %d", failed, len(refunds), t.refunds)
	case p.Refunded.Minor() != t.refunded:
		say("amount_refunded is %d, and the provider gave back %d", p.Refunded.Minor(), t.refunded)
	case t.refunds < asked && t.refunded == 0:
		say("%d refunds are succeeded, and the provider gave nothing back", asked)
	}
	return wrong
}

// oneObject holds that one intent made one payment at the provider, where the plugin
// says that the provider knows our key. Two links that can both be paid are two
// charges to come.
func (l *Life) oneObject(p Answer) {
	spec, _ := l.Manifest.Operation(pay.OpCreate)
	if l.Till() {
		spec, _ = l.Manifest.Operation(pay.OpBind)
	}
	order := l.orderOf(p)
	if spec.Idempotency != pay.IdempotencyNative || order == "" || len(l.payments) > 1 {
		return
	}
	n := 0
	for _, o := range l.Sim.Objects() {
		if o.Kind == l.Terms.PaymentKind {
			n++
		}
	}
	if n > 1 {
		l.Failf("one payment made %d of the provider's: its key changed between two sends of one operation", n)
	}
}
