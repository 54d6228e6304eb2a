package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	// anew is how soon a job that ran when it was wanted is looked at again.
	anew = 100 * time.Millisecond
	// pace is how often wanted jobs are looked at, at most.
	pace = 10 * time.Millisecond
)

// jobName is what there is one job of.
type jobName struct {
	kind JobKind
	key  string
}

// placer puts jobs where River finds them, in the transaction that wants them.
//
// River keeps one job of a name, waiting or running, and leaves it as it is when another is inserted. So the placer
// has two things to add. A job that waits for later is moved forward. And one that runs may have looked at the books
// before this transaction was committed: it must run once more. That can only be seen after the commit, so the name is
// then wanted until a job is found that waits at or before the time. If the process dies in between, the sweep finds
// what is due.
//
// A process that has the database to itself knows of a job that it placed that it waits until it begins to run, and
// need not ask the database for every payment.
type placer struct {
	dialect dialect
	backend backend
	log     hclog.Logger
	alone   bool
	insert  func(ctx context.Context, q querier, jobs []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)

	mu     sync.Mutex
	known  map[jobName]time.Time // a job waits at or before; only if alone
	begun  map[jobName]int       // how often a job began: what was seen before that is not known any more
	wanted map[jobName]time.Time
	wake   chan struct{}
	done   chan struct{}
}

// placed is what became of a wish within a transaction.
type placed struct {
	name  jobName
	at    time.Time
	begun int  // when it was looked at
	known bool // a job waits at or before, as this process knows
	sure  bool // once the transaction is committed, a job waits at or before
}

func newPlacer(d dialect, b backend, log hclog.Logger, alone bool) *placer {
	return &placer{
		dialect: d, backend: b, log: log, alone: alone,
		known: make(map[jobName]time.Time), begun: make(map[jobName]int), wanted: make(map[jobName]time.Time),
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// place is called before the commit.
func (p *placer) place(ctx context.Context, q querier, jobs []Job) ([]placed, error) {
	wishes := p.wishes(jobs)
	there, err := p.look(ctx, q, slices.DeleteFunc(slices.Clone(wishes), func(w placed) bool { return w.known }))
	if err != nil {
		return nil, err
	}
	var missing []int
	for i := range wishes {
		w := &wishes[i]
		if w.known {
			continue
		}
		job, ok := there[w.name]
		switch {
		case !ok:
			missing = append(missing, i)
		case job.running:
		case job.waitsFor(w.at):
			w.sure = p.alone // it cannot begin before this transaction ends
		default:
			n, err := q.exec(ctx, sqlMoveJob, p.time(w.at), job.id, p.time(w.at))
			if err != nil {
				return nil, err
			}
			w.sure = n > 0
		}
	}
	return wishes, p.insertMissing(ctx, q, wishes, missing)
}

// wishes makes one of all jobs of a name, in an order that is the same for everybody.
func (p *placer) wishes(jobs []Job) []placed {
	if len(jobs) == 0 {
		return nil
	}
	earliest := make(map[jobName]time.Time, 2)
	for _, j := range jobs {
		name := jobName{j.Kind, j.Key}
		at := j.At
		if at.IsZero() {
			at = time.Now()
		}
		if known, ok := earliest[name]; !ok || at.Before(known) {
			earliest[name] = at
		}
	}
	names := slices.SortedFunc(maps.Keys(earliest), func(a, b jobName) int {
		return strings.Compare(string(a.kind)+" "+a.key, string(b.kind)+" "+b.key)
	})
	list := make([]placed, len(names))
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, name := range names {
		w := placed{name: name, at: earliest[name], begun: p.begun[name]}
		at, ok := p.known[name]
		w.known = ok && !at.After(w.at)
		list[i] = w
	}
	return list
}

func (p *placer) insertMissing(ctx context.Context, q querier, wishes []placed, missing []int) error {
	if len(missing) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(missing))
	for i, m := range missing {
		params[i] = river.InsertManyParams{Args: argsOf(wishes[m].name), InsertOpts: insertOpts(wishes[m].at)}
	}
	results, err := p.insert(ctx, q, params)
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.UniqueSkippedAsDuplicate {
			continue // somebody else's, just now: to be looked at after the commit
		}
		// River's scheduler looks every five seconds only. What is available begins in time by itself.
		if _, err := q.exec(ctx, sqlMakeAvailable, r.Job.ID); err != nil {
			return err
		}
		for _, m := range missing {
			if string(wishes[m].name.kind) == r.Job.Kind && string(r.Job.UniqueKey) == string(uniqueKey(wishes[m].name)) {
				wishes[m].sure = true
			}
		}
	}
	return nil
}

// settle is called after the commit.
func (p *placer) settle(wishes []placed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range wishes {
		at, ok := p.known[w.name]
		switch {
		case ok && !at.After(w.at):
		case w.sure:
			if p.alone && p.begun[w.name] == w.begun {
				p.known[w.name] = w.at
			}
		default:
			p.want(w.name, w.at)
		}
	}
}

// want remembers that a job has to run. The lock is held.
func (p *placer) want(name jobName, at time.Time) {
	if earlier, ok := p.wanted[name]; ok && !at.Before(earlier) {
		return
	}
	p.wanted[name] = at
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// begin is called when a job begins to run.
func (p *placer) begin(name jobName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun[name]++
	delete(p.known, name)
}

// next returns when a job that just ran is to run again, if that is wanted before again.
func (p *placer) next(name jobName, again time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.wanted[name]; ok && (again.IsZero() || at.Before(again)) {
		return at
	}
	return again
}

// forget drops what is known of jobs, as none of this process begin any more.
func (p *placer) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name := range p.known {
		p.begun[name]++
	}
	clear(p.known)
}

// run looks at what is wanted until the context ends.
func (p *placer) run(ctx context.Context) {
	defer close(p.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		wait := pace
		if left, err := p.satisfy(ctx); err != nil {
			wait = time.Second
		} else if left > 0 {
			wait = anew
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// satisfy sees to it that there are jobs for what is wanted, and returns of how many it could not, since they run.
func (p *placer) satisfy(ctx context.Context) (int, error) {
	p.mu.Lock()
	wanted := p.wanted
	p.wanted = make(map[jobName]time.Time)
	p.mu.Unlock()

	var list []placed
	for name, at := range wanted {
		list = append(list, placed{name: name, at: at})
	}
	var there map[jobName]riverJob
	err := p.backend.read(ctx, func(q querier) (err error) {
		there, err = p.look(ctx, q, list)
		return err
	})
	var place []Job
	var left []placed
	for _, w := range list {
		if job := there[w.name]; job.running {
			left = append(left, w)
		} else if job.id == 0 || !job.waitsFor(w.at) {
			place = append(place, Job{Kind: w.name.kind, Key: w.name.key, At: w.at})
		}
	}
	if err == nil && len(place) > 0 {
		err = p.backend.change(ctx, func(t *tx) error { return t.Enqueue(place...) })
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		for name, at := range wanted {
			p.want(name, at)
		}
		return len(wanted), err
	}
	for _, w := range left {
		p.want(w.name, w.at)
	}
	return len(left), nil
}

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
