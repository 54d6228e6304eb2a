// Package report makes the tables of make bench from what Go benchmarks print.
package report

import (
	"bufio"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Figures are the measured values by benchmark and unit, one for each round.
type Figures struct {
	values  map[key][]float64
	skipped map[string]string // benchmark: why
}

type key struct{ name, unit string }

// NewFigures returns no figures.
func NewFigures() *Figures {
	return &Figures{values: map[key][]float64{}, skipped: map[string]string{}}
}

var (
	processors = regexp.MustCompile(`-\d+$`)
	skip       = regexp.MustCompile(`^\s*--- SKIP: Benchmark(\S+)`)
	message    = regexp.MustCompile(`^\s+\w+\.go:\d+: (.*)`)
)

// Add reads what the benchmarks of a suite printed in one round, with -test.v so that
// they say why they skip. A benchmark BenchmarkX is named "suite:X" from then on.
func (f *Figures) Add(suite string, output io.Reader) error {
	lines := bufio.NewScanner(output)
	why := ""
	for lines.Scan() {
		line := lines.Text()
		if m := message.FindStringSubmatch(line); m != nil {
			why = m[1]
			continue
		}
		if m := skip.FindStringSubmatch(line); m != nil {
			f.skipped[suite+":"+m[1]] = why
			continue
		}
		fields := strings.Fields(line)
		name, isBenchmark := strings.CutPrefix(line, "Benchmark")
		if !isBenchmark || len(fields) < 4 {
			continue
		}
		name = suite + ":" + processors.ReplaceAllString(strings.Fields(name)[0], "")
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				break
			}
			k := key{name, fields[i+1]}
			f.values[k] = append(f.values[k], value)
		}
	}
	return lines.Err()
}

// Skip notes why nothing of a suite was measured.
func (f *Figures) Skip(suite, why string) { f.skipped[suite+":"] = why }

// Rounds returns the values of a benchmark in a unit, one for each round.
func (f *Figures) Rounds(name, unit string) []float64 { return f.values[key{name, unit}] }

// Why says why there is no figure of a benchmark.
func (f *Figures) Why(name string) string {
	for k := range f.values {
		if k.name == name { // it ran, and has other figures
			return "the machine was slow whenever it ran"
		}
	}
	for part := name; ; {
		if why := f.skipped[part]; why != "" {
			return why
		}
		cut := strings.LastIndex(part, "/")
		if cut < 0 {
			break
		}
		part = part[:cut]
	}
	suite, _, _ := strings.Cut(name, ":")
	if why := f.skipped[suite+":"]; why != "" {
		return why
	}
	return "no such benchmark ran"
}

// Median returns the middle value of the rounds; false if there is none.
func (f *Figures) Median(name, unit string) (float64, bool) {
	sorted := slices.Sorted(slices.Values(f.Rounds(name, unit)))
	if len(sorted) == 0 {
		return 0, false
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2, true
}

// Best returns the value of the round that was disturbed least: the greatest of
// payments a second, the least of everything else.
func (f *Figures) Best(name, unit string) (float64, bool) {
	values := f.Rounds(name, unit)
	switch {
	case len(values) == 0:
		return 0, false
	case unit == perSecond:
		return slices.Max(values), true
	}
	return slices.Min(values), true
}
