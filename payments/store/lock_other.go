//go:build !unix

package store

import "os"

// exclusively does nothing where there is no flock: that no second daemon has the file is then up to the operator.
func exclusively(*os.File) error { return nil }
