package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
)

// emit stores events of a book, one update for each.
func emit(t *testing.T, s store.Store, b *ledger.Book, from, to int, endpoints ...string) []store.Event {
	t.Helper()
	var list []store.Event
	for i := from; i < to; i++ {
		events := []store.Event{Event(b, i, endpoints...)}
		update(t, s, func(tx store.Tx) error { return tx.Emit(events) })
		list = append(list, events[0])
	}
	return list
}

func testEvents(t *testing.T, s store.Store) {
	list, cursor, err := s.Events(t.Context(), "", 10)
	if err != nil || len(list) != 0 || cursor != "" {
		t.Errorf("empty store: %v, %q, %v", list, cursor, err)
	}
	b := stored(t, s, "order-1")
	want := emit(t, s, b, 0, 25)
	var got []store.Event
	eventually(t, "all events are shown", func() bool { // transactions of other tests may hold them up
		page, next, err := s.Events(t.Context(), cursor, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 && next != cursor {
			t.Errorf("the cursor of an empty page is %q, want %q", next, cursor)
		}
		got, cursor = append(got, page...), next
		return len(got) >= len(want)
	})
	for i := range want {
		want[i].Endpoints = nil
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events: %s", d)
	}
	for _, bad := range []string{"x", "-1", "1_x", "_1", "+1"} {
		_, _, err := s.Events(t.Context(), bad, 10)
		wantError(t, bad, err, store.ErrCursor)
	}
}

// testEventsUnderWay reads while eight write. Every event must be seen once, and those of a book in their order.
func testEventsUnderWay(t *testing.T, s store.Store) {
	const writers, rounds = 8, 40
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			b, entries := Book("shop-1", "order")
			if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) }); err != nil {
				t.Errorf("append: %v", err)
				return
			}
			for i := range rounds {
				err := s.Update(t.Context(), func(tx store.Tx) error {
					if _, err := tx.Lock(b.ID); err != nil {
						return err
					}
					// Two, so that a transaction is open between two sequence numbers.
					if err := tx.Emit([]store.Event{Event(b, 2*i)}); err != nil {
						return err
					}
					return tx.Emit([]store.Event{Event(b, 2*i+1)})
				})
				if err != nil {
					t.Errorf("emit: %v", err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { writing.Wait(); close(written) }()

	seen, last := make(map[string]bool), make(map[string]int64)
	read := func(cursor string) string {
		page, next, err := s.Events(t.Context(), cursor, 7)
		if err != nil {
			t.Errorf("events: %v", err)
		}
		for _, e := range page {
			if seen[e.ID] {
				t.Errorf("%s was seen twice", e.ID)
			}
			if e.Seq <= last[e.Book] {
				t.Errorf("%s came behind a later one", e.ID)
			}
			seen[e.ID], last[e.Book] = true, e.Seq
		}
		return next
	}
	cursor := ""
	for busy := true; busy; {
		select {
		case <-written:
			busy = false
		default:
		}
		cursor = read(cursor)
	}
	eventually(t, "all events are shown", func() bool {
		cursor = read(cursor)
		return len(seen) >= 2*writers*rounds
	})
	if len(seen) != 2*writers*rounds {
		t.Errorf("%d events were seen, want %d", len(seen), 2*writers*rounds)
	}
}

func claim(t *testing.T, s store.Store, endpoint string, now time.Time) []store.Delivery {
	t.Helper()
	return must[[]store.Delivery](t)(s.Deliveries(t.Context(), endpoint, now, now.Add(time.Minute), 100))
}

func delivered(t *testing.T, s store.Store, d store.Delivery, state store.DeliveryState, next time.Time) {
	t.Helper()
	d.State, d.Tries, d.NextAt = state, d.Tries+1, next
	if state != store.DeliveryDone {
		d.LastError = "status 500"
	}
	if err := s.Delivered(t.Context(), d); err != nil {
		t.Fatalf("delivered: %v", err)
	}
}

// eventIDs returns the ids of deliveries, sorted.
func eventIDs(list []store.Delivery) string {
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = d.ID
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func testDeliveries(t *testing.T, s store.Store) {
	now := Start()
	b, c := stored(t, s, "order-1"), stored(t, s, "order-2")
	events := emit(t, s, b, 0, 3, "main", "audit")
	others := emit(t, s, c, 0, 1, "main")

	next := must[map[string]time.Time](t)(s.NextDelivery(t.Context()))
	if want := map[string]time.Time{"main": now, "audit": now}; !maps.EqualFunc(next, want, time.Time.Equal) {
		t.Errorf("next delivery: %v, want %v", next, want)
	}
	if early := claim(t, s, "main", now.Add(-time.Second)); len(early) != 0 {
		t.Errorf("claimed before they are due: %v", early)
	}
	first := claim(t, s, "main", now)
	if got, want := eventIDs(first), eventIDs([]store.Delivery{{Event: events[0]}, {Event: others[0]}}); got != want {
		t.Fatalf("first claim: %s, want %s", got, want)
	}
	want := store.Delivery{Event: events[0], Endpoint: "main", State: store.DeliveryPending, NextAt: now.Add(time.Minute)}
	want.Endpoints = nil
	if d := cmp.Diff(want, first[0]); d != "" {
		t.Errorf("delivery: %s", d)
	}
	if again := claim(t, s, "main", now); len(again) != 0 {
		t.Errorf("claimed twice: %s", eventIDs(again))
	}
	if audit := claim(t, s, "audit", now); eventIDs(audit) != events[0].ID {
		t.Errorf("other endpoint: %s", eventIDs(audit))
	}
	wantError(t, "no such delivery", s.Delivered(t.Context(), store.Delivery{Endpoint: "nobody"}), store.ErrNotFound)
}

func testDeliveryOrder(t *testing.T, s store.Store) {
	now := Start()
	b := stored(t, s, "order-1")
	events := emit(t, s, b, 0, 4, "main")
	take := func(what string, at time.Time, want ...int) []store.Delivery {
		t.Helper()
		var names []string
		for _, i := range want {
			names = append(names, events[i].ID)
		}
		list := claim(t, s, "main", at)
		if eventIDs(list) != strings.Join(names, " ") {
			t.Fatalf("%s: got %q, want %v", what, eventIDs(list), names)
		}
		return list
	}
	first := take("first", now, 0)
	delivered(t, s, first[0], store.DeliveryPending, now.Add(time.Hour))
	take("nothing overtakes a retry", now.Add(30*time.Minute))
	if next := must[map[string]time.Time](t)(s.NextDelivery(t.Context())); !next["main"].Equal(now.Add(time.Hour)) {
		t.Errorf("next delivery: %v", next)
	}
	first = take("retry", now.Add(time.Hour), 0)
	if first[0].Tries != 1 || first[0].LastError != "status 500" {
		t.Errorf("retry: %+v", first[0])
	}
	delivered(t, s, first[0], store.DeliveryDone, time.Time{})
	late := time.Now().Add(time.Hour) // the next was made due by the store's clock
	second := take("second", late, 1)
	delivered(t, s, second[0], store.DeliveryDead, time.Time{})
	third := take("a dead one holds nobody up", late, 2)

	// The dead one again, while the third is under way.
	if err := s.Redeliver(t.Context(), "main", events[1].ID, late); err != nil {
		t.Fatal(err)
	}
	second = take("again", late, 1)
	if second[0].Tries != 0 || second[0].LastError != "" {
		t.Errorf("again: %+v", second[0])
	}
	delivered(t, s, third[0], store.DeliveryPending, late)
	take("the third waits for the second now", late)
	delivered(t, s, second[0], store.DeliveryDone, time.Time{})
	third = take("third", late, 2)
	delivered(t, s, third[0], store.DeliveryDone, time.Time{})
	fourth := take("fourth", late, 3)
	delivered(t, s, fourth[0], store.DeliveryDone, time.Time{})
	if next := must[map[string]time.Time](t)(s.NextDelivery(t.Context())); len(next) != 0 {
		t.Errorf("next delivery at the end: %v", next)
	}
	if err := s.Redeliver(t.Context(), "main", events[0].ID, late); err != nil {
		t.Errorf("deliver again what was delivered: %v", err)
	}
	wantError(t, "no such event", s.Redeliver(t.Context(), "main", "evt_x", late), store.ErrNotFound)
	wantError(t, "no such endpoint", s.Redeliver(t.Context(), "x", events[0].ID, late), store.ErrNotFound)
}

// testDeliveryRace emits while others deliver: nothing may be left behind, and nothing overtake.
func testDeliveryRace(t *testing.T, s store.Store) {
	const books, rounds = 4, 25
	var emitting sync.WaitGroup
	for range books {
		b := stored(t, s, "order")
		emitting.Go(func() {
			for i := range rounds {
				err := s.Update(t.Context(), func(tx store.Tx) error {
					if _, err := tx.Lock(b.ID); err != nil {
						return err
					}
					return tx.Emit([]store.Event{Event(b, i, "main")})
				})
				if err != nil {
					t.Errorf("emit: %v", err)
				}
			}
		})
	}
	var mu sync.Mutex
	last, total := make(map[string]int64), 0
	work := func() int {
		now := time.Now().Add(time.Hour)
		list, err := s.Deliveries(t.Context(), "main", now, now.Add(time.Hour), 3)
		if err != nil {
			t.Errorf("deliveries: %v", err)
		}
		for _, d := range list {
			mu.Lock()
			if d.Seq <= last[d.Book] {
				t.Errorf("%s comes behind a later one, or twice", d.ID)
			}
			last[d.Book] = d.Seq
			total++
			mu.Unlock()
			d.State = store.DeliveryDone
			if err := s.Delivered(t.Context(), d); err != nil {
				t.Errorf("delivered: %v", err)
			}
		}
		return len(list)
	}
	race(4, func(int) {
		eventually(t, "all are delivered", func() bool {
			work()
			mu.Lock()
			defer mu.Unlock()
			return total >= books*rounds
		})
	})
	emitting.Wait()
	if total != books*rounds {
		t.Errorf("%d deliveries, want %d", total, books*rounds)
	}
}

func testDeadLetters(t *testing.T, s store.Store) {
	var want []string
	for i := range 6 {
		b := stored(t, s, fmt.Sprintf("order-%d", i))
		emit(t, s, b, 0, 1, "a", "b")
		for _, endpoint := range []string{"a", "b"} {
			for _, d := range claim(t, s, endpoint, Start()) {
				state := store.DeliveryDead
				if i == 3 {
					state = store.DeliveryDone
				}
				delivered(t, s, d, state, time.Time{})
			}
			if i != 3 {
				want = append([]string{Event(b, 0).ID}, want...)
			}
		}
	}
	for _, limit := range []int{1, 2, 3, 100} {
		var got []string
		for before := int64(0); ; {
			page := must[[]store.Delivery](t)(s.DeadLetters(t.Context(), before, limit))
			for _, d := range page {
				got = append(got, d.ID)
				before = d.Seq
			}
			if len(page) < limit || limit == 100 {
				break
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("dead letters, %d a page: %s", limit, d)
		}
	}
}
