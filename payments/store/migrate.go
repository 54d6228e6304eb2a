package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed migrations
var migrations embed.FS

func migrateSQLite(ctx context.Context, db *sql.DB, log hclog.Logger) error {
	if err := migrateOurs(ctx, goose.DialectSQLite3, db, "migrations/sqlite"); err != nil {
		return err
	}
	return migrateRiver(ctx, riversqlite.New(db), log)
}

// migratePostgres does so under a lock: several nodes may start at once.
func migratePostgres(ctx context.Context, pool *pgxpool.Pool, log hclog.Logger) (err error) {
	db := stdlib.OpenDBFromPool(pool)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120)) // every second, two minutes
	if err != nil {
		return err
	}
	if err := locker.SessionLock(ctx, conn); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, locker.SessionUnlock(context.WithoutCancel(ctx), conn)) }()
	if err := migrateOurs(ctx, goose.DialectPostgres, db, "migrations/postgres"); err != nil {
		return err
	}
	if err := migrateRiver(ctx, riverpgxv5.New(pool), log); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, sqlForgetNumbers)
	return err
}

// migrateOurs brings our tables to this program's schema.
func migrateOurs(ctx context.Context, dialect goose.Dialect, db *sql.DB, folder string) error {
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	has, knows, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if has > knows {
		return fmt.Errorf("%w: it has schema %d, this program knows %d", errNewer, has, knows)
	}
	_, err = provider.Up(ctx)
	return err
}

// migrateRiver brings River's tables to the schema of the River in this program.
func migrateRiver[T any](ctx context.Context, driver riverdriver.Driver[T], log hclog.Logger) error {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: riverLog(log)})
	if err != nil {
		return err
	}
	known := migrator.AllVersions()
	newest := known[len(known)-1].Version
	exec := driver.GetExecutor()
	there, err := exec.TableExists(ctx, &riverdriver.TableExistsParams{Table: "river_migration"})
	if err != nil {
		return err
	}
	if there {
		existing, err := exec.MigrationGetByLine(ctx, &riverdriver.MigrationGetByLineParams{Line: riverdriver.MigrationLineMain})
		if err != nil {
			return err
		}
		if n := len(existing); n > 0 && existing[n-1].Version > newest {
			return fmt.Errorf("%w: its jobs have schema %d, this program knows %d", errNewer, existing[n-1].Version, newest)
		}
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}
