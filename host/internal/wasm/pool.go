package wasm

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Why there is no instance for a call.
var (
	ErrClosed  = errors.New("plugin revision is closed")
	ErrBackoff = errors.New("plugin's calls keep failing, and its next instance waits")
)

// PoolConfig is how a pool keeps its instances.
type PoolConfig struct {
	Size        int           // most instances at once
	InitTimeout time.Duration // of one initialization
	Isolation   Isolation
	// Backoff is the longest wait for an instance of a plugin whose calls keep failing;
	// 0 for 5 s.
	Backoff time.Duration
	// Rest is after how long without a call an instance lets go of the memory that is
	// its own; 0 for 10 s.
	Rest time.Duration
}

// Pool keeps the idle instances of one module. An instance serves one call at a
// time; then it is put back to its image (see putback.go), or replaced if a trap, a
// deadline, an exit, growth or a broken rule has touched it.
type Pool struct {
	module *Module
	config PoolConfig
	slots  chan struct{} // one token per instance that is out or somebody works on, and per call that waits for one
	done   chan struct{} // closed by Close: nobody waits any more
	makers sync.WaitGroup
	counts counts

	starting sync.Mutex // held while the image is made
	image    atomic.Pointer[image]

	mu       sync.Mutex
	idle     []*Instance
	used     []*Instance // idle as well, once they are put back
	tidier   *time.Timer
	tidying  bool // the tidier will run, or does
	cleaning bool // it has an instance in hand
	backoff  backoff
	making   int           // instances that are made for calls
	waiting  int           // calls that wait for an instance, each with a slot
	back     chan struct{} // tells one of them to look again
	closed   bool
	round    uint64 // of sweeps
	sweeper  *time.Timer
}

// NewPool returns a pool over a module, which it closes in the end. It makes no
// instance yet. The error is a *LoadError if the module can't be isolated as asked.
func NewPool(m *Module, config PoolConfig) (*Pool, error) {
	if config.Isolation == EveryCall && m.lasting != "" {
		return nil, refuse("an instance can't be put back after a call, since the module has %s: "+
			"load it with isolation never if its calls may see each other", m.lasting)
	}
	config.Rest = cmp.Or(config.Rest, 10*time.Second)
	return &Pool{
		module: m, config: config, slots: make(chan struct{}, config.Size), done: make(chan struct{}),
		backoff: backoff{most: cmp.Or(config.Backoff, 5*time.Second)}, back: make(chan struct{}, 1),
	}, nil
}

// Start makes the first instance, hands it to warm for the calls that are to be in
// everybody's past, and takes the image. A pool that was not started does so by
// itself, without warm calls. Errors are those of warm and of
// [Module.Instantiate].
func (p *Pool) Start(ctx context.Context, warm func(*Instance) error) error {
	if err := p.acquire(ctx, time.Now().Add(p.config.InitTimeout)); err != nil {
		return err
	}
	inst, err := p.first(ctx, warm)
	if err != nil {
		<-p.slots
		return err
	}
	p.giveBack(inst)
	return nil
}

// Put gives an instance back after its call. The caller does not wait until it is
// as it was.
func (p *Pool) Put(inst *Instance) {
	p.counts.calls.Add(1)
	p.judge(inst)
	switch reason := inst.discard(); {
	case reason != "":
		go p.replace(inst, reason)
	case p.config.Isolation == Never:
		p.giveBack(inst)
	case !p.keepUsed(inst):
		inst.Close()
		<-p.slots
	}
}

// replace puts another instance in the place of one that is thrown away.
func (p *Pool) replace(inst *Instance, reason string) {
	p.counts.discarded(reason)
	inst.Close()
	inst = nil
	if img := p.image.Load(); img != nil && p.replaces() {
		// If it can't be had, the next Take tries again and says why.
		inst, _ = p.module.fromImage(context.Background(), img, p.config.InitTimeout)
	}
	p.giveBack(inst)
}

// judge holds a call for or against the plugin; neither, if the host failed or a
// caller gave up while the plugin waited.
func (p *Pool) judge(inst *Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case inst.spoiled == 0:
		p.backoff.succeeded()
	case inst.spoiled == FaultHost, inst.spoiled == FaultCanceled && !inst.heavy:
	default:
		p.backoff.failed(time.Now())
	}
}

// replaces reports whether an instance that was thrown away has a successor at once.
func (p *Pool) replaces() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.closed && p.backoff.admit(time.Now()) == 0
}

// discard says why the instance can't be put back; "" if it can.
func (i *Instance) discard() string {
	switch {
	case i.spoiled != 0:
		return faultLabel[i.spoiled]
	case i.mod.IsClosed():
		return faultLabel[FaultExit]
	case i.image != nil && i.grown():
		return "grown"
	}
	return ""
}

// giveBack frees the slot of an instance, which may be nil, and keeps it for the
// next call.
func (p *Pool) giveBack(inst *Instance) {
	if inst == nil {
		<-p.slots
		return
	}
	p.mu.Lock()
	kept := p.keep(inst)
	if kept {
		<-p.slots // under the lock, so that nobody counts the instance twice
	}
	p.mu.Unlock()
	if !kept {
		inst.Close()
		<-p.slots
	}
}

// keep makes an instance idle. It reports false for a pool that is closed. The caller
// holds the lock.
func (p *Pool) keep(inst *Instance) bool {
	if p.closed {
		return false
	}
	inst.round, inst.rested = p.round, false
	p.idle = append(p.idle, inst)
	p.tell()
	if p.sweeper == nil && inst.image != nil {
		p.sweeper = time.AfterFunc(p.config.Rest, p.sweep)
	}
	return true
}

// sweep lets idle instances go of their own memory: those that were not used since
// the sweep before. It runs as long as there are others.
func (p *Pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweeper = nil
	if p.closed {
		return
	}
	awake := false
	for _, inst := range p.idle {
		switch {
		case inst.rested || inst.mapping == nil:
		case inst.round < p.round:
			inst.mapping.drop()
			inst.rested = true
		default:
			awake = true
		}
	}
	p.round++
	if awake {
		p.sweeper = time.AfterFunc(p.config.Rest, p.sweep)
	}
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
	idle := append(p.idle, p.used...)
	p.idle, p.used = nil, nil
	for _, t := range []*time.Timer{p.sweeper, p.tidier} {
		if t != nil {
			t.Stop()
		}
	}
	p.mu.Unlock()
	close(p.done)
	for _, inst := range idle {
		inst.Close()
	}
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	p.makers.Wait()
	p.mu.Lock() // Stats may look at the image
	if img := p.image.Load(); img != nil {
		img.memory.free()
	}
	p.mu.Unlock()
	p.module.Close()
}
