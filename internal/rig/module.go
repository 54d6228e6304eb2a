package rig

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/payhost/payhost/internal/prebuilt"
)

// packed holds the modules that were built in this process, by source and flags.
var packed struct {
	sync.Mutex
	modules map[string][]byte
}

// Module builds the plugin whose main package is in a folder, and packs it. Its machine
// code is put into cache, beside which the program that compiles it stays; "" for
// nowhere. Further flags for the linker, such as another -buildid, make another module of
// the same code.
func Module(tb testing.TB, source, cache string, ldflags ...string) []byte {
	tb.Helper()
	packed.Lock()
	defer packed.Unlock()
	id := strings.Join(append([]string{source}, ldflags...), "\n")
	module := packed.modules[id]
	if module != nil && cache == "" {
		return module
	}
	dir := tb.TempDir()
	if cache != "" {
		dir = filepath.Dir(cache)
	}
	builder, err := prebuilt.New(tb.Context(), dir)
	if err == nil && module == nil {
		module, err = builder.Plugin(tb.Context(), source, ldflags...)
	}
	if err == nil && cache != "" {
		err = builder.Compile(tb.Context(), module, cache)
	}
	if err != nil {
		tb.Fatal(err)
	}
	if packed.modules == nil {
		packed.modules = map[string][]byte{}
	}
	packed.modules[id] = module
	return module
}
