package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/payments/ledger"
)

const (
	sqlInsertEntries = `INSERT INTO entry (book, at, kind, actor, body) VALUES `
	// The sequence of the last entry stands in a column of its own: PostgreSQL gives it out in the statement that
	// writes the book.
	sqlBookColumns = `connection, order_id, receipt, status, provider_ref, in_doubt, in_doubt_since, due_at, running, alerts,
		updated_at, snapshot, version, last_seq, id`
	sqlInsertBook = `INSERT INTO book (` + sqlBookColumns + `, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, %s, ?, ?) ON CONFLICT (id) DO NOTHING`
	// What never changes is not set: SQLite would write the indexes with it anew, too.
	sqlUpdateBook = `UPDATE book SET status = ?, provider_ref = ?,
		in_doubt = ?, in_doubt_since = ?, due_at = ?, running = ?, alerts = ?, updated_at = ?, snapshot = ?, version = ?, last_seq = %s
		WHERE id = ? AND version = ?`
	sqlReturningSeq = " RETURNING seq"
	lastOfEntries   = `(SELECT max(seq) FROM entries)`
)

// columnsThatStay is how many columns of a book, the first ones, are as they were when it was opened.
const columnsThatStay = 3

// Append implements Tx.
func (t *tx) Append(b *ledger.Book, due time.Time, entries []ledger.Entry) error {
	before := b.Version - int64(len(entries))
	snapshot, err := b.Encode()
	if err != nil {
		return t.fail(fmt.Errorf("book: %w", err))
	}
	if t.draft != nil {
		if err := t.ready(); err != nil {
			return err
		}
		if len(entries) == 0 {
			return t.fail(errLive)
		}
		t.draft.books = append(t.draft.books, b.ID)
	}
	args := []any{
		b.Connection, b.OrderID, b.Receipt, statusText(b.Status), b.ProviderRef, inDoubt(b), orNever(doubtSince(b)), orNever(due),
		running(b), b.Alerts, micros(b.UpdatedAt), string(snapshot), b.Version,
	}
	statement, last := sqlUpdateBook, before
	if before == 0 {
		statement, last = sqlInsertBook, micros(b.CreatedAt)
	}
	if t.draft != nil {
		return t.draftBook(b, before, append(args, b.ID, last), entries)
	}
	if before > 0 {
		args = args[columnsThatStay:]
	}
	const most = 8 // entries of a statement, so that there are few statements to prepare
	for len(entries) > most {
		if err := t.insertEntries(entries[:most]); err != nil {
			return err
		}
		entries = entries[most:]
	}
	switch {
	case len(entries) == 0:
		return t.writeBook(fmt.Sprintf(statement, "?"), append(args, b.LastSeq, b.ID, last))
	case t.dialect.postgres:
		err = t.appendAtOnce(fmt.Sprintf(statement, lastOfEntries), append(args, b.ID, last), entries)
	default:
		if err = t.insertEntries(entries); err == nil {
			seq := entries[len(entries)-1].Seq
			err = t.writeBook(fmt.Sprintf(statement, "?"), append(args, seq, b.ID, last))
		}
	}
	b.LastSeq = entries[len(entries)-1].Seq
	return err
}

func (t *tx) writeBook(statement string, args []any) error {
	n, err := t.exec(statement, args...)
	if err == nil && n == 0 {
		err = t.fail(ErrStale) // even if do goes on: the entries are in already
	}
	return err
}

// appendAtOnce writes the entries and the book by one statement, for PostgreSQL.
func (t *tx) appendAtOnce(statement string, args []any, entries []ledger.Entry) error {
	values, insert, err := insertion(entries)
	if err != nil {
		return t.fail(err)
	}
	sql := `WITH entries AS (` + insert + `), book AS (` + statement + ` RETURNING 1)
		SELECT seq, (SELECT count(*) FROM book) FROM entries ORDER BY seq`
	written := 0
	n := 0
	err = t.each(sql, append(values, args...), func(scan scanner) error {
		err := scan(&entries[n].Seq, &written)
		n++
		return err
	})
	if err == nil && written == 0 {
		err = t.fail(ErrStale)
	}
	return err
}

// draftBook is appendAtOnce for a draft: a book that is there already, or has moved on, ends the transaction.
func (t *tx) draftBook(b *ledger.Book, before int64, args []any, entries []ledger.Entry) error {
	values, insert, err := insertion(entries)
	if err != nil {
		return t.fail(err)
	}
	statement, bulk, own := sqlUpdateBook, bulkAppend, args[columnsThatStay:]
	if before == 0 {
		statement, bulk, own = sqlInsertBook, bulkOpen, args
	}
	s := drafted{
		text: `WITH entries AS (` + insert + `), book AS (` + fmt.Sprintf(statement, lastOfEntries) + ` RETURNING 1)
			SELECT seq, 1 / (SELECT count(*) FROM book) FROM entries ORDER BY seq`,
		args: append(values, own...), answers: len(entries), bulk: bulk, rows: [2][][]any{{args}},
		row: func(n int, scan scanner) error {
			err := scan(&entries[n].Seq, nil)
			b.LastSeq = entries[n].Seq
			return err
		},
	}
	for row := range slices.Chunk(values, len(columnsOfEntry)) {
		s.rows[1] = append(s.rows[1], row)
	}
	t.draft.statements = append(t.draft.statements, s)
	return nil
}

// insertEntries writes a few entries by one statement and fills in their Seq.
func (t *tx) insertEntries(entries []ledger.Entry) error {
	values, insert, err := insertion(entries)
	if err != nil {
		return t.fail(err)
	}
	if q, ok := t.q.(*sqlTx); ok {
		return t.insertSQLite(q, strings.TrimSuffix(insert, sqlReturningSeq), values, entries)
	}
	seqs := make([]int64, 0, len(entries))
	err = t.each(insert, values, func(scan scanner) error {
		var seq int64
		err := scan(&seq)
		seqs = append(seqs, seq)
		return err
	})
	slices.Sort(seqs) // they were given out in the order of the rows; the answer may come in another
	for i, seq := range seqs {
		entries[i].Seq = seq
	}
	return err
}

// insertSQLite is insertEntries for SQLite, where there is one writer: rows of one statement are numbered one after the
// other, and to ask for the last costs less than to have each returned.
func (t *tx) insertSQLite(q *sqlTx, insert string, values []any, entries []ledger.Entry) error {
	last, err := t.insert(q, insert, values...)
	for i := range entries {
		entries[i].Seq = last - int64(len(entries)-1-i)
	}
	return err
}

// insert runs an INSERT and returns the number of its last row.
func (t *tx) insert(q *sqlTx, sql string, args ...any) (int64, error) {
	if err := t.ready(); err != nil {
		return 0, err
	}
	t.wrote = true
	last, err := q.insert(t.ctx, sql, args...)
	return last, t.fail(err)
}

// insertion is the statement that inserts entries, and its arguments.
func insertion(entries []ledger.Entry) ([]any, string, error) {
	args := make([]any, 0, 5*len(entries)+15)
	for i := range entries {
		e := &entries[i]
		body, err := e.Encode()
		if err != nil {
			return nil, "", fmt.Errorf("entry %s: %w", e.Body.Kind(), err)
		}
		args = append(args, e.Book, micros(e.At), string(e.Body.Kind()), e.Actor, string(body))
	}
	const row = "(?, ?, ?, ?, ?)"
	return args, sqlInsertEntries + strings.Repeat(row+", ", len(entries)-1) + row + sqlReturningSeq, nil
}
