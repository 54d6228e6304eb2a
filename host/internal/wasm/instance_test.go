package wasm_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/sdk/abi"
)

func TestCallReturnsTheGuestsCode(t *testing.T) {
	t.Parallel()
	inst := instantiate(t, hostile)
	for _, tc := range []struct{ op, input, want int32 }{
		{opEmpty, 0, 0},
		{opWork, 1000, work(1000)},
		{opWork, 50_000, work(50_000)},
		{opRecovered, 0, 7}, // a panic that the guest recovers is its own business
		{opEmpty, 0, 0},
	} {
		got, err := inst.Call(t.Context(), nobody{}, tc.op, int(tc.input), time.Now().Add(patience))
		if err != nil || got != tc.want {
			t.Errorf("op %d: got %d, %v; want %d", tc.op, got, err, tc.want)
		}
	}
	if !inst.Usable() {
		t.Error("instance is not usable after calls that went well")
	}
}

// work is what the guest computes for opWork, done natively.
func work(n int32) int32 {
	var table [64]uint32
	x := uint32(2463534242)
	for i := range n {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		table[x&63] += x + uint32(i)
	}
	var sum uint32
	for _, v := range table {
		sum ^= v
	}
	return int32(sum & 0x7fffffff)
}

// TestHostileGuests holds every way in which a guest can fail to come back
// against the fault it must be told as.
func TestHostileGuests(t *testing.T) {
	t.Parallel()
	const brief = 50 * time.Millisecond
	for _, tc := range []struct {
		name     string
		op       int32
		deadline time.Duration
		want     wasm.Fault
		guest    string // what the guest's own output must hold
	}{
		{"loop", opLoop, brief, wasm.FaultDeadline, ""},
		{"loop with calls", opLoopCalls, brief, wasm.FaultDeadline, ""},
		{"exponential recursion without a loop", opExponential, brief, wasm.FaultDeadline, ""},
		{"endless recursion", opEndlessRecursion, patience, wasm.FaultDepth, ""},
		{"sleep of an hour", opSleep, brief, wasm.FaultDeadline, ""},
		{"busy goroutines", opGoroutines, brief, wasm.FaultDeadline, ""},
		{"flood of output", opFlood, brief, wasm.FaultDeadline, "xxxx"},
		{"select without cases", opSelect, patience, wasm.FaultTrap, "deadlock"},
		{"memory without end", opGrow, patience, wasm.FaultMemory, "out of memory"},
		{"panic", opPanic, patience, wasm.FaultTrap, "cannot go on: order 17"},
		{"nil pointer", opNil, patience, wasm.FaultTrap, "nil pointer dereference"},
		{"flood, then panic", opFloodThenPanic, patience, wasm.FaultTrap, "xxxx"},
		{"read outside its memory", opWildRead, patience, wasm.FaultTrap, ""},
		{"exit", opExit, patience, wasm.FaultExit, ""},
		{"pointer outside its memory", opOutOfSelf, patience, wasm.FaultPointer, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inst, other := instantiate(t, hostile), instantiate(t, hostile)
			began := time.Now()
			_, err := inst.Call(t.Context(), nobody{}, tc.op, 0, began.Add(tc.deadline))
			took := time.Since(began)

			call := fault(t, err)
			if call.Fault != tc.want {
				t.Errorf("fault is %q (guest says %q), want %q", call, call.Guest,
					(&wasm.CallError{Fault: tc.want}).Error())
			}
			if tc.want == wasm.FaultDeadline && took > tc.deadline+5*time.Second {
				t.Errorf("stopped %v after its deadline", took-tc.deadline)
			}
			harmless(t, err.Error())
			if len(call.Guest) > 512 || !strings.Contains(call.Guest, tc.guest) {
				t.Errorf("guest's output is %q, want %q in it and at most 512 bytes", call.Guest, tc.guest)
			}
			if inst.Usable() {
				t.Error("instance is still usable")
			}
			if code, err := other.Call(t.Context(), nobody{}, opEmpty, 0, time.Now().Add(patience)); err != nil || code != 0 {
				t.Errorf("another instance: %d, %v", code, err)
			}
		})
	}
}

