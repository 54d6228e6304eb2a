package host

import (
	"slices"
	"strings"

	"github.com/payhost/payhost/sdk/pay"
)

// Losses is what one revision declares and the next one does not: what can be done
// for a payment now, and no longer after a swap. Each list is in the order of the
// manifest that has it, nil if nothing is lost.
//
// The operations that every plugin has are never lost, status among them: a
// revision without one does not load. A lost notification is a loss of speed, since
// status is there to ask by.
type Losses struct {
	Operations []pay.Operation
	Flows      []pay.Flow
	Currencies []pay.Currency
}

// Lost compares what two revisions declare. It looks at nothing else, and knows of no payment.
func Lost(now, next *pay.Manifest) Losses {
	var l Losses
	for _, spec := range now.Operations {
		if _, ok := next.Operation(spec.Operation); !ok {
			l.Operations = append(l.Operations, spec.Operation)
		}
	}
	for _, flow := range now.Flows {
		if !slices.Contains(next.Flows, flow) {
			l.Flows = append(l.Flows, flow)
		}
	}
	for _, spec := range now.Currencies {
		if _, ok := next.Currency(spec.Currency); !ok {
			l.Currencies = append(l.Currencies, spec.Currency)
		}
	}
	return l
}

// None reports whether nothing is lost.
func (l Losses) None() bool { return len(l.Operations)+len(l.Flows)+len(l.Currencies) == 0 }

// Names returns every loss as documents and logs spell it: "refund_status", "flow till", "currency KZT".
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
	return list
}

// String returns the names with commas between them, "nothing" if there are none.
func (l Losses) String() string {
	if l.None() {
		return "nothing"
	}
	return strings.Join(l.Names(), ", ")
}
