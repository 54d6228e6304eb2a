package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/payhost/payhost/conformance"
	"github.com/payhost/payhost/conformance/providers"
	"github.com/payhost/payhost/conformance/replay"
	"github.com/payhost/payhost/conformance/report"
	"github.com/payhost/payhost/conformance/scenario"
	"github.com/payhost/payhost/host"
)

// suite is the conformance suite as the command uses it; tests put another in its
// place, whose plugins fail as they want.
type suite struct {
	examine func(context.Context, conformance.Target, conformance.Options) (*conformance.Report, error)
	checks  func(conformance.Provider) []conformance.Check // the provider's own among them
	names   func() []string                                // of the simulators that are built in
	byName  func(name string) (conformance.Provider, bool)
	load    func(file string) (conformance.Provider, error)
}

// conformanceFlags are the command line of conformance.
type conformanceFlags struct {
	simulator, level string
	reports, checks  []string
	seed             uint64
	parallel         int
	next, cases      string
	cache            string
	timeout          time.Duration
}

func newConformance(out *output, s suite) *cobra.Command {
	var f conformanceFlags
	c := &cobra.Command{
		Use:   "conformance PLUGIN.wasm",
		Short: "Hold a plugin to the lifecycle contract, and report what it has proven",
		Long: `Conformance lives whole payments with a plugin, against a simulator of its provider, while it breaks the wire, the
clock, the notifications and payhost itself. It exits 0 if every check held and 1 if one failed. Levels, each with the ones
below it: L0 loads and is what it says it is; L1 every declared flow; L2 the fault matrix; L3 hostile notifications; L4
upgrade and rollback.

The simulator is the one that is built in for the plugin's id, or one that a file describes. A report goes to standard
output or, as FORMAT=FILE, to a file, in any of ` + strings.Join(report.Formats(), ", ") + `.`,
		Example: `  payhost conformance build/plugins/rahmet.wasm
  payhost conformance acme.wasm --simulator acme.yaml --report junit=report.xml --report md=CONFORMANCE.md
  payhost conformance acme.wasm --simulator acme.yaml --check 'L2.*' --seed 7`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), out, s, args[0])
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.simulator, "simulator", "",
		"name of a built-in simulator, or a .yaml file that describes one (default: by the plugin's id)")
	flags.StringVar(&f.level, "level", "L4", "the highest level to run: L0 to L4")
	flags.StringArrayVar(&f.reports, "report", nil,
		"FORMAT or FORMAT=FILE, of "+strings.Join(report.Formats(), ", ")+"; may be repeated (default text)")
	flags.StringArrayVar(&f.checks, "check", nil, "run only this check, by its id or a pattern of it, 'L2.*'; may be repeated")
	flags.Uint64Var(&f.seed, "seed", 1, "of the faults that are drawn: the same seed draws the same")
	flags.IntVar(&f.parallel, "parallel", 0, "how many lives at once (default: by the machine)")
	flags.StringVar(&f.next, "next", "", "the revision that L4 upgrades to (default: the same module under another digest)")
	flags.StringVar(&f.cases, "cases", "", "a folder of recorded cases, each of which the plugin must do again, as a check of L4")
	flags.StringVar(&f.cache, "cache", "", "where to keep the compiled plugin between runs; empty for no cache")
	flags.DurationVar(&f.timeout, "timeout", 0, "end the run after this long, with what was found so far; 0 for never")
	c.AddCommand(newConformanceList(out, s), newReplay(out), newCase(out))
	return c
}

