package payments

import (
	"bytes"
	"context"
	"errors"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const (
	maxKey      = 255 // bytes of a caller's key
	maxAttempts = 20  // sends of one operation under its caller's key
	maxDecides  = 5   // times that an operation is decided anew since its book had moved
)

// actorHost is who acts where nobody has asked.
const actorHost = "host"

// HostCaller is the caller of what the engine does by itself, such as giving a late
// success back. Nobody else may have that name: idempotency keys are kept by it.
const HostCaller = "host"

// intent is an operation that somebody asks for, before it is decided on.
type intent struct {
	op      pay.Operation
	call    Call
	actor   string
	scope   store.Scope
	fields  any    // the business fields, for the fingerprint
	book    string // the book it is on, "" for a new one
	request request

	// look has the provider asked how the payment is before anything is decided on it.
	look  bool
	again bool   // it was decided on before, on what was no longer so
	begun func() // ends what [host.Connection.Begin] began, nil if nothing did

	// blocking is the book that kept a new one from being opened, once that is known.
	blocking string

	// decide makes an attempt of the intent on the book as it is, or says why not. done
	// says that there is nothing to do: the book has what is asked for.
	decide func(ctx context.Context, b *ledger.Book) (a *attempt, done bool, err error)
	// answer fills in which object the answer is about.
	answer func(*Answer, *ledger.Operation)
}

// begin returns a connection that works now, for calls about a book, and keeps a swap away until the attempt
// that is decided on is written down, or is none.
func (in *intent) begin(e *Engine, name, book string) (*host.Connection, error) {
	conn, err := e.connection(name, book)
	if err == nil {
		in.begun = conn.Begin()
	}
	return conn, err
}

func (in *intent) settled() {
	if in.begun != nil {
		in.begun()
	}
}

// operate runs an intent, or finds what the same one came to before.
func (e *Engine) operate(ctx context.Context, in *intent) (Answer, error) {
	if err := checkCall(in.call); err != nil {
		return Answer{}, err
	}
	if !e.enter() {
		return Answer{}, errClosed()
	}
	defer e.running.Done()
	// One at a time in this process: the others wait for its answer. Other processes meet at the key's row.
	print := fingerprint(in.fields)
	flight := in.scope.Caller + "\x00" + in.scope.Connection + "\x00" + in.scope.Operation + "\x00" + in.scope.Key + "\x00" + string(print)
	led := false
	v, err, _ := e.flight.Do(flight, func() (any, error) {
		led = true
		return e.decide(ctx, in, print)
	})
	answer, _ := v.(Answer)
	if err == nil && !led {
		answer.Replayed = true
	}
	return answer, err
}

// decide looks whether the key was used, decides on the book as it is, and runs the
// attempt; again if the book has moved meanwhile.
func (e *Engine) decide(ctx context.Context, in *intent, print []byte) (Answer, error) {
	// What the host does by itself it does within a visit, which has just asked the
	// provider: to ask for another would be to wait for oneself.
	probed := in.actor == actorHost
	for range maxDecides {
		claim, err := e.store.Key(ctx, in.scope)
		switch {
		case err == nil:
			answer, err := e.again(ctx, in, claim, print)
			if errors.Is(err, errMoved) {
				continue
			}
			return answer, err
		case !errors.Is(err, store.ErrNotFound):
			return Answer{}, storeError(err)
		}
		answer, err := e.first(ctx, in, print)
		switch {
		case errors.Is(err, errMoved):
			in.again = true
		case !probed && in.book+in.blocking != "" && worthProbing(err):
			// What a status call may clear up is cleared up before it is refused.
			probed = true
			if !e.probeNow(ctx, in.book+in.blocking) { // one of them at most
				return answer, err
			}
		default:
			return answer, err
		}
	}
	return Answer{}, inProgress("the payment changes faster than the operation can be decided on: try again")
}

// first makes the first attempt of an intent.
func (e *Engine) first(ctx context.Context, in *intent, print []byte) (Answer, error) {
	var book *ledger.Book
	if in.book != "" {
		var err error
		if book, err = e.book(ctx, in.book, "payment"); err != nil {
			return Answer{}, err
		}
		if err := e.recoverStale(ctx, book); err != nil {
			return Answer{}, err
		}
	}
	defer in.settled()
	a, done, err := in.decide(ctx, book)
	if err != nil {
		return Answer{}, err
	}
	if done {
		answer := Answer{Book: book}
		in.answer(&answer, nil)
		return answer, nil
	}
	a.begun = in.settled
	a.claim = &store.Claim{Scope: in.scope, Fingerprint: print, Book: a.book.ID, Op: a.op.ID, At: e.now()}
	next, err := a.run(ctx)
	return e.answer(in, a, next, err)
}

// again answers a request whose key was used: with what it came to, or by another
// attempt if it is proven to have had no effect and may be repeated.
func (e *Engine) again(ctx context.Context, in *intent, claim store.Claim, print []byte) (Answer, error) {
	if !bytes.Equal(claim.Fingerprint, print) {
		return Answer{}, (&pay.Error{
			Class: pay.ClassKeyReused, Effect: pay.EffectNone, Field: "Idempotency-Key", Operation: in.op,
			Message: "the key was used for a request with other fields",
		}).Fill()
	}
	book, err := e.book(ctx, claim.Book, "payment")
	if err != nil {
		return Answer{}, err
	}
	if err := e.recoverStale(ctx, book); err != nil {
		return Answer{}, err
	}
	op := book.Operation(claim.Op)
	switch {
	case op == nil:
		return Answer{}, &pay.Error{Class: pay.ClassHostFault, Message: "the key leads to an operation that is not there"}
	case op.Running():
		return Answer{}, inProgress("the same request is being carried out")
	case op.Repeatable() && op.Attempt < maxAttempts:
		return e.repeat(ctx, in, book, op)
	}
	answer := Answer{Book: book, Operation: op.ID, InDoubt: op.Outcome == pay.OutcomeInDoubt, Replayed: true}
	in.answer(&answer, op)
	return answer, refusal(op)
}

// repeat sends an operation that had no effect again, under its own key.
func (e *Engine) repeat(ctx context.Context, in *intent, book *ledger.Book, op *ledger.Operation) (Answer, error) {
	defer in.settled()
	conn, err := in.begin(e, book.Connection, book.ID)
	if err != nil {
		return Answer{}, err
	}
	if spec := e.hints(book).specs[op.Op]; op.ProviderKey == "" && spec.KeyForm != pay.KeyNone {
		return Answer{}, conflict(pay.AdviceNewAttempt, "the operation began without a provider key, and the revision in use sends one")
	}
	a := e.attemptAgain(conn, book, op, in.request)
	a.call, a.actor, a.begun = in.call, in.actor, in.settled
	a.guard = func(b *ledger.Book) error { return mayRepeat(b, op.ID) }
	a.order, a.blocked = op.Op == pay.OpCreate, func(string) {}
	if err := a.guard(book); err != nil {
		return Answer{}, err
	}
	if in.look {
		return Answer{}, e.looked(ctx, in, conn, book)
	}
	next, err := a.run(ctx)
	return e.answer(in, a, next, err)
}

// looked asks the provider how a payment is for an intent that wants to know, once. The
// error is errMoved: it is decided on what was seen.
func (e *Engine) looked(ctx context.Context, in *intent, conn *host.Connection, book *ledger.Book) error {
	in.look = false
	in.settled() // the provider may take its time
	if err := e.look(ctx, conn, book); err != nil {
		return err
	}
	return errMoved
}

// attemptAgain is the next attempt of an operation.
func (e *Engine) attemptAgain(conn *host.Connection, book *ledger.Book, op *ledger.Operation, r request) *attempt {
	next := *op
	next.Attempt++
	a := &attempt{
		engine: e, conn: conn, book: book, op: next, request: r,
		begin: ledger.Prepared{
			Operation: op.ID, Op: op.Op, Attempt: next.Attempt, Sequence: op.Sequence, ProviderKey: op.ProviderKey,
			Amount: op.Amount, Refund: op.Refund, Receipt: op.Receipt, Idempotency: op.Idempotency, Revision: conn.Revision(),
		},
	}
	promised(&a.begin, e.hints(book))
	return a
}

// answer turns how an attempt ended into an answer.
func (e *Engine) answer(in *intent, a *attempt, book *ledger.Book, err error) (Answer, error) {
	if book == nil {
		return Answer{}, err
	}
	op := book.Operation(a.op.ID)
	answer := Answer{Book: book, Operation: op.ID, InDoubt: op.Outcome == pay.OutcomeInDoubt}
	in.answer(&answer, op)
	return answer, refusal(op)
}

// refusal is the error of an operation that is known not to have happened; nil for
// every other.
func refusal(op *ledger.Operation) error {
	if op.Outcome != pay.OutcomeDeclined && op.Outcome != pay.OutcomeNotApplied {
		return nil
	}
	if op.Error == nil {
		return conflict(pay.AdviceNewAttempt, "operation had no effect")
	}
	return op.Error.Pay()
}

func checkCall(c Call) error {
	switch {
	case c.Caller == "":
		return invalid("caller", "is missing")
	case c.Key == "" || len(c.Key) > maxKey:
		return invalid("Idempotency-Key", "must be 1 to 255 bytes: it makes a repeat of the request recognizable")
	}
	return nil
}

// book reads a book, with an error for callers.
func (e *Engine) book(ctx context.Context, id, what string) (*ledger.Book, error) {
	b, err := e.store.Book(ctx, id)
	if err != nil {
		return nil, found(err, what)
	}
	return b, nil
}

// paymentBook reads the book of a payment by the payment's id.
func (e *Engine) paymentBook(ctx context.Context, payment string) (*ledger.Book, error) {
	id, ok := ledger.BookOf(payment)
	if !ok || ledger.PaymentID(id) != payment {
		return nil, notFound("id", "there is no such payment")
	}
	b, err := e.book(ctx, id, "payment")
	if err == nil && b.Receipt {
		return nil, notFound("id", "there is no such payment")
	}
	return b, err
}

// connection returns a connection that works now, for calls about a book, which may be
// "" if they are about none.
func (e *Engine) connection(name, book string) (*host.Connection, error) {
	if conn, ok := e.host.Connection(name); ok {
		return conn.Of(book), nil
	}
	e.mu.Lock()
	problem, known := e.problems[name]
	e.mu.Unlock()
	if known {
		return nil, (&pay.Error{
			Class: pay.ClassUnavailable, Effect: pay.EffectNone, Field: "connection", Advice: pay.AdviceOperator,
			Message: "the connection is configured and does not work: " + problem,
		}).Fill()
	}
	return nil, invalid("connection", "there is no such connection")
}

// hints returns what the plugin of a book's connection says about looking things up;
// the defaults while it is not connected.
func (e *Engine) hints(b *ledger.Book) hints {
	if conn, ok := e.host.Connection(b.Connection); ok {
		if m, err := conn.Of(b.ID).Manifest(); err == nil {
			return hintsOf(&m)
		}
	}
	return hintsOf(&pay.Manifest{})
}
