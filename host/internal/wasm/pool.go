package wasm

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrClosed says that a pool was closed.
var ErrClosed = errors.New("plugin revision is closed")

// Pool keeps the idle instances of one module. An instance serves one call at a
// time; what a trap, a deadline or a broken rule has touched is thrown away.
type Pool struct {
	module  *Module
	timeout time.Duration // of one initialization
	slots   chan struct{} // one token per instance that is out
	done    chan struct{} // closed by Close: nobody waits any more

	mu     sync.Mutex
	idle   []*Instance
	closed bool
}

// NewPool returns a pool of at most size instances, made when they are needed.
func NewPool(m *Module, size int, initTimeout time.Duration) *Pool {
	return &Pool{module: m, timeout: initTimeout, slots: make(chan struct{}, size), done: make(chan struct{})}
}

// Take returns an instance for one call: the last one used, or a new one, or it
// waits for one until ctx is done. Its error is ErrClosed, ctx's, or what
// [Module.Instantiate] returned.
func (p *Pool) Take(ctx context.Context) (*Instance, error) {
	select {
	case p.slots <- struct{}{}:
	default:
		select {
		case p.slots <- struct{}{}:
		case <-p.done:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		<-p.slots
		return nil, ErrClosed
	}
	if last := len(p.idle) - 1; last >= 0 {
		inst := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		return inst, nil
	}
	p.mu.Unlock()
	inst, err := p.module.Instantiate(ctx, p.timeout)
	if err != nil {
		<-p.slots
	}
	return inst, err
}

// Put gives an instance back after its call.
func (p *Pool) Put(inst *Instance) {
	keep := inst.Usable()
	p.mu.Lock()
	keep = keep && !p.closed
	if keep {
		p.idle = append(p.idle, inst)
	}
	p.mu.Unlock()
	if !keep {
		inst.Close()
	}
	<-p.slots
}

// Idle returns how many instances wait for a call.
func (p *Pool) Idle() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// Close closes the idle instances and, once all are back, the module: an instance
// must not be closed under a running call, so Close waits for the last Put. Those
// who wait in Take get ErrClosed. A second Close does nothing.
func (p *Pool) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	close(p.done)
	for _, inst := range idle {
		inst.Close()
	}
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	p.module.Close()
}
