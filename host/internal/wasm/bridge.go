package wasm

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
	"github.com/payhost/payhost/sdk/abi"
)

// bridge gives the runtime the host modules that plugins import. The functions
// find the running call by the instance in their context.
func bridge(ctx context.Context, rt wazero.Runtime) error {
	functions := table()
	builder := rt.NewHostModuleBuilder(abi.Module)
	for _, sig := range abi.ImportTable() {
		function := hostFunction(functions[sig.Name], max(costs[sig.Name], little))
		builder.NewFunctionBuilder().WithGoModuleFunction(function, types(sig.Params), types(sig.Results)).Export(sig.Name)
	}
	if _, err := builder.Instantiate(ctx); err != nil {
		return err
	}
	tick := hostFunction(func(c *frame) { c.inst.tick() }, quick)
	_, err := rt.NewHostModuleBuilder(rewrite.TickModule).
		NewFunctionBuilder().WithGoModuleFunction(tick, nil, nil).Export(rewrite.TickName).
		Instantiate(ctx)
	return err
}

func types(list []abi.ValueType) []api.ValueType {
	out := make([]api.ValueType, len(list))
	for i, t := range list {
		out[i] = api.ValueType(t)
	}
	return out
}

// hostFunction wraps one import: it finds the instance, and notes that the host is at
// work. Should it panic, the engine recovers, and the fault is the host's. A call whose
// time is over ends here, since the guest counts imports as it counts any step, and
// they may take much longer.
func hostFunction(f func(c *frame), cost int) api.GoModuleFunc {
	return func(ctx context.Context, mod api.Module, stack []uint64) {
		inst := instanceOf(ctx)
		inst.inHost = true
		if inst.memory == nil { // a start function: Instantiate is not back yet
			inst.memory = mod.Memory()
		}
		if inst.spend(cost); cost == much {
			inst.leaveTurn() // it may wait
		}
		c := &inst.frame // imports are never nested: one frame serves them all
		c.inst, c.host, c.stack = inst, inst.host, stack
		f(c)
		inst.inHost = false
	}
}

// A look at the clock costs as much as the rest of a host call, so that quick ones
// share one. What stands between two looks is bounded by quick: so many calls that
// take tens of nanoseconds, or as many KiB that they copy.
const (
	quick  = 32        // what may be spent between two looks at the clock
	little = 1         // of an import that does next to nothing
	much   = quick + 1 // of one that may work or wait
)

// costs lists the imports that may take more than their bytes tell.
var costs = map[string]int{
	"random": much, "http_send": much, "digest": much, "sign": much, "verify": much, "encrypt": much, "decrypt": much,
	"kv_get": much, "kv_put": much, "kv_del": much, "kv_incr": much, "kv_list": much, "log": much,
	"span_start": much, "span_end": much,
}

// spend counts what the guest has the host do, and ends a call whose time is over.
func (i *Instance) spend(cost int) {
	if i.unwatched -= cost; i.unwatched <= 0 {
		i.unwatched = quick
		i.check()
	}
}

// watch ends a call whose time is over at the guest's next call of WASI. Those
// functions are the engine's own and know no deadline, and one poll of a million
// clocks takes as long as a million steps.
type watch struct{}

var _ experimental.FunctionListener = watch{}

// NewFunctionListener watches every function.
func (w watch) NewFunctionListener(api.FunctionDefinition) experimental.FunctionListener { return w }

// Before is called on the way into a function.
func (watch) Before(
	ctx context.Context, _ api.Module, _ api.FunctionDefinition, _ []uint64, _ experimental.StackIterator,
) {
	if inst := instanceOf(ctx); inst != nil {
		inst.check()
	}
}

// After has nothing to do.
func (watch) After(context.Context, api.Module, api.FunctionDefinition, []uint64) {}

// Abort has nothing to do.
func (watch) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}

// frame is one call of an import: its arguments on the stack, its result in
// place of the first.
type frame struct {
	inst  *Instance
	host  abi.Imports
	stack []uint64
}

// The upper half of a 32-bit argument's slot may hold junk: always decode.
func (c *frame) i32(i int) int32  { return api.DecodeI32(c.stack[i]) }
func (c *frame) u32(i int) uint32 { return api.DecodeU32(c.stack[i]) }
func (c *frame) i64(i int) int64  { return int64(c.stack[i]) }

