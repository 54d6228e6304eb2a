package kv

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

// SQLite is a Store in one SQLite file, in WAL mode, with every write synced to the disk before it returns.
// Several processes of one machine may share the file.
type SQLite struct {
	config  Config
	writer  *sql.DB // one connection: SQLite has one writer at a time, and waiting here obeys the context
	readers *sql.DB
	stmt    statements

	mu     sync.RWMutex // held for reading by every call, so that Close waits for them
	closed bool
}

var _ Store = (*SQLite)(nil)

// Get implements Store.
func (s *SQLite) Get(ctx context.Context, space, key string) (Entry, error) {
	if err := checkKey(space, key); err != nil {
		return Entry{}, wrap("get", err)
	}
	var r record
	err := s.call(ctx, func() error {
		var err error
		r, err = scanRecord(s.stmt.get.QueryRowContext(ctx, []byte(space), []byte(key), s.now()))
		return err
	})
	if err != nil {
		return Entry{}, wrap("get", err)
	}
	return r.entry(), nil
}

// Put implements Store.
func (s *SQLite) Put(
	ctx context.Context, space, key string, value []byte, ttl time.Duration, expect int64,
) (int64, error) {
	if err := checkPut(space, key, value, ttl, expect); err != nil {
		return 0, wrap("put", err)
	}
	var version int64
	err := s.change(ctx, func(w *write) error {
		old, err := w.live(space, key)
		if err != nil {
			return err
		}
		if !met(old, expect) {
			return ErrConflict
		}
		version, err = w.put(space, key, old, record{value: value, expires: expiry(w.now, ttl)})
		return err
	})
	if err != nil {
		return 0, wrap("put", err)
	}
	return version, nil
}

// Delete implements Store.
func (s *SQLite) Delete(ctx context.Context, space, key string, expect int64) error {
	if err := checkDelete(space, key, expect); err != nil {
		return wrap("delete", err)
	}
	return wrap("delete", s.change(ctx, func(w *write) error {
		old, err := w.live(space, key)
		switch {
		case err != nil:
			return err
		case old == nil:
			return ErrNotFound
		case !met(old, expect):
			return ErrConflict
		}
		return w.remove(space, key)
	}))
}

// Incr implements Store.
func (s *SQLite) Incr(
	ctx context.Context, space, key string, delta int64, ttl time.Duration,
) (int64, error) {
	if err := checkIncr(space, key, ttl); err != nil {
		return 0, wrap("incr", err)
	}
	var sum int64
	err := s.change(ctx, func(w *write) error {
		old, err := w.live(space, key)
		if err != nil {
			return err
		}
		next := record{expires: expiry(w.now, ttl)}
		if old != nil {
			next.expires = old.expires
		}
		if next.value, sum, err = added(old, delta); err != nil {
			return err
		}
		_, err = w.put(space, key, old, next)
		return err
	})
	if err != nil {
		return 0, wrap("incr", err)
	}
	return sum, nil
}

// List implements Store.
func (s *SQLite) List(ctx context.Context, space, prefix, cursor string, limit int) (Page, error) {
	if err := checkList(space, prefix, cursor, limit); err != nil {
		return Page{}, wrap("list", err)
	}
	var page Page
	err := s.call(ctx, func() error {
		// One more than asked for tells whether there is a next page.
		rows, err := s.stmt.list.QueryContext(ctx, []byte(space),
			[]byte(prefix), []byte(behind(prefix)), []byte(cursor), s.now(), limit+1)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var item Item
			var expires int64
			if err := rows.Scan(&item.Key, &item.Size, &item.Version, &expires); err != nil {
				return err
			}
			item.ExpiresAt = timeOf(expires)
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

// Close implements Store. It folds the WAL into the file if no other process uses it.
func (s *SQLite) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	// The writer last: the last connection to close folds the WAL, and readers may not write.
	return wrap("close", translate(context.Background(), errors.Join(s.readers.Close(), s.writer.Close())))
}

func (s *SQLite) now() int64 { return micros(s.config.Now()) }

// call runs a call while the store is open, and makes its errors those of a Store.
func (s *SQLite) call(ctx context.Context, call func() error) error {
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

// change runs a call within a transaction that locks out every other writer, of other processes too, from its
// beginning: what the call reads is still so when it writes.
func (s *SQLite) change(ctx context.Context, call func(*write) error) error {
	return s.call(ctx, func() error {
		tx, err := s.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if err := call(&write{ctx: ctx, store: s, tx: tx, now: s.now()}); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// behind returns a text that sorts after every key with the prefix, and before all others that sort after it.
func behind(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xFF {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return "\xFF" // no UTF-8 has this byte
}

func scanRecord(row *sql.Row) (record, error) {
	var r record
	err := row.Scan(&r.value, &r.version, &r.expires)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return r, err
}
