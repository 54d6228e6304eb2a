package payments

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const (
	// A claim must be worked off within its lease and a job within its timeout, also if
	// every call takes as long as it may: four rounds of a status call and a repeat each.
	claimBatch   = 32               // books that one claim takes
	chunksAtOnce = 8                // status calls of one connection at once
	claimLease   = 2 * time.Minute  // how long a claimed book is left to who claimed it
	jobTimeout   = 3 * time.Minute  // of one job
	jobTurn      = 20 * time.Second // after which a job with more to do begins anew
)

// Do works off one job and returns when it is to run again, zero for not. The
// engine's own jobs call it; who embeds the engine without [Engine.Start] may call
// it instead, and tests do with a clock of their own.
func (e *Engine) Do(ctx context.Context, job store.Job) (time.Time, error) {
	if !e.enter() {
		return time.Time{}, errClosed()
	}
	defer e.running.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.jobs, cancel)()
	e.config.Fault("job." + string(job.Kind) + ".before")
	defer e.config.Fault("job." + string(job.Kind) + ".after")
	switch job.Kind {
	case store.JobProbe:
		return e.attendConnection(ctx, job.Key)
	case store.JobDeliver:
		return e.deliver(ctx, job.Key)
	case store.JobSweep:
		return time.Time{}, e.sweep(ctx)
	case store.JobRetain:
		return time.Time{}, e.retain(ctx)
	}
	return time.Time{}, errors.New("payments: job of unknown kind " + string(job.Kind))
}

// attendConnection brings every book of a connection on that is due, and returns
// when the next one is.
func (e *Engine) attendConnection(ctx context.Context, name string) (time.Time, error) {
	for end := time.Now().Add(jobTurn); ctx.Err() == nil && time.Now().Before(end); {
		now := e.now()
		books, err := e.store.Due(ctx, name, now, now.Add(claimLease), claimBatch)
		if err != nil {
			return time.Time{}, err
		}
		if len(books) == 0 {
			break
		}
		e.attend(ctx, name, books)
		if len(books) < claimBatch {
			break
		}
	}
	return e.nextWake(ctx, name)
}

// nextWake is when a connection's job is to run again. While something is due soon,
// it wakes every second: a book that becomes due earlier finds the job waiting
// already, and must not wait for long.
func (e *Engine) nextWake(ctx context.Context, name string) (time.Time, error) {
	due, err := e.store.NextDue(ctx)
	if err != nil {
		return time.Time{}, err
	}
	next, ok := due[name]
	if !ok {
		return time.Time{}, nil
	}
	now := e.now()
	if next.Before(now.Add(30 * time.Second)) {
		next = laterOf(now.Add(200*time.Millisecond), earlierOf(next, now.Add(time.Second)))
	}
	return next, nil
}

// sweep attends to connections that have books overdue and no job that says so, and
// tries parked notifications again.
func (e *Engine) sweep(ctx context.Context) error {
	now := e.now()
	due, err := e.store.NextDue(ctx)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for name, at := range due {
		if at.After(now) {
			continue
		}
		wg.Go(func() {
			if _, err := e.attendConnection(ctx, name); err != nil && ctx.Err() == nil {
				e.log.Warn("books that are due can't be attended to", "connection", name, "error", err)
			}
		})
	}
	wg.Wait()
	return errors.Join(e.sweepDeliveries(ctx), e.unpark(ctx))
}

// attend brings books of one connection on: in chunks as large as the provider
// answers in one call, a few at once.
func (e *Engine) attend(ctx context.Context, name string, books []*ledger.Book) {
	conn, err := e.connection(name, "")
	if err != nil {
		e.postpone(ctx, books)
		return
	}
	var ask, rest []*ledger.Book
	for _, b := range books {
		if fresh, err := e.recovered(ctx, b); err != nil {
			e.log.Warn("book can't be attended to", "payment", b.PaymentID(), "error", err)
		} else if askable(fresh) {
			ask = append(ask, fresh)
		} else {
			rest = append(rest, fresh)
		}
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, chunksAtOnce)
	run := func(do func()) {
		slots <- struct{}{}
		wg.Go(func() { defer func() { <-slots }(); do() })
	}
	for _, books := range byRevision(conn, ask) {
		for chunk := range slices.Chunk(books, e.hints(books[0]).batch) {
			run(func() { e.attendChunk(ctx, conn.Of(chunk[0].ID), chunk) })
		}
	}
	for _, b := range rest {
		run(func() { e.bringOn(ctx, conn.Of(b.ID), e.hints(b), b, seen{}) })
	}
	wg.Wait()
}

