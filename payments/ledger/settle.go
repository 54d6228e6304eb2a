package ledger

import (
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// settle ends what is open (in doubt, or accepted) of every operation whose effect
// can be seen by now. It never ends a doubt by an absence: that takes proof, which
// is an entry of its own.
func (b *Book) settle(at time.Time) bool {
	changed := b.settleSum(at)
	for i := range b.Operations {
		op := &b.Operations[i]
		if op.Outcome != pay.OutcomeInDoubt && op.Outcome != pay.OutcomeAccepted {
			continue
		}
		outcome := b.shown(op)
		if outcome == 0 || outcome == op.Outcome {
			continue
		}
		changed = true
		var err *Error
		if outcome == pay.OutcomeNotApplied || outcome == pay.OutcomeDeclined {
			err = &Error{
				Class: pay.ClassStateConflict, Effect: pay.EffectNone, Advice: pay.AdviceNewAttempt, Operation: op.Op,
				Message: "provider shows that it had no effect: payment is " + b.Status.String(),
			}
			if r := b.Refund(op.Refund); r != nil {
				err.Message = "provider shows that it had no effect: refund is " + r.Status.String()
			}
		}
		b.conclude(at, op, outcome, err)
		b.reflect(at, op)
	}
	return changed
}

// settleSum ends the open refund that the provider's sum covers. Of two, the sum does
// not tell which. A part that is proven not to have been given back, and waits to be
// asked for again, is none: what went back is somebody else's doing.
func (b *Book) settleSum(at time.Time) bool {
	var open *Refund
	for i := range b.Refunds {
		r := &b.Refunds[i]
		op := b.Operation(r.Operation)
		if r.Status != pay.RefundPending || op != nil && op.Outcome == pay.OutcomeNotApplied && r.Amount != b.Paid {
			continue
		}
		if open != nil {
			return false
		}
		open = r
	}
	if open == nil || b.Returned.IsZero() || b.Returned.Minor < open.Base.Minor+open.Amount.Minor {
		return false
	}
	return b.refundIs(at, open, pay.RefundSucceeded)
}

// shown returns the outcome that the state of things proves of an open operation, 0
// if it proves nothing.
func (b *Book) shown(op *Operation) pay.Outcome {
	switch op.Op {
	case pay.OpCreate:
		// Pending is not enough for a create in doubt: its link was in the answer that was lost.
		if b.Status > pay.PaymentPending || op.Outcome == pay.OutcomeAccepted && b.Status == pay.PaymentPending {
			return pay.OutcomeApplied
		}
	case pay.OpBind:
		if b.Status > pay.PaymentPending || b.ProviderRef != "" {
			return pay.OutcomeApplied
		}
	case pay.OpRelease:
		switch b.Status {
		case pay.PaymentProcessing, pay.PaymentAuthorized, pay.PaymentSucceeded, pay.PaymentFailed:
			return pay.OutcomeApplied
		case pay.PaymentCanceled, pay.PaymentExpired:
			return pay.OutcomeNotApplied
		}
	case pay.OpConfirm:
		return b.ended(pay.PaymentSucceeded)
	case pay.OpCancel:
		if b.Status == pay.PaymentExpired {
			return pay.OutcomeApplied // what was asked for came to be
		}
		return b.ended(pay.PaymentCanceled)
	case pay.OpRefund, pay.OpConfirmRefund, pay.OpCancelRefund:
		return refundShows(op, b.Refund(op.Refund))
	case pay.OpReceipt:
		if r := b.ReceiptOf(op.Receipt); r != nil && r.Status == pay.ReceiptRegistered {
			return pay.OutcomeApplied
		} else if r != nil && r.Status == pay.ReceiptRejected {
			return pay.OutcomeDeclined
		}
	}
	return 0
}

// ended returns applied if the payment ended as wanted, not applied if it ended
// otherwise, and nothing while it is open.
func (b *Book) ended(wanted pay.PaymentStatus) pay.Outcome {
	switch {
	case b.Status == wanted:
		return pay.OutcomeApplied
	case b.Status.Final():
		return pay.OutcomeNotApplied
	}
	return 0
}

// refundShows: status tells how a refund ended, and so whether giving up waiting for
// it did anything, but not whether the till's word that it saw the end arrived.
func refundShows(op *Operation, r *Refund) pay.Outcome {
	switch {
	case r == nil:
	case op.Op == pay.OpRefund:
		switch {
		case r.Status == pay.RefundSucceeded:
			return pay.OutcomeApplied
		case r.Status == pay.RefundFailed:
			return pay.OutcomeDeclined
		case r.ProviderRef != "":
			return pay.OutcomeAccepted // the provider knows it
		}
	case r.Status == pay.RefundFailed && op.Op == pay.OpCancelRefund:
		return pay.OutcomeApplied
	case r.Status == pay.RefundFailed, r.Status == pay.RefundSucceeded && op.Op == pay.OpCancelRefund:
		return pay.OutcomeNotApplied
	}
	return 0
}
