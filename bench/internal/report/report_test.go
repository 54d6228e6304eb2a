package report_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/payhost/payhost/bench/internal/report"
)

const engine = `goos: linux
BenchmarkCreate
BenchmarkCreate/by=native
BenchmarkCreate/by=native-2                  100   10000 ns/op   8352 B/op   94 allocs/op
BenchmarkCreate/by=payhost-2                 100   14000 ns/op
BenchmarkCreate/by=payhost-not-isolated-2    100   11000 ns/op
BenchmarkRestore/by=scanned-2    100   50000 ns/op   4000 ns/restore
BenchmarkRestore/by=scanned-2    100   50000 ns/op   3000 ns/restore
BenchmarkRestore/by=scanned-2    100   50000 ns/op   5000 ns/restore
BenchmarkRestore/by=listed-2    100   70000 ns/op   20000 ns/restore
BenchmarkRestore/by=copied-2    100   500000 ns/op   400000 ns/restore
BenchmarkDirty-2   10   1 ns/op   25.00 pages/op
PASS
`

const peers = `BenchmarkCreate/by=native-2        100   20000 ns/op
BenchmarkCreate/by=extism-json-2   100   800000 ns/op
BenchmarkCreate/by=wasmtime
    peers_test.go:53: not to be had here: no C compiler
--- SKIP: BenchmarkCreate/by=wasmtime
`

