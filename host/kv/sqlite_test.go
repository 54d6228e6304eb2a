package kv_test

import (
	"path/filepath"
	"testing"

	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/host/kv/kvtest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	kvtest.Run(t, func(t *testing.T, config kv.Config) kv.Store {
		return open(t, filepath.Join(t.TempDir(), "kv.db"), config)
	})
}

func open(t *testing.T, path string, config kv.Config) *kv.SQLite {
	t.Helper()
	store, err := kv.OpenSQLite(t.Context(), path, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}
