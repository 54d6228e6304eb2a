package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/payments/ledger"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/sdk/pay"
)

const (
	manyBooks = 12_000
	// A store that lures a planner: nine in ten books are of one connection, the newest two thousand are receipts, the oldest
	// ten of a connection and in statuses of their own, and nothing is found by a look at the newest.
	sqlLure = `INSERT INTO book (id, connection, order_id, receipt, status, provider_ref, in_doubt, in_doubt_since, due_at, running,
			alerts, version, last_seq, created_at, updated_at, snapshot)
		SELECT '01' || (10000000 + n), CASE WHEN n <= 10 THEN 'shop-9' WHEN n %% 10 = 0 THEN 'shop-' || (n / 10 %% 9) ELSE 'shop-0' END,
			'order-' || n, %[2]s, CASE WHEN %[2]s THEN 'unspecified' WHEN n <= 10 THEN 'authorized' WHEN n %% 10 = 0 THEN 'failed'
			ELSE 'succeeded' END, 'ref',
			%[3]s, CASE WHEN n %% 40 = 2 THEN n END, CASE WHEN n %% 40 = 2 THEN n END, %[4]s,
			CASE WHEN n = 2 THEN 1 ELSE 0 END, 1, n, n, n, '{"id":"01' || (10000000 + n) || '","pad":"' || %[5]s || '"}' FROM %[1]s`
	sqlLureEvents = `INSERT INTO event (id, book, type, at, body)
		SELECT 'evt_' || n, 'book-' || n, 'payment.succeeded', n, %[2]s FROM %[1]s`
	sqlLureDeliveries = `INSERT INTO delivery (endpoint, event, book, state, tries, due_at, last_error)
		SELECT CASE WHEN n = 5 THEN 'second' ELSE 'first' END, n, 'book-' || n,
			CASE WHEN n %% 1000 = 5 THEN 'pending' WHEN n %% 1000 = 6 THEN 'dead' ELSE 'done' END, 0, CASE WHEN n %% 1000 = 5 THEN n END, ''
		FROM %[1]s`
	sqlLureKeys = `INSERT INTO idempotency_key (caller, connection, operation, key, fingerprint, book, op, at)
		SELECT 'shop', 'shop-0', 'create', 'key-' || n, %[2]s, 'book-' || n, 'op', n FROM %[1]s`
	sqlLureRequests      = `INSERT INTO request (operation, at, body) SELECT 'op_' || (10000000 + n), n, %[2]s FROM %[1]s`
	sqlLureNotifications = `INSERT INTO notification (id, connection, book, received_at, state, try_at, tries, raw)
		SELECT 'ntf_' || n, 'shop-0', '', n, CASE WHEN n %% 1000 = 5 THEN 'parked' ELSE 'applied' END,
			CASE WHEN n %% 1000 = 5 THEN n END, 0, %[2]s FROM %[1]s`
)

// lure writes the statements that fill a store, in the language of its database.
func lure(postgres bool) []string {
	series, pad, bytes := fmt.Sprintf(sqlSeriesSQLite, manyBooks), "hex(zeroblob(400))", "zeroblob(20)"
	if postgres {
		series, pad, bytes = fmt.Sprintf(sqlSeriesPostgres, manyBooks), "repeat('x', 800)", `'\x00'::bytea`
	}
	receipts := fmt.Sprintf("n > %d", manyBooks-2000)
	list := []string{fmt.Sprintf(sqlLure, series, receipts, "n % 40 = 2", "n % 1000 = 3", pad)}
	for _, text := range []string{sqlLureEvents, sqlLureKeys, sqlLureRequests, sqlLureNotifications} {
		list = append(list, fmt.Sprintf(text, series, bytes))
	}
	return append(list, fmt.Sprintf(sqlLureDeliveries, series))
}

// asked is what may be asked of a store, and how many pages it may look at: half as many again as it does.
type asked struct {
	name string
	most int
	do   func(ctx context.Context, s store.Store) error
}

func everyQuestion() []asked {
	const straight, merged, doubtful = 70, 360, 220
	yes, no := true, false
	middle := fmt.Sprint("01", 10_000_000+manyBooks/2)
	var list []asked
	for _, q := range []struct {
		name string
		most int
		store.Query
	}{
		{"all", merged, store.Query{}},
		{"all, from the middle", straight, store.Query{Before: middle}},
		{"status", merged, store.Query{Status: pay.PaymentSucceeded}},
		{"old status", merged, store.Query{Status: pay.PaymentAuthorized}},
		{"no such status", merged, store.Query{Status: pay.PaymentExpired}},
		{"not in doubt", merged, store.Query{InDoubt: &no}},
		{"connection", straight, store.Query{Connection: "shop-0"}},
		{"connection, from the middle", straight, store.Query{Connection: "shop-0", Before: middle}},
		{"old connection", straight, store.Query{Connection: "shop-9"}},
		{"no such connection", straight, store.Query{Connection: "shop-x"}},
		{"connection and status", straight, store.Query{Connection: "shop-0", Status: pay.PaymentSucceeded}},
		{"connection and old status", straight, store.Query{Connection: "shop-9", Status: pay.PaymentAuthorized}},
		{"connection and no such status", straight, store.Query{Connection: "shop-0", Status: pay.PaymentAuthorized}},
		{"order", straight, store.Query{OrderID: "order-7"}},
		{"order of connection", straight, store.Query{OrderID: "order-17", Connection: "shop-0"}},
		{"order of another connection", straight, store.Query{OrderID: "order-17", Connection: "shop-1"}},
		{"in doubt", doubtful, store.Query{InDoubt: &yes}},
		{"in doubt on connection", doubtful, store.Query{InDoubt: &yes, Connection: "shop-0"}},
		{"in doubt on old connection", straight, store.Query{InDoubt: &yes, Connection: "shop-9"}},
		{"not in doubt on connection", straight, store.Query{InDoubt: &no, Connection: "shop-9"}},
		{"alerts", straight, store.Query{Alerts: true}},
		{"running receipts", straight, store.Query{Running: true, Receipts: true}},
		{"desk", straight, store.Query{DoubtOrder: true}},
		{"desk, from the middle", straight, store.Query{DoubtOrder: true, Before: fmt.Sprintf("%d_%s", manyBooks/2, middle)}},
	} {
		q.Limit = 20
		list = append(list, asked{q.name, q.most, func(ctx context.Context, s store.Store) error {
			_, err := s.Books(ctx, q.Query)
			return err
		}})
	}
	return append(list, otherQuestions()...)
}

