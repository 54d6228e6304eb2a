package main

import "time"

// suite is a package's benchmarks, or some of them, as one round runs them.
type suite struct {
	name   string // stands before the names of its benchmarks in the report
	module string // folder of the module, from the repository's root
	pkg    string // package, from the module's folder
	match  string // which benchmarks
	time   string // -test.benchtime
	args   []string
	from   int // first round, from 0
	rounds int
	most   time.Duration // of one round
}

// suites returns what is measured. The rounds of all suites are interleaved, so that
// noise of the machine meets them alike.
func suites(mode string) []suite {
	const engine = "./host/internal/wasm/bench"
	list := []suite{
		{name: "engine", pkg: engine, match: "^Benchmark(Create|Bound|Dirty|Restore|Burst)$", time: "200ms", rounds: 6},
		{name: "calls", pkg: "./host/internal/wasm", match: "^Benchmark(EmptyCall|EmptyGoCall|HostCall)$", time: "200ms", rounds: 6},
		{name: "peers", module: "bench", pkg: "./peers", match: "^BenchmarkCreate$", time: "200ms", rounds: 6},
		{name: "machine", pkg: "./internal/witness", match: "^BenchmarkMachine$", time: "20x", rounds: 6},
		{name: "stop", pkg: engine, match: "^BenchmarkStop$", time: "20x", rounds: 3},
		{name: "load", pkg: engine, match: "^BenchmarkLoad$", time: "1x", rounds: 3},
		{name: "idle", pkg: engine, match: "^BenchmarkIdle$", time: "1x", rounds: 2},
		{name: "e2e", module: "bench", pkg: "./e2e", match: "^BenchmarkPay$", time: "8000x", rounds: 5},
		{name: "swap", module: "bench", pkg: "./e2e", match: "^BenchmarkSwap$", time: "4x", rounds: 3},
		{name: "switch", pkg: "./host", match: "^BenchmarkSwitch$", time: "200ms", rounds: 6},
		{name: "neighbors", pkg: "./internal/soak", match: "^BenchmarkNeighbors$", time: "5x", rounds: 5},
		{name: "nodes", module: "bench", pkg: "./e2e", match: "^BenchmarkNodes$", time: "4000x", rounds: 2},
		{name: "ledger", pkg: "./internal/load", match: "^BenchmarkCreate$", time: "8000x", rounds: 3},
	}
	switch mode {
	case modeQuick:
		for i := range list {
			s := &list[i]
			s.rounds = 1
			s.time = map[string]string{"200ms": "50ms", "20x": "5x", "8000x": "1000x", "4000x": "500x", "3x": "1x", "5x": "1x"}[s.time]
			if s.time == "" {
				s.time = "1x"
			}
		}
	case modeMillion:
		list = append(list, suite{
			name: "stored", pkg: "./internal/load", match: "^BenchmarkStored$", time: "8000x", args: []string{"-million"},
			from: 5, rounds: 1, most: time.Hour, // last, since it takes longest
		})
	}
	for i := range list {
		if list[i].most == 0 {
			list[i].most = 4 * time.Minute
		}
	}
	return list
}
