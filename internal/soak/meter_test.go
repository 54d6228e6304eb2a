package soak_test

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"modernc.org/libc"
)

// reading is what the process holds at one time, when nobody calls.
type reading struct {
	heap       int // bytes in use, after a collection
	rss        int // bytes
	sqlite     int // bytes that SQLite has of the system, nearly all for pages that it keeps
	goroutines int
	files      int // descriptors
	mappings   int
	ofPlugins  int // of those: the memories of instances, and compiled code
	instances  int // of plugins, that wait
}

// SQLite fills its caches for ten minutes, and only then stays as large as it is, so
// that its memory is held against what they may take instead: 64 MiB of the ledger's
// writer, and 2 MiB of each of nine other connections. It is twice that, since its
// allocator gives a page of 4 KiB and its header 8, from blocks of 1 MiB that the
// kernel lists one by one.
const (
	sqliteBlock = 1 << 20
	sqliteMost  = 2*(64+9*2)<<20 + 16<<20
)

// quantities are what is held against its beginning, with what it may rise by: a
// share of what there was, and as much again as comes and goes with connections,
// instances and the runtime's own habits.
var quantities = []struct {
	name  string
	of    func(*reading) int
	share int // percent
	slack int
}{
	{"heap", func(r *reading) int { return r.heap }, 10, 4 << 20},
	{"rss without SQLite's memory", func(r *reading) int { return r.rss - r.sqlite }, 15, 32 << 20},
	{"goroutines", func(r *reading) int { return r.goroutines }, 10, 20},
	{"files", func(r *reading) int { return r.files }, 10, 16},
	{"mappings without SQLite's", func(r *reading) int { return r.mappings - r.sqlite/sqliteBlock }, 10, 40},
	{"mappings of plugins", func(r *reading) int { return r.ofPlugins }, 10, 20},
}

// read takes a reading. The collector runs twice, since finalizers free some things
// only then.
func (w *world) read() reading {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r := reading{heap: int(m.HeapAlloc), goroutines: runtime.NumGoroutine(), rss: resident(), files: len(descriptors())}
	r.mappings, r.ofPlugins, r.sqlite = len(mappings()), len(ofPlugins()), libc.MemStat().Bytes
	for _, s := range w.host.Stats() {
		r.instances += s.Idle
	}
	return r
}

// descriptors are the open ones, by what they stand for.
func descriptors() []string {
	entries, _ := os.ReadDir("/proc/self/fd")
	var list []string
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil { // not the one that read the folder
			list = append(list, to)
		}
	}
	return list
}

func mappings() []string {
	text, _ := os.ReadFile("/proc/self/maps")
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// plugin is a mapping of a plugin: its memory, or its code, which is the only code
// that is in no file.
var plugin = regexp.MustCompile(`memfd:payhost|r-xp [0-9a-f]+ 00:00 0 *$`)

// leftovers are what a process without a host may not hold.
type leftovers struct{ files, plugins []string }

// closed waits until what a closed host held is gone: the engine frees a plugin's
// code when the collector finds that nobody has it, which takes some collections and, on a
// machine with much else to do, some seconds. So many mappings of plugins may stay.
func closed(plugins int) (l leftovers) {
	for n := range 400 {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
		if l.plugins = ofPlugins(); n >= 20 && len(l.plugins) <= plugins {
			break
		}
	}
	l.files = descriptors()
	return l
}

func ofPlugins() []string {
	return slices.DeleteFunc(mappings(), func(line string) bool { return !plugin.MatchString(line) })
}

var vmRSS = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

func resident() int {
	text, _ := os.ReadFile("/proc/self/status")
	if m := vmRSS.FindSubmatch(text); m != nil {
		n, _ := strconv.Atoi(string(m[1]))
		return n << 10
	}
	return 0
}

// flat holds the last fifth of the readings against the first. Those of the warm-up
// are not among them.
func flat(t *testing.T, list []reading) {
	t.Helper()
	fifth := max(1, len(list)/5)
	for _, q := range quantities {
		first, last := median(list[:fifth], q.of), median(list[len(list)-fifth:], q.of)
		if last > first+first*q.share/100+q.slack {
			t.Errorf("%s rose from %d to %d", q.name, first, last)
		}
	}
	for _, r := range list {
		if r.sqlite > sqliteMost {
			t.Errorf("SQLite has %d bytes, and its caches may not take more than %d", r.sqlite, sqliteMost)
			return
		}
	}
}

func median[T any, N cmp.Ordered](list []T, of func(*T) N) N {
	values := make([]N, len(list))
	for i := range list {
		values[i] = of(&list[i])
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// String is the reading in one line.
func (r reading) String() string {
	return fmt.Sprintf("heap %5.1f MiB, RSS %6.1f MiB (%.1f of SQLite), goroutines %3d, files %3d, mappings %3d (%d of plugins), instances %2d",
		float64(r.heap)/(1<<20), float64(r.rss)/(1<<20), float64(r.sqlite)/(1<<20), r.goroutines, r.files, r.mappings, r.ofPlugins, r.instances)
}
