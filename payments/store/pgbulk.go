package store

import "slices"

// bulk is a statement that drafts have in common. It takes a row of arguments from each of them, one array for each
// column: to begin a statement costs PostgreSQL more than a row of it does.
//
// There may be two tables of rows: books and their entries, events and their deliveries.
type bulk struct {
	text    string
	columns [2]string // t text, i integer, n integer or NULL, o true or false, b bytes
}

const (
	bulkBooks = `WITH n AS (SELECT * FROM unnest(?::text[], ?::text[], ?::boolean[], ?::text[], ?::text[], ?::boolean[], ?::bigint[],
				?::bigint[], ?::boolean[], ?::bigint[], ?::bigint[], ?::text[], ?::bigint[], ?::text[], ?::bigint[])
			AS n (connection, order_id, receipt, status, provider_ref, in_doubt, in_doubt_since,
				due_at, running, alerts, updated_at, snapshot, version, id, number)),
		entries AS (INSERT INTO entry (book, at, kind, actor, body) SELECT x.book, x.at, x.kind, x.actor, x.body
			FROM unnest(?::text[], ?::bigint[], ?::text[], ?::text[], ?::text[])
			WITH ORDINALITY AS x (book, at, kind, actor, body, place) ORDER BY x.place RETURNING seq, book),
		last AS (SELECT book, max(seq) AS seq FROM entries GROUP BY book), `
	bulkSeqs = ` RETURNING 1)
		SELECT seq, 1 / CASE WHEN (SELECT count(*) FROM done) = (SELECT count(*) FROM n) THEN 1 ELSE 0 END FROM entries ORDER BY seq`
	columnsOfBook, columnsOfEntry = "ttottonnoiititi", "tittt"
)

// The bulks. What one of them refuses, PostgreSQL refuses as a whole; the drafts are then written one by one.
var (
	bulkOrder = &bulk{columns: [2]string{"tt"}, text: `
		SELECT 1 / CASE WHEN coalesce((SELECT string_agg(b.id || ' ' || b.version, ',' ORDER BY b.id) FROM book b
			WHERE b.order_id = n.order_id AND b.order_id <> ''), '') = n.books THEN 1 ELSE 0 END
		FROM unnest(?::text[], ?::text[]) AS n (books, order_id)`}
	bulkKey = &bulk{columns: [2]string{"ttttbtti"}, text: `
		INSERT INTO idempotency_key (caller, connection, operation, key, fingerprint, book, op, at)
		SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::bytea[], ?::text[], ?::text[], ?::bigint[])`}
	bulkClaim = &bulk{columns: [2]string{"ttt"}, text: `
		INSERT INTO provider_key (connection, key, operation) SELECT * FROM unnest(?::text[], ?::text[], ?::text[])`}
	bulkPutRequest = &bulk{columns: [2]string{"tib"}, text: `
		INSERT INTO request (operation, at, body) SELECT * FROM unnest(?::text[], ?::bigint[], ?::bytea[])
		ON CONFLICT (operation) DO UPDATE SET at = excluded.at, body = excluded.body`}
	bulkOpen = &bulk{columns: [2]string{columnsOfBook, columnsOfEntry}, text: bulkBooks + `
		done AS (INSERT INTO book (` + sqlBookColumns + `, created_at)
			SELECT n.connection, n.order_id, n.receipt, n.status, n.provider_ref, n.in_doubt, n.in_doubt_since, n.due_at, n.running,
				n.alerts, n.updated_at, n.snapshot, n.version, last.seq, n.id, n.number
			FROM n JOIN last ON last.book = n.id` + bulkSeqs}
	bulkAppend = &bulk{columns: [2]string{columnsOfBook, columnsOfEntry}, text: bulkBooks + `
		done AS (UPDATE book SET connection = n.connection, order_id = n.order_id, receipt = n.receipt, status = n.status,
				provider_ref = n.provider_ref, in_doubt = n.in_doubt, in_doubt_since = n.in_doubt_since, due_at = n.due_at,
				running = n.running, alerts = n.alerts, updated_at = n.updated_at, snapshot = n.snapshot, version = n.version,
				last_seq = last.seq
			FROM n JOIN last ON last.book = n.id WHERE book.id = n.id AND book.version = n.number` + bulkSeqs}
	bulkDropRequest = &bulk{columns: [2]string{"t"}, text: `DELETE FROM request WHERE operation = ANY (?::text[])`}
	bulkLanes       = &bulk{columns: [2]string{"i"}, text: sqlLocks}
	bulkEvent       = &bulk{columns: [2]string{"tttib", "tt"}, text: `
		WITH e AS (INSERT INTO event (id, book, type, at, body) SELECT x.id, x.book, x.type, x.at, x.body
			FROM unnest(?::text[], ?::text[], ?::text[], ?::bigint[], ?::bytea[])
			WITH ORDINALITY AS x (id, book, type, at, body, place) ORDER BY x.place RETURNING seq, id, book, at),
		d AS (INSERT INTO delivery (endpoint, event, book, state, tries, due_at, last_error)
			SELECT n.endpoint, e.seq, e.book, 'pending', 0, CASE WHEN
				(SELECT 1 FROM delivery d WHERE d.endpoint = n.endpoint AND d.book = e.book AND d.state = 'pending' LIMIT 1) = 1
				THEN NULL ELSE e.at END, ''
			FROM unnest(?::text[], ?::text[]) AS n (event, endpoint) JOIN e ON e.id = n.event)
		SELECT seq FROM e ORDER BY seq`}

	// In the order in which they are run.
	bulks = []*bulk{bulkOrder, bulkKey, bulkClaim, bulkPutRequest, bulkOpen, bulkAppend, bulkDropRequest, bulkLanes, bulkEvent}
)

