package payments

import (
	"context"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
)

const (
	defaultPage = 50
	maxPage     = 200
)

// Payment returns a payment's book. With refresh the provider is asked first, if
// anything is open; that it can't be reached is no error then.
func (e *Engine) Payment(ctx context.Context, payment string, refresh bool) (*ledger.Book, error) {
	b, err := e.paymentBook(ctx, payment)
	if err != nil || !refresh || !e.enter() {
		return b, err
	}
	defer e.running.Done()
	if dueTime(b, e.hints(b), e.now()).IsZero() || !e.probeNow(ctx, b.ID) {
		return b, nil
	}
	return e.paymentBook(ctx, payment)
}

// Payments lists payments, newest first.
func (e *Engine) Payments(ctx context.Context, f Filter) (Page, error) {
	limit, err := pageSize(f.Limit)
	if err != nil {
		return Page{}, err
	}
	if f.Cursor != "" {
		if _, ok := ledger.BookOf(ledger.PaymentID(f.Cursor)); !ok {
			return Page{}, invalid("cursor", "is none that payhost has given")
		}
	}
	books, err := e.store.Books(ctx, store.Query{
		OrderID: f.OrderID, Connection: f.Connection, Status: f.Status, InDoubt: f.InDoubt, Alerts: f.Alerts, Before: f.Cursor,
		Limit: limit + 1, // one more tells whether there is a next page
	})
	if err != nil {
		return Page{}, storeError(err)
	}
	page := Page{Books: books}
	if len(books) > limit {
		page.Books = books[:limit]
		page.Next = books[limit-1].ID
	}
	return page, nil
}

func pageSize(limit int) (int, error) {
	switch {
	case limit == 0:
		return defaultPage, nil
	case limit < 1 || limit > maxPage:
		return 0, invalid("limit", "must be 1 to 200")
	}
	return limit, nil
}

// ReceiptBook returns the book that a receipt stands in.
func (e *Engine) ReceiptBook(ctx context.Context, receipt string) (*ledger.Book, error) {
	id, ok := ledger.BookOf(receipt)
	if !ok {
		return nil, notFound("id", "there is no such receipt")
	}
	b, err := e.book(ctx, id, "receipt")
	if err == nil && b.ReceiptOf(receipt) == nil {
		return nil, notFound("id", "there is no such receipt")
	}
	return b, err
}

// Timeline returns the entries of a payment or of a receipt that stands alone, by
// the id of either.
func (e *Engine) Timeline(ctx context.Context, id string) ([]ledger.Entry, error) {
	book, ok := ledger.BookOf(id)
	if !ok {
		return nil, notFound("id", "there is no such payment")
	}
	entries, err := e.store.Entries(ctx, book)
	if err != nil {
		return nil, found(err, "payment")
	}
	if len(entries) == 0 {
		return nil, notFound("id", "there is no such payment")
	}
	return entries, nil
}

// Connections tells of every connection, those with a problem too, by name.
func (e *Engine) Connections() []ConnectionInfo {
	e.mu.Lock()
	problems := make(map[string]string, len(e.problems))
	for name, problem := range e.problems {
		problems[name] = problem
	}
	e.mu.Unlock()
	for _, name := range e.host.Connections() {
		if _, known := problems[name]; !known {
			problems[name] = ""
		}
	}
	list := make([]ConnectionInfo, 0, len(problems))
	for _, name := range sortedKeys(problems) {
		list = append(list, e.connectionInfo(name, problems[name]))
	}
	return list
}

func (e *Engine) connectionInfo(name, problem string) ConnectionInfo {
	info := ConnectionInfo{Name: name, Problem: problem}
	conn, ok := e.host.Connection(name)
	if !ok {
		return info
	}
	info.Problem, info.Plugin, info.Revision = "", conn.Plugin(), conn.Revision()
	m, err := conn.Manifest()
	if err != nil {
		info.Problem = err.Error()
		return info
	}
	info.Provider, info.Version, info.Flows, info.Currencies = m.ID, m.Version, m.Flows, m.Currencies
	for _, spec := range m.Operations {
		info.Operations = append(info.Operations, spec.Operation)
	}
	return info
}

// SetProblem notes why a connection of the configuration is not connected; an
// empty problem takes the note away.
func (e *Engine) SetProblem(connection, problem string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if problem == "" {
		delete(e.problems, connection)
		return
	}
	e.problems[connection] = problem
}
