//go:build !unix

package store

import "os"

// lock does nothing where there is no flock: that no second daemon has the file is then up to the operator.
func lock(*os.File) error { return nil }
