package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// findFile makes sure that there is a file that can be written.
func findFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createFile(path)
	}
	switch {
	case err != nil:
		return bare(err)
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case info.Mode()&0o200 == 0:
		return errors.New("is read-only")
	}
	return nil
}

// createFile makes an empty file with mode 0600: SQLite would take the mode that the umask leaves. The lock is held,
// so nobody else makes it now.
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return fmt.Errorf("cannot be created: %w", bare(err))
	}
	return nil
}

// tighten keeps other users from a database that was made with a wider mode. Files that SQLite makes later
// take the mode of the database.
func tighten(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && info.Mode()&0o077 != 0 {
			err = os.Chmod(path+suffix, 0o600)
		}
		if err != nil {
			return fmt.Errorf("is open to other users, and that cannot be changed: %w", bare(err))
		}
	}
	return nil
}

// lockFile opens the file beside a database and locks it until [unlock], or until the
// process ends, however it ends.
func lockFile(path string) (*os.File, error) {
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, errors.New("its folder does not exist")
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot be locked: %w", bare(err))
	}
	if err := exclusively(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
