package payments

import (
	"context"
	"errors"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/host/egress"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// leaseSlack is how much longer than a call may last an attempt belongs to its
// process: time to write down how it ended.
const leaseSlack = 5 * time.Second

// errMoved says that what was decided on is no longer so: decide again. Nothing
// was sent.
var errMoved = errors.New("decided on an old book")

// attempt is one attempt of an operation on its way: from what was decided, over
// the rows that make it durable, to its outcome. It is the journal of its calls,
// so that nothing leaves before it is written down.
type attempt struct {
	engine  *Engine
	conn    *host.Connection
	call    Call
	actor   string
	book    *ledger.Book // what was decided on; once written, as it is then
	opened  *ledger.Opened
	op      ledger.Operation // as it is to be; Attempt is the one that is made now
	begin   ledger.Prepared
	request request
	claim   *store.Claim // nil for a repeat: the key is claimed already
	guard   func(*ledger.Book) error
	order   bool   // the order is to be locked: a create
	local   bool   // the provider was never told, so nobody has to be now
	note    string // for the timeline, if the order has other payments
	reason  string // of a refund

	written    bool              // the attempt's rows are durable
	blocked    func(book string) // told which other payment of the order is in doubt
	resequence func(int)         // told what the sequence of a key made of the order id should have been
}

var _ host.Journal = (*attempt)(nil)

// run carries out the attempt and writes down how it ended. The error is errMoved,
// or what the caller is to be told.
func (a *attempt) run(ctx context.Context) (*ledger.Book, error) {
	// Whoever asked may go away; what was begun is brought to its end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.engine.config.CallTimeout+time.Second)
	defer cancel()
	op := a.op
	result, err := host.Result{Result: pay.Result{Outcome: pay.OutcomeApplied}}, error(nil)
	if !a.local {
		result, err = a.engine.send(ctx, a.conn, a.book, &op, a.request, a)
	}
	a.observe(result, err)
	if !a.written {
		if errors.Is(err, errMoved) {
			return nil, errMoved
		}
		if result.Outcome == pay.OutcomeNotApplied { // nothing was asked and nothing sent: leave no trace
			return nil, err
		}
	}
	return a.finish(ctx, a.outcome(&result, err))
}

func (a *attempt) observe(result host.Result, err error) {
	class := ""
	if err != nil {
		class = pay.ClassOf(err).String()
	}
	a.engine.config.Observe.Operation(a.conn.Name(), a.op.Op.String(), result.Outcome.String(), class, result.Took)
	log := a.engine.log.With("operation", a.op.Op.String(), "operation_id", a.op.ID, "attempt", a.op.Attempt,
		"connection", a.conn.Name(), "request_id", a.call.RequestID)
	for _, x := range result.Calls {
		log.Debug("provider call", "call", x.String())
	}
	log.Info("operation ended", "outcome", result.Outcome.String(), "class", class,
		"wire", result.Evidence.Wire.String(), "took", result.Took)
}

// Before implements host.Journal.
func (a *attempt) Before(ctx context.Context, call host.Outbound) error {
	var bodies []ledger.Body
	switch {
	case call.Money:
		bodies = append(bodies, ledger.Sending{
			Operation: a.op.ID, Attempt: a.op.Attempt, Call: call.Number, Method: call.Method, URL: call.URL,
		})
	case a.written:
		return nil // reading needs no line of its own
	}
	a.engine.config.Fault(a.op.Op.String() + ".before_write")
	if err := a.write(ctx, bodies...); err != nil {
		return err
	}
	a.engine.config.Fault(a.op.Op.String() + ".after_write")
	return nil
}

// After implements host.Journal. What the wire has shown comes with the result.
func (a *attempt) After(context.Context, host.Outbound, *egress.Exchange) {
	a.engine.config.Fault(a.op.Op.String() + ".after_call")
}

// write makes the attempt durable, and what else is given, in one transaction.
func (a *attempt) write(ctx context.Context, more ...ledger.Body) error {
	var next *ledger.Book
	err := a.engine.store.Update(ctx, func(tx store.Tx) error {
		b, err := a.lock(tx)
		if err != nil {
			return err
		}
		w := a.engine.writing(b, a.actor)
		if !a.written {
			if err := a.record(tx, w); err != nil {
				return err
			}
		}
		for _, body := range more {
			w.add(body)
		}
		next = w.book
		return w.commit(tx)
	})
	if err != nil {
		return storeError(err)
	}
	a.book, a.written = next, true
	return nil
}

// lock returns the book to write to: the one decided on if it is new, else as it
// is now.
func (a *attempt) lock(tx store.Tx) (*ledger.Book, error) {
	if a.opened != nil && !a.written {
		return &ledger.Book{}, nil
	}
	return tx.Lock(a.book.ID)
}

// record claims the keys and writes the rows of the attempt, if what was decided on
// still holds.
func (a *attempt) record(tx store.Tx, w *writing) error {
	if a.claim != nil {
		if _, err := tx.Key(a.claim.Scope); !errors.Is(err, store.ErrNotFound) {
			return cmpErr(err, errMoved) // the same key was first elsewhere
		}
	}
	if a.order {
		if err := a.checkOrder(tx); err != nil {
			return err
		}
	}
	if a.opened != nil {
		w.open(a.book.ID, *a.opened)
		if a.note != "" {
			w.add(ledger.Note{Text: a.note})
		}
	} else if err := a.stillSo(w.book); err != nil {
		return err
	}
	a.begin.Reason = a.reason
	a.begin.Lease = a.engine.now().Add(a.engine.config.CallTimeout + leaseSlack)
	w.add(a.begin)
	if a.claim == nil {
		return nil
	}
	if err := tx.PutKey(*a.claim); err != nil {
		return moved(err)
	}
	if a.op.ProviderKey != "" {
		if err := tx.ClaimProviderKey(w.book.Connection, a.op.ProviderKey, a.op.ID); err != nil {
			return moved(err)
		}
	}
	if a.request.empty() {
		return nil
	}
	return tx.PutRequest(a.op.ID, a.request.encode())
}

// stillSo holds the decision against the book as it is now.
func (a *attempt) stillSo(b *ledger.Book) error {
	op := b.Operation(a.op.ID)
	first := a.op.Attempt == 1
	switch {
	case first && op != nil, !first && (op == nil || op.Attempt != a.op.Attempt-1 || op.Running()):
		return errMoved
	}
	return a.guard(b)
}

// checkOrder refuses a second create for an order that is in doubt, and finds the
// sequence of a key that is made of the order id.
func (a *attempt) checkOrder(tx store.Tx) error {
	books, err := tx.Order(a.opened.Connection, a.opened.OrderID)
	if err != nil {
		return err
	}
	for _, b := range books {
		if d := b.InDoubt(); d != nil {
			a.blocked(b.ID)
			return inDoubt(b, d)
		}
	}
	if sequence := sequenceAfter(books); a.op.Sequence > 0 && sequence != a.op.Sequence {
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

// outcome is the ledger's line about how the attempt ended.
func (a *attempt) outcome(r *host.Result, err error) ledger.Outcome {
	o := ledger.Outcome{
		Operation: a.op.ID, Attempt: a.op.Attempt, Outcome: r.Outcome, Evidence: ledger.EvidenceOf(r.Evidence),
		Error: ledger.ErrorOf(err), ProviderRef: r.ProviderRef, PayerHint: r.PayerHint, ExpiresAt: r.ExpiresAt,
		Revision: r.Revision, TookUS: r.Took.Microseconds(),
	}
	if n := r.Next; n.Type != 0 {
		o.Next = &ledger.Next{Type: n.Type, URL: n.URL, QRPayload: n.QRPayload, QRPNG: n.QRPNG, ExpiresAt: n.ExpiresAt}
	}
	for _, seen := range r.Observations {
		o.Seen = append(o.Seen, ledger.ObservationOf(seen))
	}
	for _, x := range r.Calls {
		o.Calls = append(o.Calls, callOf(x))
	}
	return o
}

func callOf(x *egress.Exchange) ledger.Call {
	c := ledger.Call{
		Method: x.Method, URL: x.URL, Money: x.Effect == egress.Money, Evidence: x.Evidence.String(), Status: x.Status,
		Attempts: len(x.Attempts), TookMS: x.Took.Milliseconds(),
	}
	for _, t := range x.Attempts {
		c.BytesOut, c.BytesIn = c.BytesOut+t.BytesOut, c.BytesIn+t.BytesIn
		if t.Failure != "" {
			c.Failure = string(t.Failure)
		}
	}
	return c
}

// finish makes the outcome durable. It must not be lost: while the store is not
// available, it is tried again, first for the caller to wait for and then in the
// background.
func (a *attempt) finish(ctx context.Context, o ledger.Outcome) (*ledger.Book, error) {
	point := a.op.Op.String()
	a.engine.config.Fault(point + ".before_outcome")
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
	var next *ledger.Book
	fresh := false // the book that we wrote is still the latest, unless the store says otherwise
	for {
		err := a.engine.store.Update(ctx, func(tx store.Tx) error {
			b := a.book
			if fresh {
				var err error
				if b, err = tx.Lock(a.book.ID); err != nil {
					return err
				}
			}
			w := a.engine.writing(b, a.actor)
			w.add(o)
			next = w.book
			return w.commit(tx)
		})
		switch {
		case err == nil:
			return next, nil
		case errors.Is(err, store.ErrStale) && !fresh:
			fresh = true
		default:
			return nil, storeError(err)
		}
	}
}

// moved turns a key that is taken into errMoved.
func moved(err error) error {
	if errors.Is(err, store.ErrExists) {
		return errMoved
	}
	return err
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
