//go:build unix

package wasm

import (
	"errors"
	"os"
	"syscall"
)

// owned reports why a folder is not one in which this user alone may write.
func owned(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return errors.New("folder can't be looked at")
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return errors.New("is not a folder")
	case ok && int(stat.Uid) != os.Geteuid():
		return errors.New("folder is another user's: what lies in it would be run")
	case info.Mode()&0o022 != 0:
		return errors.New("others may write in the folder, and what lies in it is run: make it mode 0700")
	}
	return nil
}
