package bench_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/payhost/payhost/host/internal/wasm"
)

// BenchmarkLoad makes the first instance of a plugin that comes with payhost: cold,
// and from the compile cache as after a restart.
func BenchmarkLoad(b *testing.B) {
	for _, name := range []string{"rahmet", "yeniltoleg", "smartpay"} {
		file := binary(b, filepath.Join("..", "plugins", name+".wasm"))
		cache := b.TempDir()
		b.Run("plugin="+name+"/from=cold", func(b *testing.B) {
			for b.Loop() {
				load(b, file, b.TempDir())
			}
			b.ReportMetric(float64(len(file))/1e6, "MB")
		})
		b.Run("plugin="+name+"/from=cache", func(b *testing.B) {
			load(b, file, cache) // fills it
			for b.Loop() {
				load(b, file, cache)
			}
		})
	}
}

func load(b *testing.B, file []byte, cache string) {
	b.Helper()
	config := engine()
	config.CacheDir = cache
	module, err := wasm.Compile(context.Background(), file, config)
	if err != nil {
		b.Fatal(err)
	}
	p, err := wasm.NewPool(module, wasm.PoolConfig{Size: 1, InitTimeout: patience})
	if err != nil {
		module.Close()
		b.Fatal(err)
	}
	defer p.Close()
	if err := p.Start(context.Background(), describe); err != nil {
		b.Fatal(err)
	}
}
