package wasm

import "time"

// An instance that served a call is put back to its image before it serves another.
// The call that is over does not wait for that, and mostly the next one does not
// either: shortly after, the tidier does it. Under load the next call is there first and
// does it itself, which takes some microseconds; to hand that to another goroutine
// and wait for it took more, and to make another instance meanwhile a thousand times
// as much. So a call that comes while the tidier has the only instance in hand waits for
// it: beside a guest that computes, the tidier may wait for the processor itself.

// tidyAfter is how long an instance stays as its call has left it, if nobody wants it.
const tidyAfter = 500 * time.Microsecond

// keepUsed keeps an instance that is still to be put back and frees its slot. It
// reports false for a pool that is closed.
func (p *Pool) keepUsed(inst *Instance) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	inst.used = true
	p.used = append(p.used, inst)
	p.tell()
	if !p.tidying {
		p.tidying = true
		p.tidyLater()
	}
	<-p.slots
	return true
}

// tidyLater has the tidier run. The caller holds the lock.
func (p *Pool) tidyLater() {
	if p.tidier == nil {
		p.tidier = time.AfterFunc(tidyAfter, p.tidy)
	} else {
		p.tidier.Reset(tidyAfter)
	}
}

// tidy puts back what nobody has wanted yet.
func (p *Pool) tidy() {
	for inst := p.claim(); inst != nil; inst = p.claim() {
		p.clean(inst)
		p.giveBack(inst)
	}
}

// claim takes a slot and the instance that was used longest ago; nil if there is none.
// Without a free slot the tidier comes again, as who holds them may want something else.
func (p *Pool) claim() *Instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleaning = false
	if p.closed || len(p.used) == 0 {
		p.tidying = false
		return nil
	}
	select {
	case p.slots <- struct{}{}:
	default:
		p.tidyLater()
		return nil
	}
	p.cleaning = true
	inst := p.used[0]
	p.used = append(p.used[:0], p.used[1:]...)
	return inst
}

// clean puts an instance back if that is still to be done.
func (p *Pool) clean(inst *Instance) {
	if inst.used {
		p.counts.restored(inst.restore())
		inst.used = false
	}
}
