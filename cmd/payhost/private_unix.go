//go:build unix

package main

import "syscall"

// private keeps files that are made from now on to their owner, until the function
// that it returns is called.
func private() func() {
	before := syscall.Umask(0o077)
	return func() { syscall.Umask(before) }
}
