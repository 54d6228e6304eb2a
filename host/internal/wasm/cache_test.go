package wasm_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
)

// cached compiles the plain guest with a cache and has it answer.
func cached(t *testing.T, dir string) {
	t.Helper()
	c := config()
	c.CacheDir = dir
	m, err := wasm.Compile(t.Context(), guest{}.build(), c)
	if err != nil {
		t.Error(err)
		return
	}
	defer m.Close()
	inst, err := m.Instantiate(t.Context(), patience)
	if err != nil {
		t.Error(err)
		return
	}
	defer inst.Close()
	if _, err := inst.Call(t.Context(), nobody{}, 1, 0, time.Now().Add(patience)); err != nil {
		t.Error(err)
	}
}

// entries returns the folders of a cache.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestCacheIsLookedOver damages an entry in every way; each time the module is
// compiled anew and the entry is whole again.
func TestCacheIsLookedOver(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	cached(t, dir)
	list := entries(t, dir)
	if len(list) != 1 || !strings.Contains(list[0], "module-") {
		t.Fatalf("the cache holds %v, want one module", list)
	}
	var files []string
	_ = filepath.WalkDir(list[0], func(path string, d os.DirEntry, _ error) error {
		if !d.IsDir() {
			files = append(files, path)
		}
		return nil
	})
	if len(files) < 2 {
		t.Fatalf("the entry holds %v, want code and a sum", files)
	}
	for _, file := range files {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		flipped := append([]byte(nil), whole...)
		flipped[len(flipped)/2] ^= 0x40
		for name, damage := range map[string]func() error{
			"flipped":   func() error { return os.WriteFile(file, flipped, 0o600) },
			"cut short": func() error { return os.WriteFile(file, whole[:len(whole)/2], 0o600) },
			"empty":     func() error { return os.WriteFile(file, nil, 0o600) },
			"missing":   func() error { return os.Remove(file) },
		} {
			if err := damage(); err != nil {
				t.Fatal(err)
			}
			cached(t, dir)
			if again, err := os.ReadFile(file); err != nil || len(again) != len(whole) {
				t.Errorf("%s, %s: the entry was not made whole: %d of %d bytes, %v", filepath.Base(file), name, len(again), len(whole), err)
			}
		}
	}
	if list := entries(t, dir); len(list) != 1 {
		t.Errorf("the cache holds %v, want one module", list)
	}
}

// TestCacheOfOthersIsRefused has a folder in which everybody may write.
func TestCacheOfOthersIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // the mistake that is to be refused
		t.Fatal(err)
	}
	c := config()
	c.CacheDir = dir
	_, err := wasm.Compile(t.Context(), guest{}.build(), c)
	if err == nil || !strings.Contains(err.Error(), "others may write") {
		t.Errorf("error is %v, want one that says who may write", err)
	}
}

// TestCacheThatCannotBeWritten compiles without one.
func TestCacheThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	cached(t, dir)
	entry := entries(t, dir)[0]
	if err := os.RemoveAll(entry); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(entry, []byte("a file where the folder should be"), 0o600); err != nil {
		t.Fatal(err)
	}
	cached(t, dir)
}

// TestCacheIsShared compiles one module many times at once.
func TestCacheIsShared(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { cached(t, dir) })
	}
	wait.Wait()
	if list := entries(t, dir); len(list) != 1 {
		t.Errorf("the cache holds %v, want one module", list)
	}
}
