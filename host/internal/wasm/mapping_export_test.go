//go:build linux && (amd64 || arm64)

package wasm

import "golang.org/x/sys/unix"

// WithoutMemfd has the system refuse files without a name until the returned function is
// called.
func WithoutMemfd() (again func()) {
	_, _ = scanning(), listing() // which are found out once, and need one
	real := memfd
	memfd = func(string, int) (int, error) { return -1, unix.EMFILE }
	return func() { memfd = real }
}
