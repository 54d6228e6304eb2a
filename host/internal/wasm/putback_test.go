package wasm_test

import (
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
)

// keep has a call leave something in an instance.
func keep(t *testing.T, inst *wasm.Instance) {
	t.Helper()
	if _, err := inst.Call(t.Context(), clock{}, opKeep, 7, time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if offset, _ := inst.Differs(); offset < 0 {
		t.Fatal("the call left nothing behind")
	}
}

// TestNextCallPutsBack has calls follow each other at once: they share one instance,
// though there may be two, and each finds it as it was.
func TestNextCallPutsBack(t *testing.T) {
	t.Parallel()
	const calls = 50
	pool := newPool(t, hostileBinary, 2)
	first := take(t, pool)
	for range calls {
		keep(t, first)
		pool.Put(first)
		if next := take(t, pool); next != first {
			t.Fatal("another instance was made, while there was one to put back")
		}
		if offset, global := first.Differs(); offset >= 0 || global >= 0 {
			t.Fatalf("the next call finds byte %d, global %d changed", offset, global)
		}
	}
	pool.Put(first)
	if s := settled(pool); s.Idle != 1 || s.Restores != calls+1 || s.Calls != calls+1 {
		t.Errorf("after %d calls and one without: %+v", calls, s)
	}
}

// TestNobodyCallsAndItIsPutBack has the pool put instances back that nobody takes,
// those of callers that came while others were out, too.
func TestNobodyCallsAndItIsPutBack(t *testing.T) {
	t.Parallel()
	pool := newPool(t, hostileBinary, 2)
	a, b := take(t, pool), take(t, pool)
	keep(t, a)
	pool.Put(a)
	keep(t, b)
	pool.Put(b)
	if s := settled(pool); s.Idle != 2 || s.Restores != 2 || s.DirtyPages < 2 {
		t.Errorf("after two calls: %+v", s)
	}
	for n, inst := range []*wasm.Instance{a, b} {
		if offset, global := inst.Differs(); offset >= 0 || global >= 0 {
			t.Errorf("instance %d, which nobody has taken, differs at byte %d, global %d", n, offset, global)
		}
	}
}

// TestCallsWaitForTheTidier has one caller come just when the tidier is at work, which
// takes it long here, since all of the memory is copied: no second instance is made.
func TestCallsWaitForTheTidier(t *testing.T) {
	t.Parallel()
	c := config()
	c.Memory = wasm.MemoryMapped
	m, err := wasm.Compile(t.Context(), hostileBinary, c)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: 4, InitTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for n := range 200 {
		inst := take(t, pool)
		keep(t, inst)
		pool.Put(inst)
		// Not to wait for anything, but to come before, in and behind the tidier's half of a millisecond.
		time.Sleep(400*time.Microsecond + time.Duration(n%50)*10*time.Microsecond)
	}
	if s := settled(pool); s.Idle != 1 || s.Restores != 200 {
		t.Errorf("one caller at a time: %+v", s)
	}
}

// TestCloseWithUsedInstances closes a pool at once after a call, when its instance was
// not put back.
func TestCloseWithUsedInstances(t *testing.T) {
	t.Parallel()
	for range 20 {
		pool := newPool(t, hostileBinary, 2)
		a, b := take(t, pool), take(t, pool)
		keep(t, a)
		pool.Put(a)
		closed := make(chan struct{})
		go func() {
			pool.Close()
			close(closed)
		}()
		pool.Put(b)
		<-closed
		if a.Usable() || b.Usable() {
			t.Fatal("an instance outlives its pool")
		}
	}
}
