package wasm_test

import (
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
)

// TestEveryCallHasItsInstance has as many calls come at once as there may be instances,
// each of which keeps its own until all have one: none may be forgotten while others are
// made.
func TestEveryCallHasItsInstance(t *testing.T) {
	t.Parallel()
	const size = 8
	for range 10 {
		pool := newPool(t, hostileBinary, size)
		var all, done sync.WaitGroup
		all.Add(size)
		for range size {
			done.Go(func() {
				inst, err := pool.Take(t.Context(), time.Now().Add(patience))
				all.Done()
				if err != nil {
					t.Error(err)
					return
				}
				all.Wait()
				pool.Put(inst)
			})
		}
		done.Wait()
		if s := settled(pool); s.Idle != size {
			t.Errorf("%d calls at once left %d instances", size, s.Idle)
		}
		pool.Close()
	}
}

// TestNoMoreInstancesThanSlots has many calls share few instances, some of which are
// lost meanwhile.
func TestNoMoreInstancesThanSlots(t *testing.T) {
	t.Parallel()
	const size, callers, calls = 3, 12, 40
	pool := newPool(t, hostileBinary, size)
	var calling sync.WaitGroup
	for c := range callers {
		calling.Go(func() {
			for n := range calls {
				op := opEmpty
				if (c+n)%20 == 0 {
					op = opPanic
				}
				inst, err := pool.Take(t.Context(), time.Now().Add(patience))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := inst.Call(t.Context(), nobody{}, op, 0, time.Now().Add(patience)); (err != nil) != (op == opPanic) {
					t.Errorf("operation %d: %v", op, err)
				}
				pool.Put(inst)
				if s := pool.Stats(); s.Idle > size {
					t.Errorf("%d instances are idle, and there may be %d: %+v", s.Idle, size, s)
				}
			}
		})
	}
	calling.Wait()
	if s := settled(pool); s.Calls != callers*calls || s.Idle > size {
		t.Errorf("after %d calls: %+v", callers*calls, s)
	}
}

// TestWhoCantHaveOneIsTold has calls come at once to a module of which no instance can
// be made: each is told so at once, and not when its time is over.
func TestWhoCantHaveOneIsTold(t *testing.T) {
	t.Parallel()
	const callers = 6
	pool := newPool(t, traps().Bytes(), callers)
	failed := make(chan error, callers)
	for range callers {
		go func() {
			_, err := pool.Take(t.Context(), time.Now().Add(time.Hour))
			failed <- err
		}()
	}
	for range callers {
		select {
		case err := <-failed:
			if got := fault(t, err); got.Fault != wasm.FaultTrap {
				t.Errorf("fault is %q, want a trap", got)
			}
		case <-time.After(patience):
			t.Fatal("a call still waits for what can't be made")
		}
	}
	if begun := pool.Stats().Begun; begun > callers {
		t.Errorf("%d instances were begun for %d calls", begun, callers)
	}
}

// TestOneAttemptPerCall has calls order what can't be made, one after the other: each
// is told of the attempt that it ordered, and orders no second one.
func TestOneAttemptPerCall(t *testing.T) {
	t.Parallel()
	const calls = 50
	pool := newPool(t, traps().Bytes(), 1)
	for n := range uint64(calls) {
		_, err := pool.Take(t.Context(), time.Now().Add(patience))
		if got := fault(t, err); got.Fault != wasm.FaultTrap {
			t.Fatalf("fault is %q, want a trap", got)
		}
		if begun := pool.Stats().Begun; begun != n+1 {
			t.Fatalf("%d instances were begun for %d calls, one after the other", begun, n+1)
		}
	}
}
