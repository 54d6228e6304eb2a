// Package witness tells a slow machine from a slow program.
//
// A machine that is shared stands still now and then: for some tens of milliseconds
// the same instructions take three to twenty times as long, whoever runs them. A
// latency that is measured meanwhile says nothing of the program. A witness does the
// same small work over and over, on a thread of its own, and reads from the thread's
// own clock what it took, which does not run while other threads have the processor:
// how busy this program is does not show there, and how slow the machine is does.
package witness

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	rest   = 2 * time.Millisecond
	turns  = 20_000                // of the work: some tens of microseconds
	slower = 3                     // times the quickest look: what neighboring threads cost is less than two
	echo   = 10 * time.Millisecond // what waited while the machine was slow has caught up after that
)

// Witness looks at the machine until it is stopped.
type Witness struct {
	quit, done chan struct{}

	mu   sync.Mutex
	slow []Span // in the order of time, none touches another
}

// Span is when something began, or was due, and when it ended.
type Span struct{ Began, Ended time.Time }

// Start begins to look, some tens of microseconds' work every two milliseconds. Where
// threads have no clock of their own (not Linux), the machine never seems slow.
func Start() *Witness {
	w := &Witness{quit: make(chan struct{}), done: make(chan struct{})}
	go w.watch()
	return w
}

// Stop ends the looking, and returns when it has ended. Questions are still answered.
func (w *Witness) Stop() {
	close(w.quit)
	<-w.done
}

// Slow tells whether the machine was slow at some time of the span, or so shortly before
// it that what waited then may have been late still. It knows of what lies some
// milliseconds back.
func (w *Witness) Slow(s Span) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, _ := slices.BinarySearchFunc(w.slow, s.Began, func(s Span, t time.Time) int { return s.Ended.Compare(t) })
	return i < len(w.slow) && !w.slow[i].Began.After(s.Ended)
}

// Undisturbed returns how long each of the spans was that met no time in which the
// machine was slow, in their order. All of them have ended.
func (w *Witness) Undisturbed(spans []Span) []time.Duration {
	time.Sleep(3 * rest) // to have looked once more
	took := make([]time.Duration, 0, len(spans))
	for _, s := range spans {
		if !w.Slow(s) {
			took = append(took, s.Ended.Sub(s.Began))
		}
	}
	return took
}

func (w *Witness) watch() {
	defer close(w.done)
	runtime.LockOSThread() // the clock is the thread's; never unlocked, so that the thread ends with this
	quickest, before := look(), time.Now()
	for {
		select {
		case <-w.quit:
			return
		case <-time.After(rest):
		}
		took, now := look(), time.Now()
		quickest = min(quickest, took)
		if took > slower*quickest {
			w.note(Span{before, now.Add(echo)})
		}
		before = now
	}
}

// note keeps a span in which the machine was slow, as one with the span before where
// they touch.
func (w *Witness) note(s Span) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := len(w.slow) - 1; last >= 0 && !s.Began.After(w.slow[last].Ended) {
		w.slow[last].Ended = s.Ended
		return
	}
	w.slow = append(w.slow, s)
}

// look is the processor's time for the work.
func look() time.Duration {
	began := clock()
	work(turns)
	return clock() - began
}

// kept keeps the compiler from leaving the work out.
var kept atomic.Uint64

// work is arithmetic alone, each step waiting for the one before: no memory, so that
// caches make no difference to it.
func work(turns int) {
	x := uint64(88172645463325252)
	for range turns {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	kept.Store(x)
}
