//go:build unix

package store

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestUnlockWithACopy gives a lock back of which somebody has a copy, as a child process
// has that is being started: it is free all the same.
func TestUnlockWithACopy(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	file, err := lockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	if _, err := lockFile(path); err == nil {
		t.Error("it is locked twice")
	}
	if err := unlock(file); err != nil {
		t.Fatal(err)
	}
	again, err := lockFile(path)
	if err != nil {
		t.Fatalf("after it was given back: %v", err)
	}
	if err := unlock(again); err != nil {
		t.Error(err)
	}
}