// byRevision groups books by the revision that serves them: one call asks after books of
// one revision.
func byRevision(conn *host.Connection, books []*ledger.Book) map[string][]*ledger.Book {
	groups := map[string][]*ledger.Book{}
	for _, b := range books {
		digest := conn.Of(b.ID).Revision()
		groups[digest] = append(groups[digest], b)
	}
	return groups
}

// postpone leaves books for later, of a connection that does not work. What ends without the provider ends all the same.
func (e *Engine) postpone(ctx context.Context, books []*ledger.Book) {
	for _, b := range books {
		fresh, err := e.recovered(ctx, b)
		if err == nil {
			_, err = e.update(ctx, fresh.ID, actorHost, func(w *writing) error {
				e.expire(w, e.hints(w.book), seen{}, false)
				return nil
			})
		}
		if err != nil && ctx.Err() == nil {
			e.log.Warn("book can't be postponed", "payment", b.PaymentID(), "error", err)
		}
	}
}

// askable reports whether the provider can know anything of the payment.
func askable(b *ledger.Book) bool {
	if b.Receipt || untold(b) {
		return false
	}
	for i := range b.Operations {
		if o := &b.Operations[i]; o.Money() && (!o.FirstSent.IsZero() || o.Evidence.Calls > 0 || o.Evidence.Reads > 0) {
			return true
		}
	}
	return false
}

// seen is what the provider told in one visit.
type seen struct {
	asked   bool
	at      time.Time // when the provider was asked: its answer is no younger for having been slow
	payment pay.StatusItem
	err     error // the call had no answer
	refunds map[string]pay.StatusItem
}

// attendChunk asks after some payments in one call, and after their open refunds.
func (e *Engine) attendChunk(ctx context.Context, conn *host.Connection, books []*ledger.Book) {
	for i, s := range e.askAfter(ctx, conn, books) {
		b := books[i]
		h, own := e.hints(b), conn.Of(b.ID)
		if h.refundStatus {
			s.refunds = e.askRefunds(ctx, own, b)
		}
		e.bringOn(ctx, own, h, b, s)
	}
}

// askAfter asks after payments in one call and returns what was seen of each.
func (e *Engine) askAfter(ctx context.Context, conn *host.Connection, books []*ledger.Book) []seen {
	refs := make([]pay.Ref, 0, len(books))
	for _, b := range books {
		refs = append(refs, b.Ref())
	}
	at := e.now()
	items, err := e.ask(ctx, conn, len(refs), func(ctx context.Context) ([]pay.StatusItem, error) {
		at = e.now() // the connection's rate may have held it up
		return conn.Status(ctx, refs...)
	})
	list := make([]seen, len(books))
	for i := range list {
		list[i] = seen{asked: true, at: at, err: err}
		if err == nil {
			list[i].payment = items[i]
		}
	}
	return list
}

// look asks the provider how a payment is and writes that down, for an operation that
// is decided on it. The error says that the provider does not tell, and why.
func (e *Engine) look(ctx context.Context, conn *host.Connection, b *ledger.Book) error {
	s := e.askAfter(ctx, conn, []*ledger.Book{b})[0]
	next, err := e.note(ctx, e.hints(b), b.ID, s)
	if err != nil {
		return err
	}
	const nothing = "nothing was sent, since the provider does not say how the payment is: "
	err = s.err
	if err == nil && s.payment.Err != nil {
		err = s.payment.Err
	}
	switch {
	case err != nil:
		told := *pay.AsError(err)
		told.Effect, told.Message = pay.EffectNone, nothing+told.Message
		switch told.Class {
		case pay.ClassAuth, pay.ClassConfig, pay.ClassRateLimited: // it says what has to be done
		default:
			told.Class, told.Advice = pay.ClassUnavailable, pay.AdviceRetrySameKey
		}
		return &told
	case s.payment.Found != pay.FoundObserved || !tells(s.payment):
		return &pay.Error{
			Class: pay.ClassUnavailable, Effect: pay.EffectNone, Advice: pay.AdviceRetrySameKey,
			Message: nothing + "its status does not show it",
		}
	case contradicts(next, s.payment):
		return &pay.Error{
			Class: pay.ClassUnavailable, Effect: pay.EffectNone, Advice: pay.AdviceOperator,
			Message: nothing + "what it says contradicts what is known; see the alerts",
		}
	}
	return nil
}