// merge makes few statements of those of drafts; false if that cannot be.
func merge(group []*pgUpdate) ([]drafted, bool) {
	list := make([]drafted, 0, len(bulks))
	for _, b := range bulks {
		var of []*drafted
		for _, u := range group {
			for i := range u.t.draft.statements {
				s := &u.t.draft.statements[i]
				if s.bulk == nil || u.t.draft.single {
					return nil, false
				}
				if s.bulk == b {
					of = append(of, s)
				}
			}
		}
		if len(of) > 0 {
			list = append(list, b.of(of))
		}
	}
	return list, true
}

// of makes one statement of many.
func (b *bulk) of(list []*drafted) drafted {
	all := drafted{text: b.text}
	for table, columns := range b.columns {
		for column, kind := range columns {
			all.args = append(all.args, transpose(list, table, column, kind))
		}
	}
	if list[0].row == nil {
		return all
	}
	// The rows of the answer are in the order of the statements.
	type place struct {
		of *drafted
		n  int
	}
	var places []place
	for _, s := range list {
		for n := range s.answers {
			places = append(places, place{s, n})
		}
	}
	all.row = func(n int, scan scanner) error { return places[n].of.row(places[n].n, scan) }
	return all
}

// transpose makes an array of one column of the rows of a table.
func transpose(list []*drafted, table, column int, kind rune) any {
	switch kind {
	case 't':
		return collect(list, table, func(row []any) string { return row[column].(string) })
	case 'b':
		return collect(list, table, func(row []any) []byte { return row[column].([]byte) })
	case 'o':
		return collect(list, table, func(row []any) bool { return row[column].(bool) })
	case 'n':
		return collect(list, table, func(row []any) *int64 {
			if n, ok := row[column].(int64); ok {
				return &n
			}
			return nil
		})
	}
	return collect(list, table, func(row []any) int64 {
		if n, ok := row[column].(int); ok {
			return int64(n)
		}
		return row[column].(int64)
	})
}

func collect[T any](list []*drafted, table int, value func(row []any) T) []T {
	out := make([]T, 0, len(list))
	for _, s := range list {
		out = slices.Grow(out, len(s.rows[table]))
		for _, row := range s.rows[table] {
			out = append(out, value(row))
		}
	}
	return out
}
