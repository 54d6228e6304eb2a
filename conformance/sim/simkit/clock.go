package simkit

import (
	"sync"
	"time"
)

// clock is the wall clock shifted forward, or a time that stands still until it is advanced.
type clock struct {
	mu     sync.Mutex
	start  time.Time
	offset time.Duration
}

func newClock(start time.Time) *clock { return &clock{start: start} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	base := c.start
	if base.IsZero() {
		base = time.Now()
	}
	return base.Add(c.offset).UTC()
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += max(d, 0)
}

func (c *clock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = 0
}
