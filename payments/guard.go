package payments

import (
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// The guards say what a book does not allow. They are asked twice: before the
// plugin is entered, and again with the book locked before anything is sent.

// free refuses a money operation while another runs or is in doubt. One's own
// operation is no hindrance.
func free(b *ledger.Book, own string) error {
	for i := range b.Operations {
		o := &b.Operations[i]
		if o.Money() && o.ID != own && o.Running() {
			return inProgress(o.Op.String() + " of the payment is being carried out")
		}
	}
	if d := b.InDoubt(); d != nil && d.Operation != own {
		return inDoubt(b, d)
	}
	return nil
}

// mayRepeat refuses to send an operation without effect again once it was given up,
// or the payment has gone on without it.
func mayRepeat(b *ledger.Book, own string) error {
	if err := free(b, own); err != nil {
		return err
	}
	o := b.Operation(own)
	if o == nil || !o.Repeatable() {
		return errMoved
	}
	switch o.Op {
	case pay.OpCreate:
		if b.Status > pay.PaymentPending {
			return conflict(pay.AdviceProbe, "payment is "+b.Status.String())
		}
	case pay.OpBind:
		return mayBind(b)
	case pay.OpRelease:
		return mayRelease(b, o.Amount.Money)
	case pay.OpConfirm:
		return mayConfirm(b)
	case pay.OpCancel:
		return mayCancel(b)
	case pay.OpRefund:
		r := b.Refund(o.Refund)
		if r == nil || r.Status != pay.RefundPending {
			return conflict(pay.AdviceProbe, "refund is no longer pending")
		}
		return withinRest(b, r.Amount.Money, r.Amount.Minor)
	case pay.OpConfirmRefund, pay.OpCancelRefund:
		return mayCloseRefund(b, o.Refund, o.Op == pay.OpConfirmRefund)
	}
	return nil
}

func mayBind(b *ledger.Book) error {
	if err := free(b, ""); err != nil {
		return err
	}
	switch {
	case b.Flow != pay.FlowTill.String():
		return unsupported(pay.OpBind)
	case b.Status.Final():
		return ended(b)
	case b.ProviderRef != "":
		return conflict(pay.AdviceFix, "a code is bound already")
	case b.Status != pay.PaymentPending:
		return conflict(pay.AdviceProbe, "payment is "+b.Status.String()+", a code is bound to a pending one")
	}
	return nil
}

func mayRelease(b *ledger.Book, amount pay.Money) error {
	if err := free(b, ""); err != nil {
		return err
	}
	if b.Flow != pay.FlowTill.String() {
		return unsupported(pay.OpRelease)
	}
	for i := range b.Operations {
		o := &b.Operations[i]
		if o.Op != pay.OpRelease || o.Outcome != pay.OutcomeApplied && o.Outcome != pay.OutcomeAccepted {
			continue
		}
		if o.Amount.Money != amount {
			return conflict(pay.AdviceFix, "another amount was released already: "+o.Amount.String())
		}
		return conflict(pay.AdviceProbe, "the amount was released already")
	}
	switch {
	case b.Status.Final():
		return ended(b)
	case b.ProviderRef == "":
		return conflict(pay.AdviceFix, "no code is bound yet")
	case b.Status != pay.PaymentPending:
		return conflict(pay.AdviceProbe, "payment is "+b.Status.String()+", an amount is released for a pending one")
	case b.Last(pay.OpRelease) == nil && !b.Amount.IsZero() && b.Amount.Money != amount:
		return invalid("amount", "is not the payment's, "+b.Amount.String())
	}
	return nil
}

func mayConfirm(b *ledger.Book) error {
	if err := free(b, ""); err != nil {
		return err
	}
	switch {
	case b.Status.Final():
		return ended(b)
	case b.Status != pay.PaymentAuthorized:
		return conflict(pay.AdviceProbe, "payment is "+b.Status.String()+", only an authorized one can be confirmed")
	}
	return nil
}

func mayCancel(b *ledger.Book) error {
	if err := free(b, ""); err != nil {
		return err
	}
	if b.Status.Final() {
		return ended(b)
	}
	return nil
}

// mayRefund refuses a refund of more than is left, and, where refunds only show as
// a sum, a second one while the first is open.
func mayRefund(b *ledger.Book, amount pay.Money, alone bool) error {
	if err := free(b, ""); err != nil {
		return err
	}
	if b.Status != pay.PaymentSucceeded || b.Paid.IsZero() {
		return conflict(pay.AdviceProbe, "payment is "+b.Status.String()+", only a succeeded one can be refunded")
	}
	if amount.Currency != b.Paid.Currency {
		return invalid("amount.currency", "is not the payment's, "+string(b.Paid.Currency))
	}
	if err := withinRest(b, amount, 0); err != nil {
		return err
	}
	for i := range b.Refunds {
		if alone && b.Refunds[i].Status == pay.RefundPending {
			return conflict(pay.AdviceProbe, "refund "+b.Refunds[i].ID+" is pending, and the provider shows refunds only as a sum: one at a time")
		}
	}
	return nil
}

// withinRest refuses a refund of more than is left. own is what of it counts as pending
// already.
func withinRest(b *ledger.Book, amount pay.Money, own int64) error {
	if rest := b.Paid.Minor - b.Refunded().Minor - b.RefundPending().Minor + own; amount.Minor > rest {
		return invalid("amount.value", "is above what is left to refund, "+pay.New(rest, b.Paid.Currency).String())
	}
	return nil
}

func mayCloseRefund(b *ledger.Book, refund string, confirm bool) error {
	if err := free(b, ""); err != nil {
		return err
	}
	r := b.Refund(refund)
	switch {
	case r == nil:
		return notFound("refund_id", "the payment has no such refund")
	case !confirm && r.Status == pay.RefundSucceeded:
		return conflict(pay.AdviceProbe, "refund has succeeded")
	case r.Status == pay.RefundFailed:
		return conflict(pay.AdviceProbe, "refund has failed")
	case r.ProviderRef == "":
		return conflict(pay.AdviceProbe, "the provider has not answered to the refund yet")
	}
	return nil
}

func ended(b *ledger.Book) error {
	return conflict(pay.AdviceFix, "payment has ended: it is "+b.Status.String())
}

// worthProbing reports whether a status call could change a refusal.
func worthProbing(err error) bool {
	e := pay.AsError(err)
	return e != nil && (e.Class == pay.ClassInDoubt || e.Class == pay.ClassStateConflict && e.Advice == pay.AdviceProbe)
}
