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
	"strings"
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
	if err := secureFile(path); err != nil {
		return nil, err
	}
	s := &SQLite{config: config.WithDefaults()}
	if err := s.connect(ctx, path); err != nil {
		_ = s.readers.Close()
		_ = s.writer.Close()
		return nil, openProblem(ctx, err)
	}
	return s, nil
}

func (s *SQLite) connect(ctx context.Context, path string) error {
	busy := fmt.Sprint(busyTimeout.Milliseconds())
	s.writer = openDB(path, 1, url.Values{
		"_busy_timeout": {busy},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
	})
	s.readers = openDB(path, readerPool, url.Values{
		"_busy_timeout": {busy},
		"_query_only":   {"true"},
	})
	if err := patiently(ctx, func() error { return s.writer.PingContext(ctx) }); err != nil {
		return err
	}
	if err := patiently(ctx, func() error { return migrate(ctx, s.writer) }); err != nil {
		return err
	}
	var err error
	s.stmt, err = prepare(ctx, s.readers, s.writer)
	return err
}

// openDB makes a pool whose connections stay: each has prepared statements and a page cache.
func openDB(path string, connections int, options url.Values) *sql.DB {
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: options.Encode()}
	// The driver's own constructor, as sql.Open would need the name under which the driver is registered, and
	// fails only for a malformed option.
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
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

// secureFile makes sure that the file is there, writable, and for its owner alone. SQLite gives the WAL the
// same mode.
//
// It never opens the file under its name: to close it again would drop the locks that another store of this
// process holds on it (a rule of POSIX). So a new file is made beside it, and linked.
func secureFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createFile(path); err != nil {
			return err
		}
		info, err = os.Stat(path)
	}
	switch {
	case err != nil:
		return bare(err)
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case info.Mode()&0o200 == 0:
		return errReadOnly
	case info.Mode()&0o077 != 0:
		if err := os.Chmod(path, 0o600); err != nil {
			return fmt.Errorf("is open to other users, and that cannot be changed: %w", bare(err))
		}
	}
	return nil
}

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

var errReadOnly = errors.New("is read-only")

// openProblem says what an operator can do something about.
func openProblem(ctx context.Context, err error) error {
	switch resultCode(err) {
	case sqlite3.SQLITE_NOTADB:
		return errors.New("is not a SQLite database")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return errReadOnly
	case sqlite3.SQLITE_CANTOPEN:
		return errors.New("cannot be opened: are the file and its folder writable?")
	case sqlite3.SQLITE_CORRUPT:
		return errors.New("is damaged")
	}
	return translate(ctx, err)
}

// translate makes an error of the database one of a Store. What the caller may branch on stays as it is.
func translate(ctx context.Context, err error) error {
	for _, ours := range []error{
		nil, ErrNotFound, ErrConflict, ErrQuota, ErrNotCounter, ErrOverflow, errNewerSchema,
	} {
		if errors.Is(err, ours) {
			return err
		}
	}
	if ended := ctx.Err(); ended != nil {
		// What failed while the context ended failed because of it: the driver says so in several ways.
		return ended
	}
	return &databaseError{cause: err}
}

// databaseError is ErrUnavailable with what the database said, by its code: its own text may hold a path.
type databaseError struct{ cause error }

// Error implements error.
func (e *databaseError) Error() string {
	text := "database error"
	var failure *sqlite.Error
	if errors.As(e.cause, &failure) {
		text = strings.TrimSpace(sqlite.ErrorCodeString[failure.Code()&0xFF])
	}
	return ErrUnavailable.Error() + ": " + text
}

// Unwrap implements the convention of package errors.
func (e *databaseError) Unwrap() []error { return []error{ErrUnavailable, e.cause} }

// resultCode returns SQLite's primary result code; 0 if err is not of SQLite.
func resultCode(err error) int {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		return failure.Code() & 0xFF
	}
	return sqlite3.SQLITE_OK
}

// bare takes the path out of an error of package os.
func bare(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		return linkErr.Err
	}
	return err
}
