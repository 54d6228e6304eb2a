package storetest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

func testNotifications(t *testing.T, s store.Store) {
	now := Start()
	var want []store.Notification
	for i := range 6 {
		n := store.Notification{
			ID: fmt.Sprintf("ntf_%d", i), Connection: "shop-1", ReceivedAt: now, State: store.NotificationReceived,
			Raw: []byte(`{"n":1}`),
		}
		update(t, s, func(tx store.Tx) error { return tx.PutNotification(n) })
		n.State, n.TryAt, n.Tries = store.NotificationParked, now.Add(time.Duration(i)*time.Second), 1
		update(t, s, func(tx store.Tx) error { return tx.PutNotification(n) })
		n.TryAt = now.Add(time.Hour) // as it will be claimed
		want = append(want, n)
	}
	parked := func(at time.Time, limit int) []store.Notification {
		return must[[]store.Notification](t)(s.Parked(t.Context(), at, now.Add(time.Hour), limit))
	}
	got := append(parked(now.Add(3*time.Second), 2), parked(now.Add(3*time.Second), 100)...)
	if d := cmp.Diff(want[:4], got, cmpByID()); d != "" {
		t.Errorf("parked: %s", d)
	}
	found := want[5]
	found.State, found.Book, found.TryAt = store.NotificationApplied, "b", time.Time{}
	update(t, s, func(tx store.Tx) error { return tx.PutNotification(found) })
	if left := parked(now.Add(time.Minute), 100); len(left) != 1 || left[0].ID != "ntf_4" {
		t.Errorf("left: %v", left)
	}
}

func cmpByID() cmp.Option {
	return cmp.Transformer("byID", func(list []store.Notification) map[string]store.Notification {
		m := make(map[string]store.Notification)
		for _, n := range list {
			m[n.ID] = n
		}
		return m
	})
}

func testRevisions(t *testing.T, s store.Store) {
	binary := bytes.Repeat([]byte{0, 'a', 's', 'm'}, 1<<18)
	old := store.Revision{Plugin: "rahmet", Digest: "aa", Version: "1.0.0", Size: int64(len(binary)), By: "ops", At: Start()}
	young := old
	young.Digest, young.Version, young.At = "bb", "1.1.0", Start().Add(time.Hour)
	for _, r := range []store.Revision{old, young, old} {
		if err := s.PutRevision(t.Context(), r, binary); err != nil {
			t.Fatal(err)
		}
	}
	again := old
	again.By = "somebody else"
	if err := s.PutRevision(t.Context(), again, []byte("other")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]store.Revision{young, old}, must[[]store.Revision](t)(s.Revisions(t.Context(), "rahmet"))); d != "" {
		t.Errorf("revisions: %s", d)
	}
	if got := must[[]byte](t)(s.Binary(t.Context(), "aa")); !bytes.Equal(got, binary) {
		t.Errorf("the binary came back with %d bytes, want %d", len(got), len(binary))
	}
	_, err := s.Binary(t.Context(), "cc")
	wantError(t, "no such revision", err, store.ErrNotFound)
	if list := must[[]store.Revision](t)(s.Revisions(t.Context(), "nobody")); len(list) != 0 {
		t.Errorf("revisions of nobody: %v", list)
	}
}

func testActivations(t *testing.T, s store.Store) {
	var want []store.Activation
	for i, digest := range []string{"aa", "bb", "aa"} {
		at := Start().Add(time.Duration(i) * time.Hour)
		a := store.Activation{Plugin: "rahmet", Digest: digest, Canary: i, Source: "api", By: "ops", At: at}
		if i == 1 {
			a.Lost, a.Forced, a.Needed = []string{"confirm", `flow "till", валюта`}, true, "confirm (12 of kassa-1)"
		}
		if err := s.Activate(t.Context(), &a); err != nil {
			t.Fatal(err)
		}
		receive(t, "a hint", s.Changes())
		want = append([]store.Activation{a}, want...)
	}
	if want[0].Seq <= want[1].Seq || want[1].Seq <= want[2].Seq {
		t.Errorf("the seqs do not grow: %v", want)
	}
	if d := cmp.Diff(want[:2], must[[]store.Activation](t)(s.Activations(t.Context(), "rahmet", 2))); d != "" {
		t.Errorf("activations: %s", d)
	}
	other := store.Activation{Plugin: "smartpay", Digest: "cc", At: Start()}
	if err := s.Activate(t.Context(), &other); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, must[[]store.Activation](t)(s.Activations(t.Context(), "rahmet", 10))); d != "" {
		t.Errorf("activations: %s", d)
	}
}