func TestLoopFreeMutualRecursionReturns(t *testing.T) {
	t.Parallel()
	inst := instantiate(t, hostile)
	if got, err := inst.Call(t.Context(), nobody{}, opMutual, 0, time.Now().Add(patience)); err != nil || got != 1 {
		t.Fatalf("even(1<<12), four times, = %d, %v", got, err)
	}
	if inst.Ticks() == 0 {
		t.Error("16384 calls passed no check")
	}
}

func TestCanceledCallEnds(t *testing.T) {
	t.Parallel()
	for name, op := range map[string]int32{"busy": opLoop, "asleep": opSleep} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inst := instantiate(t, hostile)
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(20*time.Millisecond, cancel)
			defer timer.Stop()
			_, err := inst.Call(ctx, nobody{}, op, 0, time.Now().Add(patience))
			if call := fault(t, err); call.Fault != wasm.FaultCanceled {
				t.Errorf("fault is %q, want canceled", call)
			}
			if inst.Usable() {
				t.Error("instance is still usable")
			}
		})
	}
}

// TestCollectorIsNotHeld is about the whole process: a collection has to stop
// every goroutine, and compiled guest code can't be preempted.
func TestCollectorIsNotHeld(t *testing.T) {
	t.Parallel()
	inst := instantiate(t, hostile)
	ctx, cancel := context.WithCancel(t.Context())
	started, done := make(chan struct{}), make(chan error, 1)
	go func() {
		close(started)
		_, err := inst.Call(ctx, nobody{}, opLoop, 0, time.Now().Add(patience))
		done <- err
	}()
	<-started
	began := time.Now()
	for range 10 {
		runtime.GC()
	}
	took := time.Since(began)
	cancel()
	if call := fault(t, <-done); call.Fault != wasm.FaultCanceled {
		t.Errorf("fault is %q, want canceled: the guest was not spinning", call)
	}
	if took > 15*time.Second { // against half a minute, the guest's deadline
		t.Errorf("ten collections took %v beside a spinning guest", took)
	}
}

func TestGuestReachesNothingOfTheSystem(t *testing.T) {
	t.Parallel()
	inst := instantiate(t, hostile)
	got, err := inst.Call(t.Context(), nobody{}, opWASI, 0, time.Now().Add(patience))
	if err != nil || got != 0 {
		t.Errorf("reached %#b of files, directories, environment, arguments, descriptors; %v", got, err)
	}
}

func TestImportsAreDeniedDuringInitialization(t *testing.T) {
	t.Parallel()
	inst := instantiate(t, hostile)
	got, err := inst.Call(t.Context(), nobody{}, opInitialized, 0, time.Now().Add(patience))
	const clockRandomLog = 0b111
	if err != nil || got != clockRandomLog {
		t.Errorf("imports that answered: %#b, want clock, random and log only; %v", got, err)
	}
}

// broken panics inside host functions, with more in the text than a caller may
// see.
type broken struct{ nobody }

func (broken) NowNS() int64 { panic("no clock at /srv/secret/clock.go:17") }

func TestPanicInAHostFunctionIsTheHostsFault(t *testing.T) {
	t.Parallel()
	inst := instantiate(t, hostile)
	_, err := inst.Call(t.Context(), broken{}, opHostCalls, 1, time.Now().Add(patience))
	call := fault(t, err)
	if call.Fault != wasm.FaultHost || call.Cause != "no clock at /srv/secret/clock.go:17" {
		t.Errorf("fault is %q with cause %v, want the host's with the panic's value", call, call.Cause)
	}
	harmless(t, err.Error())
	if inst.Usable() {
		t.Error("instance is still usable")
	}
}

func TestTicksMeasureWorkAlone(t *testing.T) {
	t.Parallel()
	var seen []uint64
	for range 2 {
		inst := instantiate(t, hostile)
		if _, err := inst.Call(t.Context(), nobody{}, opWork, 1_000_000, time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, inst.Ticks())
	}
	if low, high := min(seen[0], seen[1]), max(seen[0], seen[1]); low < 50 || high > low+2 {
		t.Errorf("the same work took %d and %d slices", seen[0], seen[1])
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	inst := instantiate(t, hostile)
	if _, err := inst.Call(t.Context(), nobody{}, opGrow, 0, time.Now().Add(patience)); err == nil {
		t.Fatal("a guest took memory without end")
	}
	if got := inst.MemoryBytes(); got > memoryLimit {
		t.Errorf("memory is %d bytes, want at most %d", got, memoryLimit)
	}
}

var _ abi.Imports = nobody{}
