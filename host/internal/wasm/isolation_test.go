package wasm_test

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/host/internal/wasm/testdata/asm"
)

// TestRestoreIsByteForByte runs thousands of calls of every kind through few
// instances and compares the whole memory and all globals with the image before
// each of them, for every way to keep memory.
func TestRestoreIsByteForByte(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		memory wasm.Memory
		calls  int
		told   bool // which pages were written
	}{
		"scanned": {wasm.MemoryScanned, 2000, true}, "listed": {wasm.MemoryListed, 2000, true},
		"mapped": {wasm.MemoryMapped, 300, false}, "plain": {wasm.MemoryPlain, 300, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() {
				way.calls = 200
			}
			c := config()
			c.Memory = way.memory
			m, err := wasm.Compile(t.Context(), hostileBinary, c)
			if err != nil {
				t.Fatal(err)
			}
			pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: 3, InitTimeout: patience})
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			s := restoreAll(t, pool, way.calls)
			if whole := uint64(s.ImageBytes / 4096); runtime.GOOS == "linux" && way.told && s.DirtyPages > s.Restores*whole/2 {
				t.Errorf("%d pages were copied in %d restores, of %d: the kernel does not tell which were written", s.DirtyPages, s.Restores, whole)
			}
		})
	}
}

func restoreAll(t *testing.T, pool *wasm.Pool, calls int) wasm.Stats {
	t.Helper()
	if err := pool.Start(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same calls in every run
	spoiled := uint64(0)
	for n := range calls {
		inst := take(t, pool)
		if offset, global := inst.Differs(); offset >= 0 || global >= 0 {
			t.Fatalf("call %d: instance differs from its image at byte %d, global %d", n, offset, global)
		}
		op, input, want := mixed(random)
		code, err := inst.Call(t.Context(), clock{}, op, input, time.Now().Add(patience))
		switch {
		case want < 0 && err == nil:
			t.Fatalf("call %d, op %d: no fault", n, op)
		case want >= 0 && (err != nil || code != want):
			t.Fatalf("call %d, op %d with %d: %d, %v, want %d", n, op, input, code, err, want)
		case want < 0 || op == opGrowOnce:
			spoiled++
		}
		pool.Put(inst)
	}
	s := settled(pool)
	discards := uint64(0)
	for _, n := range s.Discards {
		discards += n
	}
	if discards < spoiled || s.Restores+discards != uint64(calls) || s.Calls != uint64(calls) {
		t.Errorf("of %d calls, of which %d spoil an instance: %+v", calls, spoiled, s)
	}
	t.Logf("%d restores, %d pages each, discards %v", s.Restores, s.DirtyPages/max(s.Restores, 1), s.Discards)
	return s
}

// mixed picks a call: what it is, its input, and what it returns, or -1 for a fault.
func mixed(random *rand.Rand) (op int32, input int, want int32) {
	n := 1 + random.IntN(200)
	switch random.IntN(10) {
	case 0:
		return opKeep, n, int32(n)
	case 1:
		return opKept, 0, 0
	case 2:
		return opDeep, 10 * n, int32(10 * n)
	case 3:
		return opCollect, 0, 0
	case 4:
		n = n%20 + 1
		return opMany, n, int32(n * (n - 1) / 2)
	case 5:
		if random.IntN(4) > 0 {
			return opStreams, 1, 0
		}
		return opGrowOnce, 6 << 20, 0
	case 6:
		return opHostCalls, n, 0
	case 7:
		return opRecovered, 0, 7
	case 8:
		if random.IntN(4) > 0 {
			return opEmpty, 0, 0
		}
		return opPanic, 0, -1
	}
	if random.IntN(4) > 0 {
		return opKept, 0, 0
	}
	return opNil, 0, -1
}

// TestNobodySeesTheCallBefore has two merchants share one slot. The second asks for
// all that the first left; the control shows that it would find it.
func TestNobodySeesTheCallBefore(t *testing.T) {
	t.Parallel()
	for _, isolation := range []wasm.Isolation{wasm.EveryCall, wasm.Never} {
		m, err := wasm.Compile(t.Context(), hostileBinary, config())
		if err != nil {
			t.Fatal(err)
		}
		pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: 1, InitTimeout: patience, Isolation: isolation})
		if err != nil {
			t.Fatal(err)
		}
		call := func(op int32, input int) int32 {
			inst := take(t, pool)
			defer pool.Put(inst)
			code, err := inst.Call(t.Context(), clock{}, op, input, time.Now().Add(patience))
			if err != nil {
				t.Fatal(err)
			}
			return code
		}
		var seen int32
		for n := range 50 {
			call(opKeep, 4711+n)
			seen |= call(opKept, 0)
		}
		pool.Close()
		if want := map[wasm.Isolation]int32{wasm.EveryCall: 0, wasm.Never: 1 | 2 | 4 | 8}[isolation]; seen&^16 != want {
			t.Errorf("isolation %d: the second merchant sees %b, want %b", isolation, seen, want)
		}
	}
}

