package rewrite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
)

// FuzzPrepare wants no panic on any bytes, little work, and a module that is valid
// exactly if it was before.
func FuzzPrepare(f *testing.F) {
	for _, binary := range programs() {
		f.Add(binary)
		f.Add(binary[:len(binary)/2])
	}
	for _, binary := range recursions() {
		if len(binary) < 1000 {
			f.Add(binary)
		}
	}
	f.Add(mover(1, noise(rewrite.Piece+1)))
	for _, binary := range seeds(f) {
		f.Add(binary)
	}
	rt := wazero.NewRuntimeWithConfig(f.Context(), wazero.NewRuntimeConfigInterpreter())
	f.Fuzz(func(t *testing.T, binary []byte) {
		p, err := rewrite.Prepare(binary)
		if err != nil {
			if !errors.Is(err, rewrite.ErrFormat) || p != nil {
				t.Errorf("error %v", err)
			}
			return
		}
		if len(p.Binary) > 50*len(binary)+1000 {
			t.Errorf("%d bytes became %d", len(binary), len(p.Binary))
		}
		// The engine makes room for as many names as a section says there are, gigabytes if it lies.
		// Preparing drops the names.
		unnamed, err := rewrite.WithCustom(binary, "name", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, before := rt.CompileModule(t.Context(), unnamed)
		compiled, after := rt.CompileModule(t.Context(), p.Binary)
		if before != nil && strings.Contains(before.Error(), "custom") {
			return // the engine reads names, which are dropped
		}
		if (before == nil) != (after == nil) {
			t.Errorf("valid before: %v; prepared: %v", before, after)
		}
		if after == nil {
			_ = compiled.Close(t.Context())
		}
		if _, err := rewrite.Prepare(p.Binary); !errors.Is(err, rewrite.ErrFormat) {
			t.Errorf("a prepared module is taken again: %v", err)
		}
	})
}

// FuzzDetach wants no panic, and no byte that was not there.
func FuzzDetach(f *testing.F) {
	for _, binary := range programs() {
		f.Add(binary)
	}
	f.Add(withData(2, 0, 0x41, 8, 0x0b, "abc", 0, 0x41, 70, 0x0b, "xyz").Bytes())
	f.Fuzz(func(t *testing.T, binary []byte) {
		bare, data, err := rewrite.Detach(binary)
		if err != nil {
			if !errors.Is(err, rewrite.ErrFormat) {
				t.Errorf("error %v", err)
			}
			return
		}
		size := len(bare)
		for _, d := range data {
			size += len(d.Bytes)
		}
		if size > len(binary)+20 {
			t.Errorf("%d bytes became %d", len(binary), size)
		}
	})
}

// seeds are small modules of the core test suite.
func seeds(f *testing.F) (list [][]byte) {
	f.Helper()
	for _, dir := range suites(f) {
		files, _ := filepath.Glob(filepath.Join(dir, "*.wasm"))
		for i, file := range files {
			if text, err := os.ReadFile(file); err == nil && i%17 == 0 && len(text) < 2000 {
				list = append(list, text)
			}
		}
	}
	return list
}
