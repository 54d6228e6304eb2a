package kv_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/host/kv/kvtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	t.Parallel()
	kvtest.Run(t, func(t *testing.T, config kv.Config) kv.Store {
		store := kv.NewMemory(config)
		t.Cleanup(func() { _ = store.Close() })
		return store
	})
}