// run is the command.
func (f *conformanceFlags) run(ctx context.Context, out *output, s suite, plugin string) error {
	o := conformance.Options{Checks: f.checks, Seed: f.seed, Parallel: f.parallel, CacheDir: f.cache, File: f.commandLine(plugin)}
	if err := o.Level.UnmarshalText([]byte(f.level)); err != nil {
		return &usageError{fmt.Errorf("--level: %w", err)}
	}
	if o.Level < conformance.L4 && (f.next != "" || f.cases != "") {
		return &usageError{fmt.Errorf("--next and --cases are for checks of L4, and --level is %s", f.level)}
	}
	if f.parallel < 0 || f.timeout < 0 {
		return &usageError{errors.New("--parallel and --timeout can't be negative")}
	}
	reports, err := parseReports(f.reports, out.format)
	if err != nil {
		return &usageError{fmt.Errorf("--report: %w", err)}
	}
	if o.CacheDir == "" { // it is compiled once in a run, at least
		if o.CacheDir, err = os.MkdirTemp("", "payhost-conformance-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.CacheDir)
	}
	target := conformance.Target{Plugin: host.Source{Path: plugin}, Next: host.Source{Path: f.next}}
	if target.Provider, err = s.provider(ctx, f.simulator, plugin, o.CacheDir); err != nil {
		return err
	}
	if f.cases != "" {
		cases, done, err := recorded(ctx, f.cases, target.Plugin, o.CacheDir)
		if err != nil {
			return &usageError{fmt.Errorf("--cases: %w", err)}
		}
		defer done()
		target.Provider.Cases = slices.Concat(target.Provider.Cases, cases)
	}
	if err := s.knows(f.checks, o.Level, target.Provider); err != nil {
		return &usageError{fmt.Errorf("--check: %w", err)}
	}
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	o.Progress = reports.progress(out)
	found, err := s.examine(ctx, target, o)
	if found == nil {
		return err
	}
	if err != nil { // what was not run has proven nothing
		found.Partial, found.Badge = true, nil
	}
	if err := reports.write(out, found); err != nil {
		return err
	}
	return verdict(found, err)
}

// verdict is the command's end: nil only for a whole run in which nothing failed.
func verdict(found *conformance.Report, err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("the time is over: the report holds what was found by then")
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted: the report holds what was found by then")
	case err != nil:
		return err
	case !found.OK():
		return errReported
	}
	return nil
}

// commandLine is how the plugin is named in a command line that repeats a check: with
// what the check depends on.
func (f *conformanceFlags) commandLine(plugin string) string {
	line := shellWord(plugin)
	if f.simulator != "" {
		line += " --simulator " + shellWord(f.simulator)
	}
	if f.next != "" {
		line += " --next " + shellWord(f.next)
	}
	if f.cases != "" {
		line += " --cases " + shellWord(f.cases)
	}
	return line
}

// shellWord quotes a word for a POSIX shell, if it must be.
func shellWord(word string) string {
	if regexp.MustCompile(`^[\w@%+=:,./-]+$`).MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// provider finds the simulator: by its name, in a file, or by the plugin's id.
func (s suite) provider(ctx context.Context, simulator, plugin, cacheDir string) (conformance.Provider, error) {
	switch ext := filepath.Ext(simulator); {
	case ext == ".yaml" || ext == ".yml":
		p, err := s.load(simulator)
		if err != nil {
			return p, &usageError{fmt.Errorf("--simulator: %w", err)}
		}
		return p, nil
	case simulator != "":
		p, ok := s.byName(simulator)
		if !ok {
			return p, &usageError{fmt.Errorf("--simulator: %q is neither built in (%s) nor a .yaml file", simulator, strings.Join(s.names(), ", "))}
		}
		return p, nil
	}
	id, err := pluginID(ctx, plugin, cacheDir)
	if err != nil {
		return conformance.Provider{}, fmt.Errorf("%s: %w", plugin, err)
	}
	p, ok := s.byName(id)
	if !ok {
		return p, &usageError{fmt.Errorf(
			"there is no simulator built in for plugin %q: give --simulator, with one of %s, or a .yaml file that describes one",
			id, strings.Join(s.names(), ", "),
		)}
	}
	return p, nil
}

func pluginID(ctx context.Context, plugin, cacheDir string) (string, error) {
	h, err := host.New(host.Config{CacheDir: cacheDir})
	if err != nil {
		return "", err
	}
	defer h.Close()
	found, err := h.Inspect(ctx, host.Source{Path: plugin})
	return found.Manifest.ID, err
}

// recorded makes checks of the recordings in a folder, and returns what frees them.
// They are of L4: a revision must go on as the one that was recorded.
func recorded(ctx context.Context, dir string, plugin host.Source, cacheDir string) ([]conformance.Case, func(), error) {
	found, err := replay.Load(dir)
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		return nil, nil, fmt.Errorf("%s: holds no *%s", dir, replay.Extension)
	}
	var loaded *host.Replayer
	load := sync.OnceValue(func() (err error) { // at the first case: a plugin that does not load has failed at L0
		loaded, err = host.NewReplayer(ctx, plugin, host.ReplayConfig{CacheDir: cacheDir})
		return err
	})
	var cases []conformance.Case
	for _, c := range found {
		cases = append(cases, conformance.Case{
			Check: conformance.Check{ID: "case." + c.Name, Level: conformance.L4, Sentence: c.Sentence, Proves: c.Path},
			Run: func(l *conformance.Life) {
				l.Must(load())
				differences, err := c.RunOn(ctx, loaded)
				l.Must(err)
				for _, d := range differences {
					l.Failf("%s", d)
				}
			},
		})
	}
	return cases, func() {
		if loaded != nil {
			_ = loaded.Close()
		}
	}, nil
}

