package prebuilt_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/payhost/payhost/host"
	"github.com/payhost/payhost/internal/prebuilt"
)

// TestMachineCodeIsRead has a test's own process load what the program has compiled: it
// finds the machine code, which the engine reads, and compiles nothing itself.
func TestMachineCodeIsRead(t *testing.T) {
	t.Parallel()
	maker, err := prebuilt.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	module, err := maker.Plugin(t.Context(), "../../plugins/rahmet/wasm")
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.New(host.Config{
		CacheDir: maker.Cache(), Compiler: func(context.Context, []byte) error {
			t.Error("the machine code is not in the cache, or can't be read")
			return errors.New("nobody compiles here")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := h.Load(t.Context(), "rahmet", host.Source{Bytes: module}); err != nil {
		t.Error(err)
	}
}

// TestMadeOnce gives the same bytes to who asks again, another module to who asks the
// linker for one, and none for a folder that holds no plugin.
func TestMadeOnce(t *testing.T) {
	t.Parallel()
	maker, err := prebuilt.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	source := "../../internal/soak/testdata/hostile"
	first, err := maker.Guest(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	again, err := maker.Guest(t.Context(), source)
	if err != nil || &again[0] != &first[0] {
		t.Errorf("made again: %v", err)
	}
	if other, err := maker.Guest(t.Context(), source, "-buildid=other"); err != nil || string(other) == string(first) {
		t.Errorf("another build id makes the same module, %v", err)
	}
	if packed, err := maker.Plugin(t.Context(), source); err != nil || len(packed) <= len(first) {
		t.Errorf("as a plugin it has no manifest: %d bytes, and %d as a guest, %v", len(packed), len(first), err)
	}
	if _, err := maker.Plugin(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a plugin was made of nothing")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(maker.Program()), "*.draft*")); len(left) != 0 {
		t.Errorf("drafts are left: %q", left)
	}
	if info, err := os.Stat(maker.Program()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("program: %v, %v", info, err)
	}
}
