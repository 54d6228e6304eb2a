package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pgReader is the querier of reads. pgx prepares and keeps every statement by itself.
type pgReader struct {
	pool  *pgxpool.Pool
	texts *numbered
}

func (p *pgReader) exec(context.Context, string, ...any) (int64, error) {
	panic("store: a read may not write")
}

func (p *pgReader) later(context.Context, string, ...any) error {
	panic("store: a read may not write")
}

func (p *pgReader) each(ctx context.Context, text string, args []any, row func(scan scanner) error) error {
	rows, err := p.pool.Query(ctx, p.texts.sql(text), args...)
	if err != nil {
		return translate(ctx, err)
	}
	return scanRows(ctx, rows, row)
}

func scanRows(ctx context.Context, rows pgx.Rows, row func(scan scanner) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return translate(ctx, err)
		}
	}
	rows.Close()
	return translate(ctx, rows.Err())
}

// pgTx is the querier of a transaction. What nobody waits for is sent along with the next statement that somebody
// does: BEGIN, locks, writes without an answer. Each journey to the database and back costs as much as the work there.
type pgTx struct {
	pgx.Tx // nil: River needs no more than the methods below
	conn   *pgxpool.Conn
	texts  *numbered
	queue  []statement
	sent   bool // something has been sent, so the transaction may be open
}

type statement struct {
	text string
	args []any
}

const sqlBegin = `BEGIN ISOLATION LEVEL READ COMMITTED`

func beginPg(conn *pgxpool.Conn, texts *numbered) *pgTx {
	return &pgTx{conn: conn, texts: texts, queue: []statement{{text: sqlBegin}}}
}

func (p *pgTx) later(_ context.Context, text string, args ...any) error {
	p.queue = append(p.queue, statement{text: p.texts.sql(text), args: args})
	return nil
}

func (p *pgTx) exec(ctx context.Context, text string, args ...any) (int64, error) {
	if len(p.queue) == 0 {
		tag, err := p.conn.Exec(ctx, p.texts.sql(text), args...)
		return tag.RowsAffected(), translate(ctx, err)
	}
	results, err := p.send(ctx, p.texts.sql(text), args)
	if err != nil {
		return 0, translate(ctx, err)
	}
	tag, err := results.Exec()
	return tag.RowsAffected(), translate(ctx, orElse(results.Close(), err))
}

func (p *pgTx) each(ctx context.Context, text string, args []any, row func(scan scanner) error) error {
	if len(p.queue) == 0 {
		rows, err := p.conn.Query(ctx, p.texts.sql(text), args...)
		if err != nil {
			return translate(ctx, err)
		}
		return scanRows(ctx, rows, row)
	}
	results, err := p.send(ctx, p.texts.sql(text), args)
	if err != nil {
		return translate(ctx, err)
	}
	rows, err := results.Query()
	if err == nil {
		err = scanRows(ctx, rows, row)
	}
	return translate(ctx, orElse(results.Close(), err))
}

// send sends what is queued and a last statement, and returns the results at the last.
func (p *pgTx) send(ctx context.Context, text string, args []any) (pgx.BatchResults, error) {
	var batch pgx.Batch
	for _, s := range p.queue {
		batch.Queue(s.text, s.args...)
	}
	batch.Queue(text, args...)
	before := len(p.queue)
	p.queue, p.sent = nil, true
	results := p.conn.SendBatch(ctx, &batch)
	for range before {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // says the same
			return nil, err
		}
	}
	return results, nil
}

// flush sends what is queued.
func (p *pgTx) flush(ctx context.Context) error {
	if len(p.queue) == 0 {
		return nil
	}
	last := p.queue[len(p.queue)-1]
	p.queue = p.queue[:len(p.queue)-1]
	results, err := p.send(ctx, last.text, last.args)
	if err != nil {
		return err
	}
	_, err = results.Exec()
	return orElse(results.Close(), err)
}

func (p *pgTx) commit(ctx context.Context) error {
	results, err := p.send(ctx, `COMMIT`, nil)
	if err != nil {
		return err
	}
	tag, err := results.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback // PostgreSQL does so after an error
	}
	return orElse(results.Close(), err)
}

// rollback leaves a connection that the pool can use, or one that it drops.
func (p *pgTx) rollback(ctx context.Context) {
	if p.sent && !p.conn.Conn().IsClosed() && p.conn.Conn().PgConn().TxStatus() != 'I' {
		_, _ = p.conn.Exec(ctx, `ROLLBACK`)
	}
}

// Exec implements pgx.Tx for River; likewise below.
func (p *pgTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := p.flush(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return p.conn.Exec(ctx, sql, args...)
}

// Query implements pgx.Tx.
func (p *pgTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.conn.Query(ctx, sql, args...)
}

// QueryRow implements pgx.Tx.
func (p *pgTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	_ = p.flush(ctx) // an error has ended the transaction, so the row will bear one
	return p.conn.QueryRow(ctx, sql, args...)
}

// Conn implements pgx.Tx.
func (p *pgTx) Conn() *pgx.Conn { return p.conn.Conn() }

func orElse(err, better error) error {
	if better != nil {
		return better
	}
	return err
}
