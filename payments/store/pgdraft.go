package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/payhost/payhost/payments/ledger"
)

// errLive says that an update cannot be drafted, or that a draft did not hold: it has to be run with a transaction open.
var errLive = errors.New("needs a transaction that is open")

// draft is an update of PostgreSQL that was run before its transaction began. What it writes is collected, each statement
// so that it fails where Update would have to do something else: a key that is taken, a book that has moved on. Such
// statements need no answer before the commit, so all of them, and those of other updates, travel together. Few
// updates find that they must be run again in a transaction of their own; see [Postgres.change].
type draft struct {
	store      *Postgres
	locks      []int64 // of orders, taken before anything is written
	books      []string
	statements []drafted
	single     bool // its statements cannot be merged with those of others
}

// drafted is a statement of a draft. row takes the rows of its answer, from 0, and may have to do so again; nil if the
// answer does not matter.
type drafted struct {
	text    string
	args    []any
	row     func(n int, scan scanner) error
	answers int // how many rows there will be

	bulk *bulk // what does the same for many; nil if there is none
	rows [2][][]any
}

const (
	sqlLocks = `SELECT pg_advisory_xact_lock(k) FROM unnest(?::bigint[]) AS k`
	// A division by zero ends the transaction: the books of the order are not those that the draft was made by.
	sqlSameOrder = `SELECT 1 / CASE WHEN coalesce(string_agg(id || ' ' || version, ',' ORDER BY id), '') = ? THEN 1 ELSE 0 END
		FROM book WHERE order_id = ? AND order_id <> ''`
	sqlDraftKey = `INSERT INTO idempotency_key (caller, connection, operation, key, fingerprint, book, op, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	sqlDraftClaim = `INSERT INTO provider_key (connection, key, operation) VALUES (?, ?, ?)`
	// The sequence of an event is not known yet, so its deliveries are written by the same statement.
	sqlDraftEvent = `WITH e AS (INSERT INTO event (id, book, type, at, body) VALUES (?, ?, ?, ?, ?) RETURNING seq, book, at),
		d AS (INSERT INTO delivery (endpoint, event, book, state, tries, due_at, last_error)
			SELECT n.endpoint, e.seq, e.book, 'pending', 0, CASE WHEN
				(SELECT 1 FROM delivery d WHERE d.endpoint = n.endpoint AND d.book = e.book AND d.state = 'pending' LIMIT 1) = 1
				THEN NULL ELSE e.at END, ''
			FROM e, unnest(?::text[]) AS n (endpoint))
		SELECT seq FROM e`
)

// simple adds a statement that has no answer, and a bulk with the same arguments.
func (d *draft) simple(b *bulk, text string, args ...any) {
	d.statements = append(d.statements, drafted{text: text, args: args, bulk: b, rows: [2][][]any{{args}}})
}

// order reads the books of an order and sees to it that they are the same when the draft is written.
func (d *draft) order(t *tx, order string) ([]*ledger.Book, error) {
	list, err := books(t.ctx, &pgReader{pool: d.store.pool, texts: &d.store.texts}, sqlOrder, order)
	if err != nil {
		return nil, t.fail(err)
	}
	var is strings.Builder
	for i, b := range list {
		if i > 0 {
			is.WriteByte(',')
		}
		is.WriteString(b.ID + " " + strconv.FormatInt(b.Version, 10))
	}
	d.simple(bulkOrder, sqlSameOrder, is.String(), order)
	return list, nil
}

// lanes locks names where they stand among what is written, and not before it.
func (d *draft) lanes(keys []int64) {
	s := drafted{text: sqlLocks, args: []any{keys}, bulk: bulkLanes}
	for _, key := range keys {
		s.rows[0] = append(s.rows[0], []any{key})
	}
	d.statements = append(d.statements, s)
}

// event stores an event and its deliveries.
func (d *draft) event(e *Event) {
	d.books = append(d.books, e.Book) // so that none of its queue is written beside it
	row := []any{e.ID, e.Book, e.Type, micros(e.At), notNil(e.Body)}
	s := drafted{
		text: sqlDraftEvent, args: append(slices.Clone(row), append([]string{}, e.Endpoints...)), answers: 1,
		row:  func(_ int, scan scanner) error { return scan(&e.Seq) },
		bulk: bulkEvent, rows: [2][][]any{{row}},
	}
	for _, endpoint := range e.Endpoints {
		s.rows[1] = append(s.rows[1], []any{e.ID, endpoint})
	}
	// A delivery waits if an earlier one of its book does, which one statement cannot see of itself.
	d.single = d.single || slices.ContainsFunc(d.statements, func(s drafted) bool { return s.bulk == bulkEvent })
	d.statements = append(d.statements, s)
}

// meets reports whether two drafts want the same, so that one transaction cannot hold both in the order they came.
func (d *draft) meets(locks map[int64]bool, books map[string]bool) bool {
	return slices.ContainsFunc(d.locks, func(k int64) bool { return locks[k] }) ||
		slices.ContainsFunc(d.books, func(id string) bool { return books[id] })
}

// unopened is the querier of a draft. The first question opens a transaction, and the update goes on there, unless it has
// written something already: then it has to be run again.
type unopened struct {
	store *Postgres
	t     *tx
}

func (u *unopened) open(ctx context.Context) (querier, error) {
	if len(u.t.draft.statements)+len(u.t.draft.locks) > 0 {
		return nil, errLive
	}
	q, err := u.store.begin(ctx)
	if err != nil {
		return nil, err
	}
	u.t.draft, u.t.q = nil, q
	return q, nil
}

func (u *unopened) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	q, err := u.open(ctx)
	if err != nil {
		return 0, err
	}
	return q.exec(ctx, sql, args...)
}

func (u *unopened) later(ctx context.Context, sql string, args ...any) error {
	q, err := u.open(ctx)
	if err != nil {
		return err
	}
	return q.later(ctx, sql, args...)
}

func (u *unopened) each(ctx context.Context, sql string, args []any, row func(scan scanner) error) error {
	q, err := u.open(ctx)
	if err != nil {
		return err
	}
	return q.each(ctx, sql, args, row)
}
