package kv

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// OpenPostgres opens a store in the database of a pool, and makes its tables there, all named kv_…, in the
// first schema of the search path. Any number of nodes may do so at once. The pool must outlive the store,
// which does not close it. The errors say that the tables may not be made, that they are those of a newer
// program, or are ErrUnavailable.
func OpenPostgres(ctx context.Context, pool *pgxpool.Pool, config Config) (*Postgres, error) {
	s := &Postgres{config: config.WithDefaults(), pool: pool}
	if err := s.start(ctx); err != nil {
		return nil, fmt.Errorf("kv open postgres: %w", pgOpenProblem(ctx, err))
	}
	return s, nil
}

func (s *Postgres) start(ctx context.Context) error {
	if err := inTx(ctx, s.pool, func(tx pgx.Tx) error { return pgMigrate(ctx, tx) }); err != nil {
		return err
	}
	return s.sweepAll(ctx)
}

// sweepAll removes what has expired in every space. Writes sweep only their own, so that no two of them wait
// for each other: what a space that is no longer written to has left, goes when a node starts.
func (s *Postgres) sweepAll(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, pgStale, s.now())
	if err != nil {
		return err
	}
	spaces, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return err
	}
	for _, space := range spaces {
		err := s.change(ctx, string(space), "", func(w *pgWrite) error {
			if err := w.sweep(); err != nil {
				return err
			}
			var batch pgx.Batch
			w.queueUsed(&batch)
			return w.tx.SendBatch(ctx, &batch).Close()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pgMigrate brings the database to schemaVersion of this store. Another node may be doing the same: one of
// them waits at the lock and finds the work done.
func pgMigrate(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, pgMigrateLock); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, pgSchemaTable); err != nil {
		return err
	}
	var version int
	if err := tx.QueryRow(ctx, pgSchemaVersion).Scan(&version); err != nil {
		return err
	}
	steps := pgSchemaSteps()
	if version > len(steps) {
		return fmt.Errorf("%w: it has version %d, this program knows %d", errNewerSchema, version, len(steps))
	}
	for _, step := range steps[version:] {
		version++
		if _, err := tx.Exec(ctx, step); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, pgSchemaStep, version); err != nil {
			return err
		}
	}
	return nil
}
