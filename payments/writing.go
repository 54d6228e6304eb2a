package payments

import (
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// writing collects entries for a book, and commits them with all that follows from
// them: events, jobs, and requests that are no longer needed.
type writing struct {
	engine  *Engine
	before  *ledger.Book
	book    *ledger.Book // with the entries applied
	actor   string
	now     time.Time
	entries []ledger.Entry
	soon    bool // the book is to be looked at at once

	sealed    bool // all that follows is worked out, and nothing is added any more
	due       time.Time
	events    []store.Event
	endpoints []string // that have one of them to be told of
}

func (e *Engine) writing(b *ledger.Book, actor string) *writing {
	return &writing{engine: e, before: b, book: b.Clone(), actor: actor, now: e.now()}
}

// now is the ledger's clock, to the microsecond as the store keeps it.
func (e *Engine) now() time.Time { return e.config.Now().UTC().Truncate(time.Microsecond) }

func (w *writing) open(book string, o ledger.Opened) {
	w.book.ID = book
	w.add(o)
}

// add applies an entry and keeps it.
func (w *writing) add(body ledger.Body) {
	e := ledger.Entry{Book: w.book.ID, At: w.now, Actor: w.actor, Body: body}
	w.book.Apply(e)
	w.entries = append(w.entries, e)
}

// news applies an entry and keeps it only if it tells anything new.
func (w *writing) news(body ledger.Body) {
	e := ledger.Entry{Book: w.book.ID, At: w.now, Actor: w.actor, Body: body}
	if next := w.book.Clone(); next.Apply(e) {
		w.book, w.entries = next, append(w.entries, e)
	}
}

// seal works out all that follows from the entries. It may be called before the
// transaction, so that what costs time is not done inside it.
func (w *writing) seal() {
	w.late()
	w.unreturned()
	w.due = dueTime(w.book, w.engine.hints(w.book), w.now)
	if w.engine.owes(w.book) && len(w.book.Doubts(true)) == 0 {
		w.due = climb(w.book.EndedAt, w.now)
	}
	if w.soon && askable(w.book) {
		w.due = w.now
	}
	w.events, w.endpoints = w.tidings()
	for i := range w.entries {
		_, _ = w.entries[i].Encode() // kept; what can't be written fails when it is
	}
	_, _ = w.book.Encode()
	w.sealed = true
}

// commit writes everything into the transaction.
func (w *writing) commit(tx store.Tx) error {
	if !w.sealed {
		w.seal()
	}
	if err := tx.Append(w.book, w.due, w.entries); err != nil {
		return err
	}
	for i := range w.book.Operations {
		o := &w.book.Operations[i]
		if !needsRequest(o.Op) || !o.Outcome.Settled() || o.Repeatable() {
			continue
		}
		if was := w.before.Operation(o.ID); was != nil && was.Outcome.Settled() && !was.Repeatable() {
			continue
		}
		if err := tx.DropRequest(o.ID); err != nil {
			return err
		}
	}
	if len(w.events) > 0 {
		if err := tx.Emit(w.events); err != nil {
			return err
		}
	}
	var jobs []store.Job
	for _, endpoint := range w.endpoints {
		jobs = append(jobs, store.Job{Kind: store.JobDeliver, Key: endpoint})
	}
	if !w.due.IsZero() {
		jobs = append(jobs, store.Job{Kind: store.JobProbe, Key: w.book.Connection, At: w.due})
	}
	if len(jobs) == 0 {
		return nil
	}
	return tx.Enqueue(jobs...)
}

func needsRequest(op pay.Operation) bool {
	return op == pay.OpCreate || op == pay.OpBind || op == pay.OpReceipt
}

// late does what the connection's policy says about a success after an end.
func (w *writing) late() {
	if !w.book.Reopened || w.before.Reopened {
		return
	}
	w.add(ledger.Note{Text: "paid after the payment had ended as " + w.before.Status.String()})
	if w.engine.latePolicy(w.book.Connection) == LateReview {
		w.add(ledger.Alert{Error: &ledger.Error{
			Class: pay.ClassIntegrity, Effect: pay.EffectDone, Advice: pay.AdviceOperator,
			Message: "payment succeeded after it had ended: keep it or give the money back",
		}})
	}
}

// unreturned tells an operator of a late success that the host could not give back.
func (w *writing) unreturned() {
	for i := range w.book.Refunds {
		r := &w.book.Refunds[i]
		o, was := w.book.Operation(r.Operation), w.before.Refund(r.ID)
		if r.Status != pay.RefundFailed || o.Actor != actorHost || was != nil && was.Status == pay.RefundFailed {
			continue
		}
		w.add(ledger.Alert{Operation: o.ID, Error: &ledger.Error{
			Class: pay.ClassIntegrity, Effect: pay.EffectNone, Advice: pay.AdviceOperator, Operation: o.Op,
			Message: "payment succeeded after it had ended, and could not be given back: " + r.ID + " has failed",
		}})
	}
}
