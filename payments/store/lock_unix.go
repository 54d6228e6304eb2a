//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// unlock gives a lock back and closes its file. Closing alone would not do while a child
// process is being started, which has a copy of the file until it becomes its program.
func unlock(file *os.File) error {
	return errors.Join(syscall.Flock(int(file.Fd()), syscall.LOCK_UN), file.Close())
}

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
