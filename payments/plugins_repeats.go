package payments

import (
	"slices"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// needsAmount reports whether a book is still to come to a call with an amount that the
// next revision does not take; pending is what the payment may come to, nil if it has
// ended. Confirm, cancel and asking are held to no bounds. An amount that nobody knows
// yet, at a till, is no reason: it is refused before anything is sent.
func needsAmount(b *ledger.Book, pending []pay.Operation, c host.AmountChange) bool {
	of := func(a ledger.Amount) bool { return !a.IsZero() && a.Currency == c.Now.Currency }
	for i := range b.Operations {
		o := &b.Operations[i]
		if !of(o.Amount) || !comesAgain(b, o) {
			continue
		}
		switch o.Op {
		case pay.OpCreate, pay.OpRelease:
			if !c.Fits(o.Amount.Minor) {
				return true
			}
		case pay.OpRefund:
			if !c.FitsRefund(o.Amount.Minor, o.Amount.Minor == b.Paid.Minor-baseOf(b, o)) {
				return true
			}
		}
	}
	if len(pending) == 0 || !of(b.Amount) {
		return false
	}
	if slices.Contains(pending, pay.OpRelease) && !c.Fits(b.Amount.Minor) {
		return true
	}
	return !c.FitsRefund(b.Amount.Minor, true) // once it is paid, all of it must be able to go back
}

// baseOf is what had gone back before a refund was asked for, in minor units.
func baseOf(b *ledger.Book, o *ledger.Operation) int64 {
	if r := b.Refund(o.Refund); r != nil {
		return r.Base.Minor
	}
	return 0
}

// needsRepeat reports whether a book has an operation that the next revision could not
// send again as the one in use may have to.
func needsRepeat(b *ledger.Book, c host.RepeatChange, now time.Time) bool {
	for i := range b.Operations {
		o := &b.Operations[i]
		if o.Op != c.Now.Operation {
			continue
		}
		again := comesAgain(b, o)
		switch {
		case again && takesNow(c, o.ProviderKey) && !c.Takes(o.ProviderKey):
			return true
		case o.Repeatable() || !again: // what had no effect may be repeated whatever the provider makes of it
		case o.Idempotency == c.Now.Idempotency && o.Idempotency != c.Next.Idempotency:
			return true
		case o.Idempotency == pay.IdempotencyNative && c.Shorter() &&
			(o.FirstSent.IsZero() || now.Before(o.FirstSent.Add(keyLifetime(o, c.Now)))):
			return true
		}
	}
	return false
}

// takesNow reports whether the revision in use takes an operation's key: what it does
// not take is not lost by a swap.
func takesNow(c host.RepeatChange, key string) bool {
	return host.RepeatChange{Now: c.Now, Next: c.Now}.Takes(key)
}

// comesAgain reports whether an operation may have to be sent again: it is under way and
// may end in doubt, it had no effect and its caller may repeat it, or it is in doubt and
// a repeat is how the doubt ends.
func comesAgain(b *ledger.Book, o *ledger.Operation) bool {
	if o.Repeatable() {
		return true
	}
	if !o.Running() && o.DoubtSince.IsZero() {
		return false
	}
	switch o.Idempotency {
	case pay.IdempotencyNative, pay.IdempotencyNatural:
		return true
	case pay.IdempotencyLookup:
		return o.Op == pay.OpCreate && b.Flow != pay.FlowTill.String() && b.Status <= pay.PaymentPending // see resendable
	}
	return false
}