func figures(t *testing.T) *report.Figures {
	t.Helper()
	f := report.NewFigures()
	for suite, output := range map[string]string{"engine": engine, "peers": peers} {
		if err := f.Add(suite, strings.NewReader(output)); err != nil {
			t.Fatal(err)
		}
	}
	// A second round that was disturbed, and a third that was less so.
	for _, line := range []string{"BenchmarkCreate/by=payhost 1 90000 ns/op", "BenchmarkCreate/by=payhost 1 15000 ns/op"} {
		if err := f.Add("engine", strings.NewReader(line)); err != nil {
			t.Fatal(err)
		}
	}
	f.Skip("ledger", "it failed")
	stored := "BenchmarkStored/ledger=postgres/stored=10000/create-2 8000 800 ns/op 98 disturbed-% 60 p99-all-ms 50 p99-ms\n" +
		"BenchmarkStored/ledger=postgres/stored=1000000/create-2 8000 900 ns/op 100 disturbed-% 72 p99-all-ms\n"
	if err := f.Add("stored", strings.NewReader(stored)); err != nil {
		t.Fatal(err)
	}
	swapped := "BenchmarkSwap/compiler=apart-2 4 4e9 ns/op 100 disturbed-before-% 100 disturbed-during-% 0 failed-calls"
	if err := f.Add("swap", strings.NewReader(swapped)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRows(t *testing.T) {
	t.Parallel()
	tests := []struct{ what, target, measured, met string }{
		{"create payment, Go plugin", "≤ 1.5×", "1.5× (by best rounds 1.4×)", "yes"},
		{"the same × Extism", "≤ 0.04×", "0.037× (1/27)", "yes"},
		{"clean instance per call", "≤ 5 µs", "4 µs (best 3)", "yes"},
		{"clean instance where", "≤ 150 µs", "20 µs (400 where the whole image has to be copied)", "yes"},
		{"pages that a call leaves", "≤ 12", "25 (best 25)", "no"},
		{"empty call", "≤ 100 ns", "not measured: no such benchmark ran", ""},
		{"with the durable ledger", "≥ 2000 payments/s", "not measured: it failed", ""},
		{"the same on PostgreSQL", "≤ 1.3×", "1.2× (by best rounds 1.2×), of all calls, since none was undisturbed", "yes"},
		{"hot swap: p99", "≤ 1.1×", "not measured: the machine was slow whenever it ran", ""},
	}
	rows := report.Rows(figures(t))
	for _, tt := range tests {
		found := false
		for _, row := range rows {
			if !strings.HasPrefix(row.What, tt.what) {
				continue
			}
			found = true
			if row.Target != tt.target || row.Measured != tt.measured || row.Met != tt.met {
				t.Errorf("%s: %q, %q, %q, want %q, %q, %q", tt.what, row.Target, row.Measured, row.Met, tt.target, tt.measured, tt.met)
			}
			break
		}
		if !found {
			t.Errorf("no row begins with %q", tt.what)
		}
	}
}

// TestWorst takes the most of several benchmarks, and none for met that did not run.
func TestWorst(t *testing.T) {
	t.Parallel()
	f := report.NewFigures()
	var lines strings.Builder
	for deed, ratio := range map[string]string{
		"loop": "1.1", "recurse": "1.2", "sleep": "1", "allocate": "1.25", "straight": "1", "bulk": "3", "touch": "2", "all": "4",
	} {
		lines.WriteString("BenchmarkNeighbors/beside=" + deed + "-2 1 0 ns/op " + ratio + " p99-ratio\n")
	}
	whole := lines.String()
	if err := f.Add("neighbors", strings.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	part := report.NewFigures()
	if err := part.Add("neighbors", strings.NewReader(strings.ReplaceAll(whole, "sleep", "other"))); err != nil {
		t.Fatal(err)
	}
	for want, rows := range map[string][]report.Row{"yes": report.Rows(f), "no": report.Rows(part)} {
		for _, row := range rows {
			if row.What == "the same: p99 of the good plugin × alone" && (row.Met != want || !strings.Contains(row.Measured, "all 4")) {
				t.Errorf("%q, met: %s, want %s", row.Measured, row.Met, want)
			}
		}
	}
}

// TestLeast holds a row whose limit is the least.
func TestLeast(t *testing.T) {
	t.Parallel()
	for rate, want := range map[string]string{"1999": "no", "2000": "yes", "2001": "yes"} {
		f := report.NewFigures()
		line := "BenchmarkCreate/ledger=none/plugin=wasm-2 1 1 ns/op 4000 payments/s\n" +
			"BenchmarkCreate/ledger=sqlite/plugin=wasm-2 1 1 ns/op " + rate + " payments/s"
		if err := f.Add("ledger", strings.NewReader(line)); err != nil {
			t.Fatal(err)
		}
		for _, row := range report.Rows(f) {
			if strings.Contains(row.What, "SQLite, synchronous=FULL") && row.Met != want {
				t.Errorf("%s payments/s: %q, want %q", rate, row.Met, want)
			}
		}
	}
}

// TestSwitch holds the switch of one connection against the limit, and not that of all.
func TestSwitch(t *testing.T) {
	t.Parallel()
	f := report.NewFigures()
	lines := "BenchmarkSwitch/connections=1-2 1 120 ns/op\nBenchmarkSwitch/connections=100-2 1 1800 ns/op"
	if err := f.Add("switch", strings.NewReader(lines)); err != nil {
		t.Fatal(err)
	}
	var got report.Row
	for _, row := range report.Rows(f) {
		if strings.HasPrefix(row.What, "hot swap: the switch") {
			got = row
		}
	}
	if want := "120 ns (a hundred connections, one after the other: 1800)"; got.Measured != want || got.Met != "yes" {
		t.Errorf("%q, met %q; want %q, met", got.Measured, got.Met, want)
	}
}

// TestMachine tells what the machine asks for memory, where that was measured.
func TestMachine(t *testing.T) {
	t.Parallel()
	f := figures(t)
	if got := report.New(f, "a machine", 3).Machine; got != "a machine" {
		t.Errorf("machine %q", got)
	}
	line := "BenchmarkMachine-2 20 44693353 ns/op 1060 call-ns 12600 page-ns 15300 private-page-ns"
	if err := f.Add("machine", strings.NewReader(line)); err != nil {
		t.Fatal(err)
	}
	want := "a machine, where a page that is touched for the first time costs 12.6 µs, one of a private mapping of a file 15.3 µs, " +
		"and a system call 1060 ns"
	if got := report.New(f, "a machine", 3).Machine; got != want {
		t.Errorf("machine %q, want %q", got, want)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	results := report.New(figures(t), "a machine", 3)
	if err := results.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a machine. Medians of up to 3 interleaved rounds",
		"| pages that a call leaves dirty | ≤ 12 | 25 (best 25) | **no** |",
		"| payhost: clean instance per call | 1.5 | 15 µs, best 14 |",
		"| Extism: JSON messages | 40 | 800 µs, best 800 |",
		"| wasmtime-go: payhost's plugin | | not measured: not to be had here: no C compiler |",
		"| native Go service | | not measured: no such benchmark ran |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if _, err := json.Marshal(results); err != nil {
		t.Error(err)
	}
}
