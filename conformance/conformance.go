// Package conformance holds a plugin to the lifecycle contract.
package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

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
// report. A plugin that fails has a report that says so; the error is for what keeps
// the suite from running: a provider that can't be simulated, a pattern that no check
// has, or the end of the context, and then the report is of what was found so far.
func Examine(ctx context.Context, t Target, o Options) (*Report, error) {
	s, err := newSuite(ctx, t, o)
	if err != nil {
		return nil, fmt.Errorf("conformance: %w", err)
	}
	defer s.close()
	r := &Report{
		Suite: Version, Provider: t.Provider.Name, Asked: o.Level, Partial: len(o.Checks) > 0, Seed: s.options.Seed,
		Began: time.Now(),
	}
	list := s.choose()
	if len(list) == 0 {
		return nil, fmt.Errorf("conformance: no check up to %s is called %s", o.Level, strings.Join(o.Checks, ", "))
	}
	if err := s.open(ctx); err != nil {
		r.Plugin.Digest = digestOf(t.Plugin)
		s.broken(list, err)
	} else {
		r.Plugin = s.plugin()
		s.dryRuns(ctx)
		s.run(ctx, s.plan(list))
		s.finish(list)
		r.Plugin.Next, r.Notes = s.upgradedTo()
	}
	for _, c := range list {
		r.Results = append(r.Results, *s.results[c.ID])
	}
	r.Took, r.Lives = time.Since(r.Began), s.lives
	r.Partial = r.Partial || ctx.Err() != nil
	if !r.Partial {
		r.Badge = badge(r.Results, o.Level)
	}
	return r, ctx.Err()
}

// digestOf is the digest of a module that does not load; "" if it can't be read.
func digestOf(source host.Source) string {
	binary := source.Bytes
	if source.Path != "" {
		binary, _ = os.ReadFile(source.Path)
	}
	if len(binary) == 0 {
		return ""
	}
	sum := sha256.Sum256(binary)
	return hex.EncodeToString(sum[:])
}

// Checks lists every check of the suite, and those of a provider, by level.
func Checks(p Provider) []Check {
	var list []Check
	for _, c := range (&suite{target: Target{Provider: p}}).checks() {
		list = append(list, c.Check)
	}
	return list
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
	t.Helper()
	r, err := Examine(t.Context(), target, Options{Level: L4})
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	for i := range r.Results {
		result := &r.Results[i]
		for _, f := range result.Failures {
			t.Errorf("%s: %s\n%s", result.ID, result.Sentence, f.text())
		}
	}
	if r.Badge != nil {
		t.Logf("%s %s: %s, %d lives", r.Plugin.ID, r.Plugin.Version, r.Badge, r.Lives)
	}
}
