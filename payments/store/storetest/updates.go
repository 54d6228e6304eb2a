package storetest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
)

func testAppend(t *testing.T, s store.Store) {
	b, first := Book("shop-1", "order-1")
	update(t, s, func(tx store.Tx) error { return tx.Append(b, time.Time{}, first) })
	if first[0].Seq == 0 || b.LastSeq != first[2].Seq {
		t.Errorf("seqs are %d, %d, %d, the last by the book %d", first[0].Seq, first[1].Seq, first[2].Seq, b.LastSeq)
	}
	var second []ledger.Entry
	update(t, s, func(tx store.Tx) error {
		locked, err := tx.Lock(b.ID)
		if err != nil {
			return err
		}
		if d := cmp.Diff(b, locked, asTold()); d != "" {
			t.Errorf("locked: %s", d)
		}
		second = Answered(locked)
		for range 20 { // more than one statement takes
			second = append(second, Note(locked, "one more"))
			locked.Version++
		}
		b = locked
		return tx.Append(locked, time.Time{}, second)
	})
	if d := cmp.Diff(b, must[*ledger.Book](t)(s.Book(t.Context(), b.ID)), asTold()); d != "" {
		t.Errorf("book: %s", d)
	}
	entries := must[[]ledger.Entry](t)(s.Entries(t.Context(), b.ID))
	if d := cmp.Diff(append(first, second...), entries, asTold()); d != "" {
		t.Errorf("entries: %s", d)
	}
	for i := 1; i < len(entries); i++ {
		if entries[i].Seq <= entries[i-1].Seq {
			t.Errorf("seq %d comes behind %d", entries[i].Seq, entries[i-1].Seq)
		}
	}
	// Without an entry only the due time changes.
	update(t, s, func(tx store.Tx) error { return tx.Append(b, Start(), nil) })
	if d := cmp.Diff(b, must[*ledger.Book](t)(s.Book(t.Context(), b.ID)), asTold()); d != "" {
		t.Errorf("book: %s", d)
	}
	_, err := s.Book(t.Context(), ledger.NewID())
	wantError(t, "a book that is not there", err, store.ErrNotFound)
	if list := must[[]ledger.Entry](t)(s.Entries(t.Context(), ledger.NewID())); len(list) != 0 {
		t.Errorf("entries of a book that is not there: %v", list)
	}
	wantError(t, "lock a book that is not there", s.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.Lock(ledger.NewID())
		return err
	}), store.ErrNotFound)
}

func testStale(t *testing.T, s store.Store) {
	b := stored(t, s, "order-1")
	before := must[*ledger.Book](t)(s.Book(t.Context(), b.ID))
	for name, version := range map[string]int64{"behind": 3, "ahead": 5} {
		old := *before
		old.Version = version
		err := s.Update(t.Context(), func(tx store.Tx) error {
			_ = tx.Append(&old, time.Time{}, []ledger.Entry{Note(&old, name)})
			return nil // it is too late to go on all the same
		})
		wantError(t, name, err, store.ErrStale)
	}
	wantError(t, "new though it is there", s.Update(t.Context(), func(tx store.Tx) error {
		again := *before
		again.Version = 1
		return tx.Append(&again, time.Time{}, []ledger.Entry{Note(&again, "new")})
	}), store.ErrStale)
	wantError(t, "old though it is not there", s.Update(t.Context(), func(tx store.Tx) error {
		other, entries := Book("shop-1", "order-2")
		other.Version = 9
		return tx.Append(other, time.Time{}, entries)
	}), store.ErrStale)
	if d := cmp.Diff(before, must[*ledger.Book](t)(s.Book(t.Context(), b.ID)), asTold()); d != "" {
		t.Errorf("book changed: %s", d)
	}
	if n := len(must[[]ledger.Entry](t)(s.Entries(t.Context(), b.ID))); n != 3 {
		t.Errorf("there are %d entries, want 3", n)
	}
}

func testLockRace(t *testing.T, s store.Store) {
	b := stored(t, s, "order-1")
	const racers, rounds = 64, 3
	race(racers, func(int) {
		for range rounds {
			err := s.Update(t.Context(), func(tx store.Tx) error {
				locked, err := tx.Lock(b.ID)
				if err != nil {
					return err
				}
				locked.Version++
				return tx.Append(locked, time.Time{}, []ledger.Entry{Note(locked, "raced")})
			})
			if err != nil {
				t.Errorf("update: %v", err)
			}
		}
	})
	checkCount(t, s, b.ID, 3+racers*rounds)
}

func testStaleRace(t *testing.T, s store.Store) {
	b := stored(t, s, "order-1")
	var won atomic.Int64
	race(64, func(int) {
		read, err := s.Book(t.Context(), b.ID)
		if err == nil {
			err = s.Update(t.Context(), func(tx store.Tx) error {
				next := *read
				next.Version++
				return tx.Append(&next, time.Time{}, []ledger.Entry{Note(&next, "raced")})
			})
		}
		switch {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, store.ErrStale):
			t.Errorf("update: %v", err)
		}
	})
	if won.Load() == 0 {
		t.Error("nobody won")
	}
	checkCount(t, s, b.ID, int(3+won.Load()))
}

