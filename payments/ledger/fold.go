package ledger

import (
	"cmp"
	"fmt"
	"time"

	"github.com/payhost/payhost/sdk/pay"
)

// Fold makes a book of its entries, which must begin with the one that opened it.
func Fold(entries []Entry) (*Book, error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("ledger: no entries to fold")
	}
	if _, ok := entries[0].Body.(Opened); !ok {
		return nil, fmt.Errorf("ledger: book %s begins with %s", entries[0].Book, entries[0].Body.Kind())
	}
	b := &Book{}
	for _, e := range entries {
		b.Apply(e)
	}
	return b, nil
}

// Apply folds one entry into the book and reports whether it told anything new. An
// entry that did not is worth no line in the ledger: whoever probes may leave it
// out. The book counts it all the same.
func (b *Book) Apply(e Entry) bool {
	b.encoded = nil
	changed := b.apply(e)
	if changed && !b.CreatedAt.IsZero() && e.At.After(b.UpdatedAt) {
		b.UpdatedAt = e.At
	}
	b.Version++
	if e.Seq > 0 {
		b.LastSeq = e.Seq
	}
	return changed
}

func (b *Book) apply(e Entry) bool {
	switch body := e.Body.(type) {
	case Opened:
		return b.open(e, body)
	case Prepared:
		return b.prepare(e, body)
	case Sending:
		return b.sending(e.At, body)
	case Outcome:
		return b.end(e.At, body)
	case Resolved:
		return b.resolve(e.At, body)
	case Abandoned:
		return b.abandon(e.At, body)
	case Observed:
		changed := b.observe(e.At, body.Observation, body.Refund)
		return b.settle(e.At) || changed
	case Probed:
		return b.probed(e.At, body)
	case Notified:
		b.HintedAt = e.At
		return true
	case Expired:
		return b.move(e.At, pay.PaymentExpired)
	case Alert:
		return b.alert(body.Error)
	case Acknowledged:
		had := b.Alerts > 0
		b.Alerts = 0 // the latest is kept: the same contradiction seen again is no new one
		return had
	}
	return true // a note
}

func (b *Book) open(e Entry, o Opened) bool {
	if !b.CreatedAt.IsZero() {
		return false
	}
	b.ID, b.CreatedAt, b.UpdatedAt = e.Book, e.At, e.At
	b.Receipt, b.Caller, b.Nonce, b.Revision, b.Flow = o.Receipt, o.Caller, o.Nonce, o.Revision, o.Flow
	b.Connection, b.Provider, b.OrderID, b.Amount = o.Connection, o.Provider, o.OrderID, o.Amount
	b.ExpiresAt, b.Metadata = o.ExpiresAt, o.Metadata
	if !o.Receipt {
		b.Status = pay.PaymentCreated
	}
	return true
}

// prepare begins the first or the next attempt of an operation.
func (b *Book) prepare(e Entry, p Prepared) bool {
	op := b.Operation(p.Operation)
	switch {
	case op == nil && p.Attempt == 1:
		b.Operations = append(b.Operations, Operation{
			ID: p.Operation, Op: p.Op, Sequence: p.Sequence, ProviderKey: p.ProviderKey, Idempotency: p.Idempotency,
			Amount: p.Amount, Refund: p.Refund, Receipt: p.Receipt, BeganAt: e.At, Actor: e.Actor,
		})
		op = &b.Operations[len(b.Operations)-1]
		b.begin(e.At, p)
	case op == nil || p.Attempt != op.Attempt+1 || op.Outcome != pay.OutcomeInDoubt && !op.Repeatable():
		return false // what came to an end is not sent again
	case op.Op == pay.OpRefund && op.Repeatable():
		b.rebase(b.Refund(op.Refund))
	}
	op.Attempt, op.Outcome, op.Lease, op.Revision = p.Attempt, pay.OutcomePrepared, p.Lease, p.Revision
	op.HorizonMS = max(op.HorizonMS, p.HorizonMS)
	if p.KeyLifetimeMS > 0 && (op.KeyLifetimeMS == 0 || p.KeyLifetimeMS < op.KeyLifetimeMS) {
		op.KeyLifetimeMS = p.KeyLifetimeMS
	}
	if op.Op == pay.OpRelease && b.Paid.IsZero() && b.Returned.IsZero() {
		b.Amount = op.Amount // at a till the amount is known only now
	}
	return true
}

