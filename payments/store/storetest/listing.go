package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

// variety stores books of every kind and returns them, newest first.
func variety(t *testing.T, s store.Store) []*ledger.Book {
	t.Helper()
	var list []*ledger.Book
	for i := range 60 {
		b, _ := Book(fmt.Sprintf("shop-%d", i%3), fmt.Sprintf("order-%d", i%20))
		b.Operations[0].Outcome = pay.OutcomeApplied
		b.Status = []pay.PaymentStatus{pay.PaymentPending, pay.PaymentSucceeded, pay.PaymentFailed}[i/2%3]
		b.Receipt = i%5 == 0
		switch i % 8 {
		case 0:
			b.Operations[0].Outcome = pay.OutcomeInDoubt
			b.Operations[0].DoubtSince = Start().Add(time.Duration(i*37%60) * time.Second)
		case 1:
			b.Operations[0].Outcome = pay.OutcomeSending
		case 2:
			b.Alerts = 2
		}
		list = append(list, put(t, s, b, time.Time{}))
	}
	slices.SortFunc(list, func(a, b *ledger.Book) int { return cmpText(b.ID, a.ID) })
	return list
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func running(b *ledger.Book) bool { return b.Operations[0].Running() }

func doubtful(b *ledger.Book) bool { return b.Operations[0].Outcome == pay.OutcomeInDoubt }

func testListing(t *testing.T, s store.Store) {
	all := variety(t, s)
	yes, no := true, false
	// Every combination of filters, against the same by hand.
	filters := []struct {
		set  func(q *store.Query)
		keep func(b *ledger.Book) bool
	}{
		{func(q *store.Query) { q.Receipts = true }, func(b *ledger.Book) bool { return b.Receipt }},
		{func(q *store.Query) { q.OrderID = "order-3" }, func(b *ledger.Book) bool { return b.OrderID == "order-3" }},
		{func(q *store.Query) { q.Connection = "shop-1" }, func(b *ledger.Book) bool { return b.Connection == "shop-1" }},
		{func(q *store.Query) { q.Status = pay.PaymentFailed }, func(b *ledger.Book) bool { return b.Status == pay.PaymentFailed }},
		{func(q *store.Query) { q.InDoubt = &yes }, doubtful},
		{func(q *store.Query) { q.InDoubt = &no }, func(b *ledger.Book) bool { return !doubtful(b) }},
		{func(q *store.Query) { q.Alerts = true }, func(b *ledger.Book) bool { return b.Alerts > 0 }},
		{func(q *store.Query) { q.Running = true }, running},
	}
	for bits := range 1 << len(filters) {
		q := store.Query{Limit: 7}
		want := slices.Clone(all)
		if bits&1 == 0 {
			want = slices.DeleteFunc(want, func(b *ledger.Book) bool { return b.Receipt })
		}
		if bits>>4&3 == 3 {
			continue // in doubt and not in doubt
		}
		for i, f := range filters {
			if bits>>i&1 == 1 {
				f.set(&q)
				want = slices.DeleteFunc(want, func(b *ledger.Book) bool { return !f.keep(b) })
			}
		}
		got := pages(t, s, q, func(b *ledger.Book) string { return b.ID })
		if d := cmp.Diff(ids(want), ids(got)); d != "" {
			t.Errorf("%+v: %s", q, d)
		}
	}
}

func testDoubtOrder(t *testing.T, s store.Store) {
	var want []*ledger.Book
	for _, b := range variety(t, s) {
		if len(b.Doubts(true)) > 0 { // receipts too, which hold up no payment
			want = append(want, b)
		}
	}
	slices.SortStableFunc(want, func(a, b *ledger.Book) int {
		return a.Doubts(true)[0].Since.Compare(b.Doubts(true)[0].Since)
	})
	got := pages(t, s, store.Query{DoubtOrder: true, Limit: 2}, store.CursorOf)
	if d := cmp.Diff(ids(want), ids(got)); d != "" {
		t.Errorf("by doubt: %s", d)
	}
	for _, before := range []string{"x", "_", "1", "x_" + want[0].ID} {
		_, err := s.Books(t.Context(), store.Query{DoubtOrder: true, Before: before, Limit: 2})
		wantError(t, before, err, store.ErrCursor)
	}
}

// pages reads a list to its end.
func pages(t *testing.T, s store.Store, q store.Query, cursor func(b *ledger.Book) string) []*ledger.Book {
	t.Helper()
	var list []*ledger.Book
	for {
		page := must[[]*ledger.Book](t)(s.Books(t.Context(), q))
		list = append(list, page...)
		if len(page) < q.Limit {
			return list
		}
		q.Before = cursor(page[len(page)-1])
	}
}

func ids(list []*ledger.Book) []string {
	names := make([]string, len(list))
	for i, b := range list {
		names[i] = b.ID
	}
	return names
}

func testByReference(t *testing.T, s store.Store) {
	var last *ledger.Book
	for range 3 {
		b, _ := Book("shop-1", "order-1")
		b.ProviderRef = "ref-1"
		last = put(t, s, b, time.Time{})
	}
	got := must[*ledger.Book](t)(s.BookByRef(t.Context(), "shop-1", "ref-1"))
	if got.ID < last.ID {
		t.Errorf("got %s, want the newest, %s", got.ID, last.ID)
	}
	for _, pair := range [][2]string{{"shop-2", "ref-1"}, {"shop-1", "ref-2"}, {"shop-1", ""}} {
		_, err := s.BookByRef(t.Context(), pair[0], pair[1])
		wantError(t, pair[0]+" "+pair[1], err, store.ErrNotFound)
	}
}

func testDue(t *testing.T, s store.Store) {
	now := Start()
	if next := must[map[string]time.Time](t)(s.NextDue(t.Context())); len(next) != 0 {
		t.Errorf("next due in an empty store: %v", next)
	}
	var books []*ledger.Book
	for i := range 10 {
		b, _ := Book("shop-1", "order")
		books = append(books, put(t, s, b, now.Add(time.Duration(i)*time.Second)))
	}
	other, _ := Book("shop-2", "order")
	put(t, s, other, now.Add(time.Hour))
	never, _ := Book("shop-3", "order")
	put(t, s, never, time.Time{})

	next := must[map[string]time.Time](t)(s.NextDue(t.Context()))
	want := map[string]time.Time{"shop-1": now, "shop-2": now.Add(time.Hour)}
	if !maps.EqualFunc(next, want, time.Time.Equal) {
		t.Errorf("next due: %v, want %v", next, want)
	}
	at, lease := now.Add(5*time.Second), now.Add(time.Minute)
	first := must[[]*ledger.Book](t)(s.Due(t.Context(), "shop-1", at, lease, 4))
	if d := cmp.Diff(ids(books[:4]), ids(first)); d != "" {
		t.Errorf("first four: %s", d)
	}
	rest := must[[]*ledger.Book](t)(s.Due(t.Context(), "shop-1", at, lease, 100))
	if d := cmp.Diff(ids(books[4:6]), ids(rest)); d != "" {
		t.Errorf("rest: %s", d)
	}
	if again := must[[]*ledger.Book](t)(s.Due(t.Context(), "shop-1", at, lease, 100)); len(again) != 0 {
		t.Errorf("claimed twice: %v", ids(again))
	}
	if late := must[[]*ledger.Book](t)(s.Due(t.Context(), "shop-1", lease, lease.Add(time.Hour), 100)); len(late) != 10 {
		t.Errorf("%d are due when the lease is over, want 10", len(late))
	}
	// What is written with a due time replaces the lease.
	b := must[*ledger.Book](t)(s.Book(t.Context(), books[0].ID))
	b.Version++
	update(t, s, func(tx store.Tx) error { return tx.Append(b, now.Add(time.Second), []ledger.Entry{Note(b, "due")}) })
	next = must[map[string]time.Time](t)(s.NextDue(t.Context()))
	if !next["shop-1"].Equal(now.Add(time.Second)) {
		t.Errorf("next due after a write: %v", next)
	}
}

// testUnfinished keeps every status, with and without an operation under way or in doubt, due and never due, and wants
// those visited that something is still to come of.
func testUnfinished(t *testing.T, s store.Store) {
	var want []string
	for i := range 9 * 3 * 2 {
		b, _ := Book("shop-1", fmt.Sprintf("order-%d", i))
		op, due := &b.Operations[0], Start().Add(time.Hour)
		b.Status, b.Receipt = pay.PaymentStatus(i%9), i%9 == 0
		switch i / 9 % 3 {
		case 0:
			op.Outcome = pay.OutcomeApplied
		case 1:
			op.Outcome, op.DoubtSince = pay.OutcomeInDoubt, Start()
		}
		if i >= 27 {
			due = time.Time{}
		}
		ended := b.Status.Final() && b.Status != pay.PaymentSucceeded
		if put(t, s, b, due); !due.IsZero() && (!ended || op.Outcome != pay.OutcomeApplied) {
			want = append(want, b.ID)
		}
	}
	other, _ := Book("shop-2", "order")
	put(t, s, other, Start())
	for connection, want := range map[string][]string{"shop-1": want, "shop-2": {other.ID}, "shop-3": {}} {
		var got []*ledger.Book
		if err := s.Unfinished(t.Context(), connection, func(b *ledger.Book) { got = append(got, b) }); err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		slices.SortFunc(got, func(a, b *ledger.Book) int { return cmpText(a.ID, b.ID) })
		if d := cmp.Diff(want, ids(got)); d != "" {
			t.Errorf("%s: %s", connection, d)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Unfinished(ctx, "shop-1", func(*ledger.Book) { t.Error("visited") }); err == nil {
		t.Error("no error of an ended context")
	}
}

func testDueClaims(t *testing.T, s store.Store) {
	const books = 120
	for range books {
		b, _ := Book("shop-1", "order")
		put(t, s, b, Start())
	}
	claimed := make(chan string, 2*books)
	race(8, func(int) {
		for {
			list, err := s.Due(t.Context(), "shop-1", Start(), Start().Add(time.Hour), 7)
			if err != nil {
				t.Errorf("due: %v", err)
			}
			for _, b := range list {
				claimed <- b.ID
			}
			if len(list) == 0 {
				return
			}
		}
	})
	close(claimed)
	seen := make(map[string]bool)
	for id := range claimed {
		if seen[id] {
			t.Errorf("%s was claimed twice", id)
		}
		seen[id] = true
	}
	// A claimer may find all that is left locked by others, but they have it then.
	if len(seen) != books {
		t.Errorf("%d of %d were claimed", len(seen), books)
	}
}
