package report

import (
	"fmt"
	"math"
)

// Results is what a run of make bench found; the plot is drawn from it.
type Results struct {
	Machine string `json:"machine"`
	Rounds  int    `json:"rounds"`
	Rows    []Row  `json:"rows"`
	Call    []Bar  `json:"call"`  // one call, × native
	Whole   []Bar  `json:"whole"` // payments a second from end to end
}

// Bar is one variant of a comparison.
type Bar struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value,omitempty"`  // 0 if it was not measured
	Detail string  `json:"detail,omitempty"` // the times behind it
	Why    string  `json:"why,omitempty"`    // why it was not measured
	Own    bool    `json:"own,omitempty"`    // payhost's
}

// New makes the results of figures.
func New(f *Figures, machine string, rounds int) *Results {
	return &Results{Machine: machine + costs(f), Rounds: rounds, Rows: Rows(f), Call: calls(f), Whole: wholes(f)}
}

// costs says what the machine asks for memory and for its kernel, which differs more than
// the speed of processors; "" where it was not measured.
func costs(f *Figures) string {
	const name = "machine:Machine"
	fresh, ok := f.Median(name, "page-ns")
	copied, _ := f.Median(name, "private-page-ns")
	call, _ := f.Median(name, "call-ns")
	if !ok {
		return ""
	}
	return fmt.Sprintf(", where a page that is touched for the first time costs %s µs, one of a private mapping of a file %s µs, "+
		"and a system call %s ns", number(fresh/1e3), number(copied/1e3), number(call))
}

// variant is a way to do the work.
type variant struct {
	bench, title string
	base         string // the native work measured by the same program
	own          bool
}

func calls(f *Figures) []Bar {
	list := []variant{
		{engine + "native", "native Go: net/url, encoding/json", engine + "native", false},
		{engine + "sdk", "native Go: payhost's SDK", engine + "native", true},
		{engine + "payhost", "payhost: clean instance per call", engine + "native", true},
		{engine + "payhost-not-isolated", "payhost: instance used again", engine + "native", true},
		{engine + "payhost-idiomatic", "payhost: clean, net/url in the plugin", engine + "native", true},
		{engine + "payhost-c", "payhost: clean, plugin in C", engine + "native", true},
		{peer + "wasmtime", "wasmtime-go: payhost's plugin", peer + "native", false},
		{peer + "hashicorp-local", "hashicorp/go-plugin: HTTP in the plugin", peer + "native", false},
		{peer + "knqyf263", "knqyf263/go-plugin", peer + "native", false},
		{peer + "hashicorp-callback", "hashicorp/go-plugin: HTTP by the host", peer + "native", false},
		{peer + "extism-binary", "Extism: protobuf messages", peer + "native", false},
		{peer + "extism-json", "Extism: JSON messages", peer + "native", false},
	}
	bars := make([]Bar, 0, len(list))
	for _, v := range list {
		bar := Bar{Name: v.title, Own: v.own}
		median, ok := f.Median(v.bench, ns)
		base, _ := f.Median(v.base, ns)
		if !ok || base == 0 {
			bar.Why = f.Why(v.bench)
		} else {
			best, _ := f.Best(v.bench, ns)
			bar.Value, bar.Detail = rounded(median/base), number(median/1e3)+" µs, best "+number(best/1e3)
		}
		bars = append(bars, bar)
	}
	return bars
}

func wholes(f *Figures) []Bar {
	list := []variant{
		{bench: whole + "native", title: "native Go service"},
		{bench: whole + "payhost-in-process", title: "payhost: plugin in-process", own: true},
		{bench: whole + "payhost", title: "payhost: clean instance per call", own: true},
		{bench: whole + "payhost-not-isolated", title: "payhost: instance used again", own: true},
		{bench: whole + "extism-json", title: "Extism: JSON messages"},
		{bench: ledger + "ledger=sqlite/plugin=wasm", title: "payhost with its ledger on SQLite", own: true},
		{bench: ledger + "ledger=postgres/plugin=wasm", title: "payhost with its ledger on PostgreSQL", own: true},
	}
	bars := make([]Bar, 0, len(list))
	for _, v := range list {
		bar := Bar{Name: v.title, Own: v.own}
		if median, ok := f.Median(v.bench, perSecond); !ok {
			bar.Why = f.Why(v.bench)
		} else {
			p50, _ := f.Median(v.bench, "p50-ms")
			p99, _ := f.Median(v.bench, "p99-ms")
			bar.Value, bar.Detail = math.Round(median), "p50 "+number(p50)+" ms, p99 "+number(p99)+" ms"
		}
		bars = append(bars, bar)
	}
	return bars
}
