package store

import (
	"context"
	"database/sql"
	"sync"
)

// statements are prepared once, when they are first used.
type statements struct {
	db    *sql.DB
	known sync.Map // SQL to *sql.Stmt
}

func (s *statements) get(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := s.known.Load(text); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := s.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if other, ok := s.known.LoadOrStore(text, stmt); ok {
		_ = stmt.Close()
		return other.(*sql.Stmt), nil
	}
	return stmt, nil
}

// sqlReader is the querier of one read.
type sqlReader struct{ statements *statements }

func (r *sqlReader) exec(context.Context, string, ...any) (int64, error) {
	panic("store: a read may not write")
}

func (r *sqlReader) later(context.Context, string, ...any) error {
	panic("store: a read may not write")
}

func (r *sqlReader) each(ctx context.Context, text string, args []any, row func(scan scanner) error) error {
	stmt, err := r.statements.get(ctx, text)
	if err != nil {
		return translate(ctx, err)
	}
	return scanAll(ctx, stmt, args, row)
}

// sqlTx is the querier of a transaction. Its statements run to their end: an interrupted one would roll the whole
// transaction back, and with it what belongs to others.
type sqlTx struct {
	tx       *sql.Tx
	prepared map[string]*sql.Stmt // by earlier transactions
	here     map[string]*sql.Stmt // bound to this one
	missing  []string             // to be prepared before the next
}

func (s *sqlTx) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := s.here[text]; ok {
		return stmt, nil
	}
	var stmt *sql.Stmt
	if prepared, ok := s.prepared[text]; ok {
		stmt = s.tx.StmtContext(ctx, prepared)
	} else {
		var err error
		if stmt, err = s.tx.PrepareContext(ctx, text); err != nil {
			return nil, err
		}
		s.missing = append(s.missing, text)
	}
	s.here[text] = stmt
	return stmt, nil
}

func (s *sqlTx) exec(ctx context.Context, text string, args ...any) (int64, error) {
	result, err := s.run(ctx, text, args)
	if err != nil {
		return 0, translate(ctx, err)
	}
	n, err := result.RowsAffected()
	return n, translate(ctx, err)
}

// insert runs an INSERT and returns the number of its last row.
func (s *sqlTx) insert(ctx context.Context, text string, args ...any) (int64, error) {
	result, err := s.run(ctx, text, args)
	if err != nil {
		return 0, translate(ctx, err)
	}
	last, err := result.LastInsertId()
	return last, translate(ctx, err)
}

func (s *sqlTx) run(ctx context.Context, text string, args []any) (sql.Result, error) {
	stmt, err := s.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (s *sqlTx) later(ctx context.Context, text string, args ...any) error {
	_, err := s.exec(ctx, text, args...)
	return err
}

func (s *sqlTx) each(ctx context.Context, text string, args []any, row func(scan scanner) error) error {
	stmt, err := s.stmt(ctx, text)
	if err != nil {
		return translate(ctx, err)
	}
	return scanAll(ctx, stmt, args, row)
}

func scanAll(ctx context.Context, stmt *sql.Stmt, args []any, row func(scan scanner) error) error {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return translate(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return translate(ctx, err)
		}
	}
	return translate(ctx, rows.Err())
}
