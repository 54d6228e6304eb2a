package store_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/payhost/payhost/internal/pgtest"
	"github.com/payhost/payhost/payments/store"
	"github.com/payhost/payhost/payments/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return openSQLite(t, filepath.Join(t.TempDir(), "payments.db")) })
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := store.OpenPostgres(t.Context(), pgtest.Database(t), store.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func openSQLite(t *testing.T, path string) *store.SQLite {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), path, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
