package wasm

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/payhost/payhost/sdk/abi"
)

// Fault is what ended a call without a reply.
type Fault uint8

// The faults.
const (
	FaultTrap     Fault = 1 // unreachable, out of bounds, a panic in the guest
	FaultDeadline Fault = 2 // the call's time was over
	FaultExit     Fault = 3 // the guest ended itself
	FaultPointer  Fault = 4 // a pointer outside the guest's memory
	FaultHost     Fault = 5 // a panic in a host function: payhost's own fault
	FaultCanceled Fault = 6 // the caller gave up
	FaultMemory   Fault = 7 // the guest wanted more memory than it may have
	FaultDepth    Fault = 8 // the guest's calls went too deep
)

var faultText = [...]string{
	"", "plugin trapped", "plugin ran past its deadline", "plugin exited",
	"plugin passed a pointer outside its memory", "host function failed", "call was canceled",
	"plugin ran out of memory", "plugin's calls went too deep",
}

// CallError says what ended a call without a reply. After it the instance is
// poisoned. Its text is safe to show; Guest is what the guest wrote to stderr and
// is for the log.
type CallError struct {
	Fault Fault
	Guest string // tail of stdout and stderr
	Cause string // of FaultHost: the panic, as a text
}

// Error returns the fault in words.
func (e *CallError) Error() string { return faultText[e.Fault] }

// Instance is one running copy of a module. It serves one call at a time.
type Instance struct {
	module  *Module
	mod     api.Module
	memory  api.Memory
	entry   api.Function
	ctx     context.Context // carries the instance to host functions
	console console
	stack   [2]uint64
	frame   frame
	spoiled Fault // why it may serve no other call; 0 if it may

	mapping *mapping            // its memory; nil if that is the engine's own
	globals []api.MutableGlobal // all that its code can change
	image   *image              // what it is put back to; nil if it is not
	used    bool                // it served a call and was not put back yet
	rested  bool                // the pages of its own were let go while it was idle
	round   uint64              // of the pool's sweeps, when it was last used

	// Of the running call.
	host      abi.Imports
	caller    context.Context
	deadline  time.Time
	ticks     uint64
	light     bool // it is counted as light; see turns
	heavy     bool // it computes much
	turn      bool // it is heavy, and it is its turn; see turns
	inHost    bool // a host function is at work, or has panicked
	unwatched int  // what the guest may still have the host do before it looks at the clock
	fault     *CallError
}

// instanceKey finds the instance in the context that wazero hands to host
// functions; carrier is that context.
type instanceKey struct{}

type carrier struct {
	context.Context
	instance *Instance
}

// Value returns the instance for its key.
func (c *carrier) Value(key any) any {
	if _, ok := key.(instanceKey); ok {
		return c.instance
	}
	return c.Context.Value(key)
}

// instanceOf finds the instance in what the engine hands on: the carrier itself, but
// while an instance is made.
func instanceOf(ctx context.Context) *Instance {
	if c, ok := ctx.(*carrier); ok {
		return c.instance
	}
	inst, _ := ctx.Value(instanceKey{}).(*Instance)
	return inst
}

// Instantiate makes an instance and runs its initialization, in which only the
// clock, random and log answer.
func (m *Module) Instantiate(ctx context.Context, timeout time.Duration) (*Instance, error) {
	inst, err := m.create(ctx, time.Now().Add(timeout))
	if err != nil {
		return nil, err
	}
	for _, d := range m.data {
		if !inst.memory.Write(d.Offset, d.Bytes) {
			inst.Close()
			return nil, &LoadError{Reason: "module's data does not fit its memory"}
		}
	}
	_, err = inst.mod.ExportedFunction(abi.ExportInit).Call(inst.ctx)
	if fault := inst.end(err); fault != nil {
		inst.Close()
		return nil, fault
	}
	return inst, nil
}

// fromImage makes an instance that goes on from an image: its initialization is not
// run again.
func (m *Module) fromImage(ctx context.Context, img *image, timeout time.Duration) (*Instance, error) {
	inst, err := m.create(ctx, time.Now().Add(timeout))
	if err != nil {
		return nil, err
	}
	if fault := inst.end(nil); fault != nil { // of the start function
		inst.Close()
		return nil, fault
	}
	if err := inst.resume(img); err != nil {
		inst.Close()
		return nil, err
	}
	return inst, nil
}

// create makes an instance as the engine does: elements are in place, and so are data
// if the engine lays them; the start function, if the module has one, has run.
func (m *Module) create(ctx context.Context, deadline time.Time) (*Instance, error) {
	inst := &Instance{module: m, console: console{limit: m.config.LogBytes}}
	inst.ctx = &carrier{Context: context.Background(), instance: inst}
	inst.begin(ctx, initHost{}, deadline)
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithStdout(&inst.console).WithStderr(&inst.console).WithRandSource(rand.Reader).
		WithSysWalltime().WithSysNanotime().WithNanosleep(inst.sleep).WithOsyield(func() {})
	starting := inst.ctx
	if m.config.Memory != MemoryPlain {
		inst.mapping = newMapping(m.memoryBytes(), m.grant)
	}
	if inst.mapping != nil {
		inst.mapping.track(m.config.Memory)
		starting = experimental.WithMemoryAllocator(starting, inst)
	}
	mod, err := m.runtime.InstantiateModule(starting, m.compiled, config)
	inst.leaveTurn() // the start function is over, however it ended
	if err != nil {
		if inst.mapping != nil {
			inst.mapping.Free()
		}
		return nil, inst.unstarted(err)
	}
	inst.mod, inst.memory, inst.entry = mod, mod.Memory(), mod.ExportedFunction(abi.ExportCall)
	if inst.globals, err = settable(mod, m.globals); err != nil {
		inst.Close()
		return nil, err
	}
	return inst, nil
}

