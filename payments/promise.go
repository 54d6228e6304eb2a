package payments

import (
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// An operation may be looked after by another revision than the one that sent it, and
// the two may declare different things of the provider. It is then held to the more
// cautious of both: what the first one sent under can't be changed by what the next one
// says, and what the next one has learned may be a correction. So the ledger keeps with
// an operation what was declared when it was sent.

// promised fills in what a revision declares of an operation that it is about to send.
func promised(p *ledger.Prepared, h hints) {
	p.HorizonMS = (h.horizon + time.Millisecond - 1).Milliseconds()
	if spec, ok := h.specs[p.Op]; ok && p.Idempotency == pay.IdempotencyNative {
		p.KeyLifetimeMS = host.KeyLifetime(spec).Milliseconds()
	}
}

// horizonOf is how long after an operation was last sent its absence proves nothing: the
// longest that any revision declared that sent it, or declares now.
func horizonOf(o *ledger.Operation, h hints) time.Duration {
	return max(h.horizon, time.Duration(o.HorizonMS)*time.Millisecond)
}

// keyLifetime is how long the provider is trusted to know an operation's key: the
// shortest that a revision declared that sent it, or declares now.
func keyLifetime(o *ledger.Operation, spec pay.OperationSpec) time.Duration {
	lifetime := host.KeyLifetime(spec)
	if o.KeyLifetimeMS > 0 {
		lifetime = min(lifetime, time.Duration(o.KeyLifetimeMS)*time.Millisecond)
	}
	return lifetime
}

// sameRepeat reports whether a second send is to the present revision what it was to the
// one that began the operation. Else a repeat could be taken for another operation: it
// may go without the key that makes it known, or with one that the first did not have.
func sameRepeat(o *ledger.Operation, spec pay.OperationSpec) bool {
	return o.Idempotency == spec.Idempotency && (o.ProviderKey == "") == (spec.KeyForm == pay.KeyNone)
}
