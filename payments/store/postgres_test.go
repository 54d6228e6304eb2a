package store_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/payments/store/storetest"
)

func openPostgres(t *testing.T, url string) *store.Postgres {
	t.Helper()
	s, err := store.OpenPostgres(t.Context(), url, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// rawPostgres runs SQL beside the store.
func rawPostgres(t *testing.T, url, text string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(t.Context(), text)
	return err
}

func TestPostgresRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://payhost:hunter2@localhost:x/payhost", "postgres://payhost:hunter2@127.0.0.1:1/payhost?connect_timeout=1",
	} {
		_, err := store.OpenPostgres(t.Context(), url, store.Config{})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("open: %v", err)
		}
	}
	url := pgtest.Database(t)
	if _, err := store.OpenPostgres(t.Context(), url+"&pool_max_conns=3", store.Config{}); err == nil || !strings.Contains(err.Error(), "pool_max_conns is 3") {
		t.Errorf("open with three connections: %v", err)
	}
	if s := openPostgres(t, url+"&pool_max_conns=4"); s.Exclusive() || s.Pool() == nil {
		t.Error("exclusive, or without a pool")
	}
	for _, text := range []string{
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`,
		`DELETE FROM goose_db_version WHERE version_id = 99; INSERT INTO river_migration (line, version) VALUES ('main', 999)`,
	} {
		if err := rawPostgres(t, url, text); err != nil {
			t.Fatal(err)
		}
		_, err := store.OpenPostgres(t.Context(), url, store.Config{})
		if err == nil || !strings.Contains(err.Error(), "was written by a newer program") {
			t.Errorf("newer: %v", err)
		}
	}
}

func TestPostgresAppendOnly(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := openPostgres(t, url)
	b, entries := storetest.Book("shop-1", "order-1")
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) }); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`UPDATE entry SET body = '{}'`, `DELETE FROM entry`, `TRUNCATE entry`} {
		if err := rawPostgres(t, url, text); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if list, err := s.Entries(t.Context(), b.ID); err != nil || len(list) != 3 {
		t.Errorf("entries: %v, %v", list, err)
	}
}

// TestPostgresNodes has four nodes start at once on an empty database and share the work.
func TestPostgresNodes(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	nodes := make([]*store.Postgres, 4)
	var wg sync.WaitGroup
	for i := range nodes {
		wg.Go(func() {
			var err error
			if nodes[i], err = store.OpenPostgres(t.Context(), url, store.Config{}); err != nil {
				t.Errorf("open: %v", err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	defer func() {
		for _, s := range nodes {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	}()
	heard := make(chan int, 4*len(nodes))
	for i, s := range nodes {
		<-s.Changes() // it listens
		wg.Go(func() { <-s.Changes(); heard <- i })
	}
	if err := nodes[0].Activate(t.Context(), &store.Activation{Plugin: "rahmet", Digest: "aa", At: storetest.Start()}); err != nil {
		t.Fatal(err)
	}
	wg.Wait() // all have heard

	var running, ran atomic.Int64
	for _, s := range nodes {
		_, err := s.StartJobs(t.Context(), store.Work{Do: func(context.Context, store.Job) (time.Time, error) {
			if running.Add(1) > 1 {
				t.Error("a job runs on two nodes at once")
			}
			defer running.Add(-1)
			<-time.After(20 * time.Millisecond)
			if ran.Add(1) < 20 {
				return time.Now(), nil
			}
			return time.Time{}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range nodes {
		wg.Go(func() {
			for range 10 {
				err := s.Update(t.Context(), func(tx store.Tx) error {
					return tx.Enqueue(store.Job{Kind: store.JobProbe, Key: "shop-1"})
				})
				if err != nil {
					t.Errorf("enqueue: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for end := time.Now().Add(30 * time.Second); ran.Load() < 20; <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the job ran %d times only", ran.Load())
		}
	}
}

// TestPostgresDeadlock has updates lock two books in opposite orders: PostgreSQL ends one, and it is run again.
func TestPostgresDeadlock(t *testing.T) {
	t.Parallel()
	s := openPostgres(t, pgtest.Database(t))
	var ids [2]string
	for i := range ids {
		b, entries := storetest.Book("shop-1", "order-1")
		ids[i] = b.ID
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) }); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	var both sync.WaitGroup
	both.Add(2)
	var tries atomic.Int64
	for i := range 2 {
		wg.Go(func() {
			first := true
			err := s.Update(t.Context(), func(tx store.Tx) error {
				tries.Add(1)
				if _, err := tx.Lock(ids[i]); err != nil {
					return err
				}
				if first { // both have one
					first = false
					both.Done()
					both.Wait()
				}
				b, err := tx.Lock(ids[1-i])
				if err != nil {
					return err
				}
				b.Version++
				return tx.Append(b, time.Time{}, []ledger.Entry{storetest.Note(b, "deadlock")})
			})
			if err != nil {
				t.Errorf("update: %v", err)
			}
		})
	}
	wg.Wait()
	if tries.Load() < 3 {
		t.Errorf("%d tries: nothing was tried again", tries.Load())
	}
}

// TestPostgresLockOrder has an answer written down while a book is locked for what a notification told of it, and both have
// news for the same endpoint. Neither may hold what the other still needs: nobody looks for deadlocks here.
func TestPostgresLockOrder(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	if err := rawPostgres(t, url, `DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''1h''', current_database()); END $$`); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("the given server's user may not change how long PostgreSQL waits for deadlocks: %v", err)
	}
	s := openPostgres(t, url)
	b, entries := storetest.Book("shop-1", "order-1")
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) }); err != nil {
		t.Fatal(err)
	}
	answered := *b
	answer := storetest.Answered(&answered)
	var answering sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := s.Update(ctx, func(tx store.Tx) error {
		locked, err := tx.Lock(b.ID)
		if err != nil {
			return err
		}
		answering.Go(func() {
			err := s.Update(t.Context(), func(tx store.Tx) error {
				if err := tx.Append(&answered, time.Time{}, answer); err != nil {
					return err
				}
				return tx.Emit([]store.Event{storetest.Event(b, 1, "main")})
			})
			if !errors.Is(err, store.ErrStale) {
				t.Errorf("answer: %v", err)
			}
		})
		for waiting := false; !waiting; <-time.After(10 * time.Millisecond) {
			row := s.Pool().QueryRow(ctx, `SELECT count(*) > 0 FROM pg_stat_activity
				WHERE datname = current_database() AND wait_event_type = 'Lock'`)
			if err := row.Scan(&waiting); err != nil {
				return err
			}
		}
		locked.Version++
		if err := tx.Append(locked, time.Time{}, []ledger.Entry{storetest.Note(locked, "the provider called")}); err != nil {
			return err
		}
		return tx.Emit([]store.Event{storetest.Event(b, 2, "main")})
	})
	if err != nil {
		t.Errorf("notification: %v", err)
	}
	answering.Wait()
}

// TestPostgresHangs has a server that answers nothing, as one behind a dead network: who still waits is told that the store
// is not available, and so tries again, and not that its own time is up.
func TestPostgresHangs(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := openPostgres(t, url)
	b, entries := storetest.Book("shop-1", "order-1")
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) }); err != nil {
		t.Fatal(err)
	}
	other := openPostgres(t, url)
	answer := storetest.Answered(b)
	store.WaitNoLonger(s, 200*time.Millisecond)
	err := other.Update(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Lock(b.ID); err != nil {
			return err
		}
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, answer) })
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("answer: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestPostgresComesBack stops the server and starts it again under a store that is in use.
func TestPostgresComesBack(t *testing.T) {
	t.Parallel()
	server := pgtest.NewServer(t)
	s, err := store.OpenPostgres(t.Context(), server.Database(), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ran := make(chan store.Job, 100)
	if _, err := s.StartJobs(t.Context(), store.Work{Do: func(_ context.Context, job store.Job) (time.Time, error) {
		ran <- job
		return time.Time{}, nil
	}}); err != nil {
		t.Fatal(err)
	}
	<-s.Changes()
	if err := storetest.Pay(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){server.Stop, server.Crash} {
		end()
		for range 3 {
			if err := storetest.Pay(t.Context(), s); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("without a server: %v", err)
			}
		}
		_, err := s.Book(t.Context(), ledger.NewID())
		if !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "/") {
			t.Errorf("without a server: %v", err)
		}
		server.Start()
		for deadline := time.Now().Add(30 * time.Second); s.Ping(t.Context()) != nil; <-time.After(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("does not come back")
			}
		}
		for len(ran) > 0 {
			<-ran
		}
		if err := storetest.Pay(t.Context(), s); err != nil {
			t.Errorf("with a server again: %v", err)
		}
		select {
		case <-ran:
		case <-time.After(30 * time.Second):
			t.Error("jobs do not come back")
		}
		select {
		case <-s.Changes(): // a hint for what may have been missed
		case <-time.After(30 * time.Second):
			t.Error("does not listen again")
		}
	}
}

// TestPostgresRestored has events with the transaction numbers of another cluster: they are shown, and so is what
// comes after them, also to a reader with an old cursor.
func TestPostgresRestored(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := openPostgres(t, url)
	b, entries := storetest.Book("shop-1", "order-1")
	emit := func(s store.Store, from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Emit([]store.Event{storetest.Event(b, i)}) })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Append(b, time.Time{}, entries) }); err != nil {
		t.Fatal(err)
	}
	emit(s, 0, 4)
	if err := rawPostgres(t, url, `UPDATE event SET tx = (10000000000 + seq)::text::xid8`); err != nil {
		t.Fatal(err)
	}
	restored := openPostgres(t, url)
	emit(restored, 4, 6)
	for after, want := range map[string]int{"": 6, "10000000002_2": 4} {
		var list []store.Event
		for deadline := time.Now().Add(30 * time.Second); len(list) < want; <-time.After(10 * time.Millisecond) {
			var err error
			if list, _, err = restored.Events(t.Context(), after, 100); err != nil || time.Now().After(deadline) {
				t.Fatalf("behind %q: %d events, %v", after, len(list), err)
			}
		}
		if len(list) != want || list[want-1].ID != storetest.Event(b, 5).ID {
			t.Errorf("behind %q: %d events, the last %s", after, len(list), list[len(list)-1].ID)
		}
	}
}
