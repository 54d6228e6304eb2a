package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	defaultParallel = 16
	defaultTimeout  = time.Minute
	rescueAfter     = 30 * time.Second // beyond a job's timeout
	keepCompleted   = time.Minute
	mostBackoff     = time.Minute
	lastGrace       = 10 * time.Second // for jobs to end once they are canceled
	// mostAttempts: an attempt only counts if its process died in it, so this is never.
	mostAttempts = 32_000
)

// The arguments of River's jobs, one type for each kind.
type (
	probeArgs   struct{ jobArgs }
	deliverArgs struct{ jobArgs }
	sweepArgs   struct{ jobArgs }
	retainArgs  struct{ jobArgs }
)

type jobArgs struct {
	Key string `json:"key" river:"unique"`
}

func (a jobArgs) key() string { return a.Key }

// Kind implements river.JobArgs; likewise below.
func (probeArgs) Kind() string   { return string(JobProbe) }
func (deliverArgs) Kind() string { return string(JobDeliver) }
func (sweepArgs) Kind() string   { return string(JobSweep) }
func (retainArgs) Kind() string  { return string(JobRetain) }

func argsOf(name jobName) river.JobArgs {
	a := jobArgs{Key: name.key}
	switch name.kind {
	case JobProbe:
		return probeArgs{a}
	case JobDeliver:
		return deliverArgs{a}
	case JobSweep:
		return sweepArgs{a}
	case JobRetain:
		return retainArgs{a}
	}
	panic("store: no such kind of job: " + string(name.kind))
}

// insertOpts: there is one job of a kind and key that waits or runs.
func insertOpts(at time.Time) *river.InsertOpts {
	o := &river.InsertOpts{
		MaxAttempts: mostAttempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
			rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}},
	}
	if at.After(time.Now()) {
		o.ScheduledAt = at
	}
	return o
}

// working is what runs jobs.
type working struct {
	work   Work
	placer *placer
	log    hclog.Logger

	mu       sync.Mutex
	failures map[jobName]int // in a row
}

// worker is River's worker for one kind.
type worker[T interface {
	river.JobArgs
	key() string
}] struct {
	river.WorkerDefaults[T]
	working *working
}

// Work implements river.Worker.
func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	return w.working.do(ctx, jobName{JobKind(job.Kind), job.Args.key()})
}

// do runs a job. An error never reaches River, which would keep every one of them and give up in the end: the job
// waits and runs again.
func (w *working) do(ctx context.Context, name jobName) error {
	w.placer.begin(name)
	again, err := w.call(ctx, Job{Kind: name.kind, Key: name.key})
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err() // stopped: River makes it available to the next process
		}
		wait := w.backoff(name)
		w.log.Warn("job failed", "kind", string(name.kind), "key", name.key, "again_in", wait, "error", err)
		again = time.Now().Add(wait)
	} else {
		w.succeeded(name)
	}
	if again = w.placer.next(name, again); again.IsZero() {
		return nil
	}
	return river.JobSnooze(max(0, time.Until(again)))
}

// call makes a panic an error: one bad job must not end the process.
func (w *working) call(ctx context.Context, job Job) (again time.Time, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return w.work.Do(ctx, job)
}

// backoff is a second, doubled with every failure in a row.
func (w *working) backoff(name jobName) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.failures[name]
	w.failures[name] = n + 1
	return min(mostBackoff, time.Second<<min(n, 6))
}

func (w *working) succeeded(name jobName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.failures, name)
}

// riverConfig is how River works off jobs for w.
func (w *working) riverConfig(d dialect) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker[probeArgs]{working: w})
	river.AddWorker(workers, &worker[deliverArgs]{working: w})
	river.AddWorker(workers, &worker[sweepArgs]{working: w})
	river.AddWorker(workers, &worker[retainArgs]{working: w})
	var periodic []*river.PeriodicJob
	for _, p := range w.work.Periodic {
		name := jobName{p.Job.Kind, p.Job.Key}
		periodic = append(periodic, river.NewPeriodicJob(river.PeriodicInterval(p.Every),
			func() (river.JobArgs, *river.InsertOpts) { return argsOf(name), insertOpts(time.Time{}) },
			&river.PeriodicJobOpts{RunOnStart: true}))
	}
	config := &river.Config{
		Logger: riverLog(w.log), Workers: workers, PeriodicJobs: periodic,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: w.work.Parallel}},
		FetchCooldown:     50 * time.Millisecond,
		FetchPollInterval: 250 * time.Millisecond,
		PollOnly:          !d.postgres, // one process: there is nobody to be told by
		JobTimeout:        w.work.Timeout, RescueStuckJobsAfter: w.work.Timeout + rescueAfter,
		CompletedJobRetentionPeriod: keepCompleted, DiscardedJobRetentionPeriod: keepCompleted,
		MaxAttempts: mostAttempts, RetryPolicy: soon{},
	}
	return config
}

// soon is when a job runs again whose process died, or was stopped, while it ran.
type soon struct{}

// NextRetry implements river.ClientRetryPolicy.
func (soon) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(time.Second) }

// startJobs makes a client of River, starts it, and returns what stops it.
func startJobs[T any](
	ctx context.Context, w Work, p *placer, log hclog.Logger, newClient func(*river.Config) (*river.Client[T], error),
) (func(context.Context) error, error) {
	if w.Parallel == 0 {
		w.Parallel = defaultParallel
	}
	if w.Timeout == 0 {
		w.Timeout = defaultTimeout
	}
	working := &working{work: w, placer: p, log: log, failures: make(map[jobName]int)}
	client, err := newClient(working.riverConfig(p.dialect))
	if err != nil {
		return nil, err
	}
	// The client lives until it is stopped, not as long as the context that it was started with.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		defer p.forget()
		err := client.Stop(ctx)
		if err == nil {
			return nil
		}
		now, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastGrace)
		defer cancel()
		return errors.Join(err, client.StopAndCancel(now))
	}, nil
}

// runner starts the jobs of a store once and stops them once.
type runner struct {
	mu      sync.Mutex
	started bool
	end     func(context.Context) error
}

func (r *runner) start(begin func() (func(context.Context) error, error)) (func(context.Context) error, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.started {
		return nil, errors.New("jobs run already, or the store is closed")
	}
	stop, err := begin()
	if err != nil {
		return nil, err
	}
	var once sync.Once
	var stopped error
	r.started = true
	r.end = func(ctx context.Context) error {
		once.Do(func() { stopped = stop(ctx) })
		return stopped
	}
	return r.end, nil
}

// close cancels jobs instead of waiting for them.
func (r *runner) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = true
	if r.end != nil {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.end(ctx) // there is nobody to be told
	}
}
