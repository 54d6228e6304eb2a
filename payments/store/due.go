package store

import (
	"context"
	"time"

	"github.com/payhost/payhost/payments/ledger"
)

const (
	sqlDue = `SELECT id FROM book WHERE connection = ? AND due_at <= ? ORDER BY due_at LIMIT ?`
	// A loose scan: of each connection only the first entry of the index is read.
	sqlNextDue = sqlConnectionsDue + `
		SELECT c.connection, (SELECT min(due_at) FROM book b WHERE b.connection = c.connection AND due_at IS NOT NULL)
		FROM c WHERE c.connection IS NOT NULL`
	// The order is that of one index only, so that none can be taken which has what is at rest, too.
	sqlConnectionsDue = `WITH RECURSIVE c (connection) AS (
			SELECT (SELECT connection FROM book WHERE due_at IS NOT NULL ORDER BY connection, due_at LIMIT 1)
			UNION ALL
			SELECT (SELECT connection FROM book WHERE due_at IS NOT NULL AND connection > c.connection
				ORDER BY connection, due_at LIMIT 1)
			FROM c WHERE c.connection IS NOT NULL)`
	// By the index of what is due, which holds few: what is at rest is never read.
	sqlUnfinished = ` WHERE connection = ? AND due_at IS NOT NULL
		AND (status NOT IN ('failed', 'canceled', 'expired') OR in_doubt_since IS NOT NULL OR `
	sqlParked = `SELECT id FROM notification WHERE state = 'parked' AND try_at <= ? ORDER BY try_at LIMIT ?`
)

// Due implements Store.
func (c *core) Due(
	ctx context.Context, connection string, now, lease time.Time, limit int,
) ([]*ledger.Book, error) {
	var list []*ledger.Book
	err := c.backend.change(ctx, func(t *tx) (err error) {
		list, err = t.books(`UPDATE book SET due_at = ? WHERE id `+t.dialect.in(sqlDue+t.dialect.skipLocked)+
			` RETURNING snapshot, last_seq`, micros(lease), connection, micros(now), limit)
		return err
	})
	oldestFirst(list)
	return list, err
}

// NextDue implements Store. It reads a few entries of an index for each connection.
func (c *core) NextDue(ctx context.Context) (map[string]time.Time, error) {
	return c.earliest(ctx, sqlNextDue)
}

// Unfinished implements Store.
func (c *core) Unfinished(ctx context.Context, connection string, visit func(b *ledger.Book)) error {
	sql := `SELECT snapshot, last_seq FROM book` + c.dialect.by("book_due") + sqlUnfinished + c.dialect.yes("running") + `) ORDER BY due_at`
	return c.backend.read(ctx, func(q querier) error {
		return q.each(ctx, sql, []any{connection}, func(scan scanner) error {
			b, err := scanBook(scan)
			if err == nil {
				visit(b)
			}
			return err
		})
	})
}

// earliest reads times by name.
func (c *core) earliest(ctx context.Context, sql string) (map[string]time.Time, error) {
	var next map[string]time.Time
	err := c.backend.read(ctx, func(q querier) error {
		next = make(map[string]time.Time)
		return q.each(ctx, sql, nil, func(scan scanner) error {
			var name string
			var at *int64 // NULL if the last was taken between two parts of the statement
			if err := scan(&name, &at); err != nil {
				return err
			}
			if at != nil {
				next[name] = timeOf(*at)
			}
			return nil
		})
	})
	return next, err
}

// Parked implements Store.
func (c *core) Parked(ctx context.Context, now, lease time.Time, limit int) ([]Notification, error) {
	var list []Notification
	err := c.backend.change(ctx, func(t *tx) error {
		list = nil
		sql := `UPDATE notification SET try_at = ? WHERE id ` + t.dialect.in(sqlParked+t.dialect.skipLocked) +
			` RETURNING id, connection, book, received_at, state, try_at, tries, raw`
		return t.each(sql, []any{micros(lease), micros(now), limit}, func(scan scanner) error {
			var n Notification
			var received int64
			var try *int64
			err := scan(&n.ID, &n.Connection, &n.Book, &received, &n.State, &try, &n.Tries, &n.Raw)
			n.ReceivedAt, n.TryAt = timeOf(received), timeOrZero(try)
			list = append(list, n)
			return err
		})
	})
	return list, err
}
