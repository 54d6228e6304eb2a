package kv_test

import (
	"testing"

	"github.com/payhost/payhost/host/kv"
	"github.com/payhost/payhost/host/kv/kvtest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	kvtest.Run(t, func(t *testing.T, config kv.Config) kv.Store {
		store := kv.NewMemory(config)
		t.Cleanup(func() { _ = store.Close() })
		return store
	})
}
