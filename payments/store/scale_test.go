package store_test

import (
	"context"
	"database/sql"
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

// A store of so many books: of ten connections, one in a hundred due, one in a thousand in doubt or with an alert.
const (
	sqlMillion = `INSERT INTO book (id, connection, order_id, receipt, status, provider_ref, in_doubt, in_doubt_since, due_at, running,
			alerts, version, last_seq, created_at, updated_at, snapshot)
		SELECT CAST(100000000 + n AS TEXT), 'shop-' || (n %% 10), 'order-' || n, %[2]s,
			CASE WHEN n %% 1000 < 900 THEN 'succeeded' WHEN n %% 10 = 7 THEN 'failed' ELSE 'expired' END, 'ref-' || n,
			%[5]s, CASE WHEN n %% 1000 = 1 THEN n END, CASE WHEN n %% 100 = 1 THEN n END, %[3]s,
			CASE WHEN n %% 1000 = 2 THEN 1 ELSE 0 END, 1, n, n, n,
			'{"id":"' || (100000000 + n) || '","version":1,"connection":"shop-' || (n %% 10) || '","pad":"' || %[4]s || '"}'
		FROM %[1]s`
	sqlSeriesSQLite   = `(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d) SELECT n FROM s)`
	sqlSeriesPostgres = `generate_series(1, %d) AS n`
)

// BenchmarkScale is what each way to find books costs with ten thousand and with a million of them.
func BenchmarkScale(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("sqlite/%d", n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "bench.db")
			s, err := store.OpenSQLite(b.Context(), path, store.Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			db, err := sql.Open("sqlite", path+"?_pragma=cache_size(-1000000)&_pragma=synchronous(0)&_pragma=wal_autocheckpoint(100000)")
			if err == nil {
				_, err = db.ExecContext(b.Context(), fmt.Sprintf(sqlMillion, fmt.Sprintf(sqlSeriesSQLite, n),
					"n % 50 = 3", "n % 1000 = 3", "hex(zeroblob(500))", "n % 1000 = 1"))
			}
			if err != nil {
				b.Fatal(err)
			}
			_ = db.Close()
			benchmarkScale(b, s, n)
		})
	}
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("postgres/%d", n), func(b *testing.B) {
			url := pgtest.Database(b)
			s, err := store.OpenPostgres(b.Context(), url, store.Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			conn, err := pgx.Connect(b.Context(), url)
			for _, text := range []string{
				fmt.Sprintf(sqlMillion, fmt.Sprintf(sqlSeriesPostgres, n), "n % 50 = 3", "n % 1000 = 3", "repeat('x', 1000)",
					"n % 1000 = 1"),
				"VACUUM ANALYZE book",
			} {
				if err == nil {
					_, err = conn.Exec(b.Context(), text)
				}
			}
			if err != nil {
				b.Fatal(err)
			}
			_ = conn.Close(b.Context())
			benchmarkScale(b, s, n)
		})
	}
}

func benchmarkScale(b *testing.B, s store.Store, n int) {
	b.Helper()
	yes, no := true, false
	middle := fmt.Sprint(100_000_000 + n/2)
	for _, q := range []struct {
		name string
		store.Query
	}{
		{"all", store.Query{}},
		{"receipts", store.Query{Receipts: true}},
		{"order", store.Query{OrderID: fmt.Sprint("order-", n/2)}},
		{"order of connection", store.Query{OrderID: fmt.Sprint("order-", n/2), Connection: fmt.Sprint("shop-", n/2%10)}},
		{"connection", store.Query{Connection: "shop-4"}},
		{"status", store.Query{Status: pay.PaymentSucceeded}},
		{"rare status of connection", store.Query{Connection: "shop-1", Status: pay.PaymentExpired}},
		{"no such status", store.Query{Status: pay.PaymentAuthorized}},
		{"in doubt", store.Query{InDoubt: &yes}},
		{"not in doubt", store.Query{InDoubt: &no}},
		{"alerts of connection", store.Query{Alerts: true, Connection: "shop-2"}},
		{"running", store.Query{Running: true}},
		{"by doubt", store.Query{DoubtOrder: true}},
	} {
		b.Run(q.name, func(b *testing.B) {
			q.Limit = 20
			if !q.DoubtOrder && q.OrderID == "" {
				q.Before = middle
			}
			for b.Loop() {
				if _, err := s.Books(b.Context(), q.Query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	others := map[string]func(ctx context.Context) error{
		"next due": func(ctx context.Context) error { _, err := s.NextDue(ctx); return err },
		"due": func(ctx context.Context) error {
			_, err := s.Due(ctx, "shop-1", time.UnixMicro(int64(n)), time.UnixMicro(int64(n/2)), 20)
			return err
		},
		"by reference": func(ctx context.Context) error {
			_, err := s.BookByRef(ctx, fmt.Sprint("shop-", n/2%10), fmt.Sprint("ref-", n/2))
			return err
		},
		"unfinished": func(ctx context.Context) error {
			return s.Unfinished(ctx, "shop-1", func(*ledger.Book) {})
		},
		"stats": func(ctx context.Context) error { _, err := s.Stats(ctx, time.UnixMicro(0)); return err },
	}
	for name, do := range others {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := do(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
