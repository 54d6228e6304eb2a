//go:build !unix

package wasm

// owned can't tell whose a folder is on this system.
func owned(string) error { return nil }
