package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/payhost/payhost/host"
)

// Module builds the plugin whose main package is in a folder, and packs it. What was
// compiled is kept in cache; "" for nowhere. Further flags for the linker, such as
// another -buildid, make another module of the same code.
func Module(tb testing.TB, source, cache string, ldflags ...string) []byte {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "plugin.wasm")
	flags := "-ldflags=" + strings.Join(append([]string{"-s", "-w"}, ldflags...), " ")
	args := []string{"build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", flags, "-o", out, source}
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
