package wasm

import (
	"context"
	"time"
)

// Take returns an instance for one call: one that is there, or a new one, or it
// waits for one until ctx is done or the deadline is there. Its error is ErrClosed,
// ErrBackoff, that of a context, or what [Module.Instantiate] returned.
func (p *Pool) Take(ctx context.Context, deadline time.Time) (*Instance, error) {
	if err := p.acquire(ctx, deadline); err != nil {
		return nil, err
	}
	inst, err := p.reuse(ctx, deadline)
	if err != nil {
		<-p.slots
		return nil, err
	}
	if inst != nil {
		p.clean(inst)
		return inst, nil
	}
	return p.fresh(ctx, deadline)
}

// fresh makes an instance. A caller whose time is over meanwhile goes, and the
// instance is for the next one.
func (p *Pool) fresh(ctx context.Context, deadline time.Time) (*Instance, error) {
	var inst *Instance
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		inst, err = p.make(context.WithoutCancel(ctx))
	}()
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-done:
		if err != nil {
			<-p.slots
		}
		return inst, err
	case <-timer.C:
	case <-ctx.Done():
	}
	go func() {
		<-done
		p.giveBack(inst)
	}()
	return nil, context.DeadlineExceeded
}

// pop takes the instance that was used last, if possible one that is put back already.
// The caller holds the lock.
func (p *Pool) pop() *Instance {
	for _, list := range []*[]*Instance{&p.idle, &p.used} {
		if last := len(*list) - 1; last >= 0 {
			inst := (*list)[last]
			*list = (*list)[:last]
			return inst
		}
	}
	return nil
}

// reuse returns an idle instance, or nil once another may be made.
func (p *Pool) reuse(ctx context.Context, deadline time.Time) (*Instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.closed {
			return nil, ErrClosed
		}
		if inst := p.pop(); inst != nil {
			p.tell()
			return inst, nil
		}
		wait, late := tidyAfter, context.DeadlineExceeded
		if !p.cleaning { // what the tidier has in hand is there sooner than another
			wait, late = p.backoff.admit(time.Now()), ErrBackoff
		}
		if wait == 0 {
			return nil, nil
		}
		p.waiting++
		p.mu.Unlock()
		err := p.await(ctx, wait, deadline, late)
		p.mu.Lock()
		p.waiting--
		if err != nil {
			p.tell() // it may have been told what another can use
			return nil, err
		}
	}
}

// await waits until an instance is idle or a while is over. Late is its error if the
// caller's time is over first.
func (p *Pool) await(ctx context.Context, wait time.Duration, deadline time.Time, late error) error {
	left := time.Until(deadline)
	timer := time.NewTimer(min(wait, left))
	defer timer.Stop()
	select {
	case <-p.back:
	case <-timer.C:
		if left <= wait {
			return late
		}
	case <-p.done:
		return ErrClosed
	case <-ctx.Done():
		return late
	}
	return nil
}

// tell lets one of those in the back-off look again, if there is something to be had.
// The caller holds the lock.
func (p *Pool) tell() {
	if p.waiting > 0 && len(p.idle)+len(p.used) > 0 {
		select {
		case p.back <- struct{}{}:
		default:
		}
	}
}

func (p *Pool) acquire(ctx context.Context, deadline time.Time) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-p.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