func testPrune(t *testing.T, s store.Store) {
	old, young := Start(), Start().Add(time.Hour)
	prune := func(what store.Prunable, limit, want int) {
		t.Helper()
		if n := must[int](t)(s.Prune(t.Context(), what, old.Add(time.Minute), limit)); n != want {
			t.Errorf("%s: pruned %d, want %d", what, n, want)
		}
	}
	for i := range 5 {
		at := old
		if i == 4 {
			at = young
		}
		claim := store.Claim{Scope: store.Scope{Caller: "shop", Key: fmt.Sprint(i)}, At: at}
		state, try := store.NotificationApplied, time.Time{}
		if i == 3 {
			state, try = store.NotificationParked, at
		}
		n := store.Notification{ID: fmt.Sprintf("ntf_%d", i), ReceivedAt: at, State: state, TryAt: try}
		update(t, s, func(tx store.Tx) error {
			if err := tx.PutKey(claim); err != nil {
				return err
			}
			return tx.PutNotification(n)
		})
	}
	prune(store.PruneKeys, 3, 3)
	prune(store.PruneKeys, 3, 1)
	prune(store.PruneKeys, 3, 0)
	prune(store.PruneNotifications, 100, 3)

	update(t, s, func(tx store.Tx) error { return tx.PutRequest("op_1", []byte("x")) }) // by the store's clock
	prune(store.PruneRequests, 100, 0)
	if n := must[int](t)(s.Prune(t.Context(), store.PruneRequests, time.Now().Add(time.Hour), 100)); n != 1 {
		t.Errorf("pruned %d requests, want 1", n)
	}

	b := stored(t, s, "order-1")
	emit(t, s, b, 0, 2, "main")
	emit(t, s, b, 2, 3)
	delivered(t, s, claim(t, s, "main", old)[0], store.DeliveryDead, time.Time{})
	prune(store.PruneEvents, 100, 2) // one is dead, one goes nowhere, one is pending
	if list := must[[]store.Delivery](t)(s.DeadLetters(t.Context(), 0, 10)); len(list) != 0 {
		t.Errorf("a delivery outlived its event: %v", list)
	}
	shown := func(after string) (list []store.Event, cursor string) {
		eventually(t, "an event is shown", func() bool {
			var err error
			if list, cursor, err = s.Events(t.Context(), after, 10); err != nil {
				t.Fatal(err)
			}
			return len(list) > 0
		})
		return list, cursor
	}
	list, cursor := shown("")
	if len(list) != 1 {
		t.Errorf("events left: %v", list)
	}
	// A cursor stays good when all before it is gone.
	delivered(t, s, claim(t, s, "main", time.Now().Add(time.Hour))[0], store.DeliveryDone, time.Time{})
	prune(store.PruneEvents, 100, 1)
	emit(t, s, b, 3, 4)
	if list, _ = shown(cursor); len(list) != 1 || list[0].ID != Event(b, 3).ID {
		t.Errorf("events behind the cursor: %v", list)
	}
	if _, err := s.Prune(t.Context(), "books", young, 1); err == nil {
		t.Error("books can be pruned")
	}
}

func testStats(t *testing.T, s store.Store) {
	now := Start()
	if d := cmp.Diff(store.Stats{
		InDoubt: map[string]int{}, Overdue: map[string]int{}, Pending: map[string]int{}, Dead: map[string]int{},
	}, must[store.Stats](t)(s.Stats(t.Context(), now))); d != "" {
		t.Errorf("empty: %s", d)
	}
	for i := range 4 {
		b, _ := Book(fmt.Sprintf("shop-%d", i/3), "order")
		b.Operations[0].Outcome, b.Operations[0].DoubtSince = pay.OutcomeInDoubt, now.Add(-time.Duration(i)*time.Minute)
		b.Alerts = i % 2
		put(t, s, b, now.Add(time.Duration(i-1)*time.Minute))
	}
	b := stored(t, s, "order-1")
	emit(t, s, b, 0, 3, "main")
	delivered(t, s, claim(t, s, "main", now)[0], store.DeliveryDead, time.Time{})
	update(t, s, func(tx store.Tx) error {
		return tx.PutNotification(store.Notification{ID: "ntf_1", ReceivedAt: now, State: store.NotificationParked, TryAt: now})
	})
	want := store.Stats{
		InDoubt: map[string]int{"shop-0": 3, "shop-1": 1}, OldestDoubt: now.Add(-3 * time.Minute),
		Overdue: map[string]int{"shop-0": 2}, Alerts: 2,
		Pending: map[string]int{"main": 2}, Dead: map[string]int{"main": 1}, Parked: 1,
	}
	if d := cmp.Diff(want, must[store.Stats](t)(s.Stats(t.Context(), now))); d != "" {
		t.Errorf("stats: %s", d)
	}
}
