package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/payhost/payhost/host"
)

// Module builds the plugin whose main package is in a folder, and packs it. What was
// compiled is kept in cache; "" for nowhere.
func Module(tb testing.TB, source, cache string) []byte {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "plugin.wasm")
	args := []string{"build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, source}
	cmd := exec.CommandContext(tb.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", source, err, text)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	h, err := host.New(host.Config{CacheDir: cache})
	if err != nil {
		tb.Fatal(err)
	}
	defer h.Close()
	packed, err := h.Pack(tb.Context(), raw)
	if err != nil {
		tb.Fatal(err)
	}
	return packed
}
