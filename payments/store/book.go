package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
}

// Update implements Store.
func (c *core) Update(ctx context.Context, do func(tx Tx) error) error {
	return c.backend.change(ctx, func(t *tx) error { return do(t) })
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
	sqlBook      = `SELECT snapshot, last_seq FROM book WHERE id = ?`
	sqlBookByRef = `SELECT snapshot, last_seq FROM book WHERE connection = ? AND provider_ref = ? AND provider_ref <> ''
		ORDER BY id DESC LIMIT 1`
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
		b, err = oneBook(ctx, q, sqlBookByRef, connection, providerRef)
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

// Books implements Store.
func (c *core) Books(ctx context.Context, query Query) ([]*ledger.Book, error) {
	sql, args, err := c.listing(query)
	if err != nil {
		return nil, err
	}
	var list []*ledger.Book
	err = c.backend.read(ctx, func(q querier) (err error) {
		list, err = books(ctx, q, sql, args...)
		return err
	})
	return list, err
}

// listing writes the SELECT of Books. It names the index: the most selective filter comes first.
func (c *core) listing(q Query) (string, []any, error) {
	var where []string
	var args []any
	and := func(condition string, arg ...any) {
		where = append(where, condition)
		args = append(args, arg...)
	}
	index := "book_receipt"
	use := func(better string, condition string, arg ...any) {
		index = better
		and(condition, arg...)
	}
	if !q.DoubtOrder {
		and("receipt = ?", q.Receipts)
	}
	if q.Connection != "" {
		use("book_connection", "connection = ?", q.Connection)
	}
	if q.Status != 0 {
		use("book_any_status", "status = ?", statusText(q.Status))
		if q.Connection != "" {
			index = "book_status"
		}
	}
	if q.InDoubt != nil && !*q.InDoubt {
		and(c.dialect.no("in_doubt"))
	}
	if q.Alerts {
		use("book_alerts", "alerts > 0")
	}
	if q.Running {
		use("book_running", c.dialect.yes("running"))
	}
	if q.InDoubt != nil && *q.InDoubt {
		use("book_doubtful", c.dialect.yes("in_doubt"))
	}
	if q.OrderID != "" {
		use("book_order", "order_id = ? AND order_id <> ''", q.OrderID)
	}
	order := "id DESC"
	switch {
	case q.DoubtOrder:
		and("in_doubt_since IS NOT NULL")
		index, order = "book_doubt", "in_doubt_since, id"
		if q.Before != "" {
			since, id, err := parseCursor(q.Before)
			if err != nil {
				return "", nil, err
			}
			and("(in_doubt_since, id) > (?, ?)", since, id)
		}
	case q.Before != "":
		and("id < ?", q.Before)
	}
	sql := "SELECT snapshot, last_seq FROM book" + c.dialect.by(index) + " WHERE " + strings.Join(where, " AND ") +
		" ORDER BY " + order + " LIMIT ?"
	return sql, append(args, q.Limit), nil
}

// yes and no write what a column that is true or false has to be, as the partial indexes do.
func (d dialect) yes(column string) string {
	if d.postgres {
		return column
	}
	return column + " <> 0"
}

func (d dialect) no(column string) string {
	if d.postgres {
		return "NOT " + column
	}
	return column + " = 0"
}

// CursorOf returns what Query.Before is for the page behind a book that was listed
// by the age of its doubt.
func CursorOf(b *ledger.Book) string {
	return strconv.FormatInt(micros(doubtSince(b)), 10) + "_" + b.ID
}

// parseCursor takes apart what CursorOf and the cursors of events are made of.
func parseCursor(cursor string) (first int64, rest string, err error) {
	number, rest, ok := strings.Cut(cursor, "_")
	first, err = strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return 0, "", ErrCursor
	}
	return first, rest, nil
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
	var list []*ledger.Book
	err := q.each(ctx, sql, args, func(scan scanner) error {
		var snapshot []byte
		var last int64
		if err := scan(&snapshot, &last); err != nil {
			return err
		}
		b := new(ledger.Book)
		if err := json.Unmarshal(snapshot, b); err != nil {
			return fmt.Errorf("%w: book: %w", errDamaged, err)
		}
		b.LastSeq = last
		list = append(list, b)
		return nil
	})
	return list, err
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
