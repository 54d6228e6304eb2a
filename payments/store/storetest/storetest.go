// Package storetest is what every store must pass: the promises of store.Store,
// also when many callers come at once.
package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
)

// patience is how long anything may take that is waited for.
const patience = 30 * time.Second

// Run holds a store against its promises. open returns an empty store; the suite closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	tests := []struct {
		name string
		run  func(t *testing.T, s store.Store)
	}{
		{"append", testAppend},
		{"stale", testStale},
		{"lock race", testLockRace},
		{"stale race", testStaleRace},
		{"rollback", testRollback},
		{"failures among others", testFailuresAmongOthers},
		{"panic", testPanic},
		{"canceled", testCanceled},
		{"keys", testKeys},
		{"provider keys", testProviderKeys},
		{"orders", testOrders},
		{"requests", testRequests},
		{"listing", testListing},
		{"listing by doubt", testDoubtOrder},
		{"by reference", testByReference},
		{"due", testDue},
		{"due claims", testDueClaims},
		{"unfinished", testUnfinished},
		{"events", testEvents},
		{"events under way", testEventsUnderWay},
		{"deliveries", testDeliveries},
		{"delivery order", testDeliveryOrder},
		{"delivery race", testDeliveryRace},
		{"dead letters", testDeadLetters},
		{"notifications", testNotifications},
		{"revisions", testRevisions},
		{"activations", testActivations},
		{"prune", testPrune},
		{"stats", testStats},
		{"jobs", testJobs},
		{"job again", testJobAgain},
		{"job while it runs", testJobWhileItRuns},
		{"job moved forward", testJobMovedForward},
		{"job failures", testJobFailures},
		{"jobs stop", testJobsStop},
		{"periodic jobs", testPeriodicJobs},
		{"jobs under load", testJobsUnderLoad},
		{"close", testClose},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}()
			test.run(t, s)
		})
	}
}

// update is Update where nothing may go wrong.
func update(t *testing.T, s store.Store, do func(tx store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), do); err != nil {
		t.Fatalf("update: %v", err)
	}
}

// put stores a new book.
func put(t *testing.T, s store.Store, b *ledger.Book, due time.Time) *ledger.Book {
	t.Helper()
	entries := make([]ledger.Entry, b.Version)
	for i := range entries {
		entries[i] = Note(b, "as it was")
	}
	update(t, s, func(tx store.Tx) error { return tx.Append(b, due, entries) })
	return b
}

// stored makes and stores a new book of the connection shop-1.
func stored(t *testing.T, s store.Store, order string) *ledger.Book {
	t.Helper()
	b, entries := Book("shop-1", order)
	update(t, s, func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) })
	return b
}

// must returns a value that comes without an error.
func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantError checks what errors.Is says.
func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// race runs n goroutines at once and waits for them.
func race(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !done() {
		if ctx.Err() != nil {
			t.Fatalf("waited in vain: %s", what)
		}
		runtime.Gosched()
		pause(ctx, 5*time.Millisecond)
	}
}

// pause lets others work between two looks at a condition.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// receive waits for something from a channel.
func receive[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

// asTold compares books and entries by what they say, not by whether they were
// encoded already.
func asTold() cmp.Option { return cmpopts.IgnoreUnexported(ledger.Book{}, ledger.Entry{}) }
