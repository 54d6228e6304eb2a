package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Operations and events are numbered as they come, so the oldest are looked for where the numbers begin. Whether a delivery
// is pending is asked of each event: by NOT EXISTS PostgreSQL would first read all that are.
const (
	sqlPruneKeys = `DELETE FROM idempotency_key WHERE (caller, connection, operation, key) IN
		(SELECT caller, connection, operation, key FROM idempotency_key WHERE at < ? ORDER BY at LIMIT ?)`
	sqlPruneRequests = `DELETE FROM request WHERE operation IN
		(SELECT operation FROM (SELECT operation, at FROM request ORDER BY operation LIMIT ?) AS oldest WHERE at < ?)`
	sqlPruneNotifications = `DELETE FROM notification WHERE id IN
		(SELECT id FROM notification WHERE state <> 'parked' AND received_at < ? ORDER BY received_at LIMIT ?)`
	sqlOldEvents = `SELECT seq FROM (SELECT seq, at FROM event e WHERE
		(SELECT 1 FROM delivery d WHERE d.event = e.seq AND d.state = 'pending' LIMIT 1) IS NULL ORDER BY seq LIMIT ?%s) AS oldest
		WHERE at < ?`
)

// Prune implements Store.
func (c *core) Prune(ctx context.Context, what Prunable, before time.Time, limit int) (int, error) {
	var deleted int64
	err := c.backend.change(ctx, func(t *tx) (err error) {
		args := []any{micros(before), limit}
		switch what {
		case PruneKeys:
			deleted, err = t.exec(sqlPruneKeys, args...)
		case PruneRequests:
			deleted, err = t.exec(sqlPruneRequests, limit, micros(before))
		case PruneNotifications:
			deleted, err = t.exec(sqlPruneNotifications, args...)
		case PruneEvents:
			deleted, err = t.pruneEvents(limit, micros(before))
		default:
			err = fmt.Errorf("cannot prune %q", what)
		}
		return err
	})
	return int(deleted), err
}

func (t *tx) pruneEvents(limit int, before int64) (int64, error) {
	var seqs []any
	err := t.each(fmt.Sprintf(sqlOldEvents, t.dialect.forUpdate), []any{limit, before}, func(scan scanner) error {
		var seq int64
		err := scan(&seq)
		seqs = append(seqs, seq)
		return err
	})
	if err != nil {
		return 0, err
	}
	var deleted int64
	for some := range slices.Chunk(seqs, 100) {
		list := " (?" + strings.Repeat(", ?", len(some)-1) + ")"
		if _, err := t.exec(`DELETE FROM delivery WHERE event IN`+list, some...); err != nil {
			return 0, err
		}
		n, err := t.exec(`DELETE FROM event WHERE seq IN`+list, some...)
		if err != nil {
			return 0, err
		}
		deleted += n
	}
	return deleted, nil
}

// Stats implements Store.
func (c *core) Stats(ctx context.Context, now time.Time) (Stats, error) {
	const (
		doubts = `SELECT connection, count(*), min(in_doubt_since)
			FROM (SELECT connection, in_doubt_since FROM book%s WHERE in_doubt_since IS NOT NULL ORDER BY in_doubt_since, id) AS d
			GROUP BY connection`
		overdue = sqlConnectionsDue + `
			SELECT c.connection, (SELECT count(*) FROM book b WHERE b.connection = c.connection AND due_at <= ?)
			FROM c WHERE c.connection IS NOT NULL`
		pending = `SELECT endpoint, count(*) FROM delivery WHERE state = 'pending' GROUP BY endpoint`
		dead    = `SELECT endpoint, count(*) FROM delivery WHERE state = 'dead' GROUP BY endpoint`
		alerts  = `SELECT count(*) FROM book WHERE alerts > 0`
		parked  = `SELECT count(*) FROM notification WHERE state = 'parked'`
	)
	var s Stats
	err := c.backend.read(ctx, func(q querier) error {
		s = Stats{}
		var oldest int64
		s.InDoubt = make(map[string]int)
		err := q.each(ctx, fmt.Sprintf(doubts, c.dialect.by("book_doubt")), nil, func(scan scanner) error {
			var name string
			var n int
			var since int64
			err := scan(&name, &n, &since)
			if s.InDoubt[name] = n; oldest == 0 || since < oldest {
				oldest, s.OldestDoubt = since, timeOf(since)
			}
			return err
		})
		if err == nil {
			s.Overdue, err = counts(ctx, q, overdue, micros(now))
		}
		if err == nil {
			s.Pending, err = counts(ctx, q, pending)
		}
		if err == nil {
			s.Dead, err = counts(ctx, q, dead)
		}
		if err == nil {
			err = one(ctx, q, alerts, nil, &s.Alerts)
		}
		if err == nil {
			err = one(ctx, q, parked, nil, &s.Parked)
		}
		return err
	})
	return s, err
}

// counts reads numbers by name, those that are not zero.
func counts(ctx context.Context, q querier, sql string, args ...any) (map[string]int, error) {
	list := make(map[string]int)
	err := q.each(ctx, sql, args, func(scan scanner) error {
		var name string
		var n int
		if err := scan(&name, &n); err != nil {
			return err
		}
		if n > 0 {
			list[name] = n
		}
		return nil
	})
	return list, err
}
