package store

import (
	"context"
	"time"
)

// Job is something to be done in the background. There is at most one of a kind
// and key that waits or runs.
type Job struct {
	Kind JobKind
	Key  string    // which connection or endpoint; "" for kinds that have none
	At   time.Time // when to begin; zero for at once
}

// JobKind names what a job does.
type JobKind string

// The kinds of job.
const (
	JobProbe   JobKind = "probe"   // bring the due books of a connection on: probes, refund probes, expiry, repeats
	JobDeliver JobKind = "deliver" // send the due events of an endpoint
	JobSweep   JobKind = "sweep"   // find what has no job though it is due, and try parked notifications again
	JobRetain  JobKind = "retain"  // delete what is older than it has to be kept
)

// Work is how jobs are worked off.
type Work struct {
	// Do does a job. A time that is not zero says when the same job is to run again; an
	// error says that it failed and is to be tried again soon.
	Do func(ctx context.Context, job Job) (again time.Time, err error)
	// Periodic jobs are begun by one of the processes.
	Periodic []Periodic
	// Parallel is how many jobs run at once; 0 for 16.
	Parallel int
	// Timeout is how long a job may take until its context ends; 0 for a minute. A job whose process died
	// begins again half a minute to a minute after that (on SQLite, when the next process starts its jobs).
	Timeout time.Duration
}

// Periodic is a job that begins every so often, the first time at once.
type Periodic struct {
	Job   Job
	Every time.Duration
}
