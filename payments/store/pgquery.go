package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgQuerier is the querier of a pool or of a transaction. pgx prepares and keeps every statement by itself.
type pgQuerier struct {
	conn interface {
		Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
		Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	}
	texts *numbered
}

func (p *pgQuerier) exec(ctx context.Context, text string, args ...any) (int64, error) {
	tag, err := p.conn.Exec(ctx, p.texts.sql(text), args...)
	return tag.RowsAffected(), translate(ctx, err)
}

func (p *pgQuerier) each(ctx context.Context, text string, args []any, row func(scan scanner) error) error {
	rows, err := p.conn.Query(ctx, p.texts.sql(text), args...)
	if err != nil {
		return translate(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return translate(ctx, err)
		}
	}
	return translate(ctx, rows.Err())
}
