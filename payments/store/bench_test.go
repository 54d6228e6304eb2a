package store_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/payments/store/storetest"
)

// BenchmarkUpdate is what a payment costs the store: 64 callers, each of which creates a payment (key, provider key,
// book, three entries, request, job) and then writes down its answer (two entries, event, delivery, request dropped).
func BenchmarkUpdate(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		var commits, updates atomic.Int64
		s, err := store.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "bench.db"), store.Config{
			Committed: func(_ time.Duration, n int) { commits.Add(1); updates.Add(int64(n)) },
		})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		benchmarkUpdate(b, s)
		b.ReportMetric(float64(updates.Load())/float64(max(1, commits.Load())), "updates/commit")
	})
	b.Run("postgres", func(b *testing.B) {
		s, err := store.OpenPostgres(b.Context(), pgtest.Database(b), store.Config{})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		benchmarkUpdate(b, s)
	})
}

func benchmarkUpdate(b *testing.B, s store.Store) {
	b.Helper()
	ctx := context.Background()
	b.SetParallelism(32) // times two processors
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := storetest.Pay(ctx, s); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "payments/s")
}