func checkCount(t *testing.T, s store.Store, book string, want int) {
	t.Helper()
	b := must[*ledger.Book](t)(s.Book(t.Context(), book))
	if n := len(must[[]ledger.Entry](t)(s.Entries(t.Context(), book))); n != want || b.Version != int64(want) {
		t.Errorf("version %d, %d entries, want %d", b.Version, n, want)
	}
}

func testRollback(t *testing.T, s store.Store) {
	own := errors.New("no, after all")
	b, entries := Book("shop-1", "order-1")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Append(b, Start(), entries); err != nil {
			return err
		}
		return errors.Join(tx.PutRequest("op_1", []byte("x")), tx.Emit([]store.Event{Event(b, 1, "main")}), own)
	})
	wantError(t, "update", err, own)
	_, err = s.Book(t.Context(), b.ID)
	wantError(t, "book", err, store.ErrNotFound)
	_, err = s.Request(t.Context(), "op_1")
	wantError(t, "request", err, store.ErrNotFound)
	if list, _, _ := s.Events(t.Context(), "", 10); len(list) != 0 {
		t.Errorf("events are there: %v", list)
	}
	plain := s.Update(t.Context(), func(store.Tx) error { return own })
	if plain != own { //nolint:errorlint // as it is
		t.Errorf("error is %v, want it as it is", plain)
	}
}

func testFailuresAmongOthers(t *testing.T, s store.Store) {
	own := errors.New("no, after all")
	ids := make([]string, 200)
	race(len(ids), func(i int) {
		b, entries := Book("shop-1", "order")
		ids[i] = b.ID
		err := s.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.Append(b, time.Time{}, entries); err != nil {
				return err
			}
			if i%3 == 0 {
				return own
			}
			return nil
		})
		if i%3 == 0 {
			wantError(t, "fails", err, own)
		} else if err != nil {
			t.Errorf("succeeds: %v", err)
		}
	})
	for i, id := range ids {
		_, err := s.Book(t.Context(), id)
		if i%3 == 0 {
			wantError(t, "book that failed", err, store.ErrNotFound)
		} else if err != nil {
			t.Errorf("book that succeeded: %v", err)
		}
	}
}

func testPanic(t *testing.T, s store.Store) {
	b, entries := Book("shop-1", "order-1")
	race(20, func(i int) {
		defer func() {
			v := recover()
			if i%2 == 0 {
				if text, _ := v.(string); v == nil || text != "" && !strings.Contains(text, "a bug") {
					t.Errorf("recovered %v", v)
				}
			} else if v != nil {
				t.Errorf("panic of another: %v", v)
			}
		}()
		err := s.Update(t.Context(), func(tx store.Tx) error {
			if i%2 == 0 {
				err := tx.PutRequest("op_1", []byte("x"))
				panic(errors.Join(errors.New("a bug"), err).Error())
			}
			return tx.PutRequest("op_2", []byte("x"))
		})
		if err != nil {
			t.Errorf("update: %v", err)
		}
	})
	_, err := s.Request(t.Context(), "op_1")
	wantError(t, "request of a panic", err, store.ErrNotFound)
	if _, err := s.Request(t.Context(), "op_2"); err != nil {
		t.Errorf("request of another: %v", err)
	}
	update(t, s, func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) })
}

func testCanceled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Update(ctx, func(store.Tx) error {
		t.Error("an update of a canceled context was run")
		return nil
	})
	wantError(t, "update", err, context.Canceled)
	_, err = s.Book(ctx, ledger.NewID())
	wantError(t, "book", err, context.Canceled)

	// While it runs: the next statement fails, and so does the update.
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	err = s.Update(ctx, func(tx store.Tx) error {
		if err := tx.PutRequest("op_1", []byte("x")); err != nil {
			return err
		}
		cancel()
		return tx.PutRequest("op_2", []byte("x"))
	})
	wantError(t, "canceled on the way", err, context.Canceled)
	_, err = s.Request(t.Context(), "op_1")
	wantError(t, "request", err, store.ErrNotFound)

	// Many that end while they wait: each is either there or was refused.
	race(64, func(i int) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*100*time.Microsecond)
		defer cancel()
		b, entries := Book("shop-1", "order-1")
		err := s.Update(ctx, func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) })
		_, there := s.Book(t.Context(), b.ID)
		if err == nil && there != nil {
			t.Errorf("committed, but %v", there)
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("update: %v", err)
		}
	})
}

func testClose(t *testing.T, s store.Store) {
	b := stored(t, s, "order-1")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	_, err := s.Book(t.Context(), b.ID)
	wantError(t, "book", err, store.ErrUnavailable)
	wantError(t, "update", s.Update(t.Context(), func(store.Tx) error { return nil }), store.ErrUnavailable)
	wantError(t, "ping", s.Ping(t.Context()), store.ErrUnavailable)
	if _, err := s.StartJobs(t.Context(), store.Work{}); err == nil {
		t.Error("jobs start in a closed store")
	}
}
