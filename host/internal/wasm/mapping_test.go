//go:build linux && (amd64 || arm64)

package wasm_test

import (
	"testing"

	"github.com/payhost/payhost/host/internal/wasm"
)

// TestImageWithoutAFile isolates calls, byte for byte, where the system has no file for the
// image, by copying all of it.
func TestImageWithoutAFile(t *testing.T) { // alone: it takes the system's place
	pool := newPool(t, hostileBinary, 3)
	defer wasm.WithoutMemfd()()
	s := restoreAll(t, pool, 100)
	if whole := uint64(s.ImageBytes / 4096); s.DirtyPages != s.Restores*whole {
		t.Errorf("%d pages were copied in %d restores, of %d each", s.DirtyPages, s.Restores, whole)
	}
}