func (c *frame) ret(v int32)   { c.stack[0] = api.EncodeI32(v) }
func (c *frame) ret64(v int64) { c.stack[0] = uint64(v) }

// slice returns the guest's memory at the pointer in argument i with the length
// in argument i+1. A pointer outside is a bug of the plugin and traps.
func (c *frame) slice(i int) []byte {
	p, ok := c.inst.memory.Read(c.u32(i), c.u32(i+1))
	if !ok {
		c.inst.trap(FaultPointer)
	}
	if len(p) >= 1<<10 {
		c.inst.spend(len(p) >> 10)
	}
	return p
}

// word returns the eight bytes at the pointer in argument i.
func (c *frame) word(i int) []byte {
	p, ok := c.inst.memory.Read(c.u32(i), 8)
	if !ok {
		c.inst.trap(FaultPointer)
	}
	return p
}

// table maps the names of the imports to the methods of abi.Imports. Where a
// result also goes through a pointer, the pointer is checked before the host does
// anything.
func table() map[string]func(c *frame) {
	return map[string]func(c *frame){
		"input":       func(c *frame) { c.ret(c.host.Input(c.u32(0), c.slice(1))) },
		"reply":       func(c *frame) { c.ret(c.host.Reply(c.slice(0))) },
		"last_error":  func(c *frame) { c.ret(c.host.LastError(c.slice(0))) },
		"features":    func(c *frame) { c.ret(c.host.Features(c.slice(0))) },
		"config":      func(c *frame) { c.ret(c.host.Config(c.slice(0))) },
		"now_ns":      func(c *frame) { c.ret64(c.host.NowNS()) },
		"deadline_ns": func(c *frame) { c.ret64(c.host.DeadlineNS()) },
		"random":      func(c *frame) { c.ret(c.host.Random(c.slice(0))) },
		"blob_new":    func(c *frame) { c.ret(c.host.BlobNew(c.i64(0))) },
		"blob_write":  func(c *frame) { c.ret(c.host.BlobWrite(c.i32(0), c.slice(1))) },
		"blob_read":   func(c *frame) { c.ret(c.host.BlobRead(c.i32(0), c.i64(1), c.slice(2))) },
		"blob_len":    func(c *frame) { c.ret64(c.host.BlobLen(c.i32(0))) },
		"blob_free":   func(c *frame) { c.ret(c.host.BlobFree(c.i32(0))) },
		"http_send":   func(c *frame) { c.ret(c.host.HTTPSend(c.slice(0), c.i32(2))) },
		"digest":      func(c *frame) { c.ret(c.host.Digest(c.i32(0), c.i32(1), c.slice(2))) },
		"sign":        func(c *frame) { c.ret(c.host.Sign(c.slice(0), c.i32(2))) },
		"verify":      func(c *frame) { c.ret(c.host.Verify(c.slice(0), c.i32(2), c.i32(3))) },
		"encrypt":     func(c *frame) { c.ret(c.host.Encrypt(c.slice(0), c.i32(2))) },
		"decrypt":     func(c *frame) { c.ret(c.host.Decrypt(c.slice(0), c.i32(2))) },
		"kv_get": func(c *frame) {
			out := c.word(2)
			h, version := c.host.KVGet(c.slice(0))
			binary.LittleEndian.PutUint64(out, uint64(version))
			c.ret(h)
		},
		"kv_put": func(c *frame) {
			out := c.word(5)
			code, version := c.host.KVPut(c.slice(0), c.i32(2), c.i64(3), c.i64(4))
			binary.LittleEndian.PutUint64(out, uint64(version))
			c.ret(code)
		},
		"kv_del": func(c *frame) { c.ret(c.host.KVDel(c.slice(0), c.i64(2))) },
		"kv_incr": func(c *frame) {
			out := c.word(4)
			code, value := c.host.KVIncr(c.slice(0), c.i64(2), c.i64(3))
			binary.LittleEndian.PutUint64(out, uint64(value))
			c.ret(code)
		},
		"kv_list":    func(c *frame) { c.ret(c.host.KVList(c.slice(0), c.slice(2), c.i32(4))) },
		"log":        func(c *frame) { c.ret(c.host.Log(c.i32(0), c.slice(1))) },
		"span_start": func(c *frame) { c.ret(c.host.SpanStart(c.slice(0))) },
		"span_end":   func(c *frame) { c.ret(c.host.SpanEnd(c.i32(0), c.slice(1))) },
	}
}