// knows returns an error for a pattern that no check is named by: nothing would be
// run, and it would look as if it held.
func (s suite) knows(patterns []string, level conformance.Level, p conformance.Provider) error {
	checks := s.checks(p)
	for _, pattern := range patterns {
		if !slices.ContainsFunc(checks, func(c conformance.Check) bool {
			named, err := path.Match(pattern, c.ID)
			return named && err == nil && c.Level <= level
		}) {
			return fmt.Errorf("no check up to %s is named %q: see payhost conformance list", level, pattern)
		}
	}
	return nil
}

func newConformanceList(out *output, s suite) *cobra.Command {
	var simulator string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the checks: id, level, what holds, and where the contract says so",
		Example: `  payhost conformance list
  payhost conformance list --simulator rahmet --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p conformance.Provider
			if simulator != "" {
				var err error
				if p, err = s.provider(cmd.Context(), simulator, "", ""); err != nil {
					return err
				}
			}
			checks := s.checks(p)
			if out.format == "json" {
				return out.json(checks)
			}
			w := tabwriter.NewWriter(out.stdout, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "CHECK\tLEVEL\tPROVES\tWHAT HOLDS")
			for _, c := range checks {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.ID, c.Level, c.Proves, c.Sentence)
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&simulator, "simulator", "", "list the checks of this provider, too: a built-in simulator's name, or a .yaml file")
	return c
}

// reportTarget is one report to be written.
type reportTarget struct {
	format string
	file   string // empty for standard output
}

// reportTargets are the reports of a run, of which one goes to standard output.
type reportTargets []reportTarget

// parseReports reads the values of --report. Standard output gets text if nothing
// else does, or JSON if --output says so.
func parseReports(values []string, outputFormat string) (reportTargets, error) {
	var targets reportTargets
	seen := map[string]bool{}
	for _, value := range values {
		format, file, toFile := strings.Cut(value, "=")
		switch {
		case !slices.Contains(report.Formats(), format):
			return nil, fmt.Errorf("%q is none of the formats %s", format, strings.Join(report.Formats(), ", "))
		case toFile && file == "":
			return nil, fmt.Errorf("%q names no file", value)
		case seen[file] && file == "":
			return nil, errors.New("two reports for standard output: give one a file, FORMAT=FILE")
		case seen[file]:
			return nil, fmt.Errorf("two reports for %s", file)
		}
		if toFile {
			if dir, err := os.Stat(filepath.Dir(file)); err != nil || !dir.IsDir() {
				return nil, fmt.Errorf("%s: there is no such folder", filepath.Dir(file)) // told now, not after the run
			}
		}
		seen[file] = true
		targets = append(targets, reportTarget{format, file})
	}
	if !seen[""] {
		targets = append(targets, reportTarget{format: outputFormat})
	}
	return targets, nil
}

// stdout is the format that goes to standard output.
func (t reportTargets) stdout() string {
	i := slices.IndexFunc(t, func(r reportTarget) bool { return r.file == "" })
	return t[i].format
}

// progress shows the checks as they end, as the first part of the text, or beside
// what is not to be mixed with it.
func (t reportTargets) progress(out *output) func(conformance.Result, int, int) {
	if t.stdout() == "text" {
		return report.Progress(out.stdout, isTerminal(out.stdout))
	}
	return report.Progress(out.stderr, isTerminal(out.stderr))
}

// write writes every report, and goes on when one can't be written.
func (t reportTargets) write(out *output, found *conformance.Report) error {
	var errs []error
	for _, target := range t {
		switch {
		case target.file != "":
			errs = append(errs, writeReport(target.file, target.format, found))
		case target.format == "text": // its lines were shown as they came
			errs = append(errs, report.Rest(out.stdout, found))
		default:
			errs = append(errs, report.Write(out.stdout, target.format, found))
		}
	}
	return errors.Join(errs...)
}

func writeReport(file, format string, found *conformance.Report) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(report.Write(f, format, found), f.Close())
}

// isTerminal reports whether somebody looks at it.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// builtIn is the suite itself.
func builtIn() suite {
	return suite{
		examine: conformance.Examine, checks: conformance.Checks, names: providers.Names, byName: providers.ByName, load: scenario.Load,
	}
}
