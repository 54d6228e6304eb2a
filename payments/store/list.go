package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/payhost/payhost/payments/ledger"
)

const (
	// mostMerged is of how many connections one statement of SQLite merges the lists.
	mostMerged = 64
	// walked is how many books are looked at for each that is wanted, before the lists of connections are merged.
	walked = 3
	// afterIDs is behind every id of a book.
	afterIDs  = "~"
	sqlListed = `SELECT snapshot, last_seq, id FROM book`
	// A loose scan: of each connection only the first entry of the index is read.
	sqlWithConnections = `WITH RECURSIVE c (connection) AS (
			SELECT (SELECT connection FROM book ORDER BY connection, receipt, id LIMIT 1)
			UNION ALL
			SELECT (SELECT connection FROM book WHERE connection > c.connection ORDER BY connection, receipt, id LIMIT 1)
			FROM c WHERE c.connection IS NOT NULL) `
	sqlConnections = sqlWithConnections + `SELECT connection FROM c WHERE connection IS NOT NULL`
)

// way is one of the ways to go through the books, newest first: an index of columns that a query gives the values of, and
// of the id behind them.
type way struct {
	index  string
	keys   []string
	values []any
}

// sharded reports whether the index has the books of each connection by themselves.
func (w way) sharded() bool { return len(w.keys) > 0 && w.keys[0] == "connection" }

// conditions is a part of a WHERE, with the arguments that it takes.
type conditions struct {
	texts []string
	args  []any
}

func (c *conditions) and(text string, args ...any) {
	c.texts = append(c.texts, text)
	c.args = append(c.args, args...)
}

func (c *conditions) all(other *conditions) {
	c.texts = append(c.texts, other.texts...)
	c.args = append(c.args, other.args...)
}

func (c *conditions) where() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.texts, " AND ")
}

// Books implements Store.
func (c *core) Books(ctx context.Context, query Query) (list []*ledger.Book, err error) {
	w, also := c.way(query)
	first := c.listing(query, w, also, "")
	// Most books are such as are asked for, so these are among the newest. If not, the lists of all connections are merged.
	merge := query.Connection == "" && w.sharded()
	switch {
	case query.DoubtOrder:
		if first, err = c.byDoubt(query, w, also); err != nil {
			return nil, err
		}
	case merge:
		first = c.newest(query, w, also)
	}
	err = c.backend.read(ctx, func(q querier) error {
		list, err = page(ctx, q, first, query.Limit)
		if err == nil && merge && len(list) < query.Limit {
			list, err = c.merged(ctx, q, query, w, also)
		}
		return err
	})
	return list, err
}

// selection is a SELECT and its arguments.
type selection struct {
	sql  string
	args []any
}

// page reads the first books of a list. The id is selected for the order only.
func page(ctx context.Context, q querier, s selection, limit int) ([]*ledger.Book, error) {
	var unread any
	return booksAnd(ctx, q, []any{&unread}, s.sql+" LIMIT ?", append(s.args, limit)...)
}

// way returns the way to what is asked for, by its most selective filter, and what else the books must be. That is written
// so that PostgreSQL cannot take it for the key of another index.
func (c *core) way(q Query) (way, *conditions) {
	w, also := way{"book_connection", []string{"connection", "receipt"}, []any{q.Connection, q.Receipts}}, &conditions{}
	if q.Status != 0 {
		w = way{"book_status", []string{"connection", "status"}, []any{q.Connection, statusText(q.Status)}}
	}
	if q.InDoubt != nil && !*q.InDoubt {
		also.and(c.dialect.no("in_doubt"))
	}
	if q.Alerts {
		w = way{index: "book_alerts"}
		also.and("alerts > 0")
	}
	if q.Running {
		w = way{index: "book_running"}
		also.and(c.dialect.yes("running"))
	}
	if q.InDoubt != nil && *q.InDoubt {
		w = way{index: "book_doubtful"}
		if q.Connection != "" {
			w = way{"book_doubtful_of", []string{"connection"}, []any{q.Connection}}
		}
		also.and(c.dialect.yes("in_doubt"))
	}
	if q.OrderID != "" {
		w = way{"book_order", []string{"order_id"}, []any{q.OrderID}}
		also.and("order_id <> ''")
	}
	if q.DoubtOrder {
		w = way{index: "book_doubt"}
		also.and("in_doubt_since IS NOT NULL")
	}
	is := func(column string, value any, asked bool) {
		if asked && !slices.Contains(w.keys, column) {
			also.and(column+" IS NOT DISTINCT FROM ?", value)
		}
	}
	is("receipt", q.Receipts, !q.DoubtOrder)
	is("status", statusText(q.Status), q.Status != 0)
	is("order_id", q.OrderID, q.OrderID != "")
	is("connection", q.Connection, q.Connection != "")
	return w, also
}

