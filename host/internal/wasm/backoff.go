package wasm

import "time"

const (
	// freeFaults is how many calls may fail in a row before the next instance waits: one
	// order that a plugin can't bear must not hold up the others.
	freeFaults = 3
	// firstWait is the first wait; each failure doubles it.
	firstWait = 10 * time.Millisecond
)

// backoff holds the instances back of a plugin whose calls keep failing, each of which
// costs the host a new instance and the processor that it takes to get there. A
// call that ends well takes one failure back, and instances that are there serve
// calls meanwhile.
type backoff struct {
	most   time.Duration // between two instances
	faults int           // calls that failed, less those that did not
	next   time.Time     // when another may be made
}

// interval is how long lies between two instances.
func (b *backoff) interval() time.Duration {
	n := b.faults - freeFaults
	if n <= 0 {
		return 0
	}
	return min(firstWait<<min(n-1, 30), b.most)
}

// failed counts a call that cost its instance.
func (b *backoff) failed(now time.Time) {
	if b.interval() < b.most {
		b.faults++
	}
	if next := now.Add(b.interval()); next.After(b.next) {
		b.next = next
	}
}

// succeeded counts a call that did not.
func (b *backoff) succeeded() { b.faults = max(0, b.faults-1) }

// left is how long the next instance waits still. A call that ended well has made the
// interval shorter, and with it the wait.
func (b *backoff) left(now time.Time) time.Duration {
	return max(0, min(b.next.Sub(now), b.interval()))
}

// admit returns zero if an instance may be made now, which then has its turn, and
// otherwise how long to wait before asking again.
func (b *backoff) admit(now time.Time) time.Duration {
	if wait := b.left(now); wait > 0 {
		return wait
	}
	if every := b.interval(); every > 0 {
		b.next = now.Add(every)
	}
	return 0
}
