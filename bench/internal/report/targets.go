package report

import (
	"fmt"
	"math"
	"strings"
)

// What is measured, by the names that the suites of cmd/bench give.
const (
	ns       = "ns/op"
	allCalls = "p99-all-ms"
	restored = "ns/restore"

	engine = "engine:Create/by="
	back   = "engine:Restore/by="
	peer   = "peers:Create/by="
	whole  = "e2e:Pay/by="
	ledger = "ledger:Create/"
)

// targets are the rows of the design, in its order.
var targets = []target{
	{
		what: "create payment, Go plugin, clean instance and CPU bound: × native idiomatic",
		of:   bench{engine + "payhost", ns}, by: bench{engine + "native", ns}, unit: "×", limit: 1.5,
	},
	{
		what: "the same × Extism with JSON messages, its instance used again",
		of:   bench{engine + "payhost", ns}, by: bench{peer + "extism-json", ns}, unit: "×", limit: 0.04, compute: toExtism,
	},
	{what: "empty call", of: bench{"calls:EmptyGoCall", ns}, unit: "ns", limit: 100},
	{what: "host call", of: bench{"calls:HostCall", "ns/hostcall"}, unit: "ns", limit: 60},
	{
		what: "clean instance per call: putting it back",
		of:   bench{back + "scanned", restored}, unit: "µs", limit: 5, compute: scanned,
	},
	{what: "pages that a call leaves dirty", of: bench{"engine:Dirty", "pages/op"}, limit: 12},
	{
		what: "clean instance where PAGEMAP_SCAN is missing: putting it back",
		of:   bench{back + "listed", restored}, by: bench{back + "copied", restored}, unit: "µs", limit: 150, compute: listed,
	},
	{
		what: "CPU bound: × the plugin as it was compiled",
		of:   bench{"engine:Bound/by=payhost", ns}, by: bench{"engine:Bound/by=nothing", ns}, unit: "×", limit: 1.05,
	},
	{what: "endless loop: stopped after the deadline, at the latest", of: bench{"stop:Stop", "late-max-ms"}, unit: "ms", limit: 1},
	{
		what: "endless loop: longest collection of the host's garbage",
		of:   bench{"stop:Stop", "gc-max-ms"}, by: bench{"stop:Stop", "gc-alone-max-ms"}, unit: "ms", limit: 10, compute: collection,
	},
	{
		what: "first load, the slowest of three plugins",
		of:   bench{load + "rahmet/from=cold", ns}, unit: "ms", limit: 500, compute: slowest("cold"),
	},
	{
		what: "restart from the cache, the slowest",
		of:   bench{load + "rahmet/from=cache", ns}, unit: "ms", limit: 15, compute: slowest("cache"),
	},
	{what: "memory of an idle instance, at 1000 instances", of: bench{"idle:Idle", "KiB/instance"}, unit: "KiB", limit: 128},
	{what: "size of a plugin, the largest of three", of: bench{load + "rahmet/from=cold", "MB"}, unit: "MB", limit: 2.5, compute: largest},
	{
		what: "HTTP API → plugin → TLS provider, isolated, no ledger: payments/s × native",
		of:   bench{whole + "payhost", perSecond}, by: bench{whole + "native", perSecond}, unit: "×", limit: 0.9, atLeast: true,
	},
	{
		what: "the same: p99 × native",
		of:   bench{whole + "payhost", "p99-ms"}, by: bench{whole + "native", "p99-ms"}, unit: "×", limit: 1.25, orElse: allCalls,
	},
	{
		what: "with the durable ledger on SQLite, synchronous=FULL",
		of:   bench{ledger + "ledger=sqlite/plugin=wasm", perSecond}, by: bench{ledger + "ledger=none/plugin=wasm", perSecond},
		unit: perSecond, limit: 2000, atLeast: true, compute: withLedger("sqlite"),
	},
	{
		what: "with the ledger on PostgreSQL, one node",
		of:   bench{ledger + "ledger=postgres/plugin=wasm", perSecond}, by: bench{ledger + "ledger=none/plugin=wasm", perSecond},
		unit: perSecond, limit: 1500, atLeast: true, compute: withLedger("postgres"),
	},
	{
		what: "with the ledger on PostgreSQL, two nodes",
		of:   bench{"nodes:Nodes/nodes=2", perSecond}, by: bench{"nodes:Nodes/nodes=1", perSecond},
		unit: perSecond, limit: 1500, atLeast: true, compute: twoNodes,
	},
	{
		what: "payments stored, 10^4 → 10^6: p99 of a create on SQLite",
		of:   bench{stored("sqlite", 1_000_000), "p99-ms"}, by: bench{stored("sqlite", 10_000), "p99-ms"},
		unit: "×", limit: 1.3, orElse: allCalls,
	},
	{
		what: "the same on PostgreSQL",
		of:   bench{stored("postgres", 1_000_000), "p99-ms"}, by: bench{stored("postgres", 10_000), "p99-ms"},
		unit: "×", limit: 1.3, orElse: allCalls,
	},
	{what: "hot swap under load: calls that failed", of: bench{"swap:Swap/compiler=apart", "failed-calls"}, limit: 0},
	{
		what: "hot swap: p99 while the new revision is made, × before",
		of:   bench{"swap:Swap/compiler=apart", "p99-during-ms"}, unit: "×", limit: 1.1, compute: compiled,
	},
	{
		what: "hot swap: the switch of a connection",
		of:   bench{"switch:Switch/connections=1", ns}, by: bench{hundred, ns}, unit: "ns", limit: 1000, compute: switched,
	},
	{
		what: "beside a good plugin, each hostile guest: ended after its deadline, at the latest",
		of:   bench{neighbor("loop"), "stop-max-ms"}, unit: "ms", limit: 10, compute: worst("stop-max-ms"),
	},
	{
		what: "the same: longest stop of the host by its collector",
		of:   bench{neighbor("loop"), "beside-pause-max-ms"}, unit: "ms", limit: 10, compute: worst("beside-pause-max-ms"),
	},
	{
		what: "the same: p99 of the good plugin × alone",
		of:   bench{neighbor("loop"), "p99-ratio"}, unit: "×", limit: 1.25, compute: worst("p99-ratio"),
	},
}

