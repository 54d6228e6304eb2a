package store

import (
	"context"
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
	// trusted is how long after its time a job is believed to be about to begin.
	trusted = 5 * time.Second
	// pace is how often wanted jobs are looked at, at most.
	pace = 10 * time.Millisecond
	// fresh is how long a process that has company believes that a job waits which it saw waiting. Whatever became of
	// it, the job is looked for again behind the commit.
	fresh = time.Second
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
// need not ask the database for every payment. One that has company need not either, for a while after it saw the job:
// it asks behind the commit, for all payments of some milliseconds at once.
type placer struct {
	dialect dialect
	backend backend
	log     hclog.Logger
	alone   bool
	insert  func(ctx context.Context, q querier, jobs []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)

	mu     sync.Mutex
	known  map[jobName]knownJob
	begun  map[jobName]int // how often a job began: what was seen before that is not known any more
	wanted map[jobName]time.Time
	wake   chan struct{}
	done   chan struct{}
}

// knownJob is a job that waits. Where there are other processes it did when this one looked, and may begin in any.
type knownJob struct {
	at     time.Time // when it begins, or later
	looked time.Time
}

// placed is what became of a wish within a transaction.
type placed struct {
	name  jobName
	at    time.Time
	begun int  // when it was looked at
	known bool // a job waits at or before, as this process knows
	seen  bool // a job waits at or before now, but may begin before the transaction is committed
	sure  bool // once the transaction is committed, a job waits at or before
}

func newPlacer(d dialect, b backend, log hclog.Logger, alone bool) *placer {
	return &placer{
		dialect: d, backend: b, log: log, alone: alone,
		known: make(map[jobName]knownJob), begun: make(map[jobName]int), wanted: make(map[jobName]time.Time),
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
			w.sure, w.seen = p.alone, true // alone, it cannot begin before this transaction ends
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
		at := earliest[name]
		list[i] = placed{name: name, at: at, begun: p.begun[name], known: p.knows(name, at)}
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

// knows reports whether a job is known to wait at or before a time. A job that should have begun long ago is not
// trusted to do so: then the database is asked. The lock is held.
func (p *placer) knows(name jobName, at time.Time) bool {
	job, ok := p.known[name]
	return ok && !job.at.After(at) && time.Since(job.at) < trusted && (p.alone || time.Since(job.looked) < fresh)
}

// settle is called after the commit.
func (p *placer) settle(wishes []placed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range wishes {
		if (w.sure || w.seen) && p.begun[w.name] == w.begun && !p.knows(w.name, w.at) {
			p.known[w.name] = knownJob{at: w.at, looked: time.Now()}
		}
		if !w.sure && !(p.alone && p.knows(w.name, w.at)) {
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

	var list []placed
	for name, at := range wanted {
		list = append(list, placed{name: name, at: at, begun: p.begun[name]})
	}
	p.mu.Unlock()
	looked := time.Now()
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
	for _, w := range list {
		if job := there[w.name]; !job.running && job.id != 0 && job.waitsFor(w.at) && p.begun[w.name] == w.begun && !p.alone {
			p.known[w.name] = knownJob{at: w.at, looked: looked}
		}
	}
	for _, w := range left {
		delete(p.known, w.name)
		p.want(w.name, w.at)
	}
	return len(left), nil
}
