package store

import (
	"context"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/payments/ledger"
)

// tx implements Tx on a querier of either database.
type tx struct {
	ctx       context.Context // what statements run with
	caller    context.Context // of whoever called Update
	q         querier
	dialect   dialect
	now       time.Time
	jobs      []Job  // to be placed before the commit
	wrote     bool   // something is to be rolled back if do fails
	activated bool   // Changes is to tell of it
	failed    error  // what makes a commit impossible, even if do goes on
	draft     *draft // of an update of PostgreSQL that needs no transaction yet
}

var _ Tx = (*tx)(nil)

// fail remembers an error after which nothing may be committed.
func (t *tx) fail(err error) error {
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

// ready refuses a statement once the transaction cannot be committed any more.
func (t *tx) ready() error {
	if t.failed != nil {
		return t.failed
	}
	return t.fail(t.caller.Err())
}

func (t *tx) exec(sql string, args ...any) (int64, error) {
	if err := t.ready(); err != nil {
		return 0, err
	}
	t.wrote = true
	n, err := t.q.exec(t.ctx, sql, args...)
	return n, t.fail(err)
}

// later is exec where the answer does not matter.
func (t *tx) later(sql string, args ...any) error {
	if err := t.ready(); err != nil {
		return err
	}
	if t.draft != nil {
		t.draft.simple(nil, sql, args...)
		return nil
	}
	t.wrote = true
	return t.fail(t.q.later(t.ctx, sql, args...))
}

// simple is later for what there is a bulk of.
func (t *tx) simple(b *bulk, sql string, args ...any) error {
	if t.draft == nil {
		return t.later(sql, args...)
	}
	if err := t.ready(); err != nil {
		return err
	}
	t.draft.simple(b, sql, args...)
	return nil
}

func (t *tx) each(sql string, args []any, row func(scan scanner) error) error {
	if err := t.ready(); err != nil {
		return err
	}
	t.wrote = t.wrote || !strings.HasPrefix(sql, "SELECT")
	return t.fail(t.q.each(t.ctx, sql, args, row))
}

// one is each for one row; to find none does not end the transaction.
func (t *tx) one(sql string, args []any, dest ...any) error {
	found := false
	err := t.each(sql, args, func(scan scanner) error {
		found = true
		return scan(dest...)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return err
}

func (t *tx) books(sql string, args ...any) ([]*ledger.Book, error) {
	if err := t.ready(); err != nil {
		return nil, err
	}
	t.wrote = t.wrote || !strings.HasPrefix(sql, "SELECT")
	list, err := books(t.ctx, t.q, sql, args...)
	return list, t.fail(err)
}

// lock keeps other transactions from the same names until this one ends. PostgreSQL only.
func (t *tx) lock(names ...string) error {
	if !t.dialect.postgres {
		return nil
	}
	keys := lockKeys(names)
	if t.draft != nil {
		t.draft.locks = append(t.draft.locks, keys...)
		return t.ready()
	}
	for _, key := range keys {
		if err := t.later(`SELECT pg_advisory_xact_lock(?)`, key); err != nil {
			return err
		}
	}
	return nil
}

// lockKeys are what PostgreSQL knows names by, each once and for everybody in the same order.
func lockKeys(names []string) []int64 {
	keys := make([]int64, len(names))
	for i, name := range names {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name))
		keys[i] = int64(h.Sum64()) //nolint:gosec // any 64 bits will do
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Lock implements Tx.
func (t *tx) Lock(book string) (*ledger.Book, error) {
	list, err := t.books(sqlBook+t.dialect.forUpdate, book)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Order implements Tx.
func (t *tx) Order(connection, order string) ([]*ledger.Book, error) {
	if order == "" {
		return nil, t.ready()
	}
	if err := t.lock("order\x00" + connection + "\x00" + order); err != nil {
		return nil, err
	}
	read := func() ([]*ledger.Book, error) { return t.books(sqlOrder, order) }
	if t.draft != nil {
		read = func() ([]*ledger.Book, error) { return t.draft.order(t, order) }
	}
	list, err := read()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(b *ledger.Book) bool { return b.Connection != connection }), nil
}
