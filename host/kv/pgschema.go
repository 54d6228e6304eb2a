package kv

// pgSchemaSteps returns the statements that lead from each version to the next. A step that was released
// never changes.
//
// Spaces and keys are BYTEA, so that they are compared byte by byte whatever language the database sorts by.
// There is one sequence of versions for all keys, so that none comes back when a key is deleted and written
// again; a write that is rolled back leaves a gap in it.
func pgSchemaSteps() []string {
	return []string{`
CREATE TABLE kv_entry (
	space   bytea  NOT NULL,
	key     bytea  NOT NULL,
	value   bytea  NOT NULL,
	version bigint NOT NULL,
	expires bigint NOT NULL, -- microseconds since 1970; 0 for never
	PRIMARY KEY (space, key)
);
CREATE INDEX kv_entry_expires ON kv_entry (space, expires) WHERE expires > 0;

CREATE TABLE kv_space (
	space bytea  PRIMARY KEY,
	keys  bigint NOT NULL,
	bytes bigint NOT NULL
);

CREATE SEQUENCE kv_version;
`}
}

const (
	// pgMigrateLock is held to the end of the transaction. The number means nothing, it must only be the same
	// on every node.
	pgMigrateLock   = `SELECT pg_advisory_xact_lock(7223461190542871)`
	pgSchemaTable   = `CREATE TABLE IF NOT EXISTS kv_schema (version integer NOT NULL)`
	pgSchemaVersion = `SELECT coalesce(max(version), 0) FROM kv_schema`
	pgSchemaStep    = `INSERT INTO kv_schema (version) VALUES ($1)`
	pgStale         = `SELECT DISTINCT space FROM kv_entry WHERE expires > 0 AND expires <= $1`
)

const (
	pgGet = `SELECT value, version, expires FROM kv_entry
		WHERE space = $1 AND key = $2 AND (expires = 0 OR expires > $3)`
	pgList = `SELECT key, length(value), version, expires FROM kv_entry
		WHERE space = $1 AND key >= $2 AND key < $3 AND key > $4 AND (expires = 0 OR expires > $5)
		ORDER BY key LIMIT $6`

	// pgBounds are for the transaction only: how long it waits for a lock (busyTimeout), and how long it may
	// hold one while its node is silent, be it frozen or cut off.
	pgBounds = `SELECT set_config('lock_timeout', '5s', true),
		set_config('idle_in_transaction_session_timeout', '10s', true)`
	// pgLock locks the space's row and returns what is in it, after the writer that it waited for. There may
	// be no row yet, or no longer: then this makes it.
	pgLock = `INSERT INTO kv_space AS s (space, keys, bytes) VALUES ($1, 0, 0)
		ON CONFLICT (space) DO UPDATE SET keys = s.keys RETURNING s.keys, s.bytes`
	pgSweep = `WITH gone AS (
			DELETE FROM kv_entry WHERE space = $1 AND expires > 0 AND expires <= $2 AND (key = $4 OR key IN (
				SELECT key FROM kv_entry WHERE space = $1 AND expires > 0 AND expires <= $2 ORDER BY expires LIMIT $3))
			RETURNING length(key) + length(value) AS size)
		SELECT count(*), coalesce(sum(size), 0) FROM gone`
	pgFind = `SELECT value, version, expires FROM kv_entry WHERE space = $1 AND key = $2`
	pgPut  = `INSERT INTO kv_entry (space, key, value, version, expires)
		VALUES ($1, $2, $3, nextval('kv_version'), $4)
		ON CONFLICT (space, key) DO UPDATE
		SET value = excluded.value, version = excluded.version, expires = excluded.expires
		RETURNING version`
	pgRemove = `DELETE FROM kv_entry WHERE space = $1 AND key = $2`
	pgUsed   = `UPDATE kv_space SET keys = $2, bytes = $3 WHERE space = $1`
	pgForget = `DELETE FROM kv_space WHERE space = $1`
)