func otherQuestions() []asked {
	now, lease, never := time.UnixMicro(100), time.UnixMicro(2*manyBooks), time.UnixMicro(0)
	prune := func(what store.Prunable, before time.Time) func(context.Context, store.Store) error {
		return func(ctx context.Context, s store.Store) error {
			_, err := s.Prune(ctx, what, before, 20)
			return err
		}
	}
	return []asked{
		{"by reference", 10, func(ctx context.Context, s store.Store) error {
			_, err := s.BookByRef(ctx, "shop-0", "ref")
			return err
		}},
		{"no such reference", 6, func(ctx context.Context, s store.Store) error {
			if _, err := s.BookByRef(ctx, "shop-0", "none"); !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("found: %w", err)
			}
			return nil
		}},
		{"due", 100, func(ctx context.Context, s store.Store) error {
			_, err := s.Due(ctx, "shop-0", now, lease, 20)
			return err
		}},
		{"next due", 25, func(ctx context.Context, s store.Store) error { _, err := s.NextDue(ctx); return err }},
		{"unfinished", 10, func(ctx context.Context, s store.Store) error {
			return s.Unfinished(ctx, "shop-9", func(*ledger.Book) {})
		}},
		{"events", 15, func(ctx context.Context, s store.Store) error {
			_, next, err := s.Events(ctx, "", 20)
			if err == nil {
				_, _, err = s.Events(ctx, next, 20)
			}
			return err
		}},
		{"deliveries", 180, func(ctx context.Context, s store.Store) error {
			_, err := s.Deliveries(ctx, "first", lease, lease, 5)
			return err
		}},
		{"next delivery", 20, func(ctx context.Context, s store.Store) error { _, err := s.NextDelivery(ctx); return err }},
		{"dead letters", 45, func(ctx context.Context, s store.Store) error { _, err := s.DeadLetters(ctx, 0, 5); return err }},
		{"parked", 30, func(ctx context.Context, s store.Store) error { _, err := s.Parked(ctx, now, lease, 20); return err }},
		{"stats", 500, func(ctx context.Context, s store.Store) error { _, err := s.Stats(ctx, never); return err }},
		{"prune keys", 190, prune(store.PruneKeys, now)},
		{"prune no keys", 8, prune(store.PruneKeys, never)},
		{"prune requests", 130, prune(store.PruneRequests, now)},
		{"prune notifications", 140, prune(store.PruneNotifications, now)},
		{"prune events", 270, prune(store.PruneEvents, now)},
	}
}

// TestPagesSQLite counts the pages that each question looks at: they may not grow with the store. Who drops an index, or asks
// in another way, sees it here.
func TestPagesSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "many.db")
	s := openSQLite(t, path)
	defer func() { _ = s.Close() }()
	db, err := sql.Open("sqlite", path+"?_pragma=synchronous(0)")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range lure(false) {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(text, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, a := range everyQuestion() {
		n, err := store.CountSQLite(t.Context(), s, func(s store.Store) error { return a.do(t.Context(), s) })
		if err != nil || n > a.most {
			t.Errorf("%s: %d pages, %v; want at most %d", a.name, n, err, a.most)
		}
	}
}

// TestPagesPostgres does so with PostgreSQL, before it has statistics of the tables and with them.
func TestPagesPostgres(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := openPostgres(t, url)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	tables := []string{"book", "event", "delivery", "idempotency_key", "request", "notification"}
	run := func(texts ...string) {
		t.Helper()
		for _, text := range texts {
			if _, err := conn.Exec(t.Context(), text); err != nil {
				t.Fatal(text, err)
			}
		}
	}
	for _, table := range tables {
		run("ALTER TABLE " + table + " SET (autovacuum_enabled = false)")
	}
	run(lure(true)...)
	for _, when := range []string{"without statistics", "with statistics"} {
		for _, a := range everyQuestion() {
			n, plans, err := store.CountPostgres(t.Context(), s, func(s store.Store) error { return a.do(t.Context(), s) })
			if err != nil || n > a.most {
				t.Errorf("%s, %s: %d buffers, %v; want at most %d\n%s", a.name, when, n, err, a.most, plans)
			}
		}
		run("VACUUM ANALYZE")
	}
}
