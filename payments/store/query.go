package store

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"
)

// querier runs SQL within a transaction or outside of one. The SQL is the same for
// both databases where that is natural, with a question mark for an argument.
type querier interface {
	// exec returns how many rows were changed.
	exec(ctx context.Context, sql string, args ...any) (int64, error)
	// later runs SQL of which only a failure matters, at the latest with the next statement or the commit.
	later(ctx context.Context, sql string, args ...any) error
	// each calls row for every row of the answer until it returns an error.
	each(ctx context.Context, sql string, args []any, row func(scan scanner) error) error
}

// scanner takes the columns of a row.
type scanner func(dest ...any) error

// one reads the only row of an answer, or returns ErrNotFound.
func one(ctx context.Context, q querier, sql string, args []any, dest ...any) error {
	found := false
	err := q.each(ctx, sql, args, func(scan scanner) error {
		found = true
		return scan(dest...)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return err
}

// dialect is where the databases differ.
type dialect struct {
	postgres bool
	// Ends of a SELECT that locks what it reads: on SQLite there is one writer, so it needs none.
	forUpdate, skipLocked string
}

func sqliteDialect() dialect { return dialect{} }

func postgresDialect() dialect {
	return dialect{postgres: true, forUpdate: " FOR UPDATE", skipLocked: " FOR UPDATE SKIP LOCKED"}
}

// in compares with what a SELECT finds. PostgreSQL might run the SELECT of an IN
// more than once, and so take more than its LIMIT.
func (d dialect) in(selection string) string {
	if d.postgres {
		return "= ANY(ARRAY(" + selection + "))"
	}
	return "IN (" + selection + ")"
}

// by tells SQLite, which knows nothing of how often a value is there, which index to go by.
func (d dialect) by(index string) string {
	if d.postgres {
		return ""
	}
	return " INDEXED BY " + index
}

// numbered turns question marks into $1, $2 and so on. Its results are kept.
type numbered struct{ known sync.Map }

func (n *numbered) sql(sql string) string {
	if done, ok := n.known.Load(sql); ok {
		return done.(string)
	}
	var b strings.Builder
	for i, part := range strings.Split(sql, "?") {
		if i > 0 {
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	n.known.Store(sql, b.String())
	return b.String()
}

// micros is a time as it is stored: microseconds since 1970.
func micros(t time.Time) int64 { return t.UnixMicro() }

// orNever is a time as it is stored, nil for the zero time.
func orNever(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// timeOf is the reverse of micros.
func timeOf(us int64) time.Time { return time.UnixMicro(us).UTC() }

// timeOrZero is the reverse of orNever.
func timeOrZero(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return timeOf(*us)
}
