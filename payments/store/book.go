package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/sdk/pay"
)

// errDamaged: what is stored cannot be read.
var errDamaged = errors.New("stored value cannot be read")

// core is what both stores have in common: all that reads, and all that is one Update.
type core struct {
	config  Config
	dialect dialect
	backend backend
	changes chan struct{}
}

// backend is how a store gets to its database. Its errors are translated.
type backend interface {
	// read gives do a querier that only reads.
	read(ctx context.Context, do func(q querier) error) error
	// change runs do in a transaction as Update does.
	change(ctx context.Context, do func(t *tx) error) error
	// update is change for what is made of the methods of Tx.
	update(ctx context.Context, do func(t *tx) error) error
}

// Update implements Store.
func (c *core) Update(ctx context.Context, do func(tx Tx) error) error {
	return c.backend.update(ctx, func(t *tx) error { return do(t) })
}

// Changes implements Store.
func (c *core) Changes() <-chan struct{} { return c.changes }

// changed puts a hint into Changes.
func (c *core) changed() {
	select {
	case c.changes <- struct{}{}:
	default: // one is there already
	}
}

// Ping implements Store.
func (c *core) Ping(ctx context.Context) error {
	return c.backend.read(ctx, func(q querier) error {
		var one int
		return q.each(ctx, `SELECT 1`, nil, func(scan scanner) error { return scan(&one) })
	})
}

const (
	sqlBook = `SELECT snapshot, last_seq FROM book WHERE id = ?`
	// A range, as lists have it: many books may have the same reference.
	sqlBookByRef = `SELECT snapshot, last_seq FROM book WHERE (connection, provider_ref, id) > (?, ?, '')
		AND (connection, provider_ref, id) < (?, ?, '` + afterIDs + `') AND provider_ref <> ''
		ORDER BY connection DESC, provider_ref DESC, id DESC LIMIT 1`
	sqlOperationOf = `SELECT operation FROM provider_key WHERE connection = ? AND key = ?`
	sqlEntries     = `SELECT seq, at, kind, actor, body FROM entry WHERE book = ? ORDER BY seq`
	sqlOrder       = `SELECT snapshot, last_seq FROM book WHERE order_id = ? AND order_id <> '' ORDER BY id`
)

// Book implements Store.
func (c *core) Book(ctx context.Context, id string) (*ledger.Book, error) {
	var b *ledger.Book
	err := c.backend.read(ctx, func(q querier) (err error) {
		b, err = oneBook(ctx, q, sqlBook, id)
		return err
	})
	return b, err
}

// BookByRef implements Store.
func (c *core) BookByRef(ctx context.Context, connection, providerRef string) (*ledger.Book, error) {
	var b *ledger.Book
	err := c.backend.read(ctx, func(q querier) (err error) {
		b, err = oneBook(ctx, q, sqlBookByRef, connection, providerRef, connection, providerRef)
		return err
	})
	return b, err
}

// BookByKey implements Store.
func (c *core) BookByKey(ctx context.Context, connection, providerKey string) (*ledger.Book, error) {
	var b *ledger.Book
	err := c.backend.read(ctx, func(q querier) (err error) {
		var operation string
		if err := one(ctx, q, sqlOperationOf, []any{connection, providerKey}, &operation); err != nil {
			return err
		}
		id, ok := ledger.BookOf(operation)
		if !ok {
			return ErrNotFound
		}
		b, err = oneBook(ctx, q, sqlBook, id)
		return err
	})
	return b, err
}

// Entries implements Store.
func (c *core) Entries(ctx context.Context, book string) ([]ledger.Entry, error) {
	var list []ledger.Entry
	err := c.backend.read(ctx, func(q querier) error {
		list = nil
		return q.each(ctx, sqlEntries, []any{book}, func(scan scanner) error {
			e := ledger.Entry{Book: book}
			var at int64
			var kind ledger.Kind
			var body []byte
			if err := scan(&e.Seq, &at, &kind, &e.Actor, &body); err != nil {
				return err
			}
			e.At = timeOf(at)
			var err error
			if e.Body, err = ledger.DecodeBody(kind, body); err != nil {
				return fmt.Errorf("%w: %w", errDamaged, err)
			}
			list = append(list, e)
			return nil
		})
	})
	return list, err
}

func oneBook(ctx context.Context, q querier, sql string, args ...any) (*ledger.Book, error) {
	list, err := books(ctx, q, sql, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func books(ctx context.Context, q querier, sql string, args ...any) ([]*ledger.Book, error) {
	return booksAnd(ctx, q, nil, sql, args...)
}

// booksAnd reads books and puts what comes with each somewhere else.
func booksAnd(ctx context.Context, q querier, also []any, sql string, args ...any) ([]*ledger.Book, error) {
	var list []*ledger.Book
	err := q.each(ctx, sql, args, func(scan scanner) error {
		b, err := scanBook(scan, also...)
		if err == nil {
			list = append(list, b)
		}
		return err
	})
	return list, err
}

func scanBook(scan scanner, also ...any) (*ledger.Book, error) {
	var snapshot []byte
	var last int64
	if err := scan(append([]any{&snapshot, &last}, also...)...); err != nil {
		return nil, err
	}
	b := new(ledger.Book)
	if err := json.Unmarshal(snapshot, b); err != nil {
		return nil, fmt.Errorf("%w: book: %w", errDamaged, err)
	}
	b.LastSeq = last
	return b, nil
}

// oldestFirst puts books in the order they were made in.
func oldestFirst(list []*ledger.Book) {
	slices.SortFunc(list, func(a, b *ledger.Book) int { return strings.Compare(a.ID, b.ID) })
}

// inDoubt reports whether the book is in doubt for the merchant: a payment by an operation that moves money, a receipt
// that stands alone by its own.
func inDoubt(b *ledger.Book) bool { return len(b.Doubts(b.Receipt)) > 0 }

// doubtSince returns since when anything of the book is in doubt, receipts of a payment too; zero if nothing is.
func doubtSince(b *ledger.Book) time.Time {
	if doubts := b.Doubts(true); len(doubts) > 0 {
		return doubts[0].Since
	}
	return time.Time{}
}

func running(b *ledger.Book) bool {
	return slices.ContainsFunc(b.Operations, func(o ledger.Operation) bool { return o.Running() })
}

func statusText(s pay.PaymentStatus) string {
	text, _ := s.MarshalText() // never fails
	return string(text)
}
