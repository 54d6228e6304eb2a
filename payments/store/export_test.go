package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"modernc.org/sqlite"
)

// LimitPages keeps the database from growing beyond so many pages.
func LimitPages(ctx context.Context, s *SQLite, pages int) error {
	_, err := s.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	return err
}

// WaitNoLonger has a store wait so long for a transaction at most. Nobody may use it meanwhile.
func WaitNoLonger(s *Postgres, d time.Duration) { s.patience = d }

// UniqueKey is what River is taken to make of a job's kind and key.
func UniqueKey(kind JobKind, key string) []byte { return uniqueKey(jobName{kind, key}) }

// CountSQLite returns how many pages of the database do looks at, those in the cache, too. Nobody else may use the store.
func CountSQLite(ctx context.Context, s *SQLite, do func(Store) error) (int, error) {
	s.readers.SetMaxOpenConns(1)
	before, err := looked(ctx, s)
	if err == nil {
		err = do(s)
	}
	after, err2 := looked(ctx, s)
	return after - before, errors.Join(err, err2)
}

// looked returns how often the connections of a store looked at a page.
func looked(ctx context.Context, s *SQLite) (sum int, err error) {
	for _, db := range []*sql.DB{s.readers, s.writer} {
		conn, err := db.Conn(ctx)
		if err != nil {
			return 0, err
		}
		err = conn.Raw(func(c any) error {
			hit, _, err := c.(sqlite.DBStatus).Status(sqlite.DBStatusCacheHit, false)
			missed, _, err2 := c.(sqlite.DBStatus).Status(sqlite.DBStatusCacheMiss, false)
			sum += hit + missed
			return errors.Join(err, err2)
		})
		if err = errors.Join(err, conn.Close()); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// CountPostgres returns how many buffers the statements of do look at, by the plans that they have in the store, and those
// plans.
func CountPostgres(ctx context.Context, s *Postgres, do func(Store) error) (int, string, error) {
	e := &explainer{Postgres: s}
	counted := *s.core
	counted.backend = e
	err := do(&Postgres{core: &counted})
	return e.buffers, strings.Join(e.plans, "\n"), err
}

// explainer is the backend of a store that counts.
type explainer struct {
	*Postgres
	buffers int
	plans   []string
}

func (e *explainer) read(ctx context.Context, do func(q querier) error) error {
	return e.change(ctx, func(t *tx) error { return do(t.q) })
}

// change runs do in a transaction that leaves nothing behind.
func (e *explainer) change(ctx context.Context, do func(t *tx) error) error {
	q, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer e.end(ctx, q)
	return do(&tx{ctx: ctx, caller: ctx, dialect: e.dialect, now: e.config.Now(), q: &explained{q, e}})
}

// explained is the querier of a transaction that has each statement explained, and runs it then.
type explained struct {
	*pgTx
	of *explainer
}

func (q *explained) exec(ctx context.Context, text string, args ...any) (int64, error) {
	if err := q.explain(ctx, text, args); err != nil {
		return 0, err
	}
	return q.pgTx.exec(ctx, text, args...)
}

func (q *explained) each(ctx context.Context, text string, args []any, row func(scan scanner) error) error {
	if err := q.explain(ctx, text, args); err != nil {
		return err
	}
	return q.pgTx.each(ctx, text, args, row)
}

func (q *explained) explain(ctx context.Context, text string, args []any) error {
	if err := q.flush(ctx); err != nil {
		return err
	}
	run := "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE counted"
	if len(args) > 0 {
		run += "(?" + strings.Repeat(", ?", len(args)-1) + ")"
	}
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	var answer string
	conn := q.pgTx.conn
	_, err := conn.Exec(ctx, "SAVEPOINT counted; PREPARE counted AS "+q.texts.sql(text))
	if err == nil {
		err = conn.QueryRow(ctx, q.texts.sql(run), append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...).Scan(&answer)
	}
	if err == nil {
		_, err = conn.Exec(ctx, "ROLLBACK TO counted; DEALLOCATE counted")
	}
	if err == nil {
		err = json.Unmarshal([]byte(answer), &plans)
	}
	if err != nil {
		return err
	}
	q.of.buffers += plans[0].Plan.Hit + plans[0].Plan.Read
	q.of.plans = append(q.of.plans, text, answer)
	return nil
}
