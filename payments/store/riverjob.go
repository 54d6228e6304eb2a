package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// riverJob is the job of a name that waits or runs.
type riverJob struct {
	id      int64
	running bool
	at      time.Time // when it begins, to the millisecond
}

// waitsFor reports whether the job begins at or before a time.
func (j riverJob) waitsFor(at time.Time) bool { return !j.at.After(at.Add(time.Millisecond)) }

const (
	sqlLook = `SELECT unique_key, id, state = 'running', CAST(%s AS BIGINT) FROM river_job
		WHERE unique_key IN (?%s) AND unique_key IS NOT NULL AND unique_states IS NOT NULL AND `
	sqlMillisSQLite   = `round(1000 * unixepoch(scheduled_at, 'subsec'))`
	sqlMillisPostgres = `1000 * extract(epoch FROM scheduled_at)`
	// As River's unique index has them, or it cannot be used.
	sqlUniqueSQLite = `CASE state
            WHEN 'available' THEN unique_states & (1 << 0)
            WHEN 'cancelled' THEN unique_states & (1 << 1)
            WHEN 'completed' THEN unique_states & (1 << 2)
            WHEN 'discarded' THEN unique_states & (1 << 3)
            WHEN 'pending'   THEN unique_states & (1 << 4)
            WHEN 'retryable' THEN unique_states & (1 << 5)
            WHEN 'running'   THEN unique_states & (1 << 6)
            WHEN 'scheduled' THEN unique_states & (1 << 7)
            ELSE 0
        END >= 1`
	sqlUniquePostgres = `river_job_state_in_bitmask(unique_states, state)`
	sqlMoveJob        = `UPDATE river_job SET state = 'available', scheduled_at = ?
		WHERE id = ? AND state IN ('available', 'scheduled', 'retryable') AND scheduled_at > ?`
	sqlMakeAvailable = `UPDATE river_job SET state = 'available' WHERE id = ? AND state = 'scheduled'`
	sqlReviveJobs    = `UPDATE river_job SET state = 'available', scheduled_at = ? WHERE state = 'running'`
)

// look finds the jobs of names.
func (p *placer) look(ctx context.Context, q querier, wishes []placed) (map[jobName]riverJob, error) {
	if len(wishes) == 0 {
		return nil, nil
	}
	millis, unique := sqlMillisSQLite, sqlUniqueSQLite
	if p.dialect.postgres {
		millis, unique = sqlMillisPostgres, sqlUniquePostgres
	}
	args := make([]any, len(wishes))
	names := make(map[string]jobName, len(wishes))
	for i, w := range wishes {
		key := uniqueKey(w.name)
		args[i], names[string(key)] = key, w.name
	}
	there := make(map[jobName]riverJob)
	sql := fmt.Sprintf(sqlLook, millis, strings.Repeat(", ?", len(wishes)-1)) + unique
	err := q.each(ctx, sql, args, func(scan scanner) error {
		var j riverJob
		var key []byte
		var at int64
		if err := scan(&key, &j.id, &j.running, &at); err != nil {
			return err
		}
		j.at = time.UnixMilli(at)
		there[names[string(key)]] = j
		return nil
	})
	return there, err
}

// time is a time as River stores it.
func (p *placer) time(t time.Time) any {
	if p.dialect.postgres {
		return t
	}
	return t.UTC().Round(time.Millisecond).Format("2006-01-02 15:04:05.000")
}

// uniqueKey is how River makes one job of a name. If a later River makes it in another way, a job is not found,
// inserting it shows that it is there, and all that is lost is time; a test would tell.
func uniqueKey(name jobName) []byte {
	key, _ := json.Marshal(name.key) // a text never fails
	sum := sha256.Sum256([]byte("&kind=" + string(name.kind) + `&args={"key":` + string(key) + "}"))
	return sum[:]
}
