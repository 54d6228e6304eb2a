package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

const (
	sqlDeliveryColumns = `SELECT d.endpoint, d.state, d.tries, d.due_at, d.last_error,
		e.seq, e.id, e.book, e.type, e.at, e.body FROM delivery d JOIN event e ON e.seq = d.event`
	sqlClaimDeliveries = `UPDATE delivery SET due_at = ? WHERE endpoint = ? AND event `
	sqlDueDeliveries   = `SELECT event FROM delivery WHERE endpoint = ? AND due_at <= ? ORDER BY due_at LIMIT ?`
	// A delivery that is not the first of its book any more waits without a due time.
	sqlDelivered = `UPDATE delivery SET state = ?, tries = ?, last_error = ?, due_at = CASE WHEN EXISTS
			(SELECT 1 FROM delivery f WHERE f.endpoint = delivery.endpoint AND f.book = delivery.book
				AND f.state = 'pending' AND f.event < delivery.event)
			THEN NULL ELSE CAST(? AS BIGINT) END
		WHERE event = ? AND endpoint = ?`
	sqlPromote = `UPDATE delivery SET due_at = ? WHERE endpoint = ? AND due_at IS NULL AND state = 'pending'
		AND event = (SELECT min(event) FROM delivery WHERE endpoint = ? AND book = ? AND state = 'pending')`
	sqlHoldBack = `UPDATE delivery SET due_at = NULL
		WHERE endpoint = ? AND book = ? AND state = 'pending' AND event > ?`
	sqlNextDelivery = `WITH RECURSIVE e (endpoint) AS (
			SELECT min(endpoint) FROM delivery WHERE due_at IS NOT NULL
			UNION ALL
			SELECT (SELECT min(endpoint) FROM delivery WHERE due_at IS NOT NULL AND endpoint > e.endpoint)
			FROM e WHERE e.endpoint IS NOT NULL)
		SELECT e.endpoint, (SELECT min(due_at) FROM delivery d WHERE d.endpoint = e.endpoint AND due_at IS NOT NULL)
		FROM e WHERE e.endpoint IS NOT NULL`
	sqlEventLane = `SELECT seq, book FROM event WHERE id = ?`
)

// Deliveries implements Store.
func (c *core) Deliveries(
	ctx context.Context, endpoint string, now, lease time.Time, limit int,
) ([]Delivery, error) {
	var list []Delivery
	err := c.backend.change(ctx, func(t *tx) error {
		list = nil
		var claimed []int64
		sql := sqlClaimDeliveries + t.dialect.in(sqlDueDeliveries+t.dialect.skipLocked) + ` RETURNING event`
		args := []any{micros(lease), endpoint, endpoint, micros(now), limit}
		err := t.each(sql, args, func(scan scanner) error {
			var seq int64
			err := scan(&seq)
			claimed = append(claimed, seq)
			return err
		})
		if err != nil || len(claimed) == 0 {
			return err
		}
		slices.Sort(claimed)
		for seqs := range slices.Chunk(claimed, 100) {
			args := []any{endpoint}
			for _, seq := range seqs {
				args = append(args, seq)
			}
			sql := sqlDeliveryColumns + ` WHERE d.endpoint = ? AND d.event IN (?` +
				strings.Repeat(", ?", len(seqs)-1) + `) ORDER BY d.event`
			more, err := deliveries(t.each, sql, args)
			if err != nil {
				return err
			}
			list = append(list, more...)
		}
		return nil
	})
	return list, err
}

// deliveries reads what sqlDeliveryColumns selects.
func deliveries(each func(string, []any, func(scanner) error) error, sql string, args []any) ([]Delivery, error) {
	var list []Delivery
	err := each(sql, args, func(scan scanner) error {
		var d Delivery
		var due *int64
		var at int64
		err := scan(&d.Endpoint, &d.State, &d.Tries, &due, &d.LastError,
			&d.Seq, &d.ID, &d.Book, &d.Type, &at, &d.Body)
		d.NextAt, d.At = timeOrZero(due), timeOf(at)
		list = append(list, d)
		return err
	})
	return list, err
}

// Delivered implements Store.
func (c *core) Delivered(ctx context.Context, d Delivery) error {
	return c.backend.change(ctx, func(t *tx) error {
		if err := t.lock(lane(d.Endpoint, d.Book)); err != nil {
			return err
		}
		due := orNever(d.NextAt)
		if d.State != DeliveryPending {
			due = nil
		} else if due == nil {
			due = micros(t.now)
		}
		n, err := t.exec(sqlDelivered, string(d.State), d.Tries, d.LastError, due, d.Seq, d.Endpoint)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err == nil && d.State != DeliveryPending {
			err = t.promote(d.Endpoint, d.Book, t.now)
		}
		return err
	})
}

// promote makes the first pending delivery of a book due, if it just became the first.
func (t *tx) promote(endpoint, book string, due time.Time) error {
	_, err := t.exec(sqlPromote, micros(due), endpoint, endpoint, book)
	return err
}

// NextDelivery implements Store. It reads a few entries of an index for each endpoint.
func (c *core) NextDelivery(ctx context.Context) (map[string]time.Time, error) {
	return c.earliest(ctx, sqlNextDelivery)
}

// DeadLetters implements Store.
func (c *core) DeadLetters(ctx context.Context, before int64, limit int) ([]Delivery, error) {
	const (
		dead = sqlDeliveryColumns + ` WHERE d.state = 'dead' AND d.event`
		page = dead + ` < ? ORDER BY d.event DESC, d.endpoint DESC LIMIT ?` // as the index has it
		rest = dead + ` = ? ORDER BY d.endpoint`
	)
	if before <= 0 {
		before = 1<<63 - 1
	}
	var list []Delivery
	err := c.backend.read(ctx, func(q querier) (err error) {
		each := func(sql string, args []any, row func(scanner) error) error { return q.each(ctx, sql, args, row) }
		list, err = deliveries(each, page, []any{before, limit})
		slices.SortFunc(list, func(a, b Delivery) int {
			return cmp.Or(cmp.Compare(b.Seq, a.Seq), strings.Compare(a.Endpoint, b.Endpoint))
		})
		if err != nil || len(list) < limit || limit < 1 {
			return err
		}
		last := list[len(list)-1].Seq
		of, err := deliveries(each, rest, []any{last})
		kept := slices.DeleteFunc(list, func(d Delivery) bool { return d.Seq == last })
		list = append(kept, of...)
		return err
	})
	return list, err
}

// Redeliver implements Store.
func (c *core) Redeliver(ctx context.Context, endpoint, event string, now time.Time) error {
	const again = `UPDATE delivery SET state = 'pending', tries = 0, last_error = '', due_at = NULL
		WHERE event = ? AND endpoint = ? AND state <> 'pending'`
	return c.backend.change(ctx, func(t *tx) error {
		var seq int64
		var book string
		if err := t.one(sqlEventLane, []any{event}, &seq, &book); err != nil {
			return err
		}
		if err := t.lock(lane(endpoint, book)); err != nil {
			return err
		}
		n, err := t.exec(again, seq, endpoint)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		if _, err := t.exec(sqlHoldBack, endpoint, book, seq); err != nil {
			return err
		}
		return t.promote(endpoint, book, now)
	})
}
