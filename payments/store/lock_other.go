//go:build !unix

package store

import "os"

// unlock closes a file that was locked.
func unlock(file *os.File) error { return file.Close() }

// exclusively does nothing where there is no flock: that no second daemon has the file is then up to the operator.
func exclusively(*os.File) error { return nil }
