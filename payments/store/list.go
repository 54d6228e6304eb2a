package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/payhost/payhost/payments/ledger"
)

const (
	// mostMerged is of how many connections one statement merges the lists.
	mostMerged = 64
	// A loose scan: of each connection only the first entry of the index is read.
	sqlConnections = `WITH RECURSIVE c (connection) AS (
			SELECT min(connection) FROM book
			UNION ALL
			SELECT (SELECT min(connection) FROM book WHERE connection > c.connection) FROM c WHERE c.connection IS NOT NULL)
		SELECT connection FROM c WHERE connection IS NOT NULL`
)

// Books implements Store.
func (c *core) Books(ctx context.Context, query Query) ([]*ledger.Book, error) {
	index, where, args, err := c.where(query)
	if err != nil {
		return nil, err
	}
	var list []*ledger.Book
	err = c.backend.read(ctx, func(q querier) (err error) {
		list = nil
		connections := []string{query.Connection}
		if query.Connection == "" && ofConnection(index) {
			if connections, err = all(ctx, q, sqlConnections); err != nil {
				return err
			}
		}
		for some := range slices.Chunk(connections, mostMerged) {
			sql, args := c.listing(query, index, where, args, some)
			var unread any
			more, err := booksAnd(ctx, q, []any{&unread, &unread}, sql, args...) // what the list is ordered by
			if err != nil {
				return err
			}
			list = append(list, more...)
		}
		return nil
	})
	if len(list) > query.Limit {
		slices.SortFunc(list, func(a, b *ledger.Book) int { return strings.Compare(b.ID, a.ID) })
		list = list[:query.Limit]
	}
	return list, err
}

// ofConnection reports whether an index has the books of each connection by themselves.
func ofConnection(index string) bool { return index == "book_connection" || index == "book_status" }

// all reads one column.
func all(ctx context.Context, q querier, sql string) ([]string, error) {
	var list []string
	err := q.each(ctx, sql, nil, func(scan scanner) error {
		var text string
		err := scan(&text)
		list = append(list, text)
		return err
	})
	return list, err
}

// where returns the conditions of a list but for the connection, and the index that it goes by: the most selective filter
// comes first.
func (c *core) where(q Query) (index string, where []string, args []any, err error) {
	and := func(condition string, arg ...any) {
		where = append(where, condition)
		args = append(args, arg...)
	}
	index = "book_connection"
	use := func(better string, condition string, arg ...any) {
		index = better
		and(condition, arg...)
	}
	if q.Status != 0 {
		use("book_status", "status = ?", statusText(q.Status))
	}
	if !q.DoubtOrder {
		and("receipt = ?", q.Receipts)
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
	switch {
	case q.DoubtOrder:
		use("book_doubt", "in_doubt_since IS NOT NULL")
		if q.Before != "" {
			since, id, err := parseCursor(q.Before)
			if err != nil {
				return "", nil, nil, err
			}
			and("(in_doubt_since, id) > (?, ?)", since, id)
		}
	case q.Before != "":
		and("id < ?", q.Before)
	}
	return index, where, args, nil
}

// listing writes the SELECT of a list of some connections, "" for one of whatever connections. It names the index.
func (c *core) listing(q Query, index string, where []string, args []any, connections []string) (string, []any) {
	var arms []string
	var values []any
	for _, connection := range connections {
		conditions := where
		values = append(values, args...)
		if connection != "" {
			conditions, values = append(slices.Clone(where), "connection = ?"), append(values, connection)
		}
		arm := "SELECT snapshot, last_seq, id, in_doubt_since FROM book" + c.dialect.by(index) +
			" WHERE " + strings.Join(conditions, " AND ")
		if c.dialect.postgres && len(connections) > 1 {
			arm, values = "("+arm+" ORDER BY id DESC LIMIT ?)", append(values, q.Limit) // or it would be read to its end
		}
		arms = append(arms, arm)
	}
	order := " ORDER BY id DESC"
	if q.DoubtOrder {
		order = " ORDER BY in_doubt_since, id"
	}
	return strings.Join(arms, " UNION ALL ") + order + " LIMIT ?", append(values, q.Limit)
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