// begin makes the object that an operation is about.
func (b *Book) begin(at time.Time, p Prepared) {
	switch p.Op {
	case pay.OpRefund:
		base := b.Refunded().Minor + b.RefundPending().Minor
		b.Refunds = append(b.Refunds, Refund{
			ID: p.Refund, Operation: p.Operation, Status: pay.RefundPending, Amount: p.Amount, Reason: p.Reason,
			Base: Of(pay.New(base, p.Amount.Currency)), CreatedAt: at, UpdatedAt: at,
		})
	case pay.OpReceipt:
		b.Receipts = append(b.Receipts, Receipt{
			ID: p.Receipt, Operation: p.Operation, Status: pay.ReceiptPending, Register: p.Register,
			FiscalSign: p.FiscalSign, Total: p.Amount, CreatedAt: at, UpdatedAt: at,
		})
	}
}

// rebase counts what had gone back before a refund is asked for again that had no effect.
func (b *Book) rebase(r *Refund) {
	if r != nil && r.Status == pay.RefundPending {
		r.Base = Of(pay.New(b.Refunded().Minor+b.RefundPending().Minor-r.Amount.Minor, r.Amount.Currency))
	}
}

func (b *Book) sending(at time.Time, s Sending) bool {
	op := b.Operation(s.Operation)
	if op == nil || s.Attempt != op.Attempt || !op.Running() {
		return false
	}
	op.Outcome, op.SentAt, op.Absent = pay.OutcomeSending, at, 0 // what looks saw before it left proves nothing of it
	if op.FirstSent.IsZero() {
		op.FirstSent = at
	}
	return true
}

// end writes down how an attempt ended. An outcome may come late, from a process
// that was thought dead: then it is better evidence than the doubt that was written
// in its place, but it undoes nothing that was proven since, save that it happened.
func (b *Book) end(at time.Time, o Outcome) bool {
	op := b.Operation(o.Operation)
	if op == nil || o.Attempt < 1 || o.Attempt > op.Attempt || o.Outcome < pay.OutcomeApplied {
		return false
	}
	happened := o.Outcome == pay.OutcomeApplied || o.Outcome == pay.OutcomeAccepted
	switch {
	case op.Running() && o.Attempt == op.Attempt: // the usual way
		op.Evidence = worse(op.Evidence, o.Evidence)
	case op.Outcome == pay.OutcomeInDoubt && (happened || o.Attempt == op.Attempt && op.Attempt == 1 && !o.Recovered):
		if o.Outcome == pay.OutcomeInDoubt {
			return false
		}
		op.Evidence = o.Evidence
	case happened && (op.Outcome == pay.OutcomeNotApplied || op.Outcome == pay.OutcomeDeclined):
		if late := *op; o.Outcome == pay.OutcomeAccepted {
			late.Outcome = o.Outcome
			if shown := b.shown(&late); shown == pay.OutcomeNotApplied || shown == pay.OutcomeDeclined {
				return false // accepted it was, and came to nothing
			}
		}
		b.alert(&Error{
			Class: pay.ClassIntegrity, Effect: pay.EffectDone, Advice: pay.AdviceOperator, Operation: op.Op,
			Message: "operation was taken for " + op.Outcome.String() + " and then turned out to have happened",
		})
	default:
		return false
	}
	b.conclude(at, op, o.Outcome, o.Error)
	b.take(op, &o)
	b.effect(at, op)
	for _, seen := range o.Seen {
		b.observe(at, seen, cmp.Or(op.Refund, op.Receipt))
	}
	b.settle(at)
	return true
}

// conclude sets an operation's outcome.
func (b *Book) conclude(at time.Time, op *Operation, outcome pay.Outcome, err *Error) {
	op.Outcome, op.Error, op.EndedAt, op.Lease = outcome, err, at, time.Time{}
	switch {
	case outcome != pay.OutcomeInDoubt:
		op.DoubtSince, op.Absent = time.Time{}, 0
	case op.DoubtSince.IsZero():
		op.DoubtSince = at
	}
	if op.Op != pay.OpReceipt {
		b.LastError = err
	}
}

