package kv

import (
	"context"
	"errors"
	"math"

	"github.com/jackc/pgx/v5"
)

// pgWrite is one changing call on a PostgreSQL store, within its transaction, which holds the lock of the
// space: nobody else changes an entry of it.
type pgWrite struct {
	ctx   context.Context
	store *Postgres
	tx    pgx.Tx
	space []byte
	key   string
	now   int64

	used usage   // of the space, kept up to date by every method
	old  *record // what the key holds; nil if there is none or it has expired
}

// begin takes the lock, sweeps, and reads what there is, in one exchange with the database. Each statement
// sees what was committed before it ran, so the later ones see what the lock waited for.
func (w *pgWrite) begin() error {
	var batch pgx.Batch
	batch.Queue(pgBounds)
	batch.Queue(pgLock, w.space).QueryRow(func(row pgx.Row) error {
		return row.Scan(&w.used.keys, &w.used.bytes)
	})
	w.queueSweep(&batch, sweepLimit)
	batch.Queue(pgFind, w.space, []byte(w.key)).QueryRow(func(row pgx.Row) error {
		var r record
		err := row.Scan(&r.value, &r.version, &r.expires)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		w.old = &r
		return err
	})
	return w.tx.SendBatch(w.ctx, &batch).Close()
}

// queueSweep removes up to limit expired entries, and the key's own if it has expired.
func (w *pgWrite) queueSweep(batch *pgx.Batch, limit int64) {
	batch.Queue(pgSweep, w.space, w.now, limit, []byte(w.key)).QueryRow(func(row pgx.Row) error {
		var gone usage
		err := row.Scan(&gone.keys, &gone.bytes)
		w.used.keys -= gone.keys
		w.used.bytes -= gone.bytes
		return err
	})
}

// put stores next in place of what the key holds, if the quota allows, and returns its version.
func (w *pgWrite) put(next record) (int64, error) {
	more := growth(w.key, w.old, next.value)
	if err := w.makeRoom(more); err != nil {
		return 0, err
	}
	value := next.value
	if value == nil {
		value = []byte{} // the driver makes NULL of nil
	}
	var batch pgx.Batch
	batch.Queue(pgPut, w.space, []byte(w.key), value, next.expires).QueryRow(func(row pgx.Row) error {
		return row.Scan(&next.version)
	})
	w.used.keys += more.keys
	w.used.bytes += more.bytes
	w.queueUsed(&batch)
	err := w.tx.SendBatch(w.ctx, &batch).Close()
	return next.version, err
}

// remove removes the key, which must hold something.
func (w *pgWrite) remove() error {
	w.used.keys--
	w.used.bytes -= int64(len(w.key) + len(w.old.value))
	var batch pgx.Batch
	batch.Queue(pgRemove, w.space, []byte(w.key))
	w.queueUsed(&batch)
	return w.tx.SendBatch(w.ctx, &batch).Close()
}

// sweep removes every expired entry of the space.
func (w *pgWrite) sweep() error {
	var batch pgx.Batch
	w.queueSweep(&batch, math.MaxInt64)
	return w.tx.SendBatch(w.ctx, &batch).Close()
}

// queueUsed writes down what the space holds by now; nothing is left of an empty one.
func (w *pgWrite) queueUsed(batch *pgx.Batch) {
	if w.used.keys == 0 {
		batch.Queue(pgForget, w.space)
		return
	}
	batch.Queue(pgUsed, w.space, w.used.keys, w.used.bytes)
}

// makeRoom returns ErrQuota if the space cannot take more, even with its expired entries gone.
func (w *pgWrite) makeRoom(more usage) error {
	if !w.exceeds(more) {
		return nil
	}
	if err := w.sweep(); err != nil {
		return err
	}
	if w.exceeds(more) {
		return ErrQuota
	}
	return nil
}

func (w *pgWrite) exceeds(more usage) bool {
	return w.store.config.exceeds(usage{w.used.keys + more.keys, w.used.bytes + more.bytes}, more)
}
