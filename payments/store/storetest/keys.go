package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
)

func testKeys(t *testing.T, s store.Store) {
	claim := store.Claim{
		Scope:       store.Scope{Caller: "shop", Connection: "shop-1", Operation: "create", Key: "k"},
		Fingerprint: []byte{0, 1, 2}, Book: "b", Op: "op_b_1", At: Start(),
	}
	update(t, s, func(tx store.Tx) error {
		if _, err := tx.Key(claim.Scope); !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("key: %w", err)
		}
		return tx.PutKey(claim)
	})
	if d := cmp.Diff(claim, must[store.Claim](t)(s.Key(t.Context(), claim.Scope))); d != "" {
		t.Errorf("key: %s", d)
	}
	update(t, s, func(tx store.Tx) error {
		got, err := tx.Key(claim.Scope)
		if d := cmp.Diff(claim, got); d != "" {
			t.Errorf("key in an update: %s", d)
		}
		wantError(t, "key that is taken", tx.PutKey(claim), store.ErrExists)
		return err // the update goes on
	})
	for i, change := range []func(s *store.Scope){
		func(s *store.Scope) { s.Caller += "2" },
		func(s *store.Scope) { s.Connection += "2" },
		func(s *store.Scope) { s.Operation += " pay_1" },
		func(s *store.Scope) { s.Key += "2" },
	} {
		other := claim
		change(&other.Scope)
		_, err := s.Key(t.Context(), other.Scope)
		wantError(t, "other scope", err, store.ErrNotFound)
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.PutKey(other) }); err != nil {
			t.Errorf("other scope %d: %v", i, err)
		}
	}
	var won atomic.Int64
	race(16, func(int) {
		c := claim
		c.Key = "raced"
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.PutKey(c) })
		if err == nil {
			won.Add(1)
		} else {
			wantError(t, "raced", err, store.ErrExists)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d got the key", won.Load())
	}
}

func testProviderKeys(t *testing.T, s store.Store) {
	b := stored(t, s, "order-1")
	op := b.Operations[0]
	claim := func(connection, key, operation string) error {
		return s.Update(t.Context(), func(tx store.Tx) error { return tx.ClaimProviderKey(connection, key, operation) })
	}
	for range 2 { // the same operation may claim its key again
		if err := claim("shop-1", op.ProviderKey, op.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, "key of another", claim("shop-1", op.ProviderKey, "op_other_1"), store.ErrExists)
	if err := claim("shop-2", op.ProviderKey, "op_other_1"); err != nil {
		t.Errorf("on another connection: %v", err)
	}
	if d := cmp.Diff(b, must[*ledger.Book](t)(s.BookByKey(t.Context(), "shop-1", op.ProviderKey)), asTold()); d != "" {
		t.Errorf("book: %s", d)
	}
	for _, connection := range []string{"shop-2", "shop-3"} {
		_, err := s.BookByKey(t.Context(), connection, op.ProviderKey)
		wantError(t, connection, err, store.ErrNotFound)
	}
	var won atomic.Int64
	race(16, func(i int) {
		if err := claim("shop-1", "raced", fmt.Sprintf("op_%d", i)); err == nil {
			won.Add(1)
		} else {
			wantError(t, "raced", err, store.ErrExists)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d got the key", won.Load())
	}
}

func testOrders(t *testing.T, s store.Store) {
	create := func(connection, order string) error {
		return s.Update(t.Context(), func(tx store.Tx) error {
			there, err := tx.Order(connection, order)
			if err != nil {
				return err
			}
			if len(there) > 0 {
				return store.ErrExists
			}
			b, entries := Book(connection, order)
			return tx.Append(b, time.Time{}, entries)
		})
	}
	var won atomic.Int64
	race(64, func(i int) {
		connection := fmt.Sprintf("shop-%d", i%2)
		if err := create(connection, "order-1"); err == nil {
			won.Add(1)
		} else {
			wantError(t, "order that is there", err, store.ErrExists)
		}
	})
	if won.Load() != 2 {
		t.Errorf("%d payments of the order on two connections", won.Load())
	}
	second := stored(t, s, "order-1")
	update(t, s, func(tx store.Tx) error {
		there, err := tx.Order("shop-1", "order-1")
		if len(there) != 2 || there[0].ID >= there[1].ID || there[1].ID != second.ID {
			t.Errorf("books of the order: %v", there)
		}
		return err
	})
}

func testRequests(t *testing.T, s store.Store) {
	read := func() ([]byte, error) { return s.Request(t.Context(), "op_1") }
	_, err := read()
	wantError(t, "before", err, store.ErrNotFound)
	for _, body := range []string{"first", "second", ""} {
		update(t, s, func(tx store.Tx) error { return tx.PutRequest("op_1", []byte(body)) })
		if got := must[[]byte](t)(read()); !bytes.Equal(got, []byte(body)) {
			t.Errorf("request is %q, want %q", got, body)
		}
	}
	for range 2 {
		update(t, s, func(tx store.Tx) error { return tx.DropRequest("op_1") })
	}
	_, err = read()
	wantError(t, "after", err, store.ErrNotFound)
}
