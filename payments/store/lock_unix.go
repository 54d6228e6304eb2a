//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// exclusively locks a file for this process alone.
func exclusively(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return errInUse
	case err != nil:
		return fmt.Errorf("cannot be locked: %w", err)
	}
	return nil
}
