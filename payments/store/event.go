package store

import (
	"context"
	"strconv"
	"strings"
)

const (
	sqlInsertEvent = `INSERT INTO event (id, book, type, at, body) VALUES (?, ?, ?, ?, ?)`
	// A delivery waits without a due time while an earlier one of its book does.
	sqlInsertDelivery = `INSERT INTO delivery (endpoint, event, book, state, tries, due_at, last_error)
		SELECT e.endpoint, e.event, e.book, 'pending', 0, CASE WHEN EXISTS
			(SELECT 1 FROM delivery d WHERE d.endpoint = e.endpoint AND d.book = e.book AND d.state = 'pending')
			THEN NULL ELSE e.due END, ''
		FROM (SELECT CAST(? AS TEXT) AS endpoint, CAST(? AS BIGINT) AS event, CAST(? AS TEXT) AS book,
			CAST(? AS BIGINT) AS due) e`

	sqlEventsSQLite = `SELECT seq, seq, id, book, type, at, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?`
	// A number of a transaction that is yet to come is from before the database was restored from a dump; see
	// forgetNumbers. The order names the table: "tx" alone would be what is selected, which no index has in order.
	sqlEventsPostgres = `SELECT tx::text::bigint, seq, id, book, type, at, body FROM event
		WHERE (tx, seq) > (CASE WHEN ?::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot())
				THEN '0'::xid8 ELSE ?::text::xid8 END, ?)
			AND tx < pg_snapshot_xmin(pg_current_snapshot())
		ORDER BY event.tx, event.seq LIMIT ?`
	// In another cluster the numbers begin again: what bears one of the future is older than all that will come.
	sqlForgetNumbers = `UPDATE event SET tx = '0'::xid8 WHERE tx >= pg_snapshot_xmax(pg_current_snapshot())`
)

// Emit implements Tx.
func (t *tx) Emit(events []Event) error {
	var lanes []string
	for _, e := range events {
		for _, endpoint := range e.Endpoints {
			lanes = append(lanes, lane(endpoint, e.Book))
		}
	}
	if err := t.lockLanes(lanes); err != nil {
		return err
	}
	for i := range events {
		if t.draft != nil {
			t.draft.event(&events[i])
			continue
		}
		if err := t.emit(&events[i]); err != nil {
			return err
		}
	}
	return nil
}

// lockLanes locks queues of deliveries once the book is locked, in a draft, too: so whoever has a book and wants its
// queues never waits for one who has them and wants the book.
func (t *tx) lockLanes(lanes []string) error {
	if t.draft == nil {
		return t.lock(lanes...)
	}
	if len(lanes) > 0 {
		t.draft.lanes(lockKeys(lanes))
	}
	return t.ready()
}

func (t *tx) emit(e *Event) error {
	args := []any{e.ID, e.Book, e.Type, micros(e.At), notNil(e.Body)}
	var err error
	if q, ok := t.q.(*sqlTx); ok {
		e.Seq, err = t.insert(q, sqlInsertEvent, args...)
	} else {
		err = t.one(sqlInsertEvent+sqlReturningSeq, args, &e.Seq)
	}
	if err != nil {
		return err
	}
	for _, endpoint := range e.Endpoints {
		if err := t.later(sqlInsertDelivery, endpoint, e.Seq, e.Book, micros(e.At)); err != nil {
			return err
		}
	}
	return nil
}

// lane names the queue of one book's deliveries to one endpoint.
func lane(endpoint, book string) string { return "lane\x00" + endpoint + "\x00" + book }

// Events implements Store.
//
// The cursor of SQLite is the event's Seq. Sequence numbers of PostgreSQL are not in the order of commits, so there it
// is the number of the transaction, too, and nothing is shown that is not older than every open transaction: one that
// is left open, of any database of the same server, holds events up.
func (c *core) Events(ctx context.Context, after string, limit int) ([]Event, string, error) {
	sql, args, err := c.eventsBehind(after, limit)
	if err != nil {
		return nil, "", err
	}
	var list []Event
	next := after
	err = c.backend.read(ctx, func(q querier) error {
		list, next = nil, after
		return q.each(ctx, sql, args, func(scan scanner) error {
			var e Event
			var tx, at int64
			if err := scan(&tx, &e.Seq, &e.ID, &e.Book, &e.Type, &at, &e.Body); err != nil {
				return err
			}
			e.At = timeOf(at)
			list = append(list, e)
			next = strconv.FormatInt(e.Seq, 10)
			if c.dialect.postgres {
				next = strconv.FormatInt(tx, 10) + "_" + next
			}
			return nil
		})
	})
	if err != nil {
		return nil, "", err
	}
	return list, next, nil
}

func (c *core) eventsBehind(after string, limit int) (string, []any, error) {
	var tx, seq int64
	var err error
	switch {
	case after == "":
	case c.dialect.postgres:
		var rest string
		if tx, rest, err = parseCursor(after); err == nil {
			seq, err = strconv.ParseInt(rest, 10, 64)
		}
	default:
		seq, err = strconv.ParseInt(after, 10, 64)
	}
	if err != nil || tx < 0 || seq < 0 || strings.HasPrefix(after, "+") {
		return "", nil, ErrCursor
	}
	if c.dialect.postgres {
		number := strconv.FormatInt(tx, 10)
		return sqlEventsPostgres, []any{number, number, seq, limit}, nil
	}
	return sqlEventsSQLite, []any{seq, limit}, nil
}
