// Package conformance holds a plugin to the lifecycle contract.
package conformance

import (
	"context"

	"github.com/payhost/payhost/host"
)

// Version is the suite's. A report is of one version.
const Version = "1"

// Target is a plugin and the provider that it speaks to.
type Target struct {
	// Plugin is the plugin under test: a module by its path or bytes, or a native one.
	Plugin host.Source
	// Next is the revision that L4 upgrades to; the zero Source for the same module under
	// another digest.
	Next     host.Source
	Provider Provider
}

// Options say what to run, and how.
type Options struct {
	// Level is the highest that is run.
	Level Level
	// Checks are the ids of the only checks to run, "L2.cut_after"; empty for all. A
	// pattern may end in "*".
	Checks []string
	// Seed is of the faults that are drawn; 0 means 1. The same seed draws the same
	// faults.
	Seed uint64
	// Parallel is how many lives are lived at once; 0 for four for each processor, since
	// most of a life is waiting.
	Parallel int
	// CacheDir keeps the compiled plugin between runs; see [host.Config].
	CacheDir string
	// File is what the plugin is called in the command lines of the report.
	File string
	// Progress is told of each check as it ends, one at a time; nil for nobody.
	Progress func(r Result, done, of int)
}

// Examine holds the target against every check up to a level, and returns the
// report. The error is for what keeps the suite from running at all: a plugin that
// fails has a report that says so.
func Examine(ctx context.Context, t Target, o Options) (*Report, error) {
	panic("not yet")
}

// T is the part of *testing.T that [Run] needs.
type T interface {
	Helper()
	Context() context.Context
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Run examines the target in a Go test, at every level, and fails the test for
// each check that failed.
func Run(t T, target Target) {
	panic("not yet")
}
