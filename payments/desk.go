package payments

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const maxProof = 4 << 10 // bytes of an operator's evidence

// InDoubt lists what is in doubt, the oldest first, receipts too, and the cursor of the
// next page.
func (e *Engine) InDoubt(ctx context.Context, limit int, cursor string) ([]Doubtful, string, error) {
	limit, err := pageSize(limit)
	if err != nil {
		return nil, "", err
	}
	books, err := e.store.Books(ctx, store.Query{DoubtOrder: true, Before: cursor, Limit: limit})
	if err != nil {
		return nil, "", storeError(err)
	}
	var list []Doubtful
	next := ""
	for _, b := range books {
		for _, d := range b.Doubts(true) {
			list = append(list, Doubtful{Book: b, Doubt: d, Due: e.whatNext(b, &d)})
		}
	}
	if len(books) == limit {
		next = store.CursorOf(books[limit-1])
	}
	return list, next, nil
}

// whatNext says what payhost does about a doubt, for a person.
func (e *Engine) whatNext(b *ledger.Book, d *ledger.Doubt) string {
	at := climb(d.Since, e.now()).Format(time.RFC3339)
	op := b.Operation(d.Operation)
	conn, err := e.connection(b.Connection, b.ID)
	switch {
	case err != nil:
		return "nothing until the connection works again"
	case op.Running():
		return "it is being sent again now"
	case e.resendable(conn, b, op):
		return "sent again with the same key about " + at
	case askable(b) && e.now().Sub(d.Since) > watchPeriod:
		return "provider is asked daily, next about " + at + "; a person should ask, too"
	case askable(b):
		return "provider is asked about " + at
	}
	return "nothing: the provider can be neither asked nor told again; a person must"
}

// Probe asks the provider about the operation's payment now, and sends again what
// may be sent again.
func (e *Engine) Probe(ctx context.Context, operation string) (*ledger.Book, error) {
	b, err := e.bookOfOperation(ctx, operation)
	if err != nil {
		return nil, err
	}
	if !e.enter() {
		return nil, errClosed()
	}
	defer e.running.Done()
	e.probeNow(ctx, b.ID)
	return e.book(ctx, b.ID, "payment")
}

// Resolve ends a doubt by an operator's proof. The operation must be in doubt or
// accepted, else state_conflict.
func (e *Engine) Resolve(ctx context.Context, by, operation string, p Proof) (*ledger.Book, error) {
	switch {
	case !p.Outcome.Settled():
		return nil, invalid("outcome", "must be applied, declined or not_applied")
	case p.Evidence == "" || len(p.Evidence) > maxProof:
		return nil, invalid("evidence", "must be 1 to 4096 bytes: what proves it, and where that can be seen")
	}
	b, err := e.bookOfOperation(ctx, operation)
	if err != nil {
		return nil, err
	}
	return e.update(ctx, b.ID, "operator:"+by, func(w *writing) error {
		op := w.book.Operation(operation)
		if op.Running() {
			return inProgress("operation is being carried out")
		}
		if op.Outcome != pay.OutcomeInDoubt && op.Outcome != pay.OutcomeAccepted {
			return conflict(pay.AdviceFix, "operation is "+op.Outcome.String()+", only one in doubt or accepted can be resolved")
		}
		w.add(ledger.Resolved{Operation: operation, Outcome: p.Outcome, Evidence: p.Evidence})
		return nil
	})
}

// Acknowledge ends the alerts of a payment: an operator has looked at what the
// provider contradicts, and says what came of it. state_conflict if there is none.
func (e *Engine) Acknowledge(ctx context.Context, by, payment, evidence string) (*ledger.Book, error) {
	if evidence == "" || len(evidence) > maxProof {
		return nil, invalid("evidence", "must be 1 to 4096 bytes: what was found, and where that can be seen")
	}
	b, err := e.paymentBook(ctx, payment)
	if err != nil {
		return nil, err
	}
	return e.update(ctx, b.ID, "operator:"+by, func(w *writing) error {
		if w.book.Alerts == 0 {
			return conflict(pay.AdviceFix, "payment has no alerts")
		}
		w.add(ledger.Acknowledged{Evidence: evidence})
		return nil
	})
}

// bookOfOperation finds the book of an operation.
func (e *Engine) bookOfOperation(ctx context.Context, id string) (*ledger.Book, error) {
	book, ok := ledger.BookOf(id)
	if !ok {
		return nil, notFound("id", "there is no such operation")
	}
	b, err := e.book(ctx, book, "operation")
	if err == nil && b.Operation(id) == nil {
		return nil, notFound("id", "there is no such operation")
	}
	return b, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