// take keeps what the answer brought.
func (b *Book) take(op *Operation, o *Outcome) {
	if o.ProviderRef != "" {
		if r := b.Refund(op.Refund); r != nil {
			if r.ProviderRef == "" {
				r.ProviderRef = o.ProviderRef
			}
		} else if op.Op != pay.OpReceipt && b.ProviderRef == "" {
			b.ProviderRef = o.ProviderRef
		}
	}
	if o.Next != nil && op.Refund == "" && op.Op != pay.OpReceipt && !b.Status.Final() {
		b.Next = o.Next
		if o.Next.Type == pay.NextNone {
			b.Next = nil
		}
	}
	if o.PayerHint != "" {
		b.PayerHint = o.PayerHint
	}
	if b.ExpiresAt.IsZero() {
		b.ExpiresAt = o.ExpiresAt
	}
}

// resolve ends a doubt by proof.
func (b *Book) resolve(at time.Time, r Resolved) bool {
	op := b.Operation(r.Operation)
	if op == nil || op.Running() || op.Outcome == r.Outcome || !r.Outcome.Settled() ||
		op.Outcome != pay.OutcomeInDoubt && op.Outcome != pay.OutcomeAccepted {
		return false
	}
	var err *Error
	if r.Outcome != pay.OutcomeApplied {
		err = &Error{
			Class: pay.ClassStateConflict, Effect: pay.EffectNone, Advice: pay.AdviceNewAttempt, Operation: op.Op,
			Message: "operation had no effect: " + r.Evidence,
		}
		if r.Outcome == pay.OutcomeDeclined {
			err.Class, err.Reason = pay.ClassDeclined, pay.DeclinedOther
		}
	}
	b.conclude(at, op, r.Outcome, err)
	b.effect(at, op)
	b.settle(at)
	return true
}

// abandon gives up an operation that had no effect.
func (b *Book) abandon(at time.Time, a Abandoned) bool {
	op := b.Operation(a.Operation)
	if op == nil || !op.Repeatable() {
		return false
	}
	given := *op.Error
	given.Advice = pay.AdviceNewAttempt
	op.Error = &given
	b.effect(at, op)
	return true
}

func (b *Book) probed(at time.Time, p Probed) bool {
	b.LookedAt = at
	changed := false
	for _, id := range p.Absent {
		if op := b.Operation(id); op != nil && op.Outcome == pay.OutcomeInDoubt {
			op.Absent++
			op.AbsentAt = at
			changed = true
		}
	}
	return changed
}

func (b *Book) alert(err *Error) bool {
	if err == nil || b.Alert != nil && *b.Alert == *err {
		return false
	}
	b.Alert = err
	b.Alerts++
	return true
}

// worse adds the evidence of an attempt to that of those before. What may have had
// an unseen effect is never covered up by what came after.
func worse(before, now Evidence) Evidence {
	sum := now
	sum.Calls, sum.Reads, sum.BytesOut = before.Calls+now.Calls, before.Reads+now.Reads, before.BytesOut+now.BytesOut
	if before.Pay().Doubtful() {
		sum.Wire, sum.Status = before.Wire, before.Status
	}
	sum.InDoubt = before.InDoubt || now.InDoubt
	return sum
}

// Pay returns the evidence as package pay has it.
func (e Evidence) Pay() pay.Evidence {
	return pay.Evidence{
		Wire: e.Wire, Status: e.Status, Calls: e.Calls, Reads: e.Reads, BytesOut: e.BytesOut, InDoubt: e.InDoubt,
	}
}

// EvidenceOf returns the ledger's form of evidence.
func EvidenceOf(e pay.Evidence) Evidence {
	return Evidence{
		Wire: e.Wire, Status: e.Status, Calls: e.Calls, Reads: e.Reads, BytesOut: e.BytesOut, InDoubt: e.InDoubt,
	}
}

// Earlier returns the evidence that the next attempt of an operation is handed.
func (o *Operation) Earlier() pay.Evidence {
	e := o.Evidence.Pay()
	e.InDoubt = e.InDoubt || !o.DoubtSince.IsZero()
	return e
}
