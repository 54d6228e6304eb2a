package scan

// ASCII reports whether s has no byte above 127.
//
//go:noescape
func ASCII(s string) bool
