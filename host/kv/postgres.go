package kv

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Postgres is a Store in a PostgreSQL database, for any number of nodes. A write returns when PostgreSQL has
// committed it. When the database is lost, calls return ErrUnavailable; when it is back, they go on.
//
// The stores that share a database must have clocks that agree: each lets entries expire by its own.
type Postgres struct {
	config Config
	pool   *pgxpool.Pool // not its own

	mu     sync.RWMutex // held for reading by every call, so that Close waits for them
	closed bool
}

var _ Store = (*Postgres)(nil)

// Get implements Store.
func (s *Postgres) Get(ctx context.Context, space, key string) (Entry, error) {
	if err := checkKey(space, key); err != nil {
		return Entry{}, wrap("get", err)
	}
	var r record
	err := s.call(ctx, func() error {
		row := s.pool.QueryRow(ctx, pgGet, []byte(space), []byte(key), s.now())
		err := row.Scan(&r.value, &r.version, &r.expires)
		if errors.Is(err, pgx.ErrNoRows) {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return Entry{}, wrap("get", err)
	}
	return r.entry(), nil
}

// Put implements Store.
func (s *Postgres) Put(
	ctx context.Context, space, key string, value []byte, ttl time.Duration, expect int64,
) (int64, error) {
	if err := checkPut(space, key, value, ttl, expect); err != nil {
		return 0, wrap("put", err)
	}
	var version int64
	err := s.change(ctx, space, key, func(w *pgWrite) error {
		if !met(w.old, expect) {
			return ErrConflict
		}
		var err error
		version, err = w.put(record{value: value, expires: expiry(w.now, ttl)})
		return err
	})
	if err != nil {
		return 0, wrap("put", err)
	}
	return version, nil
}

// Delete implements Store.
func (s *Postgres) Delete(ctx context.Context, space, key string, expect int64) error {
	if err := checkDelete(space, key, expect); err != nil {
		return wrap("delete", err)
	}
	return wrap("delete", s.change(ctx, space, key, func(w *pgWrite) error {
		switch {
		case w.old == nil:
			return ErrNotFound
		case !met(w.old, expect):
			return ErrConflict
		}
		return w.remove()
	}))
}

// Incr implements Store.
func (s *Postgres) Incr(
	ctx context.Context, space, key string, delta int64, ttl time.Duration,
) (int64, error) {
	if err := checkIncr(space, key, ttl); err != nil {
		return 0, wrap("incr", err)
	}
	var sum int64
	err := s.change(ctx, space, key, func(w *pgWrite) error {
		next := record{expires: expiry(w.now, ttl)}
		if w.old != nil {
			next.expires = w.old.expires
		}
		var err error
		if next.value, sum, err = added(w.old, delta); err != nil {
			return err
		}
		_, err = w.put(next)
		return err
	})
	if err != nil {
		return 0, wrap("incr", err)
	}
	return sum, nil
}

// List implements Store.
func (s *Postgres) List(ctx context.Context, space, prefix, cursor string, limit int) (Page, error) {
	if err := checkList(space, prefix, cursor, limit); err != nil {
		return Page{}, wrap("list", err)
	}
	var page Page
	err := s.call(ctx, func() error {
		// One more than asked for tells whether there is a next page.
		rows, err := s.pool.Query(ctx, pgList, []byte(space),
			[]byte(prefix), []byte(behind(prefix)), []byte(cursor), s.now(), limit+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var item Item
			var key []byte
			var expires int64
			if err := rows.Scan(&key, &item.Size, &item.Version, &expires); err != nil {
				return err
			}
			item.Key, item.ExpiresAt = string(key), timeOf(expires)
			page.Items = append(page.Items, item)
		}
		return rows.Err()
	})
	if err != nil {
		return Page{}, wrap("list", err)
	}
	if len(page.Items) > limit {
		page.Items = page.Items[:limit]
		page.Next = page.Items[limit-1].Key
	}
	return page, nil
}

// Close implements Store. The pool stays open: it is its owner's.
func (s *Postgres) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *Postgres) now() int64 { return micros(s.config.Now()) }

// call runs a call while the store is open, and makes its errors those of a Store.
func (s *Postgres) call(ctx context.Context, call func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	return translate(ctx, call())
}

// change runs a call within a transaction that locks out every other writer of the space, of other nodes too,
// from its beginning: what the call is given is still so when it writes.
func (s *Postgres) change(ctx context.Context, space, key string, call func(*pgWrite) error) error {
	return s.call(ctx, func() error {
		return inTx(ctx, s.pool, func(tx pgx.Tx) error {
			w := &pgWrite{ctx: ctx, store: s, tx: tx, space: []byte(space), key: key, now: s.now()}
			if err := w.begin(); err != nil {
				return err
			}
			return call(w)
		})
	})
}

// inTx runs a call within a transaction. Statements see what was committed before each of them began: the
// store's locks rest on that, whatever the database's default is.
func inTx(ctx context.Context, pool *pgxpool.Pool, call func(pgx.Tx) error) error {
	tx, err := pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
	if err != nil {
		return err
	}
	if err := call(tx); err != nil {
		// Not the caller's context: a connection that can be given back to the pool should be.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), busyTimeout)
		defer cancel()
		_ = tx.Rollback(last)
		return err
	}
	return tx.Commit(ctx)
}