// Allocate hands the engine the memory of the instance that is being made.
func (i *Instance) Allocate(_, _ uint64) experimental.LinearMemory { return i.mapping }

// unstarted turns the error of an instantiation into ours: a start function runs in
// it and can end like any call.
func (i *Instance) unstarted(err error) error {
	var exit *sys.ExitError
	if i.fault != nil || errors.As(err, &exit) {
		return i.end(err)
	}
	return &LoadError{Reason: "module can't be instantiated", Err: err}
}

// Call runs one operation and returns what payhost_call returned. A *CallError
// means that the guest did not come back; the instance is poisoned then.
func (i *Instance) Call(
	ctx context.Context, host abi.Imports, op int32, inputLen int, deadline time.Time,
) (int32, error) {
	i.begin(ctx, host, deadline)
	i.stack[0], i.stack[1] = uint64(uint32(op)), uint64(uint32(inputLen))
	i.enterLight()
	err := i.entry.CallWithStack(i.ctx, i.stack[:])
	i.leaveLight()
	if fault := i.end(err); fault != nil {
		return 0, fault
	}
	return api.DecodeI32(i.stack[0]), nil
}

func (i *Instance) begin(ctx context.Context, host abi.Imports, deadline time.Time) {
	i.host, i.caller, i.deadline = host, ctx, deadline
	i.inHost = false
	i.fault, i.ticks, i.heavy, i.unwatched = nil, 0, false, quick
	i.console.reset()
}

// end forgets the call and turns the engine's error into ours.
func (i *Instance) end(err error) *CallError {
	i.leaveTurn()
	i.host, i.caller = initHost{}, nil
	if err == nil && i.fault == nil {
		return nil
	}
	fault := i.fault
	if fault == nil {
		fault = &CallError{Fault: FaultTrap}
		var exit *sys.ExitError
		switch {
		case i.inHost: // the engine has recovered the panic, and tells of the guest behind it
			fault.Fault = FaultHost
			fault.Cause, _, _ = strings.Cut(err.Error(), " (recovered by wazero)")
		case i.tooDeep():
			fault.Fault = FaultDepth
		case bytes.Contains(i.console.b, []byte("out of memory")):
			fault.Fault = FaultMemory
		case errors.As(err, &exit):
			fault.Fault = FaultExit
		}
	}
	fault.Guest = i.console.tail()
	i.spoiled = fault.Fault
	return fault
}

// tooDeep reports whether a trap came from calls that went too deep.
func (i *Instance) tooDeep() bool {
	return i.globals != nil && i.module.room >= 0 && api.DecodeI32(i.globals[i.module.room].Get()) < 0
}

// Usable reports whether the instance may serve another call.
func (i *Instance) Usable() bool { return i.spoiled == 0 && !i.mod.IsClosed() }

// MemoryBytes returns the size of the guest's memory.
func (i *Instance) MemoryBytes() int64 { return int64(i.memory.Size()) }

// Ticks returns how many slices of [rewrite.Slice] steps the last call took: a
// measure of its work that does not depend on the machine.
func (i *Instance) Ticks() uint64 { return i.ticks }

// Close gives the instance back. It may not be running.
func (i *Instance) Close() { _ = i.mod.Close(context.Background()) }

// trap ends the guest from inside a host function.
func (i *Instance) trap(fault Fault) {
	i.fault = &CallError{Fault: fault}
	panic(stop{})
}

// stop is the panic that unwinds a guest; the fault stands in the instance.
type stop struct{}

// Error names it in the one place where it could be seen, the engine's own text.
func (stop) Error() string { return "stopped by the host" }

// check ends the guest if its call is over.
func (i *Instance) check() {
	if i.caller == nil {
		return
	}
	if !time.Now().Before(i.deadline) {
		i.trap(FaultDeadline)
	}
	select {
	case <-i.caller.Done():
		i.trap(FaultCanceled)
	default:
	}
}

// sleep is the guest's sleep. It ends with the call, so that a sleeping guest is
// stopped as surely as a busy one.
func (i *Instance) sleep(ns int64) {
	if i.caller == nil || ns <= 0 {
		return
	}
	i.leaveTurn()
	i.rest(time.Duration(ns))
}

// console keeps the first bytes that a guest writes to stdout and stderr.
type console struct {
	b     []byte
	limit int
}

var _ io.Writer = (*console)(nil)

// Write keeps what fits and drops the rest.
func (c *console) Write(p []byte) (int, error) {
	if room := c.limit - len(c.b); room > 0 {
		c.b = append(c.b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (c *console) reset() { c.b = c.b[:0] }

// tail returns the beginning of what was written: a panic's message stands first.
func (c *console) tail() string {
	const most = 512
	return string(bytes.ToValidUTF8(c.b[:min(most, len(c.b))], []byte("?")))
}
