package wasm_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/host/internal/wasm/testdata/asm"
)

// TestHeavyCallsTakeTurns runs more endless guests than there are processors: each is
// stopped by its own deadline or by its caller, and every turn is given back, so that
// honest work behind them ends.
func TestHeavyCallsTakeTurns(t *testing.T) {
	t.Parallel()
	var wait sync.WaitGroup
	for n := range 6 {
		op := []int32{opLoop, opLoopCalls, opExponential}[n%3]
		wait.Go(func() {
			inst, err := hostile.Instantiate(t.Context(), patience)
			if err != nil {
				t.Error(err)
				return
			}
			defer inst.Close()
			_, err = inst.Call(t.Context(), nobody{}, op, 0, time.Now().Add(200*time.Millisecond))
			if got := fault(t, err); got.Fault != wasm.FaultDeadline {
				t.Errorf("op %d: fault is %q, want its deadline", op, got)
			}
		})
	}
	wait.Wait()
	for range 4 {
		wait.Go(func() {
			inst, err := hostile.Instantiate(t.Context(), patience)
			if err != nil {
				t.Error(err)
				return
			}
			defer inst.Close()
			if _, err := inst.Call(t.Context(), clock{}, opWork, 20_000_000, time.Now().Add(patience)); err != nil {
				t.Errorf("honest work: %v", err)
			} else if inst.Ticks() < 64 {
				t.Errorf("%d ticks: the work was not heavy", inst.Ticks())
			}
		})
	}
	wait.Wait()
}

// TestStartFunctionGivesItsTurnBack has as many start functions as there are turns trap
// after much work, and then honest work, which needs one.
func TestStartFunctionGivesItsTurnBack(t *testing.T) {
	m := plugin(returns(0))
	m.Start(m.Func(nil, nil, asm.Types{asm.I32}, asm.I32Const, asm.S(10_000_000), asm.LocalSet, 0,
		asm.Loop, asm.Void, asm.LocalGet, 0, asm.I32Const, asm.S(-1), asm.I32Add, asm.LocalTee, 0, asm.BrIf, asm.U(0), asm.End,
		asm.Unreachable))
	module := compile(t, m.Bytes())
	for range runtime.GOMAXPROCS(0) {
		var load *wasm.LoadError
		if _, err := module.Instantiate(t.Context(), patience); !errors.As(err, &load) {
			t.Fatalf("error is %v, want a *LoadError", err)
		}
	}
	inst := instantiate(t, hostile)
	if _, err := inst.Call(t.Context(), clock{}, opWork, 20_000_000, time.Now().Add(patience)); err != nil {
		t.Fatalf("honest work: %v", err)
	}
	if inst.Ticks() < 64 {
		t.Errorf("%d ticks: the work was not heavy", inst.Ticks())
	}
}