func (e *Engine) askRefunds(ctx context.Context, conn *host.Connection, b *ledger.Book) map[string]pay.StatusItem {
	var refs []pay.Ref
	for i := range b.Refunds {
		if r := &b.Refunds[i]; r.Status == pay.RefundPending && sent(b, r.Operation) {
			refs = append(refs, b.RefundRef(r))
		}
	}
	if len(refs) == 0 {
		return nil
	}
	items, err := e.ask(ctx, conn, len(refs), func(ctx context.Context) ([]pay.StatusItem, error) {
		return conn.RefundStatus(ctx, refs...)
	})
	if err != nil {
		return nil
	}
	out := make(map[string]pay.StatusItem, len(items))
	for _, item := range items {
		out[item.ID] = item
	}
	return out
}

// ask makes one status call inside the connection's rate.
func (e *Engine) ask(
	ctx context.Context, conn *host.Connection, n int, call func(context.Context) ([]pay.StatusItem, error),
) ([]pay.StatusItem, error) {
	ctx, cancel := context.WithTimeout(ctx, e.config.CallTimeout+claimLease/4)
	defer cancel()
	if err := e.limiter(conn.Name()).Wait(ctx); err != nil {
		return nil, err
	}
	began := time.Now()
	items, err := call(ctx)
	e.config.Observe.Probe(conn.Name(), n, err == nil, time.Since(began))
	if err != nil {
		e.log.Debug("status call failed", "connection", conn.Name(), "items", n, "error", err)
	}
	return items, err
}

// note writes down what was seen of a book.
func (e *Engine) note(ctx context.Context, h hints, book string, s seen) (*ledger.Book, error) {
	return e.update(ctx, book, "probe", func(w *writing) error {
		e.digest(w, h, s)
		return nil
	})
}

// bringOn writes down what was seen of a book and does what is then due.
func (e *Engine) bringOn(ctx context.Context, conn *host.Connection, h hints, b *ledger.Book, s seen) {
	next, err := e.note(ctx, h, b.ID, s)
	if err != nil {
		if ctx.Err() == nil {
			e.log.Warn("what was seen can't be written down", "payment", b.PaymentID(), "error", err)
		}
		return
	}
	e.resend(ctx, conn, next)
	e.autoRefund(ctx, next)
}

// probeNow attends to one book at once, for somebody who waits. Those who wait for the
// same share it. It reports whether the book could be looked at.
func (e *Engine) probeNow(ctx context.Context, book string) bool {
	_, err := e.probe(ctx, book)
	return err == nil
}

// probeAgain is probeNow for somebody who has just had news: a probe that began before
// may have asked the provider too soon, and then another follows it.
func (e *Engine) probeAgain(ctx context.Context, book string, news time.Time) {
	if began, _ := e.probe(ctx, book); began.Before(news) {
		_, _ = e.probe(ctx, book)
	}
}

// probe returns when it began, or the one under way did that it has joined.
func (e *Engine) probe(ctx context.Context, book string) (began time.Time, err error) {
	ctx = context.WithoutCancel(ctx)
	v, err, _ := e.flight.Do("probe\x00"+book, func() (any, error) {
		began := time.Now()
		b, err := e.store.Book(ctx, book)
		if err == nil {
			e.attend(ctx, b.Connection, []*ledger.Book{b})
		}
		return began, err
	})
	return v.(time.Time), err
}

// update changes a book under its lock.
func (e *Engine) update(ctx context.Context, book, actor string, do func(*writing) error) (*ledger.Book, error) {
	var next *ledger.Book
	err := e.store.Update(ctx, func(tx store.Tx) error {
		b, err := tx.Lock(book)
		if err != nil {
			return err
		}
		w := e.writing(b, actor)
		if err := do(w); err != nil {
			return err
		}
		if err := w.commit(tx); err != nil {
			return err
		}
		next = w.book
		return nil
	})
	return next, storeError(err)
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
