package payments

import (
	"context"
	"errors"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// write makes the attempt durable, and what else is given, in one transaction.
func (a *attempt) write(ctx context.Context, more ...ledger.Body) error {
	var ready, next *writing
	if a.opened != nil && !a.written {
		ready = a.draft(&ledger.Book{}, more) // before the transaction: there is one at a time on SQLite
		ready.seal()
	}
	err := a.engine.store.Update(ctx, func(tx store.Tx) error {
		w := ready
		if w == nil {
			b, err := tx.Lock(a.book.ID)
			if err != nil {
				return err
			}
			if err := a.stillSo(b); err != nil {
				return err
			}
			w = a.draft(b, more)
		}
		if err := a.claimKeys(tx); err != nil {
			return err
		}
		if ready != nil && a.note != "" {
			w = a.draft(&ledger.Book{}, more)
		}
		next = w
		return w.commit(tx)
	})
	if err != nil {
		return storeError(err)
	}
	a.book, a.written = next.book, true
	a.begun()
	return nil
}

// draft is what there is to write of the attempt, and what else is given, on a book
// as it is; a new one is empty.
func (a *attempt) draft(b *ledger.Book, more []ledger.Body) *writing {
	w := a.engine.writing(b, a.actor)
	if !a.written {
		if a.opened != nil {
			w.open(a.book.ID, *a.opened)
			if a.note != "" {
				w.add(ledger.Note{Text: a.note})
			}
		}
		begin := a.begin
		begin.Reason = a.reason
		begin.Lease = w.now.Add(a.engine.config.CallTimeout + leaseSlack)
		a.lease = begin.Lease
		w.add(begin)
	}
	for _, body := range more {
		w.add(body)
	}
	return w
}

// claimKeys takes the caller's key and the provider's for an operation that is new,
// and keeps what is needed to send it again. A key that is taken means that somebody
// was first.
func (a *attempt) claimKeys(tx store.Tx) error {
	if a.written {
		return nil
	}
	if a.order {
		if err := a.checkOrder(tx); err != nil {
			return err
		}
	}
	if a.claim == nil {
		return nil
	}
	if err := tx.PutKey(*a.claim); err != nil {
		return moved(err)
	}
	if a.op.ProviderKey != "" {
		if err := tx.ClaimProviderKey(a.book.Connection, a.op.ProviderKey, a.op.ID); err != nil {
			return moved(err)
		}
	}
	if a.request.empty() {
		return nil
	}
	return tx.PutRequest(a.op.ID, a.request.encode())
}

// stillSo holds the decision against the book as it is now. An attempt that was ended
// while it stood still, since its lease was over, sends nothing more: by now it may have
// been made again, or given up.
func (a *attempt) stillSo(b *ledger.Book) error {
	op := b.Operation(a.op.ID)
	if a.written {
		if op == nil || op.Attempt != a.op.Attempt || !op.Running() {
			return errMoved
		}
		return nil
	}
	first := a.op.Attempt == 1
	switch {
	case first && op != nil, !first && (op == nil || op.Attempt != a.op.Attempt-1 || op.Running()):
		return errMoved
	}
	return a.guard(b)
}

// checkOrder refuses a create for an order of which another payment is in doubt or is just
// being created, which may yet be in doubt. It finds the sequence of a key that is made of
// the order id.
func (a *attempt) checkOrder(tx store.Tx) error {
	books, err := tx.Order(a.book.Connection, a.book.OrderID)
	if err != nil {
		return err
	}
	for _, b := range books {
		if b.ID == a.book.ID {
			continue
		}
		if d := b.InDoubt(); d != nil {
			a.blocked(b.ID)
			return inDoubt(b, d)
		}
		if o := b.Last(pay.OpCreate); o != nil && o.Running() {
			return inProgress("create of " + b.PaymentID() + ", of the same order, is being carried out")
		}
	}
	if a.opened == nil {
		return nil
	}
	if sequence := sequenceAfter(books); a.op.Sequence > 0 && sequence > a.op.Sequence {
		a.resequence(sequence)
		return errMoved
	}
	if len(books) > 0 {
		a.note = "the order has other payments: " + others(books)
	}
	return nil
}

// sequenceAfter is the sequence of the next create of an order with these payments.
func sequenceAfter(books []*ledger.Book) int {
	sequence := 1
	for _, b := range books {
		for i := range b.Operations {
			if o := &b.Operations[i]; o.Op == pay.OpCreate && o.Sequence >= sequence {
				sequence = o.Sequence + 1
			}
		}
	}
	return sequence
}

func others(books []*ledger.Book) string {
	text := ""
	for i, b := range books {
		if i == 5 {
			return text + ", …"
		}
		if i > 0 {
			text += ", "
		}
		text += b.PaymentID() + " is " + b.Status.String()
	}
	return text
}

// finish makes the outcome durable. It must not be lost: while the store is not
// available, it is tried again, first for the caller to wait for and then in the
// background.
func (a *attempt) finish(ctx context.Context, o ledger.Outcome) (*ledger.Book, error) {
	point := a.op.Op.String()
	a.engine.config.Fault(point + ".before_outcome")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseSlack) // the call's own time may be up
	defer cancel()
	book, err := a.end(ctx, o)
	if err == nil {
		a.engine.config.Fault(point + ".after_outcome")
		return book, nil
	}
	if errors.Is(err, errMoved) || !a.written {
		return nil, err // nothing was sent that nobody knows of
	}
	a.engine.log.Error("outcome can't be written down yet", "operation_id", a.op.ID, "outcome", o.Outcome.String(), "error", err)
	a.engine.background(func(ctx context.Context) { a.insist(ctx, o) })
	return nil, &pay.Error{
		Class: pay.ClassHostFault, Effect: pay.EffectMaybe, Advice: pay.AdviceRetrySameKey, Operation: a.op.Op,
		Message: "the store is not available: what the operation came to will be known by its key", Err: err,
	}
}

// insist writes the outcome down as soon as the store can. When the process ends
// before, the next one finds the attempt running and takes it for in doubt.
func (a *attempt) insist(ctx context.Context, o ledger.Outcome) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		if _, err := a.end(ctx, o); err == nil || !errors.Is(err, store.ErrUnavailable) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// end writes the outcome, and the attempt's rows with it if nothing was sent.
func (a *attempt) end(ctx context.Context, o ledger.Outcome) (*ledger.Book, error) {
	if !a.written {
		if err := a.write(ctx, o); err != nil {
			return nil, err
		}
		return a.book, nil
	}
	// The book that we wrote is the latest, unless the store says otherwise.
	next := a.engine.writing(a.book, a.actor)
	next.add(o)
	next.seal()
	err := a.engine.store.Update(ctx, func(tx store.Tx) error { return next.commit(tx) })
	if errors.Is(err, store.ErrStale) {
		err = a.engine.store.Update(ctx, func(tx store.Tx) error {
			b, err := tx.Lock(a.book.ID)
			if err != nil {
				return err
			}
			next = a.engine.writing(b, a.actor)
			next.add(o)
			return next.commit(tx)
		})
	}
	if err != nil {
		return nil, storeError(err)
	}
	return next.book, nil
}

// moved turns a key that is taken into errMoved.
func moved(err error) error {
	if errors.Is(err, store.ErrExists) {
		return errMoved
	}
	return err
}
