package host

import (
	"slices"
	"strings"

	"github.com/payhost/payhost/sdk/pay"
)

// Losses is what one revision declares and the next one does not: what can be done
// for a payment now, and no longer after a swap. Each list is in the order of the
// manifest that is in use, nil if nothing is lost.
//
// The operations that every plugin has are never lost, status among them: a
// revision without one does not load. A lost notification is a loss of speed, since
// status is there to ask by; so is one that proves less.
//
// What a manifest says of one call alone, or of how fast things go, is no loss: egress
// rules, writing calls, 503, the poll interval, the batch size. What a connection needs
// (secrets, keys, identities, settings) and the state schema are checked before. A
// shorter visibility horizon is no loss to whoever keeps to the longer one for what
// was sent under it, as the payments engine does.
type Losses struct {
	Operations []pay.Operation
	Flows      []pay.Flow
	Currencies []pay.Currency
	Amounts    []AmountChange // bounds that became narrower
	Repeats    []RepeatChange // what is said of a second send
	Proof      ProofChange    // of notifications; zero if they prove as much as before
}

// Lost compares what two revisions declare. It looks at nothing else, and knows of no payment.
func Lost(now, next *pay.Manifest) Losses {
	var l Losses
	for _, spec := range now.Operations {
		if _, ok := next.Operation(spec.Operation); !ok {
			l.Operations = append(l.Operations, spec.Operation)
		}
	}
	for _, spec := range now.Operations {
		if c := (RepeatChange{Now: spec}); c.changed(next) {
			l.Repeats = append(l.Repeats, c)
		}
	}
	for _, flow := range now.Flows {
		if !slices.Contains(next.Flows, flow) {
			l.Flows = append(l.Flows, flow)
		}
	}
	for _, spec := range now.Currencies {
		then, ok := next.Currency(spec.Currency)
		switch c := (AmountChange{Now: spec, Next: then}); {
		case !ok:
			l.Currencies = append(l.Currencies, spec.Currency)
		case len(c.differences()) > 0:
			l.Amounts = append(l.Amounts, c)
		}
	}
	_, had := now.Operation(pay.OpNotification)
	_, has := next.Operation(pay.OpNotification)
	if had && has && next.Notification < now.Notification {
		l.Proof = ProofChange{Now: now.Notification, Next: next.Notification}
	}
	return l
}

// add puts the losses of another change to those of this one, each once.
func (l *Losses) add(more Losses) {
	l.Operations = union(l.Operations, more.Operations)
	l.Flows = union(l.Flows, more.Flows)
	l.Currencies = union(l.Currencies, more.Currencies)
	l.Amounts = union(l.Amounts, more.Amounts)
	l.Repeats = union(l.Repeats, more.Repeats)
	if l.Proof == (ProofChange{}) {
		l.Proof = more.Proof
	}
}

func union[T comparable](list, more []T) []T {
	for _, one := range more {
		if !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// None reports whether nothing is lost.
func (l Losses) None() bool {
	return len(l.Operations)+len(l.Flows)+len(l.Currencies)+len(l.Amounts)+len(l.Repeats) == 0 && l.Proof == ProofChange{}
}

// Names returns every loss as documents and logs spell it: "refund_status", "flow till", "currency KZT",
// "amounts KZT max none to 400.00 KZT", "repeat create idempotency native to lookup", "notification strong to weak".
func (l Losses) Names() []string {
	var list []string
	for _, op := range l.Operations {
		list = append(list, op.String())
	}
	for _, flow := range l.Flows {
		list = append(list, "flow "+flow.String())
	}
	for _, c := range l.Currencies {
		list = append(list, "currency "+string(c))
	}
	for _, c := range l.Amounts {
		list = append(list, c.String())
	}
	for _, c := range l.Repeats {
		list = append(list, c.String())
	}
	if l.Proof != (ProofChange{}) {
		list = append(list, l.Proof.String())
	}
	return list
}

// String returns the names with commas between them, "nothing" if there are none.
func (l Losses) String() string {
	if l.None() {
		return "nothing"
	}
	return strings.Join(l.Names(), ", ")
}
