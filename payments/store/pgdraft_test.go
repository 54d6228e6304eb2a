package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/payments/store/storetest"
)

// TestPostgresShares has many updates come at once while one transaction holds all writers up: they are committed
// together, each with what it wrote and the numbers that it was given, and those that cannot be do not harm the others.
func TestPostgresShares(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	most := 0
	s, err := store.OpenPostgres(t.Context(), pgtest.Database(t), store.Config{Committed: func(_ time.Duration, n int) {
		mu.Lock()
		defer mu.Unlock()
		most = max(most, n)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	taken := store.Claim{Scope: store.Scope{Caller: "shop", Key: "taken"}, At: storetest.Start()}
	old, entries := storetest.Book("shop-1", "order-old")
	err = s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.PutKey(taken), tx.Append(old, time.Time{}, entries))
	})
	if err != nil {
		t.Fatal(err)
	}

	const callers = 60
	books := make([]*ledger.Book, callers)
	failed := make([]error, callers)
	hold, held := make(chan struct{}), make(chan struct{})
	var wg, asked sync.WaitGroup
	asked.Add(callers)
	wg.Go(func() { // keeps both writers waiting once they have an order of it
		err := s.Update(t.Context(), func(tx store.Tx) error {
			if _, err := tx.Lock(old.ID); err != nil { // a transaction of its own
				return err
			}
			for i := range 2 {
				if _, err := tx.Order("shop-1", fmt.Sprint("held-", i)); err != nil {
					return err
				}
			}
			close(held)
			<-hold
			return nil
		})
		if err != nil {
			t.Errorf("holder: %v", err)
		}
	})
	<-held
	for i := range callers {
		wg.Go(func() {
			order := fmt.Sprint("held-", i)
			once := sync.OnceFunc(asked.Done)
			b, lines := storetest.Book("shop-1", order)
			books[i] = b
			failed[i] = s.Update(t.Context(), func(tx store.Tx) error {
				_, err := tx.Order("shop-1", order)
				once()
				if err != nil {
					return err
				}
				claim := store.Claim{Scope: store.Scope{Caller: "shop", Key: order}, Book: b.ID, At: storetest.Start()}
				if i%20 == 7 {
					claim = taken
				}
				if err := tx.PutKey(claim); err != nil {
					return err
				}
				if i%20 == 9 {
					stale := *old
					stale.Version += 5
					return tx.Append(&stale, time.Time{}, []ledger.Entry{storetest.Note(&stale, "stale")})
				}
				if err := tx.Append(b, time.Time{}, lines); err != nil {
					return err
				}
				return tx.Emit([]store.Event{storetest.Event(b, 1, "main"), storetest.Event(b, 2, "main", "audit")}[:1+i%2])
			})
		})
	}
	asked.Wait() // all are on their way
	close(hold)
	wg.Wait()
	for i, b := range books {
		checkShared(t, s, i, b, failed[i])
	}
	if most < 2 {
		t.Errorf("at most %d updates shared a commit", most)
	}
}

func checkShared(t *testing.T, s *store.Postgres, i int, b *ledger.Book, err error) {
	t.Helper()
	want := map[int]error{7: store.ErrExists, 9: store.ErrStale}[i%20]
	if !errors.Is(err, want) {
		t.Errorf("update %d: %v, want %v", i, err, want)
	}
	stored, there := s.Book(t.Context(), b.ID)
	if want != nil {
		if !errors.Is(there, store.ErrNotFound) {
			t.Errorf("update %d failed, and its book is there: %v", i, there)
		}
		return
	}
	list, entriesErr := s.Entries(t.Context(), b.ID)
	if there != nil || entriesErr != nil || len(list) != 3 {
		t.Fatalf("update %d: %v, %v, %d entries", i, there, entriesErr, len(list))
	}
	if last := list[2].Seq; stored.LastSeq != last || b.LastSeq != last || list[1].Seq >= last {
		t.Errorf("update %d: last seq is %d in the store, %d in the book, %d by the entries", i, stored.LastSeq, b.LastSeq, last)
	}
}
