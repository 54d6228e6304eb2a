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

	mu      sync.Mutex
	looked  *sync.Cond // there is another look, or no more will come
	stopped bool
	looks   []glance
}

// glance is one look at the machine: since when there was none, when it ended, and what
// the work took.
type glance struct {
	Span
	took time.Duration
}

// Span is when something began, or was due, and when it ended.
type Span struct{ Began, Ended time.Time }

// quickest is the least that the work has taken in this process, in nanoseconds; 0 before
// the first look. A witness of its own might have begun when the machine was slow.
var quickest atomic.Int64

// Start begins to look, some tens of microseconds' work every two milliseconds. Where
// threads have no clock of their own (not Linux), the machine never seems slow.
func Start() *Witness {
	w := &Witness{quit: make(chan struct{}), done: make(chan struct{})}
	w.looked = sync.NewCond(&w.mu)
	go w.watch(time.Now())
	return w
}

// Stop ends the looking, and returns when it has ended. Questions are still answered.
func (w *Witness) Stop() {
	close(w.quit)
	<-w.done
}

// Undisturbed returns how long each of the spans was that met no time in which the
// machine was slow, or so shortly before that what waited then may have been late still.
// They are in their order, and all have ended.
func (w *Witness) Undisturbed(spans []Span) []time.Duration {
	slow := slowIn(w.upTo(time.Now()))
	took := make([]time.Duration, 0, len(spans))
	for _, s := range spans {
		if !meets(slow, s) {
			took = append(took, s.Ended.Sub(s.Began))
		}
	}
	return took
}

// upTo waits for a look behind a time, and returns all there were.
func (w *Witness) upTo(t time.Time) []glance {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.stopped && (len(w.looks) == 0 || w.looks[len(w.looks)-1].Ended.Before(t)) {
		w.looked.Wait()
	}
	return w.looks
}

// slowIn returns when the machine was slow, by what is known to be quick now. None of
// the spans touches another.
func slowIn(looks []glance) []Span {
	var list []Span
	limit := slower * time.Duration(quickest.Load())
	for _, g := range looks {
		if g.took <= limit {
			continue
		}
		until := g.Ended.Add(echo)
		if last := len(list) - 1; last >= 0 && !g.Began.After(list[last].Ended) {
			list[last].Ended = until
			continue
		}
		list = append(list, Span{g.Began, until})
	}
	return list
}

func meets(slow []Span, s Span) bool {
	i, _ := slices.BinarySearchFunc(slow, s.Began, func(s Span, t time.Time) int { return s.Ended.Compare(t) })
	return i < len(slow) && !slow[i].Began.After(s.Ended)
}

func (w *Witness) watch(before time.Time) {
	defer close(w.done)
	runtime.LockOSThread() // the clock is the thread's; never unlocked, so that the thread ends with this
	for {
		took, now := look(), time.Now()
		w.note(glance{Span{before, now}, took})
		before = now
		select {
		case <-w.quit:
			w.mu.Lock()
			w.stopped = true
			w.looked.Broadcast()
			w.mu.Unlock()
			return
		case <-time.After(rest):
		}
	}
}

func (w *Witness) note(g glance) {
	for least := quickest.Load(); least == 0 || int64(g.took) < least; least = quickest.Load() {
		if quickest.CompareAndSwap(least, int64(g.took)) {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks = append(w.looks, g)
	w.looked.Broadcast()
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
