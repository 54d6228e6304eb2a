//go:build linux && (amd64 || arm64)

package wasm

import "golang.org/x/sys/unix"

// WithoutMemfd has the system refuse files without a name until the returned function is
// called.
func WithoutMemfd() (again func()) {
	return replaceMemfd(func(string, int) (int, error) { return -1, unix.EMFILE })
}

// replaceMemfd puts another maker of files in the system's place.
func replaceMemfd(make func(name string, flags int) (int, error)) (again func()) {
	_, _ = scanning(), listing() // which are found out once, and need a file
	real := memfd
	memfd = make
	return func() { memfd = real }
}
