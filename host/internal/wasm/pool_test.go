package wasm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/host/internal/wasm/testdata/asm"
)

// newPool returns a pool over a module of its own.
func newPool(t *testing.T, binary []byte, size int) *wasm.Pool {
	t.Helper()
	m, err := wasm.Compile(t.Context(), binary, config())
	if err != nil {
		t.Fatal(err)
	}
	pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: size, InitTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// settled waits until every instance that was given back is as it was.
func settled(pool *wasm.Pool) wasm.Stats {
	for {
		if s := pool.Stats(); s.Out == 0 {
			return s
		}
		time.Sleep(50 * time.Microsecond)
	}
}

func take(t *testing.T, pool *wasm.Pool) *wasm.Instance {
	t.Helper()
	inst, err := pool.Take(t.Context(), time.Now().Add(patience))
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

func TestPoolHandsOutTheLastUsed(t *testing.T) {
	t.Parallel()
	pool := newPool(t, plugin(returns(0)).Bytes(), 2)
	a, b := take(t, pool), take(t, pool)
	pool.Put(a)
	for pool.Stats().Idle == 0 {
		time.Sleep(time.Millisecond)
	}
	pool.Put(b)
	settled(pool)
	if got := take(t, pool); got != b {
		t.Error("the pool made or kept another instance than the last one used")
	} else {
		pool.Put(got)
	}
	if idle := settled(pool).Idle; idle != 2 {
		t.Errorf("%d instances are idle, want 2", idle)
	}
}

func TestPoolReplacesAPoisonedInstance(t *testing.T) {
	t.Parallel()
	pool := newPool(t, hostileBinary, 1)
	for _, op := range []int32{opPanic, opExit, opNil, opOutOfSelf, opSelect} {
		inst := take(t, pool)
		_, err := inst.Call(t.Context(), nobody{}, op, 0, time.Now().Add(patience))
		fault(t, err)
		pool.Put(inst)
		settled(pool)
		fresh := take(t, pool)
		if fresh == inst {
			t.Errorf("op %d: the pool kept a poisoned instance", op)
		}
		if code, err := fresh.Call(t.Context(), nobody{}, opEmpty, 0, time.Now().Add(patience)); err != nil || code != 0 {
			t.Errorf("op %d: the instance after it: %d, %v", op, code, err)
		}
		pool.Put(fresh)
	}
}

// traps is a module of which no instance can be made.
func traps() *asm.Module {
	m := asm.New()
	bad := m.Func(nil, nil, nil, asm.Unreachable)
	code := m.Func(asm.Types{asm.I32, asm.I32}, asm.Types{asm.I32}, nil, asm.I32Const, 0)
	m.Memory(1, 0)
	m.Export("memory", asm.KindMemory, 0)
	m.Export("_initialize", asm.KindFunc, bad)
	m.Export("payhost_abi_v1", asm.KindFunc, bad)
	m.Export("payhost_call", asm.KindFunc, code)
	return m
}

func TestPoolGivesTheSlotBackWhenInitializationFails(t *testing.T) {
	t.Parallel()
	pool := newPool(t, traps().Bytes(), 1)
	for range 3 { // one slot: a second attempt would wait for ever
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := pool.Take(ctx, time.Now().Add(patience))
		cancel()
		if got := fault(t, err); got.Fault != wasm.FaultTrap {
			t.Errorf("fault is %q, want a trap", got)
		}
	}
}

// TestPoolLetsCallersGo has a caller whose time is over while an instance is made: it
// goes, and the instance serves the next.
func TestPoolLetsCallersGo(t *testing.T) {
	t.Parallel()
	pool := newPool(t, hostileBinary, 1)
	if _, err := pool.Take(t.Context(), time.Now().Add(-time.Second)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller whose time is over has %v", err)
	}
	if s := settled(pool); s.Idle != 1 {
		t.Errorf("%d instances are idle, want the one that was made", s.Idle)
	}
	inst := take(t, pool)
	if code, err := inst.Call(t.Context(), nobody{}, opEmpty, 0, time.Now().Add(patience)); err != nil || code != 0 {
		t.Errorf("the next call: %d, %v", code, err)
	}
	pool.Put(inst)
}

func TestPoolCloseWaitsForTheLastInstance(t *testing.T) {
	t.Parallel()
	pool := newPool(t, plugin(returns(5)).Bytes(), 1)
	out := take(t, pool)
	waiter, closed := make(chan error, 1), make(chan struct{})
	go func() {
		_, err := pool.Take(context.Background(), time.Now().Add(patience))
		waiter <- err
	}()
	go func() {
		pool.Close()
		close(closed)
	}()
	if err := <-waiter; !errors.Is(err, wasm.ErrClosed) {
		t.Errorf("who waits in Take gets %v, want ErrClosed", err)
	}
	select {
	case <-closed:
		t.Error("Close came back while an instance was out")
	default:
	}
	if code, err := out.Call(t.Context(), nobody{}, 0, 0, time.Now().Add(patience)); err != nil || code != 5 {
		t.Errorf("an instance that was out when the pool closed: %d, %v", code, err)
	}
	pool.Put(out)
	<-closed
	pool.Close()
	if _, err := pool.Take(t.Context(), time.Now().Add(patience)); !errors.Is(err, wasm.ErrClosed) {
		t.Errorf("Take from a closed pool gives %v, want ErrClosed", err)
	}
}

// TestStatsBesideClose looks at a pool that is being closed, as whoever collects metrics
// does beside a swap.
func TestStatsBesideClose(t *testing.T) {
	t.Parallel()
	m, err := wasm.Compile(t.Context(), plugin(returns(0)).Bytes(), config())
	if err != nil {
		t.Fatal(err)
	}
	pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: 1, InitTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	if err := pool.Start(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		pool.Close()
	}()
	for {
		select {
		case <-closed:
			return
		default:
			pool.Stats()
		}
	}
}
