package wasm

import (
	"context"
	"runtime"
	"time"
)

// Making an instance takes some milliseconds of a processor, as long as ten or twenty
// calls. A call that finds none idle therefore first waits a moment for one to come
// back. If none does it has one made, and takes whatever is there first; and only a few
// are made at once. If each of many calls that come at once made its own, they would
// hold the processors, more calls would queue behind them, and make theirs.

// comesBack is how long a call waits for an instance before it has another made.
const comesBack = time.Millisecond

// makers is how many instances a pool makes at once for calls that wait.
var makers = max(1, runtime.GOMAXPROCS(0)/2)

// wanting reports whether another instance should be made: not enough are, and there are
// more calls that wait than instances made for them. The more are calls that are about
// to wait. So there are never more instances than slots. The caller holds the lock.
func (p *Pool) wanting(more int) bool { return p.making < min(makers, p.waiting+more) }

// order has an instance made, which will be idle, and returns where its error will be.
// The caller holds the lock.
func (p *Pool) order(ctx context.Context) <-chan error {
	made := make(chan error, 1)
	p.making++
	p.makers.Go(func() {
		inst, err := p.make(context.WithoutCancel(ctx))
		p.deliver(inst, err, made)
	})
	return made
}

// deliver makes an instance idle that was made for a call, or says in made why there is
// none: before it tells anybody, so that the call that ordered it, if it is the one that
// is told, finds the reason and does not order another, for ever.
func (p *Pool) deliver(inst *Instance, err error, made chan<- error) {
	p.mu.Lock()
	p.making--
	made <- err
	kept := err == nil && p.keep(inst)
	if !kept {
		p.tell()
	}
	p.mu.Unlock()
	if err == nil && !kept {
		inst.Close()
	}
}

// Warm makes instances until there are n, one after the other, so that the first calls
// need not. It stops without an error where one can't be had: the call that needs it will
// say why.
func (p *Pool) Warm(ctx context.Context, n int) {
	have := p.Stats()
	for range n - have.Idle - have.Out {
		if ctx.Err() != nil || p.acquire(ctx, time.Now()) != nil {
			return
		}
		inst, err := p.make(ctx)
		p.giveBack(inst)
		if err != nil {
			return
		}
	}
}

// make makes another instance, from the image if there is one.
func (p *Pool) make(ctx context.Context) (*Instance, error) {
	p.counts.begun.Add(1)
	if img := p.image.Load(); img != nil {
		return p.module.fromImage(ctx, img, p.config.InitTimeout)
	}
	return p.first(ctx, nil)
}

// first makes an instance by initialization, and the image.
func (p *Pool) first(ctx context.Context, warm func(*Instance) error) (*Instance, error) {
	if p.config.Isolation == EveryCall {
		p.starting.Lock()
		defer p.starting.Unlock()
		if img := p.image.Load(); img != nil { // another caller was first
			return p.module.fromImage(ctx, img, p.config.InitTimeout)
		}
	}
	inst, err := p.module.Instantiate(ctx, p.config.InitTimeout)
	if err != nil {
		return nil, err
	}
	if warm != nil {
		if err := warm(inst); err != nil {
			inst.Close()
			return nil, err
		}
	}
	if p.config.Isolation == Never {
		return inst, nil
	}
	img, err := inst.capture()
	if err != nil {
		inst.Close()
		return nil, err
	}
	if err := inst.resume(img); err != nil {
		inst.Close()
		img.memory.free()
		return nil, err
	}
	p.image.Store(img)
	return inst, nil
}