const (
	perSecond = "payments/s"
	load      = "load:Load/plugin="
	hundred   = "switch:Switch/connections=100"
)

func neighbor(deed string) string { return "neighbors:Neighbors/beside=" + deed }

// worst is the most over what a hostile guest may do beside a good plugin, by the
// medians of the rounds.
func worst(unit string) func(*Figures) (float64, string) {
	return func(f *Figures) (float64, string) {
		most := 0.0
		var each []string
		for _, deed := range []string{"loop", "recurse", "sleep", "allocate", "straight", "bulk", "touch", "all"} {
			v, ok := f.Median(neighbor(deed), unit)
			switch {
			case !ok:
				each, most = append(each, deed+" was not measured"), math.Inf(1)
				continue
			case deed != "bulk" && deed != "touch" && deed != "all": // these are shown, and have no aim
				most = max(most, v)
			}
			each = append(each, deed+" "+number(v))
		}
		return most, " (" + strings.Join(each, ", ") + ")"
	}
}

func stored(kind string, n int) string {
	return fmt.Sprintf("stored:Stored/ledger=%s/stored=%d/create", kind, n)
}

// toExtism goes by way of native, since the engine and the peers are measured by two
// programs, in the same round but not in the same process.
func toExtism(f *Figures) (float64, string) {
	ratio := func(of, base string) float64 {
		a, _ := f.Median(of, ns)
		b, ok := f.Median(base, ns)
		if !ok {
			return 0
		}
		return a / b
	}
	payhost, extism := ratio(engine+"payhost", engine+"native"), ratio(peer+"extism-json", peer+"native")
	return payhost / extism, fmt.Sprintf(" (1/%.0f)", extism/payhost)
}

// scanned is what putting an instance back takes.
func scanned(f *Figures) (float64, string) {
	median, _ := f.Median(back+"scanned", restored)
	best, _ := f.Best(back+"scanned", restored)
	return median / 1e3, fmt.Sprintf(" (best %s)", number(best/1e3))
}

// listed is that with the kernel's list of all pages, and what it takes without.
func listed(f *Figures) (float64, string) {
	median, _ := f.Median(back+"listed", restored)
	copied, _ := f.Median(back+"copied", restored)
	return median / 1e3, fmt.Sprintf(" (%s where the whole image has to be copied)", number(copied/1e3))
}

// collection is the longest one beside an endless loop, and without.
func collection(f *Figures) (float64, string) {
	beside, _ := f.Median("stop:Stop", "gc-max-ms")
	alone, _ := f.Median("stop:Stop", "gc-alone-max-ms")
	return beside, fmt.Sprintf(" (%s with no guest)", number(alone))
}

// withLedger is payments a second, and how much longer the ledger makes one.
func withLedger(kind string) func(*Figures) (float64, string) {
	return func(f *Figures) (float64, string) {
		with, _ := f.Median(ledger+"ledger="+kind+"/plugin=wasm", perSecond)
		without, _ := f.Median(ledger+"ledger=none/plugin=wasm", perSecond)
		best, _ := f.Best(ledger+"ledger="+kind+"/plugin=wasm", perSecond)
		return with, fmt.Sprintf(" (best %s; the ledger's share of the time is %.0f %%)", number(best), 100*(1-with/without))
	}
}

// switched is the switch of one connection, and how long that of a hundred takes, each
// of which has one revision or the other at any time.
func switched(f *Figures) (float64, string) {
	one, _ := f.Median("switch:Switch/connections=1", ns)
	all, _ := f.Median(hundred, ns)
	return one, fmt.Sprintf(" (a hundred connections, one after the other: %s)", number(all))
}

// compiled is how much longer calls take while a process of its own makes the new
// revision, and while the one that serves does.
func compiled(f *Figures) (float64, string) {
	ratio := func(compiler string) float64 {
		during, _ := f.Median("swap:Swap/compiler="+compiler, "p99-during-ms")
		before, _ := f.Median("swap:Swap/compiler="+compiler, "p99-before-ms")
		return during / before
	}
	return ratio("apart"), fmt.Sprintf(" (made in the process that serves: %s×)", number(ratio("here")))
}

// twoNodes is what two nodes take that share the processors of one.
func twoNodes(f *Figures) (float64, string) {
	two, _ := f.Median("nodes:Nodes/nodes=2", perSecond)
	one, _ := f.Median("nodes:Nodes/nodes=1", perSecond)
	return two, fmt.Sprintf(" (%s× one node on the same processors; every payment read again by the other node)", number(two/one))
}

var plugins = []string{"rahmet", "yeniltoleg", "smartpay"}

// slowest is the longest load of the plugins, in milliseconds.
func slowest(from string) func(*Figures) (float64, string) {
	return func(f *Figures) (float64, string) {
		most, name := 0.0, ""
		for _, plugin := range plugins {
			if took, _ := f.Median(load+plugin+"/from="+from, ns); took > most {
				most, name = took, plugin
			}
		}
		return most / 1e6, " (" + name + ")"
	}
}

func largest(f *Figures) (float64, string) {
	most, name := 0.0, ""
	for _, plugin := range plugins {
		if size, _ := f.Median(load+plugin+"/from=cold", "MB"); size > most {
			most, name = size, plugin
		}
	}
	return most, " (" + name + ")"
}