// listing selects the books on a way. shard is what has the connection, "" if the query says it.
//
// SQLite is told the index. PostgreSQL is given a range, and an order that no other index has: by equations it may come
// to think that it is faster to go through all books and leave out what is not asked for.
func (c *core) listing(q Query, w way, also *conditions, shard string) selection {
	marks, values := slices.Repeat([]string{"?"}, len(w.keys)), slices.Clone(w.values)
	if shard != "" {
		marks[0], values = shard, values[1:]
	}
	at := &conditions{}
	order := " ORDER BY id DESC"
	switch {
	case c.dialect.postgres && len(w.keys) > 0:
		before := q.Before
		if before == "" {
			before = afterIDs
		}
		key, mark := strings.Join(w.keys, ", "), strings.Join(marks, ", ")
		at.and("("+key+", id) < ("+mark+", ?)", append(slices.Clone(values), before)...)
		at.and("("+key+", id) > ("+mark+", '')", values...)
		order = " ORDER BY " + strings.Join(w.keys, " DESC, ") + " DESC, id DESC"
	default:
		for i, key := range w.keys {
			at.and(key + " = " + marks[i])
		}
		at.args = values
		if q.Before != "" {
			at.and("id < ?", q.Before)
		}
	}
	at.all(also)
	return selection{sqlListed + c.dialect.by(w.index) + at.where() + order, at.args}
}

// newest selects what is asked for among the newest books of all connections.
func (c *core) newest(q Query, w way, also *conditions) selection {
	at, of := &conditions{}, &conditions{}
	if q.Before != "" {
		at.and("id < ?", q.Before)
	}
	for i, key := range w.keys[1:] {
		of.and(key+" = ?", w.values[1+i])
	}
	of.all(also)
	sql := "SELECT snapshot, last_seq, id FROM (SELECT snapshot, last_seq, id, receipt, status, in_doubt FROM book" +
		c.dialect.by("sqlite_autoindex_book_1") + at.where() + " ORDER BY id DESC LIMIT ?) AS newest" + of.where() + " ORDER BY id DESC"
	return selection{sql, append(append(at.args, walked*q.Limit), of.args...)}
}

// merged reads the first books of the lists of all connections.
func (c *core) merged(ctx context.Context, q querier, query Query, w way, also *conditions) ([]*ledger.Book, error) {
	if c.dialect.postgres {
		s := c.listing(query, w, also, "c.connection")
		s.sql = sqlWithConnections + "SELECT b.snapshot, b.last_seq, b.id FROM c CROSS JOIN LATERAL (" + s.sql +
			" LIMIT ?) AS b ORDER BY b.id DESC"
		s.args = append(s.args, query.Limit)
		return page(ctx, q, s, query.Limit)
	}
	connections, err := all(ctx, q, sqlConnections)
	var list []*ledger.Book
	for some := range slices.Chunk(connections, mostMerged) {
		var arms []string
		var s selection
		for _, connection := range some {
			w.values = append([]any{connection}, w.values[1:]...)
			arm := c.listing(query, w, also, "")
			arms = append(arms, strings.TrimSuffix(arm.sql, " ORDER BY id DESC"))
			s.args = append(s.args, arm.args...)
		}
		s.sql = strings.Join(arms, " UNION ALL ") + " ORDER BY id DESC"
		more, err := page(ctx, q, s, query.Limit)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	slices.SortFunc(list, func(a, b *ledger.Book) int { return strings.Compare(b.ID, a.ID) })
	return list[:min(len(list), query.Limit)], err
}

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

// byDoubt selects what holds a doubt, the oldest first.
func (c *core) byDoubt(q Query, w way, also *conditions) (selection, error) {
	at := &conditions{}
	if q.Before != "" {
		since, id, err := parseCursor(q.Before)
		if err != nil {
			return selection{}, err
		}
		at.and("(in_doubt_since, id) > (?, ?)", since, id)
	}
	at.all(also)
	return selection{sqlListed + c.dialect.by(w.index) + at.where() + " ORDER BY in_doubt_since, id", at.args}, nil
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
