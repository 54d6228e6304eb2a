package kv

import (
	"context"
	"database/sql"
	"errors"
)

// write is one changing call on a SQLite store, within its transaction.
type write struct {
	ctx   context.Context
	store *SQLite
	tx    *sql.Tx
	now   int64
}

func (w *write) exec(stmt *sql.Stmt, args ...any) error {
	_, err := w.tx.StmtContext(w.ctx, stmt).ExecContext(w.ctx, args...)
	return err
}

func (w *write) row(stmt *sql.Stmt, args ...any) *sql.Row {
	return w.tx.StmtContext(w.ctx, stmt).QueryRowContext(w.ctx, args...)
}

// live returns the record of the key if it has not expired; nil if there is none.
func (w *write) live(space, key string) (*record, error) {
	r, err := scanRecord(w.row(w.store.stmt.find, []byte(space), []byte(key), w.now))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &r, nil
}

func (w *write) remove(space, key string) error {
	return w.exec(w.store.stmt.remove, []byte(space), []byte(key))
}

// put stores next in place of old, if the quota allows, and returns its version. Where the key has an expired
// record, old is nil: the quota then counts both until a sweep, which is at hand before it refuses.
func (w *write) put(space, key string, old *record, next record) (int64, error) {
	if err := w.exec(w.store.stmt.sweep, w.now, sweepLimit); err != nil {
		return 0, err
	}
	if err := w.makeRoom(space, growth(key, old, next.value)); err != nil {
		return 0, err
	}
	if err := w.row(w.store.stmt.next).Scan(&next.version); err != nil {
		return 0, err
	}
	value := next.value
	if value == nil {
		value = []byte{} // the driver makes NULL of nil
	}
	err := w.exec(w.store.stmt.put, []byte(space), []byte(key), value, next.version, next.expires)
	return next.version, err
}

// makeRoom returns ErrQuota if the space cannot take more, even with its expired entries gone.
func (w *write) makeRoom(space string, more usage) error {
	exceeds, err := w.exceeds(space, more)
	if err != nil || !exceeds {
		return err
	}
	if err := w.exec(w.store.stmt.sweepSpace, []byte(space), w.now); err != nil {
		return err
	}
	if exceeds, err = w.exceeds(space, more); err == nil && exceeds {
		err = ErrQuota
	}
	return err
}

func (w *write) exceeds(space string, more usage) (bool, error) {
	var used usage
	err := w.row(w.store.stmt.used, []byte(space)).Scan(&used.keys, &used.bytes)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	return w.store.config.exceeds(usage{used.keys + more.keys, used.bytes + more.bytes}, more), nil
}
