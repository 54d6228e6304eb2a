package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	errClosed = &databaseError{text: "is closed"}
	errNewer  = errors.New("was written by a newer program")
	errInUse  = errors.New("is in use by another process")
)

// databaseError is ErrUnavailable with what the database said, by its code: its own
// text may hold SQL, a path or a value.
type databaseError struct {
	text  string
	cause error // for logs; may be nil
}

// Error implements error.
func (e *databaseError) Error() string { return ErrUnavailable.Error() + ": " + e.text }

// Unwrap implements the convention of package errors.
func (e *databaseError) Unwrap() []error {
	if e.cause == nil {
		return []error{ErrUnavailable}
	}
	return []error{ErrUnavailable, e.cause}
}

// translate makes an error of a database one of a Store. What the caller may branch on stays as it is.
func translate(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	for _, ours := range []error{ErrNotFound, ErrExists, ErrStale, ErrCursor, ErrUnavailable, errNewer, errDamaged} {
		if errors.Is(err, ours) {
			return err
		}
	}
	if ended := ctx.Err(); ended != nil {
		// What failed while the context ended failed because of it: the drivers say so in several ways.
		return ended
	}
	return &databaseError{text: reasonOf(err), cause: err}
}

func reasonOf(err error) string {
	if code := resultCode(err); code != sqlite3.SQLITE_OK {
		return strings.TrimSpace(sqlite.ErrorCodeString[code])
	}
	if code := sqlState(err); code != "" {
		return "SQLSTATE " + code
	}
	return "no connection"
}

// resultCode returns SQLite's primary result code; 0 if err is not of SQLite.
func resultCode(err error) int {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		return failure.Code() & 0xFF
	}
	return sqlite3.SQLITE_OK
}

// sqlState returns the code of PostgreSQL; "" if err is not of its server.
func sqlState(err error) string {
	var failure *pgconn.PgError
	if errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

// openProblem says what an operator can do something about.
func openProblem(ctx context.Context, err error) error {
	switch resultCode(err) {
	case sqlite3.SQLITE_NOTADB:
		return errors.New("is not a SQLite database")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return errors.New("is read-only")
	case sqlite3.SQLITE_CANTOPEN:
		return errors.New("cannot be opened: are the file and its folder writable?")
	case sqlite3.SQLITE_CORRUPT:
		return errors.New("is damaged")
	}
	return translate(ctx, err)
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
