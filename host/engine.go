package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// wasmEngine runs calls in a pool of instances.
type wasmEngine struct {
	module *wasm.Module
	pool   *wasm.Pool
	log    hclog.Logger

	isolation Isolation
}

// describe makes the first instance and asks it. The image that later calls begin
// with is taken behind this call, so nothing in it is of any connection.
func (e *wasmEngine) describe(ctx context.Context, c *call, deadline time.Time) (code int32, fault *pay.Error) {
	err := e.pool.Start(ctx, func(inst *wasm.Instance) error {
		code, fault = e.call(ctx, inst, c, pay.OpDescribe, deadline)
		if fault != nil {
			return fault
		}
		return nil
	})
	if err != nil && fault == nil {
		fault = takeError(err)
	}
	return code, fault
}

func (e *wasmEngine) run(ctx context.Context, c *call, op pay.Operation, deadline time.Time) (int32, *pay.Error) {
	inst, err := e.pool.Take(ctx, deadline)
	if err != nil {
		return 0, takeError(err)
	}
	defer e.pool.Put(inst)
	return e.call(ctx, inst, c, op, deadline)
}

func (e *wasmEngine) call(
	ctx context.Context, inst *wasm.Instance, c *call, op pay.Operation, deadline time.Time,
) (int32, *pay.Error) {
	code, err := inst.Call(ctx, c.guest(), int32(op), len(c.input), deadline)
	if err == nil {
		return code, nil
	}
	var fault *wasm.CallError
	if !errors.As(err, &fault) {
		return 0, &pay.Error{Class: pay.ClassHostFault, Message: "engine failed", Err: err}
	}
	return 0, e.fault(c, op, fault)
}

func (e *wasmEngine) close() { e.pool.Close() }

// takeError says why there was no instance for a call.
func takeError(err error) *pay.Error {
	var fault *wasm.CallError
	var load *wasm.LoadError
	switch {
	case errors.As(err, &fault), errors.As(err, &load):
		return pluginError("initialization: " + err.Error())
	case errors.Is(err, wasm.ErrBackoff):
		return &pay.Error{Class: pay.ClassLimit, Message: err.Error(), Advice: pay.AdviceRetrySameKey}
	case errors.Is(err, context.Canceled):
		return &pay.Error{Class: pay.ClassLimit, Message: "caller gave up before a plugin instance was free", Advice: pay.AdviceRetrySameKey}
	case errors.Is(err, context.DeadlineExceeded):
		return &pay.Error{Class: pay.ClassLimit, Message: "no plugin instance was free in time", Advice: pay.AdviceRetrySameKey}
	case errors.Is(err, wasm.ErrClosed):
		return errClosed()
	}
	return &pay.Error{Class: pay.ClassHostFault, Message: "engine failed", Err: err}
}

// fault logs what a guest left behind, for the author, and returns what callers
// may know.
func (e *wasmEngine) fault(c *call, op pay.Operation, fault *wasm.CallError) *pay.Error {
	c.log.Warn("plugin call ended", "operation", op.String(), "fault", fault.Error(),
		"guest", c.mask(fault.Guest), "cause", c.mask(fault.Cause))
	class := pay.ClassPluginFault
	switch fault.Fault {
	case wasm.FaultHost:
		class = pay.ClassHostFault
	case wasm.FaultDeadline, wasm.FaultCanceled:
		class = pay.ClassTimeout
	case wasm.FaultMemory, wasm.FaultDepth:
		class = pay.ClassLimit
	}
	return &pay.Error{Class: class, Message: fault.Error()}
}

// nativeEngine runs a Go provider in-process. A panic is the plugin's fault, as a
// trap would be; a loop can't be stopped.
type nativeEngine struct {
	guest abi.Guest
}

func (e nativeEngine) run(_ context.Context, c *call, op pay.Operation, _ time.Time) (code int32, err *pay.Error) {
	defer func() {
		if cause := recover(); cause != nil {
			c.log.Warn("plugin call ended", "operation", op.String(), "fault", "panic", "cause", c.mask(fmt.Sprint(cause)))
			err = &pay.Error{Class: pay.ClassPluginFault, Message: "plugin trapped"}
		}
	}()
	return e.guest(c.guest(), int32(op), int32(len(c.input))), nil
}

func (e nativeEngine) describe(ctx context.Context, c *call, deadline time.Time) (int32, *pay.Error) {
	return e.run(ctx, c, pay.OpDescribe, deadline)
}

func (e nativeEngine) close() {}
