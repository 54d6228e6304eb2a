package witness

import (
	"runtime"
	"testing"
	"time"
)

// TestClock holds that the clock runs for this thread's work alone: it is what makes a
// busy program no slow machine.
func TestClock(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := clock()
	other := make(chan time.Duration)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		began := clock()
		work(100 * turns)
		other <- clock() - began
	}()
	theirs := <-other
	if own := clock() - began; theirs <= 0 || own >= theirs {
		t.Errorf("the clock of a thread that waits ran %v, and that of the one that works %v", own, theirs)
	}
}
