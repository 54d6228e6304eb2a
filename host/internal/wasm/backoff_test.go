package wasm_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
)

// failing returns a pool in which so many calls have failed at once, and an instance
// that was out meanwhile.
func failing(t *testing.T, faults int) (*wasm.Pool, *wasm.Instance) {
	t.Helper()
	m, err := wasm.Compile(t.Context(), hostileBinary, config())
	if err != nil {
		t.Fatal(err)
	}
	pool, err := wasm.NewPool(m, wasm.PoolConfig{Size: faults + 2, InitTimeout: patience, Backoff: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	good := take(t, pool)
	bad := make([]*wasm.Instance, faults)
	for n := range bad {
		bad[n] = take(t, pool)
	}
	for _, inst := range bad {
		_, err := inst.Call(t.Context(), nobody{}, opPanic, 0, time.Now().Add(patience))
		fault(t, err)
		pool.Put(inst)
	}
	for pool.Stats().Out > 1 {
		time.Sleep(time.Millisecond)
	}
	return pool, good
}

// TestFewFailuresCostNothing has an instance again at once for every one that a plugin
// lost.
func TestFewFailuresCostNothing(t *testing.T) {
	t.Parallel()
	pool, good := failing(t, 3)
	pool.Put(good)
	if s := settled(pool); s.Idle != 4 || s.Backoff != 0 {
		t.Errorf("%d instances are idle and the next one waits %s, want 4 and none", s.Idle, s.Backoff)
	}
}

// TestBackoff makes no instance for a plugin whose calls keep failing, says so when a
// call's time is over, hands on what comes back meanwhile, and forgets the failures
// with the calls that end well.
func TestBackoff(t *testing.T) {
	t.Parallel()
	const faults = 20
	pool, good := failing(t, faults)
	var early []*wasm.Instance // made before there were too many failures
	for pool.Stats().Idle > 0 {
		early = append(early, take(t, pool))
	}
	if s := pool.Stats(); s.Backoff < time.Minute {
		t.Fatalf("after %d failures the next instance waits %s", faults, s.Backoff)
	}
	if _, err := pool.Take(t.Context(), time.Now().Add(time.Millisecond)); !errors.Is(err, wasm.ErrBackoff) {
		t.Errorf("a call has %v, want ErrBackoff at its deadline", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pool.Take(ctx, time.Now().Add(patience)); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was canceled has %v, and nobody's time was over", err)
	}
	had := make(chan *wasm.Instance)
	wait := func() {
		inst, err := pool.Take(t.Context(), time.Now().Add(patience))
		if err != nil {
			t.Error(err)
		}
		had <- inst
	}
	for range faults {
		go wait()
		pool.Put(good)
		if good = <-had; good == nil {
			t.FailNow()
		}
	}
	for _, inst := range append(early, good) {
		pool.Put(inst)
	}
	if s := settled(pool); s.Backoff != 0 {
		t.Errorf("after as many calls that ended well the next instance waits %s", s.Backoff)
	}
}

// TestOverInTimeIsNotBackoff has a call that finds no instance in time although the next
// one may be made: it is not told that its plugin's failures hold it up.
func TestOverInTimeIsNotBackoff(t *testing.T) {
	t.Parallel()
	pool, good := failing(t, 5)
	out := []*wasm.Instance{good}
	for pool.Stats().Idle > 0 {
		out = append(out, take(t, pool))
	}
	err := wasm.ErrBackoff
	for began := time.Now(); errors.Is(err, wasm.ErrBackoff) && time.Since(began) < patience; {
		_, err = pool.Take(t.Context(), time.Now()) // the next one waits some ten milliseconds
	}
	if !errors.Is(err, context.DeadlineExceeded) || pool.Stats().Backoff == 0 {
		t.Errorf("a call has %v, want a deadline that is over, with the failures still counted", err)
	}
	for _, inst := range out {
		pool.Put(inst)
	}
}
