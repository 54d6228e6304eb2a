package ledger

import (
	"slices"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// effect brings the objects of an operation to where its outcome puts them. An
// outcome that leaves things open (in doubt, or no effect and may be repeated)
// moves nothing.
func (b *Book) effect(at time.Time, op *Operation) {
	switch op.Outcome {
	case pay.OutcomeApplied:
		b.applied(at, op)
	case pay.OutcomeAccepted:
		b.accepted(at, op)
	case pay.OutcomeDeclined:
		b.refused(at, op)
	case pay.OutcomeNotApplied:
		if !op.Repeatable() {
			b.refused(at, op)
		}
	}
	b.reflect(at, op)
}

// applied: the provider did it.
func (b *Book) applied(at time.Time, op *Operation) {
	switch op.Op {
	case pay.OpCreate:
		b.started(at)
	case pay.OpBind:
		b.Next = nil
		b.move(at, pay.PaymentPending)
	case pay.OpRelease:
		b.move(at, pay.PaymentProcessing)
	case pay.OpConfirm:
		b.move(at, pay.PaymentSucceeded)
	case pay.OpCancel:
		b.move(at, pay.PaymentCanceled)
	case pay.OpRefund, pay.OpConfirmRefund:
		b.refundIs(at, b.Refund(op.Refund), pay.RefundSucceeded)
	case pay.OpReceipt:
		b.receiptIs(at, b.ReceiptOf(op.Receipt), pay.ReceiptRegistered)
	}
}

// accepted: the provider will tell later.
func (b *Book) accepted(at time.Time, op *Operation) {
	switch op.Op {
	case pay.OpCreate:
		b.started(at)
	case pay.OpRelease:
		b.move(at, pay.PaymentProcessing)
	}
}

// started: the payment exists at the provider, or the till waits for a code.
func (b *Book) started(at time.Time) {
	if b.Next != nil && b.Next.Type == pay.NextWait {
		b.move(at, pay.PaymentProcessing)
		return
	}
	b.move(at, pay.PaymentPending)
}

// refused: proven that it did not happen.
func (b *Book) refused(at time.Time, op *Operation) {
	switch op.Op {
	case pay.OpCreate:
		for i := range b.Operations { // an earlier create under another key may still turn out to exist
			o := &b.Operations[i]
			if o.Op == pay.OpCreate && o.Outcome != pay.OutcomeDeclined && (o.Outcome != pay.OutcomeNotApplied || o.Repeatable()) {
				return
			}
		}
		if b.Status > pay.PaymentPending && !unsuccessful(b.Status) { // what was seen of it counts for more
			b.alert(&Error{
				Class: pay.ClassIntegrity, Effect: pay.EffectDone, Advice: pay.AdviceOperator, Operation: op.Op,
				Message: "create is " + op.Outcome.String() + ", and the provider shows the payment as " + b.Status.String(),
			})
			return
		}
		b.move(at, pay.PaymentFailed)
	case pay.OpRefund:
		b.refundIs(at, b.Refund(op.Refund), pay.RefundFailed)
	case pay.OpReceipt:
		b.receiptIs(at, b.ReceiptOf(op.Receipt), pay.ReceiptRejected)
	}
}

func unsuccessful(s pay.PaymentStatus) bool { return s.Final() && s != pay.PaymentSucceeded }

// reflect shows an operation's error on the refund or receipt it is about.
func (b *Book) reflect(at time.Time, op *Operation) {
	if r := b.Refund(op.Refund); r != nil {
		r.LastError, r.UpdatedAt = op.Error, at
	}
	if r := b.ReceiptOf(op.Receipt); r != nil {
		r.LastError, r.UpdatedAt = op.Error, at
	}
}

func (b *Book) move(at time.Time, status pay.PaymentStatus) bool {
	return b.observe(at, Observation{Subject: pay.SubjectPayment, Payment: status}, "")
}

// observe folds an observation; about is the id of the refund or receipt it is of, if
// that is known. One that contradicts what was asked for changes no status: it raises
// an alert.
func (b *Book) observe(at time.Time, o Observation, about string) bool {
	switch o.Subject {
	case pay.SubjectPayment:
		return b.observePayment(at, o.Pay())
	case pay.SubjectRefund:
		return b.observeRefund(at, o, about)
	case pay.SubjectReceipt:
		r := b.ReceiptOf(about)
		if r == nil {
			r = b.receiptMeant()
		}
		return b.receiptIs(at, r, o.ReceiptStatus)
	}
	return false
}

// receiptMeant is the only receipt there is, or the only one that is open.
func (b *Book) receiptMeant() *Receipt {
	if len(b.Receipts) == 1 {
		return &b.Receipts[0]
	}
	var open *Receipt
	for i := range b.Receipts {
		if b.Receipts[i].Status != pay.ReceiptPending {
			continue
		}
		if open != nil {
			return nil // two could be meant
		}
		open = &b.Receipts[i]
	}
	return open
}

func (b *Book) observePayment(at time.Time, o pay.Observation) bool {
	p, move, wrong := b.with(o)
	if wrong != nil {
		return b.alert(wrong)
	}
	before := b.payment()
	b.Status, b.ProviderRef = p.Status, p.ProviderRef
	b.Paid, b.Returned = Of(p.AmountPaid), Of(p.AmountRefunded)
	changed := p.Status != before.Status || p.ProviderRef != before.ProviderRef || p.AmountPaid != before.AmountPaid ||
		p.AmountRefunded != before.AmountRefunded
	switch {
	case move == pay.MoveReopen:
		b.Reopened = true
	case move == pay.MoveReversal && !b.Reversed:
		b.Reversed, changed = true, true
	}
	if move.Changes() {
		b.EndedAt = time.Time{}
		if b.Status.Final() {
			b.EndedAt, b.Next = at, nil
		}
		if b.Status == pay.PaymentSucceeded {
			b.LastError = nil
		}
	}
	return changed
}

// Contradicts returns what keeps an observation of the payment from being taken: it is
// of another payment, or its sums are not what was asked for. Then it says nothing of
// this payment, neither what happened nor what did not. Nil if it can be taken.
func (b *Book) Contradicts(o Observation) *Error {
	if o.Subject != pay.SubjectPayment {
		return nil
	}
	_, _, wrong := b.with(o.Pay())
	return wrong
}

// with returns the payment as an observation makes it, or why it can't be taken.
func (b *Book) with(o pay.Observation) (pay.Payment, pay.Move, *Error) {
	p := b.payment()
	if other := b.another(o); other != "" {
		return p, pay.MoveNone, &Error{
			Class: pay.ClassIntegrity, Effect: pay.EffectMaybe, Advice: pay.AdviceOperator, Field: "provider_ref",
			Message: "provider answers about " + other,
		}
	}
	move, err := p.Observe(o)
	return p, move, ErrorOf(err)
}

func (b *Book) payment() pay.Payment {
	return pay.Payment{
		Status: b.Status, ProviderRef: b.ProviderRef, Amount: b.Amount.Money, AmountPaid: b.Paid.Money,
		AmountRefunded: b.Returned.Money,
	}
}

// another says which payment an observation is of, if that is not this one; "" if it may
// be. The id may be new where the key is ours: an order that was made again is another
// one at the provider. A key that is none of ours is another payment's, unless the id is
// this one's.
func (b *Book) another(o pay.Observation) string {
	keys := b.Keys()
	switch {
	case o.ProviderKey != "" && slices.Contains(keys, o.ProviderKey):
	case differ(b.ProviderRef, o.ProviderRef):
		return "its payment " + o.ProviderRef + ", and payhost's is " + b.ProviderRef
	case o.ProviderKey != "" && len(keys) > 0 && (o.ProviderRef == "" || b.ProviderRef == "") && !b.sent(o.ProviderKey):
		return "the key " + o.ProviderKey + ", and payhost sent " + keys[len(keys)-1]
	}
	return ""
}

// sent reports whether a key is one of an operation of the book.
func (b *Book) sent(key string) bool {
	return slices.ContainsFunc(b.Operations, func(o Operation) bool { return o.ProviderKey == key })
}

// observeRefund finds the refund that an observation is of: the one that was asked
// after, else by the provider's id or our key, else the only one that is open.
func (b *Book) observeRefund(at time.Time, o Observation, id string) bool {
	r := b.Refund(id)
	if r == nil {
		r = b.refundNamed(o)
	}
	if r == nil {
		return false
	}
	if !o.Amount.IsZero() && o.Amount != r.Amount {
		return b.alert(&Error{
			Class: pay.ClassIntegrity, Effect: pay.EffectMaybe, Advice: pay.AdviceOperator, Field: "refund.amount",
			Message: "provider reports a refund of " + o.Amount.String() + ", payhost asked for " + r.Amount.String(),
		})
	}
	changed := false
	if r.ProviderRef == "" && o.ProviderRef != "" {
		r.ProviderRef, changed = o.ProviderRef, true
	}
	return b.refundIs(at, r, o.RefundStatus) || changed
}

func (b *Book) refundNamed(o Observation) *Refund {
	var open *Refund
	two := false
	for i := range b.Refunds {
		r := &b.Refunds[i]
		key := ""
		if op := b.Operation(r.Operation); op != nil {
			key = op.ProviderKey
		}
		switch {
		case o.ProviderRef != "" && r.ProviderRef == o.ProviderRef, o.ProviderKey != "" && key == o.ProviderKey:
			return r
		case r.Status != pay.RefundPending, differ(r.ProviderRef, o.ProviderRef), differ(key, o.ProviderKey):
		default:
			two = two || open != nil
			open = r
		}
	}
	if two {
		return nil
	}
	return open
}

// differ reports whether two names are both known and not the same.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

func (b *Book) refundIs(at time.Time, r *Refund, status pay.RefundStatus) bool {
	if r == nil {
		return false
	}
	move := pay.RefundTransitions().Move(uint8(r.Status), uint8(status))
	switch {
	case move.Changes():
		r.Status, r.UpdatedAt = status, at
		if status == pay.RefundSucceeded {
			r.LastError = nil
		}
		return true
	case move == pay.MoveReversal && !r.Bounced:
		r.Bounced, r.UpdatedAt = true, at
		b.alert(&Error{
			Class: pay.ClassIntegrity, Effect: pay.EffectDone, Advice: pay.AdviceOperator, Operation: pay.OpRefund,
			Message: "refund " + r.ID + " was done, and then the provider took it back",
		})
		return true
	}
	return false
}

func (b *Book) receiptIs(at time.Time, r *Receipt, status pay.ReceiptStatus) bool {
	if r == nil || !pay.ReceiptTransitions().Move(uint8(r.Status), uint8(status)).Changes() {
		return false
	}
	r.Status, r.UpdatedAt = status, at
	if status == pay.ReceiptRegistered {
		r.LastError = nil
	}
	return true
}
