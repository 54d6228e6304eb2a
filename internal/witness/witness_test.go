package witness

import (
	"slices"
	"testing"
	"time"
)

func at(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }

// TestMeets asks about times before, in, between and after those that were slow.
func TestMeets(t *testing.T) {
	slow := []Span{{at(10), at(40)}, {at(100), at(110)}}
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
		if got := meets(slow, Span{at(test.from), at(test.to)}); got != test.want {
			t.Errorf("slow from %d to %d ms: %v", test.from, test.to, got)
		}
	}
}

// TestSlowIn judges looks by the quickest of the process, also those that came before
// it was known, and makes one span of those that touch.
func TestSlowIn(t *testing.T) {
	w := Start()
	w.Stop()
	quick := time.Duration(quickest.Load())
	looks := []glance{
		{Span{at(0), at(2)}, 9 * quick},
		{Span{at(2), at(4)}, quick},
		{Span{at(4), at(6)}, 4 * quick},
		{Span{at(30), at(32)}, 2 * quick},
		{Span{at(50), at(52)}, 4 * quick},
	}
	want := []Span{{at(0), at(6).Add(echo)}, {at(50), at(52).Add(echo)}}
	if quick > 0 && !slices.Equal(slowIn(looks), want) {
		t.Errorf("slow were %v, want %v", slowIn(looks), want)
	}
}

// TestUndisturbed leaves out what met a slow machine, and nothing else, while the witness
// looks and when it has stopped.
func TestUndisturbed(t *testing.T) {
	w := Start()
	before := time.Now().Add(-time.Hour)
	w.mu.Lock()
	w.looks = slices.Insert(w.looks, 0, glance{Span{before, before.Add(10 * time.Millisecond)}, time.Hour})
	w.mu.Unlock()
	span := func(from, to int) Span {
		return Span{before.Add(time.Duration(from) * time.Millisecond), before.Add(time.Duration(to) * time.Millisecond)}
	}
	spans := []Span{span(-5, -2), span(-1, 3), span(4, 5), span(19, 30), span(21, 26)}
	want := []time.Duration{3 * time.Millisecond, 5 * time.Millisecond}
	for range 2 {
		if got := w.Undisturbed(spans); !slices.Equal(got, want) {
			t.Errorf("undisturbed are %v, want %v", got, want)
		}
		if !w.stopped {
			w.Stop()
		}
	}
}
