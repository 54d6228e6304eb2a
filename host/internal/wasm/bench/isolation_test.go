package bench_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/internal/benchwork/stubhost"
	"github.com/payhost/payhost/internal/witness"
	"github.com/payhost/payhost/sdk/pay"
)

// BenchmarkDirty reports how many pages of 4 KiB a call leaves to be put back.
func BenchmarkDirty(b *testing.B) {
	p := pool(b, wasm.EveryCall)
	do := call(p)
	before := p.Stats()
	for b.Loop() {
		if _, err := do(); err != nil {
			b.Fatal(err)
		}
	}
	settled := idle(p, 1)
	b.ReportMetric(float64(settled.DirtyPages-before.DirtyPages)/float64(settled.Restores-before.Restores), "pages/op")
}

// BenchmarkRestore times putting an instance back after a call, which the next call does
// when it is there first: with the kernel looking for the pages that were written (Linux
// 6.7), with its list of all pages, and by copying the whole image.
func BenchmarkRestore(b *testing.B) {
	for _, way := range []struct {
		name   string
		memory wasm.Memory
	}{{"scanned", wasm.MemoryScanned}, {"listed", wasm.MemoryListed}, {"copied", wasm.MemoryMapped}} {
		b.Run("by="+way.name, func(b *testing.B) {
			config := engine()
			config.Memory = way.memory
			p := poolIn(b, config, "payhost.wasm", wasm.PoolConfig{Size: 1})
			host, request := stubhost.New(), benchwork.CreateRequest(benchwork.Sample())
			machine := witness.Start()
			defer machine.Stop()
			var taken []witness.Span
			for b.Loop() {
				began := time.Now()
				deadline := began.Add(patience)
				inst, err := p.Take(b.Context(), deadline)
				taken = append(taken, witness.Span{Began: began, Ended: time.Now()})
				if err == nil {
					_, err = inst.Call(b.Context(), host, int32(pay.OpCreate), host.Begin(request), deadline)
				}
				if err != nil {
					b.Fatal(err)
				}
				p.Put(inst)
			}
			b.ReportMetric(witness.Mean(b, machine.Undisturbed(taken)), "ns/restore")
		})
	}
}

// BenchmarkIdle reports the memory of an instance that has served a call and waits
// for the next, when there are a thousand: by the kernel's account of this process
// (PSS, where a page that many instances share counts once), and the page tables
// beside it.
func BenchmarkIdle(b *testing.B) {
	const instances = 1000
	host, request := stubhost.New(), benchwork.CreateRequest(benchwork.Sample())
	for b.Loop() {
		config := wasm.PoolConfig{Size: instances, Isolation: wasm.EveryCall, Rest: 100 * time.Millisecond}
		p := poolOf(b, "payhost.wasm", config)
		before := resident(b)
		taken := make([]*wasm.Instance, instances)
		for i := range taken {
			inst, err := p.Take(b.Context(), time.Now().Add(patience))
			if err == nil {
				_, err = inst.Call(b.Context(), host, int32(pay.OpCreate), host.Begin(request), time.Now().Add(patience))
			}
			if err != nil {
				b.Fatal(err)
			}
			taken[i] = inst
		}
		for _, inst := range taken {
			p.Put(inst)
		}
		idle(p, instances)
		time.Sleep(time.Second) // the pool takes from them what they do not need to rest
		after := resident(b)
		b.ReportMetric(float64(after.pss-before.pss)/(instances-1), "KiB/instance")
		b.ReportMetric(float64(after.tables-before.tables)/(instances-1), "table-KiB/instance")
	}
}

// idle waits until so many instances wait for a call.
func idle(p *wasm.Pool, n int) wasm.Stats {
	for {
		if s := p.Stats(); s.Idle >= n && s.Out == 0 {
			return s
		}
		runtime.Gosched()
	}
}

// memory is what a process holds, in KiB.
type memory struct{ pss, tables int }

// resident returns what the process holds when it has given back what it can.
func resident(b *testing.B) memory {
	b.Helper()
	for range 2 {
		runtime.GC()
		debug.FreeOSMemory()
	}
	return memory{pss: kilobytes(b, "/proc/self/smaps_rollup", "Pss:"), tables: kilobytes(b, "/proc/self/status", "VmPTE:")}
}

func kilobytes(b *testing.B, file, name string) int {
	b.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		b.Skip("the kernel does not tell: ", err)
	}
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			if n, err := strconv.Atoi(fields[1]); err == nil {
				return n
			}
		}
	}
	b.Skip(file, " has no ", name)
	return 0
}
