package payments

import (
	"context"
	"errors"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// recoverStale ends attempts whose process is gone, so that whoever waits for the
// book need not wait for the job that would.
func (e *Engine) recoverStale(ctx context.Context, b *ledger.Book) error {
	fresh, err := e.recovered(ctx, b)
	if err == nil {
		*b = *fresh
	}
	return err
}

// recovered returns the book with attempts ended that belong to nobody any more.
func (e *Engine) recovered(ctx context.Context, b *ledger.Book) (*ledger.Book, error) {
	if !stale(b, e.now()) {
		return b, nil
	}
	next, err := e.update(ctx, b.ID, actorHost, func(w *writing) error {
		w.recover(func(o *ledger.Operation) bool { return !o.Lease.After(w.now) })
		return nil
	})
	return next, err
}

func stale(b *ledger.Book, now time.Time) bool {
	for i := range b.Operations {
		if o := &b.Operations[i]; o.Running() && !o.Lease.After(now) {
			return true
		}
	}
	return false
}

// recover ends the running attempts that gone tells: one that had not begun to send
// had no effect, one that had may have had.
func (w *writing) recover(gone func(*ledger.Operation) bool) {
	for i := range w.book.Operations {
		o := w.book.Operations[i]
		if !o.Running() || !gone(&o) {
			continue
		}
		end := ledger.Outcome{Operation: o.ID, Attempt: o.Attempt, Recovered: true, Revision: o.Revision}
		switch {
		case o.Outcome == pay.OutcomeSending:
			end.Outcome = pay.OutcomeInDoubt
			end.Evidence = ledger.Evidence{Wire: pay.WireUnknown, Calls: 1}
			end.Error = &ledger.Error{
				Class: pay.ClassInDoubt, Effect: pay.EffectMaybe, Advice: pay.AdviceProbe, Operation: o.Op,
				Message: "payhost stopped while the operation was being sent",
			}
		case !o.DoubtSince.IsZero():
			end.Outcome, end.Error = pay.OutcomeInDoubt, o.Error
		default:
			end.Outcome = pay.OutcomeNotApplied
			end.Error = &ledger.Error{
				Class: pay.ClassUnavailable, Effect: pay.EffectNone, Advice: pay.AdviceRetrySameKey, Operation: o.Op,
				Message: "payhost stopped before the operation was sent",
			}
		}
		w.add(end)
	}
}

// Recover ends every attempt that a process left behind which alone used the store.
// On a store that several processes share it does nothing: there a lease tells when
// an attempt belongs to nobody any more. [Engine.Start] does it first.
func (e *Engine) Recover(ctx context.Context) error {
	if !e.store.Exclusive() {
		return nil
	}
	return storeError(e.recoverAll(ctx))
}

func (e *Engine) recoverAll(ctx context.Context) error {
	for before := ""; ; {
		books, err := e.store.Books(ctx, store.Query{Running: true, Before: before, Limit: 500})
		if err != nil {
			return err
		}
		receipts, err := e.store.Books(ctx, store.Query{Running: true, Receipts: true, Before: before, Limit: 500})
		if err != nil {
			return err
		}
		for _, b := range append(books, receipts...) {
			if _, err := e.update(ctx, b.ID, actorHost, func(w *writing) error {
				w.recover(func(*ledger.Operation) bool { return true })
				return nil
			}); err != nil {
				return err
			}
		}
		if len(books) == 0 && len(receipts) == 0 {
			return nil
		}
	}
}

// resend sends operations in doubt again where the plugin's declaration makes that
// safe.
func (e *Engine) resend(ctx context.Context, conn *host.Connection, b *ledger.Book) {
	for i := range b.Operations {
		o := &b.Operations[i]
		if o.Outcome != pay.OutcomeInDoubt {
			continue
		}
		next, sent := e.resendOne(ctx, conn, b, o)
		if !sent {
			continue
		}
		if next == nil {
			return // the next visit sees the book as it is
		}
		b = next
	}
	// Here, and not behind the repeat: a process may have died before it got that far.
	if last := b.Last(pay.OpCreate); last != nil && mayRenew(b, last, e.now()) {
		e.newKey(ctx, conn, b, last.ID)
	}
}

// resendOne sends an operation in doubt again if it may be, and returns the book then,
// nil if it has moved.
func (e *Engine) resendOne(
	ctx context.Context, conn *host.Connection, b *ledger.Book, o *ledger.Operation,
) (next *ledger.Book, sent bool) {
	begun := conn.Begin()
	defer begun()
	if !e.resendable(conn, b, o) {
		return nil, false
	}
	a, err := e.repairAttempt(ctx, conn, b, o)
	if err != nil {
		e.log.Warn("operation in doubt can't be sent again", "operation_id", o.ID, "error", err)
		return nil, false
	}
	a.begun = begun
	next, err = a.run(ctx)
	if err != nil && !errors.Is(err, errMoved) {
		e.log.Debug("repeat of an operation in doubt", "operation_id", o.ID, "error", err)
	}
	return next, true
}

// resendable is the retry rule of contract section 5.
func (e *Engine) resendable(conn *host.Connection, b *ledger.Book, o *ledger.Operation) bool {
	m, err := conn.Manifest()
	if err != nil || !conn.Supports(o.Op) {
		return false
	}
	spec, _ := m.Operation(o.Op)
	if !sameRepeat(o, spec) {
		return false
	}
	switch o.Idempotency {
	case pay.IdempotencyNative:
		return e.now().Before(o.FirstSent.Add(keyLifetime(o, spec)))
	case pay.IdempotencyNatural:
		return e.now().Before(o.FirstSent.Add(watchPeriod))
	case pay.IdempotencyLookup:
		// A create whose answer was lost has lost the link with it: an order that no
		// payer can reach moves no money, so the link may be asked for again. The visit
		// has asked status first; the plugin does so once more.
		return o.Op == pay.OpCreate && b.Flow != pay.FlowTill.String() && b.Status <= pay.PaymentPending &&
			e.now().Before(o.FirstSent.Add(watchPeriod)) && !givenUp(o)
	}
	return false
}

// givenUp reports whether the provider said that a key leads nowhere any more, and
// that the next one may.
func givenUp(o *ledger.Operation) bool {
	return o.Error != nil && o.Error.Class == pay.ClassDuplicate && o.Error.Advice == pay.AdviceNewAttempt
}

// repairAttempt is the next attempt of an operation in doubt, from what is durable.
func (e *Engine) repairAttempt(
	ctx context.Context, conn *host.Connection, b *ledger.Book, o *ledger.Operation,
) (*attempt, error) {
	var r request
	if needsRequest(o.Op) {
		data, err := e.store.Request(ctx, o.ID)
		if err != nil {
			return nil, err
		}
		if r, err = decodeRequest(data); err != nil {
			return nil, err
		}
	}
	a := e.attemptAgain(conn, b, o, r)
	a.actor = actorHost
	a.guard = func(b *ledger.Book) error {
		if now := b.Operation(o.ID); now == nil || now.Outcome != pay.OutcomeInDoubt {
			return errMoved
		}
		return nil
	}
	return a, nil
}

// mayRenew reports whether a payment may go on under one more key by now. Keys come at
// the pace at which a doubt is looked at, counted from the first one, and for as long as
// an ended payment is watched: what a provider refuses once it may refuse for ever, and
// every key may be an order, which has to be watched from then on.
func mayRenew(b *ledger.Book, last *ledger.Operation, now time.Time) bool {
	if last.Outcome != pay.OutcomeInDoubt || !givenUp(last) {
		return false
	}
	keys, first := 0, last.DoubtSince
	for i := range b.Operations {
		if o := &b.Operations[i]; o.Op == pay.OpCreate && o.Outcome == pay.OutcomeInDoubt {
			keys, first = keys+1, earlierOf(first, o.DoubtSince)
		}
	}
	return keys <= climbed(first, now) && now.Before(first.Add(watchPeriod))
}

// newKey goes on with the next provider key after the provider refused to repeat a
// create under the old one. The old key is still watched by status.
func (e *Engine) newKey(ctx context.Context, conn *host.Connection, b *ledger.Book, operation string) {
	data, err := e.store.Request(ctx, operation)
	if err != nil {
		return
	}
	r, err := decodeRequest(data)
	if err != nil || r.Create == nil {
		return
	}
	call := Call{Caller: HostCaller, Key: "again after " + operation}
	in := &intent{
		op: pay.OpCreate, call: call, actor: actorHost, fields: operation, book: b.ID, request: r,
		scope: store.Scope{
			Caller: call.Caller, Connection: b.Connection, Operation: "create " + b.PaymentID(), Key: call.Key,
		},
		answer: func(*Answer, *ledger.Operation) {},
	}
	in.decide = func(ctx context.Context, b *ledger.Book) (*attempt, bool, error) {
		in.begun = conn.Begin()
		a := &attempt{engine: e, conn: conn, call: call, actor: actorHost, book: b, request: r}
		a.guard = func(b *ledger.Book) error {
			if last := b.Last(pay.OpCreate); last.ID != operation || b.Status > pay.PaymentPending {
				return conflict(pay.AdviceProbe, "payment has gone on without it")
			}
			return nil
		}
		if err := a.guard(b); err != nil {
			return nil, false, err
		}
		sequence, err := e.nextSequence(ctx, b)
		if err != nil {
			return nil, false, err
		}
		return a, false, e.firstOperation(ctx, a, in, ledger.Operation{
			Op: pay.OpCreate, Amount: ledger.Of(r.Create.Amount), Sequence: sequence,
		})
	}
	if _, err := e.operate(ctx, in); err != nil {
		e.log.Debug("create under a new key", "payment", b.PaymentID(), "error", err)
	}
}

// nextSequence is the next one of all payments of the book's order.
func (e *Engine) nextSequence(ctx context.Context, b *ledger.Book) (int, error) {
	books, err := e.store.Books(ctx, store.Query{Connection: b.Connection, OrderID: b.OrderID, Limit: 1000})
	if err != nil {
		return 0, storeError(err)
	}
	return sequenceAfter(books), nil
}

// autoRefund gives a late success back where the connection's policy says so.
func (e *Engine) autoRefund(ctx context.Context, b *ledger.Book) {
	if !e.owes(b) || b.InDoubt() != nil {
		return
	}
	call := Call{Caller: HostCaller, Key: "late success of " + b.PaymentID()}
	_, err := e.refund(ctx, call, actorHost, b, NewRefund{Amount: b.Paid.Money, Reason: "paid after the payment had ended"})
	if err != nil {
		e.log.Warn("late success is not given back yet", "payment", b.PaymentID(), "error", err)
	}
}

// owes reports whether a late success is still to be given back: nothing of it went back
// by now, and the host's own refund was not begun, or had no effect and may be repeated.
func (e *Engine) owes(b *ledger.Book) bool {
	if !b.Reopened || b.Status != pay.PaymentSucceeded || e.latePolicy(b.Connection) != LateAutoRefund || b.Refunded().Minor > 0 {
		return false
	}
	if len(b.Refunds) == 0 {
		return true
	}
	o := b.Operation(b.Refunds[0].Operation)
	return len(b.Refunds) == 1 && o.Actor == actorHost && o.Repeatable() && o.Attempt < maxAttempts
}