// TestStreamsOutliveACall shows that what a call does to a file descriptor is not
// there in the next: it can do nothing to one.
func TestStreamsOutliveACall(t *testing.T) {
	t.Parallel()
	inst := instantiate(t, hostile)
	for _, input := range []int{1, 0} {
		code, err := inst.Call(t.Context(), clock{}, opStreams, input, time.Now().Add(patience))
		if err != nil || code != 0 {
			t.Errorf("stdout after close, renumber and set_flags: %d, %v", code, err)
		}
	}
}

// TestChanceOfTheGuestRepeats is why a plugin has to ask the host for chance.
func TestChanceOfTheGuestRepeats(t *testing.T) {
	t.Parallel()
	pool := newPool(t, hostileBinary, 1)
	var rolls [2]int32
	for n := range rolls {
		inst := take(t, pool)
		rolls[n], _ = inst.Call(t.Context(), clock{}, opDice, 0, time.Now().Add(patience))
		pool.Put(inst)
	}
	if rolls[0] != rolls[1] {
		t.Errorf("math/rand rolled %d and %d in two restored calls: the documentation says that it repeats", rolls[0], rolls[1])
	}
}

// TestLastingStateIsRefused loads a module that changes a table, which can't be put
// back.
func TestLastingStateIsRefused(t *testing.T) {
	t.Parallel()
	m := plugin(func(m *asm.Module) []byte {
		m.Raw(asm.SectionTable, 1, asm.FuncRef, 0, asm.U(2))
		return asm.Code(asm.I32Const, 0, asm.RefNull, asm.FuncRef, asm.TableSet, 0, asm.I32Const, 0)
	})
	module := compile(t, m.Bytes())
	_, err := wasm.NewPool(module, wasm.PoolConfig{Size: 1, InitTimeout: patience})
	var refused *wasm.LoadError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "table.set at offset") ||
		!strings.Contains(err.Error(), "isolation never") {
		t.Errorf("error is %v, want one that names table.set, its offset and the way out", err)
	}
	if _, err := wasm.NewPool(module, wasm.PoolConfig{Size: 1, InitTimeout: patience, Isolation: wasm.Never}); err != nil {
		t.Errorf("with isolation never: %v", err)
	}
}

// TestManyCallersShareFewInstances is for the race detector: callers, restores and
// sweeps at once.
func TestManyCallersShareFewInstances(t *testing.T) {
	t.Parallel()
	m, err := wasm.Compile(t.Context(), hostileBinary, config())
	if err != nil {
		t.Fatal(err)
	}
	pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: 4, InitTimeout: patience, Rest: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var wait sync.WaitGroup
	for caller := range 8 {
		wait.Go(func() {
			for n := range 60 {
				inst, err := pool.Take(t.Context(), time.Now().Add(patience))
				if err != nil {
					t.Error(err)
					return
				}
				op, want := opKept, int32(0)
				if n%2 == 0 {
					op, want = opKeep, int32(caller+1)
				}
				code, err := inst.Call(t.Context(), clock{}, op, caller+1, time.Now().Add(patience))
				if err != nil || code != want {
					t.Errorf("op %d: %d, %v", op, code, err)
				}
				pool.Put(inst)
			}
		})
	}
	wait.Wait()
	time.Sleep(5 * time.Millisecond) // sweeps go over what is idle
	inst := take(t, pool)
	if offset, global := inst.Differs(); offset >= 0 || global >= 0 {
		t.Errorf("a rested instance differs from its image at byte %d, global %d", offset, global)
	}
	pool.Put(inst)
}

// TestInstancesShareOneAllowance has two instances that may have 64 MiB each and 48
// together.
func TestInstancesShareOneAllowance(t *testing.T) {
	t.Parallel()
	c := config()
	c.TotalBytes = 48 << 20
	m, err := wasm.Compile(t.Context(), hostileBinary, c)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: 2, InitTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for range 5 { // what one round took is there again for the next
		first, second := take(t, pool), take(t, pool)
		grow := func(inst *wasm.Instance) error {
			_, err := inst.Call(t.Context(), clock{}, opGrowOnce, 30<<20, time.Now().Add(patience))
			return err
		}
		if err := grow(first); err != nil {
			t.Fatalf("30 of 48 MiB: %v", err)
		}
		if got := fault(t, grow(second)).Fault; got != wasm.FaultMemory {
			t.Fatalf("60 of 48 MiB: fault %d, want one of memory", got)
		}
		pool.Put(first)
		pool.Put(second)
		settled(pool)
	}
}
