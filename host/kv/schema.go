package kv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// schemaVersion is the newest schema this program knows; it is the number of steps in schemaSteps.
const schemaVersion = 1

// schemaSteps returns the statements that lead from each version to the next. A step that was released never
// changes.
//
// Spaces and keys are BLOBs, so that they are compared byte by byte. The triggers keep the sums of each
// space, so that no statement can forget them. There is one sequence of versions for all keys, so that none
// comes back when a key is deleted and written again.
func schemaSteps() []string {
	return []string{`
CREATE TABLE kv_entry (
	id      INTEGER PRIMARY KEY,
	space   BLOB    NOT NULL,
	key     BLOB    NOT NULL,
	value   BLOB    NOT NULL,
	version INTEGER NOT NULL,
	expires INTEGER NOT NULL, -- microseconds since 1970; 0 for never
	UNIQUE (space, key)
) STRICT;
CREATE INDEX kv_entry_expires ON kv_entry (expires) WHERE expires > 0;

CREATE TABLE kv_space (
	space BLOB    PRIMARY KEY,
	keys  INTEGER NOT NULL,
	bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE kv_sequence (last INTEGER NOT NULL) STRICT;
INSERT INTO kv_sequence (last) VALUES (0);

CREATE TRIGGER kv_entry_inserted AFTER INSERT ON kv_entry BEGIN
	INSERT INTO kv_space (space, keys, bytes) VALUES (new.space, 1, length(new.key) + length(new.value))
	ON CONFLICT (space) DO UPDATE SET keys = keys + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER kv_entry_updated AFTER UPDATE OF value ON kv_entry BEGIN
	UPDATE kv_space SET bytes = bytes + length(new.value) - length(old.value) WHERE space = new.space;
END;
CREATE TRIGGER kv_entry_deleted AFTER DELETE ON kv_entry BEGIN
	UPDATE kv_space SET keys = keys - 1, bytes = bytes - length(old.key) - length(old.value)
	WHERE space = old.space;
	DELETE FROM kv_space WHERE space = old.space AND keys = 0;
END;
`}
}

// errNewerSchema: the database was written by a newer program.
var errNewerSchema = errors.New("newer schema")

// migrate brings the database to schemaVersion. Another process may be doing the same: the transaction is
// immediate, so one of them finds the work done.
func migrate(ctx context.Context, writer *sql.DB) error {
	tx, err := writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()

	if _, err := tx.ExecContext(ctx, sqlSchemaTable); err != nil {
		return err
	}
	var version int
	if err := tx.QueryRowContext(ctx, sqlSchemaVersion).Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return fmt.Errorf("%w: it has version %d, this program knows %d",
			errNewerSchema, version, schemaVersion)
	}
	for _, step := range schemaSteps()[version:] {
		version++
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, sqlSchemaStep, version); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// statements are prepared once: those that read on the pool of readers, the others on the one writer.
type statements struct {
	get, list                                        *sql.Stmt
	find, next, put, remove, sweep, sweepSpace, used *sql.Stmt
}

const (
	sqlSchemaTable   = `CREATE TABLE IF NOT EXISTS kv_schema (version INTEGER NOT NULL) STRICT`
	sqlSchemaVersion = `SELECT coalesce(max(version), 0) FROM kv_schema`
	sqlSchemaStep    = `INSERT INTO kv_schema (version) VALUES (?)`
)

const (
	sqlGet = `SELECT value, version, expires FROM kv_entry
		WHERE space = ? AND key = ? AND (expires = 0 OR expires > ?)`
	sqlList = `SELECT key, length(value), version, expires FROM kv_entry
		WHERE space = ? AND key >= ? AND key < ? AND key > ? AND (expires = 0 OR expires > ?)
		ORDER BY key LIMIT ?`
	sqlNext = `UPDATE kv_sequence SET last = last + 1 RETURNING last`
	sqlPut  = `INSERT INTO kv_entry (space, key, value, version, expires) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (space, key) DO UPDATE
		SET value = excluded.value, version = excluded.version, expires = excluded.expires`
	sqlRemove = `DELETE FROM kv_entry WHERE space = ? AND key = ?`
	sqlSweep  = `DELETE FROM kv_entry WHERE id IN
		(SELECT id FROM kv_entry WHERE expires > 0 AND expires <= ? ORDER BY expires LIMIT ?)`
	sqlSweepSpace = `DELETE FROM kv_entry WHERE space = ? AND expires > 0 AND expires <= ?`
	sqlUsed       = `SELECT keys, bytes FROM kv_space WHERE space = ?`
)

func prepare(ctx context.Context, readers, writer *sql.DB) (statements, error) {
	var s statements
	for _, one := range []struct {
		stmt **sql.Stmt
		db   *sql.DB
		sql  string
	}{
		{&s.get, readers, sqlGet},
		{&s.list, readers, sqlList},
		{&s.find, writer, sqlGet},
		{&s.next, writer, sqlNext},
		{&s.put, writer, sqlPut},
		{&s.remove, writer, sqlRemove},
		{&s.sweep, writer, sqlSweep},
		{&s.sweepSpace, writer, sqlSweepSpace},
		{&s.used, writer, sqlUsed},
	} {
		stmt, err := one.db.PrepareContext(ctx, one.sql)
		if err != nil {
			return statements{}, err
		}
		*one.stmt = stmt
	}
	return s, nil
}
