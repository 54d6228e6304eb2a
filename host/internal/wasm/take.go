package wasm

import (
	"context"
	"math"
	"time"
)

// Take returns an instance for one call: one that is there, comes back, or is made,
// whichever is first; it waits until ctx is done or the deadline is there. Its error is
// ErrClosed, ErrBackoff, that of a context, or what [Module.Instantiate] returned.
func (p *Pool) Take(ctx context.Context, deadline time.Time) (*Instance, error) {
	if err := p.acquire(ctx, deadline); err != nil {
		return nil, err
	}
	inst, err := p.obtain(ctx, deadline)
	if err != nil {
		<-p.slots
		return nil, err
	}
	p.clean(inst)
	return inst, nil
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

// obtain waits for an idle instance, and has one made if none comes back.
func (p *Pool) obtain(ctx context.Context, deadline time.Time) (*Instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var w wait
	for {
		if p.closed {
			return nil, ErrClosed
		}
		if inst := p.pop(); inst != nil {
			p.tell()
			return inst, nil
		}
		p.plan(ctx, &w)
		p.waiting++
		p.mu.Unlock()
		err := p.await(ctx, w, deadline)
		p.mu.Lock()
		p.waiting--
		if err != nil {
			p.tell() // it may have been told what another can use
			return nil, err
		}
	}
}

// wait is what a call waits for besides an instance that comes back.
type wait struct {
	most   time.Duration // then it looks again
	held   bool          // nothing is on its way: the next instance waits, since calls keep failing
	made   <-chan error  // of the instance that is made for it
	before bool          // it has waited before
}

// late is what a call has whose own time is over first.
func (w wait) late() error {
	if w.held {
		return ErrBackoff
	}
	return context.DeadlineExceeded
}

// plan says what a call that finds no instance waits for. The caller holds the lock.
func (p *Pool) plan(ctx context.Context, w *wait) {
	first := !w.before
	w.most, w.before = forever, true
	switch {
	case p.cleaning: // what the tidier has in hand is there sooner than another
		w.most, w.before = tidyAfter, false
	case first && len(p.slots)-1 > p.waiting: // others than this call and those that wait have one
		w.most = comesBack
	case p.wanting(1):
		if later := p.backoff.admit(time.Now()); later > 0 {
			w.most = later
		} else {
			w.made = p.order(ctx)
		}
	}
	w.held = !p.cleaning && p.making == 0 && p.backoff.left(time.Now()) > 0
}

// forever is longer than any call.
const forever = time.Duration(math.MaxInt64)

// await waits until there is something to look for. Its error is the reason why the call
// gets none.
func (p *Pool) await(ctx context.Context, w wait, deadline time.Time) error {
	left := time.Until(deadline)
	timer := time.NewTimer(min(w.most, left))
	defer timer.Stop()
	select {
	case <-p.back:
		select {
		case err := <-w.made:
			return err
		default:
		}
	case err := <-w.made:
		return err
	case <-timer.C:
		if left <= w.most {
			return w.late()
		}
	case <-p.done:
		return ErrClosed
	case <-ctx.Done():
		if ctx.Err() == context.DeadlineExceeded {
			return w.late()
		}
		return ctx.Err()
	}
	return nil
}

// tell lets one of those that wait look again, if there is something to be had, or to be
// made. The caller holds the lock.
func (p *Pool) tell() {
	if p.waiting > 0 && (len(p.idle)+len(p.used) > 0 || p.wanting(0)) {
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
