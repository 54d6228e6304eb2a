package witness

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

// TestSlow asks about times before, in, between and after those that were slow.
func TestSlow(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	w := new(Witness)
	for _, s := range [][2]int{{10, 20}, {20, 30}, {28, 40}, {100, 110}} {
		w.note(Span{at(s[0]), at(s[1])})
	}
	if len(w.slow) != 2 {
		t.Fatalf("spans that touch are kept apart: %v", w.slow)
	}
	for _, test := range []struct {
		from, to int
		want     bool
	}{
		{0, 9, false},
		{0, 10, true},
		{15, 16, true},
		{39, 60, true},
		{40, 60, true},
		{41, 60, false},
		{41, 99, false},
		{0, 200, true},
		{50, 105, true},
		{105, 106, true},
		{111, 200, false},
	} {
		if got := w.Slow(Span{at(test.from), at(test.to)}); got != test.want {
			t.Errorf("slow from %d to %d ms: %v", test.from, test.to, got)
		}
	}
}

// TestUndisturbed leaves out what met a slow machine, and nothing else.
func TestUndisturbed(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	w := new(Witness)
	w.note(Span{at(10), at(20)})
	got := w.Undisturbed([]Span{{at(1), at(4)}, {at(5), at(12)}, {at(14), at(15)}, {at(19), at(30)}, {at(21), at(26)}})
	if want := []time.Duration{3 * time.Millisecond, 5 * time.Millisecond}; !slices.Equal(got, want) {
		t.Errorf("undisturbed are %v, want %v", got, want)
	}
}

// TestClock holds that the clock runs for this thread's work alone: it is what makes a
// busy program no slow machine.
func TestClock(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("threads have a clock of their own on Linux only")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if took := look(); took <= 0 {
		t.Errorf("a look takes %v", took)
	}
	began, before := time.Now(), clock()
	time.Sleep(50 * time.Millisecond)
	if used, passed := clock()-before, time.Since(began); used > passed/2 {
		t.Errorf("of %v asleep the thread's clock ran %v", passed, used)
	}
}

// TestStop ends the looking, and has the answers stay.
func TestStop(t *testing.T) {
	w := Start()
	time.Sleep(5 * rest)
	w.Stop()
	began := time.Now()
	w.note(Span{began, began.Add(time.Second)})
	if !w.Slow(Span{began, began}) {
		t.Error("a witness that has stopped forgets what it saw")
	}
}
