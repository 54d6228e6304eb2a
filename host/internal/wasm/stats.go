package wasm

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Stats is what a pool has seen. What Calls and those behind it count only grows.
type Stats struct {
	Idle       int // instances that wait for a call
	Out        int // instances that serve one, are still to be put back, or are made
	ImageBytes int // memory of the image that instances share; 0 if there is none
	// Backoff is how long lies between two new instances, since calls keep failing; 0
	// if they do not.
	Backoff    time.Duration
	Begun      uint64 // instances begun for calls, also those that could not be made
	Calls      uint64 // calls that ended
	Restores   uint64 // instances put back
	DirtyPages uint64 // pages of 4 KiB that were copied for that
	// Discards counts the instances that were thrown away, by reason: grown, and the
	// names of the faults.
	Discards map[string]uint64
}

// faultLabel names the faults in metrics.
var faultLabel = [...]string{"", "trap", "deadline", "exit", "pointer", "host", "canceled", "memory", "depth"}

// counts is what a pool counts as it goes.
type counts struct {
	begun, calls, restores, pages atomic.Uint64

	mu       sync.Mutex
	discards map[string]uint64
}

func (c *counts) restored(pages int) {
	c.restores.Add(1)
	c.pages.Add(uint64(pages))
}

func (c *counts) discarded(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.discards == nil {
		c.discards = map[string]uint64{}
	}
	c.discards[reason]++
}

// Stats returns what the pool has seen so far.
func (p *Pool) Stats() Stats {
	s := Stats{
		Begun: p.counts.begun.Load(), Calls: p.counts.calls.Load(), Restores: p.counts.restores.Load(),
		DirtyPages: p.counts.pages.Load(),
	}
	p.mu.Lock()
	s.Idle, s.Out, s.Backoff = len(p.idle), len(p.slots)-p.waiting+p.making+len(p.used), p.backoff.interval()
	if img := p.image.Load(); img != nil {
		s.ImageBytes = img.memory.size() // under the lock, as Close frees it
	}
	p.mu.Unlock()
	p.counts.mu.Lock()
	s.Discards = maps.Clone(p.counts.discards)
	p.counts.mu.Unlock()
	return s
}
