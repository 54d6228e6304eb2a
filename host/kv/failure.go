package kv

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

// insufficientPrivilege is the code of PostgreSQL for what a role may not do.
const insufficientPrivilege = "42501"

// pgOpenProblem is openProblem for PostgreSQL.
func pgOpenProblem(ctx context.Context, err error) error {
	var failure *pgconn.PgError
	if errors.As(err, &failure) && failure.Code == insufficientPrivilege {
		return errors.New("may not make its tables: grant CREATE on the schema")
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
	var lite *sqlite.Error
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(e.cause, &lite):
		text = strings.TrimSpace(sqlite.ErrorCodeString[lite.Code()&0xFF])
	case errors.As(e.cause, &pg):
		text += " " + pg.Code
	case errors.As(e.cause, &connect):
		text = "no connection to the database"
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
