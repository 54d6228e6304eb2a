// Command bench measures all rows of payhost's performance targets in one run, in
// interleaved rounds, and writes build/bench/report.md. Run it by make bench;
// bench/README.md says more.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/payhost/payhost/bench/internal/guests"
	"github.com/payhost/payhost/bench/internal/report"
)

// The modes, least first.
const (
	modeQuick   = "quick"
	modeFull    = "full"
	modeMillion = "million"
)

const benchstat = "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"

func main() {
	root := flag.String("root", "..", "the repository")
	mode := flag.String("mode", modeFull, "quick, full or million (full, and a ledger with a million payments)")
	only := flag.String("only", "", "measure only these suites, with commas between")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, *root, *mode, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is one run of all suites.
type run struct {
	root   string
	built  map[string]bool
	log    io.Writer // what failed, and all that the benchmarks print to stderr
	out    bytes.Buffer
	failed []string // suites
}

func bench(ctx context.Context, root, mode, only string) error {
	if mode != modeQuick && mode != modeFull && mode != modeMillion {
		return fmt.Errorf("no mode %q: there are quick, full and million", mode)
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	r := &run{root: root, built: map[string]bool{}}
	if err := os.MkdirAll(r.path(""), 0o755); err != nil {
		return err
	}
	log, err := os.Create(r.path("log.txt"))
	if err != nil {
		return err
	}
	defer log.Close()
	r.log = log
	fmt.Fprintln(os.Stderr, "building the plugins and the peers")
	if err := guests.Build(ctx, root, r.path("")); err != nil {
		return err
	}
	list := chosen(suites(mode), only)
	figures, rounds := r.measureAll(ctx, list)
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "interrupted: this is what was measured until then")
	}
	if err := r.write(context.WithoutCancel(ctx), report.New(figures, machine(), rounds)); err != nil {
		return err
	}
	if len(r.failed) > 0 {
		return fmt.Errorf("failed: %s; see %s", strings.Join(r.failed, ", "), r.path("log.txt"))
	}
	return nil
}

// chosen returns the suites whose names are in only; all if that is empty.
func chosen(list []suite, only string) []suite {
	if only == "" {
		return list
	}
	var some []suite
	for _, s := range list {
		if strings.Contains(","+only+",", ","+s.name+",") {
			some = append(some, s)
		}
	}
	return some
}

// measureAll runs the rounds. A suite that fails is left out from then on, and its
// rows say why.
func (r *run) measureAll(ctx context.Context, list []suite) (*report.Figures, int) {
	figures := report.NewFigures()
	figures.Skip("stored", "make bench BENCH=million does, in ten minutes more")
	rounds := 0
	for _, s := range list {
		rounds = max(rounds, s.from+s.rounds)
	}
	for round := range rounds {
		for _, s := range list {
			if round < s.from || round >= s.from+s.rounds || slices.Contains(r.failed, s.name) || ctx.Err() != nil {
				continue
			}
			began := time.Now()
			out, err := r.measure(ctx, s)
			if err == nil {
				err = figures.Add(s.name, bytes.NewReader(out))
			}
			if err != nil && ctx.Err() != nil {
				figures.Skip(s.name, "interrupted")
				continue
			}
			if err != nil {
				r.failed = append(r.failed, s.name)
				line, _, _ := strings.Cut(err.Error(), "\n")
				figures.Skip(s.name, "it failed ("+line+"); see log.txt")
				fmt.Fprintln(r.log, s.name, err)
			}
			r.out.Write(out)
			fmt.Fprintf(os.Stderr, "round %d of %d: %s, %s\n", round+1, rounds, s.name, time.Since(began).Round(100*time.Millisecond))
		}
	}
	return figures, rounds
}

// write writes what was found: every line of every round, benchstat's view of them,
// the results as JSON and the tables.
func (r *run) write(ctx context.Context, results *report.Results) error {
	if err := os.WriteFile(r.path("bench.txt"), r.out.Bytes(), 0o644); err != nil {
		return err
	}
	stat := exec.CommandContext(ctx, "go", "run", benchstat, "bench.txt="+r.path("bench.txt"))
	stat.Dir = os.TempDir() // the tool is no part of any module here
	if out, err := stat.Output(); err != nil {
		fmt.Fprintln(r.log, "benchstat:", err)
	} else if err := os.WriteFile(r.path("benchstat.txt"), out, 0o644); err != nil {
		return err
	}
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.path("results.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	var table bytes.Buffer
	if err := results.Markdown(&table); err != nil {
		return err
	}
	fmt.Print(table.String())
	return os.WriteFile(r.path("report.md"), table.Bytes(), 0o644)
}

// path returns a path in build/bench.
func (r *run) path(name string) string { return filepath.Join(r.root, "build", "bench", name) }

// machine says what the figures were taken on.
func machine() string {
	parts := []string{runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, fmt.Sprintf("%d processors", runtime.NumCPU())}
	info, _ := os.ReadFile("/proc/cpuinfo") // elsewhere there is none
	for line := range strings.Lines(string(info)) {
		if model, found := strings.CutPrefix(line, "model name"); found {
			parts = append(parts, strings.Trim(model, ": \t\n"))
			break
		}
	}
	return strings.Join(append(parts, time.Now().Format(time.DateOnly)), ", ")
}
