package conformance_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/providers"
	auroraplugin "github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/host"
	rahmetplugin "github.com/payhost/payhost/plugins/rahmet"
	smartpayplugin "github.com/payhost/payhost/plugins/smartpay"
	yeniltolegplugin "github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
)

var (
	// make conformance runs all of them, on the modules.
	checks = flag.String("checks", "L0.*,L1.pay,L1.refunds,L2.cut_after,L3.genuine,L4.forward", "patterns of the checks to run, with commas")
	seed   = flag.Uint64("seed", 1, "of the drawn faults")
)

// target is one of our own plugins, as Go rather than Wasm: make conformance holds the
// modules to all of it.
func target(t *testing.T, name string) conformance.Target {
	t.Helper()
	plugins := map[string]sdk.Provider{
		"rahmet": rahmetplugin.New(), "yeniltoleg": yeniltolegplugin.New(), "smartpay": smartpayplugin.New(),
		"aurora": auroraplugin.New(),
	}
	p, ok := providers.ByName(name)
	if !ok || plugins[name] == nil {
		t.Fatalf("no provider or no plugin %s", name)
	}
	return conformance.Target{Plugin: host.Source{Native: sdk.Native(plugins[name])}, Provider: p}
}

// TestOwnPlugins holds our own plugins to the contract.
func TestOwnPlugins(t *testing.T) {
	t.Parallel()
	for _, name := range providers.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := target(t, name)
			var patterns []string
			for _, pattern := range strings.Split(*checks, ",") {
				if named(target.Provider, pattern) {
					patterns = append(patterns, pattern)
				}
			}
			r, err := conformance.Examine(t.Context(), target, conformance.Options{
				Level: conformance.L4, Checks: patterns, Seed: *seed, Parallel: 6,
			})
			if err != nil {
				t.Fatal(err)
			}
			show(t, r)
		})
	}
}

// named reports whether a pattern is of the suite or of the provider: "S*" is of
// SmartPay alone.
func named(p conformance.Provider, pattern string) bool {
	return strings.Contains(pattern, ".") || slices.ContainsFunc(p.Cases, func(c conformance.Case) bool { return c.ID[:1] == pattern[:1] })
}

func show(t *testing.T, r *conformance.Report) {
	t.Helper()
	for _, x := range r.Results {
		t.Logf("%s %s: %d lives in %s %s", x.Status, x.ID, x.Lives, x.Took.Round(time.Millisecond), x.Reason)
		for _, f := range x.Failures {
			evidence := slices.Concat([]string{f.Where, f.Reproduce}, f.Timeline, f.Wire, f.Effects, f.Log)
			t.Errorf("%s: %s\n%s", x.ID, f.Message, strings.Join(evidence, "\n"))
		}
		if x.More > 0 {
			t.Errorf("%s: %d more", x.ID, x.More)
		}
	}
	t.Logf("%d lives in %s", r.Lives, r.Took.Round(time.Millisecond))
}

// TestExamineNeedsAKnownCheck refuses a pattern that names nothing.
func TestExamineNeedsAKnownCheck(t *testing.T) {
	t.Parallel()
	r, err := conformance.Examine(t.Context(), target(t, "aurora"), conformance.Options{Checks: []string{"L9.nothing"}})
	if err == nil || r != nil || !strings.Contains(err.Error(), "L9.nothing") {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestExamineTellsOfAPluginThatDoesNotLoad has a report, which is bound to the module.
func TestExamineTellsOfAPluginThatDoesNotLoad(t *testing.T) {
	t.Parallel()
	broken := target(t, "aurora")
	broken.Plugin = host.Source{Bytes: []byte("\x00asm\x01\x00\x00\x00 and no more")}
	r, err := conformance.Examine(t.Context(), broken, conformance.Options{Level: conformance.L1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Badge != nil || r.OK() || len(r.Plugin.Digest) != 64 {
		t.Errorf("badge %v, ok %t, digest %q", r.Badge, r.OK(), r.Plugin.Digest)
	}
	for _, x := range r.Results {
		want := conformance.Skipped
		if x.ID == "L0.loads" {
			want = conformance.Failed
		}
		if x.Status != want {
			t.Errorf("%s is %s, want %s", x.ID, x.Status, want)
		}
	}
}

// noted is a test that notes how it failed.
type noted struct {
	*testing.T
	failures []string
}

func (n *noted) Errorf(format string, args ...any) {
	n.failures = append(n.failures, fmt.Sprintf(format, args...))
}

// TestRunFailsTheTest has a plugin that does not load fail a Go test, with the check
// and the reason.
func TestRunFailsTheTest(t *testing.T) {
	t.Parallel()
	broken := target(t, "aurora")
	broken.Plugin = host.Source{Bytes: []byte("no module")}
	n := &noted{T: t}
	conformance.Run(n, broken)
	if len(n.failures) != 1 || !strings.Contains(n.failures[0], "L0.loads") || !strings.Contains(n.failures[0], "when: the plugin was loaded") {
		t.Errorf("%q", n.failures)
	}
}

// TestExamineIsInterrupted keeps what was found, and gives no badge.
func TestExamineIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ended := 0
	r, err := conformance.Examine(ctx, target(t, "aurora"), conformance.Options{
		Level: conformance.L2, Parallel: 2, Progress: func(conformance.Result, int, int) {
			if ended++; ended == 5 {
				cancel()
			}
		},
	})
	if err == nil || r == nil || r.Badge != nil || !r.Partial {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, x := range r.Results {
		if x.Status == conformance.Failed || x.Status == conformance.Skipped && x.Reason == "" {
			t.Errorf("%s is %s: %s %+v", x.ID, x.Status, x.Reason, x.Failures)
		}
	}
}

// TestExamineIsInterruptedBehindALife is interrupted when a life has ended and is looked
// over, for which payhost is asked once more.
func TestExamineIsInterruptedBehindALife(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	target := target(t, "aurora")
	target.Provider.Cases = []conformance.Case{{
		Check: conformance.Check{ID: "case.interrupted", Level: conformance.L1, Sentence: "One payment begins.", Proves: "nothing"},
		Run:   func(l *conformance.Life) { l.Begin(); cancel() },
	}}
	r, err := conformance.Examine(ctx, target, conformance.Options{Level: conformance.L1, Checks: []string{"case.interrupted"}})
	if !errors.Is(err, context.Canceled) || r == nil || !r.Partial {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestTheSameSeedDrawsTheSame compares what two runs of one seed did.
func TestTheSameSeedDrawsTheSame(t *testing.T) {
	t.Parallel()
	var lives []int
	for range 2 {
		r, err := conformance.Examine(t.Context(), target(t, "aurora"), conformance.Options{
			Level: conformance.L2, Checks: []string{"L2.cut_before", "L2.drawn"}, Parallel: 4, Seed: 7,
		})
		if err != nil || !r.OK() {
			t.Fatalf("%+v, %v", r, err)
		}
		lives = append(lives, r.Lives)
	}
	if lives[0] != lives[1] || lives[0] < 40 {
		t.Errorf("%d and %d lives", lives[0], lives[1])
	}
}
