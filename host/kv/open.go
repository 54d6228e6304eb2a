package kv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// busyTimeout is how long a call waits for another process that writes, if its context does not end
	// before.
	busyTimeout = 5 * time.Second
	// readerPool is how many reads may run at once.
	readerPool = 4
)

// OpenSQLite opens the database at path, or makes it, with mode 0600; its folder must be there. Its errors
// name the file by its base name: the folder is not there, the file is not a SQLite database, cannot be
// written, or has the schema of a newer program.
func OpenSQLite(ctx context.Context, path string, config Config) (*SQLite, error) {
	store, err := openSQLite(ctx, path, config)
	if err != nil {
		return nil, fmt.Errorf("kv open %s: %w", filepath.Base(path), err)
	}
	return store, nil
}

func openSQLite(ctx context.Context, path string, config Config) (*SQLite, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, errors.New("the working folder is gone")
	}
	if err := findFile(path); err != nil {
		return nil, err
	}
	busy := fmt.Sprint(busyTimeout.Milliseconds())
	writer, writerErr := pool(path, 1, url.Values{
		"_busy_timeout": {busy},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
	})
	readers, readersErr := pool(path, readerPool, url.Values{
		"_busy_timeout": {busy},
		"_query_only":   {"true"},
	})
	if writerErr != nil || readersErr != nil {
		return nil, errors.New("its name cannot be written as a URI")
	}
	s := &SQLite{config: config.WithDefaults(), writer: writer, readers: readers}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(openProblem(ctx, err), s.Close())
	}
	if err := tighten(path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// start makes the first connection, on which all that can be wrong with the file shows.
func (s *SQLite) start(ctx context.Context) error {
	err := patiently(ctx, func() error { return migrate(ctx, s.writer) })
	if err != nil {
		return err
	}
	s.stmt, err = prepare(ctx, s.readers, s.writer)
	return err
}

// pool makes a pool whose connections stay, as each has its prepared statements and its cache of pages.
func pool(path string, connections int, options url.Values) (*sql.DB, error) {
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: options.Encode()}
	connector, err := sqlite.NewConnector(uri.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// patiently repeats what fails because another process has the database locked: the change to WAL does not
// wait by itself.
func patiently(ctx context.Context, do func() error) error {
	for deadline := time.Now().Add(busyTimeout); ; {
		err := do()
		if resultCode(err) != sqlite3.SQLITE_BUSY || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

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
		return errReadOnly
	}
	return nil
}

// createFile makes an empty file with mode 0600, unless another process just made one. SQLite would take the
// mode that the umask leaves.
//
// The file is made beside its place and linked to it, so that it is never opened there: to close it again
// would drop the locks that another store of this process holds on it (a rule of POSIX).
func createFile(path string) error {
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return errors.New("its folder does not exist")
	}
	file, err := os.CreateTemp(folder, ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("cannot be created: %w", bare(err))
	}
	defer func() { _ = os.Remove(file.Name()) }()
	if err := file.Close(); err != nil {
		return fmt.Errorf("cannot be created: %w", bare(err))
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
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
