package store

import (
	"context"
	"errors"
)

const (
	sqlKey = `SELECT fingerprint, book, op, at FROM idempotency_key
		WHERE caller = ? AND connection = ? AND operation = ? AND key = ?`
	sqlPutKey = `INSERT INTO idempotency_key (caller, connection, operation, key, fingerprint, book, op, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	sqlClaim = `INSERT INTO provider_key (connection, key, operation) VALUES (?, ?, ?)
		ON CONFLICT DO NOTHING`
	sqlRequest    = `SELECT body FROM request WHERE operation = ?`
	sqlPutRequest = `INSERT INTO request (operation, at, body) VALUES (?, ?, ?)
		ON CONFLICT (operation) DO UPDATE SET at = excluded.at, body = excluded.body`
	sqlDropRequest     = `DELETE FROM request WHERE operation = ?`
	sqlPutNotification = `INSERT INTO notification (id, connection, book, received_at, state, try_at, tries, raw)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET connection = excluded.connection, book = excluded.book,
			state = excluded.state, try_at = excluded.try_at, tries = excluded.tries, raw = excluded.raw`
)

// Key implements Store.
func (c *core) Key(ctx context.Context, scope Scope) (Claim, error) {
	var claim Claim
	err := c.backend.read(ctx, func(q querier) (err error) {
		claim, err = readKey(scope, func(sql string, args []any, dest ...any) error {
			return one(ctx, q, sql, args, dest...)
		})
		return err
	})
	return claim, err
}

// Request implements Store.
func (c *core) Request(ctx context.Context, operation string) ([]byte, error) {
	var body []byte
	err := c.backend.read(ctx, func(q querier) error { return one(ctx, q, sqlRequest, []any{operation}, &body) })
	return body, err
}

// Key implements Tx.
func (t *tx) Key(scope Scope) (Claim, error) { return readKey(scope, t.one) }

func readKey(scope Scope, one func(sql string, args []any, dest ...any) error) (Claim, error) {
	claim := Claim{Scope: scope}
	var at int64
	err := one(sqlKey, []any{scope.Caller, scope.Connection, scope.Operation, scope.Key},
		&claim.Fingerprint, &claim.Book, &claim.Op, &at)
	if err != nil {
		return Claim{}, err
	}
	claim.At = timeOf(at)
	return claim, nil
}

// PutKey implements Tx.
func (t *tx) PutKey(c Claim) error {
	args := []any{c.Caller, c.Connection, c.Operation, c.Key, notNil(c.Fingerprint), c.Book, c.Op, micros(c.At)}
	if t.draft != nil {
		return t.simple(bulkKey, sqlDraftKey, args...)
	}
	n, err := t.exec(sqlPutKey, args...)
	if err == nil && n == 0 {
		err = ErrExists
	}
	return err
}

// ClaimProviderKey implements Tx.
func (t *tx) ClaimProviderKey(connection, key, operation string) error {
	if t.draft != nil {
		return t.simple(bulkClaim, sqlDraftClaim, connection, key, operation)
	}
	n, err := t.exec(sqlClaim, connection, key, operation)
	if err != nil || n > 0 {
		return err
	}
	var owner string
	switch err := t.one(sqlOperationOf, []any{connection, key}, &owner); {
	case err != nil:
		return err
	case owner != operation:
		return ErrExists
	}
	return nil
}

// PutRequest implements Tx.
func (t *tx) PutRequest(operation string, body []byte) error {
	return t.simple(bulkPutRequest, sqlPutRequest, operation, micros(t.now), notNil(body))
}

// DropRequest implements Tx.
func (t *tx) DropRequest(operation string) error {
	return t.simple(bulkDropRequest, sqlDropRequest, operation)
}

// PutNotification implements Tx.
func (t *tx) PutNotification(n Notification) error {
	if n.State == NotificationParked && n.TryAt.IsZero() {
		return t.fail(errors.New("a parked notification needs a time to try again"))
	}
	return t.later(sqlPutNotification, n.ID, n.Connection, n.Book, micros(n.ReceivedAt), string(n.State),
		orNever(n.TryAt), n.Tries, notNil(n.Raw))
}

// Enqueue implements Tx.
func (t *tx) Enqueue(jobs ...Job) error {
	if err := t.ready(); err != nil {
		return err
	}
	t.jobs = append(t.jobs, jobs...)
	return nil
}

// notNil returns bytes that are not NULL to a database.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
