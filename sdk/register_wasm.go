//go:build wasip1

package sdk

import (
	"runtime"

	"github.com/payhost/payhost/sdk/internal/slab"
	"github.com/payhost/payhost/sdk/pay"
)

// registered has the one provider of the module: a module is one plugin.
var registered Methods

// Register makes p the module's provider. Call it from an init function of the
// main package: a reactor module never runs main. It panics when called twice.
func Register(p Provider) { RegisterMethods(MethodsOf(p)) }

// RegisterMethods is [Register] for a provider that is given by its methods. Such a
// module is 100 KB smaller if the plugin neither reads nor writes times by a layout,
// since the linker sees what is called. It panics when called twice, or without one
// of the first four methods.
func RegisterMethods(m Methods) {
	if registered.Manifest != nil {
		panic("sdk: a provider is already registered")
	}
	if m.Manifest == nil || m.CheckConfig == nil || m.Create == nil || m.Status == nil {
		panic("sdk: a provider without manifest, check_config, create or status")
	}
	registered = m
}

//go:wasmexport payhost_abi_v1
func marker() {}

//go:wasmexport payhost_call
func call(op, inputLen int32) int32 {
	if registered.Manifest == nil {
		panic("sdk: no provider is registered: call sdk.Register in an init function of package main")
	}
	if pay.Operation(op) != pay.OpDescribe {
		return serve(&registered, handle(), op, inputLen)
	}
	code := serve(&registered, new(Host), op, inputLen)
	warm()
	return code
}

// first is the handle of the first call that is no describe. It is no
// [slab.Single], whose dictionary would keep all methods of time.Time in the module.
var first struct {
	taken bool
	host  Host
}

func handle() *Host {
	if first.taken {
		return new(Host)
	}
	first.taken = true
	return &first.host
}

// sizes are those of small allocations: the runtime keeps a piece of memory for
// each, which it gets at the first one. That costs a call several microseconds and
// eight pages to put back, so that up to 512 bytes none is left out.
var sizes = [...]int{
	8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480, 512,
	768, 1024,
}

// warm makes room for the calls to come. The host takes its image of an instance
// after a describe: what a call then does not need to ask of the runtime, it need
// not do each time, and memory that a call makes grow costs the instance. The
// collector runs here so that it has nothing to do during calls.
func warm() {
	const room = 1 << 20 // of which the pieces below take half
	held = make([]byte, room)
	held = nil
	runtime.GC()
	for _, n := range sizes {
		held = make([]byte, n)
		for range values(n) {
			pointers = make([]*byte, n/8)
		}
	}
	held, pointers = nil, nil
	deep()
	slab.Renew()
}

// values is how many values with pointers, of n bytes each, are made before the first
// call. The runtime keeps them in pieces of 8 KiB, with a map of the pointers in the last
// bytes, up to 512 bytes a value. When the first half is full, the values of a call and
// the map stand on one page of 4 KiB, and there is one to put back in place of two.
func values(n int) int {
	const half, mapped = 4 << 10, 512
	if n > mapped {
		return 1
	}
	return half/n + 1
}

// deep needs a stack larger than calls do, which then stays so.
//
//go:noinline
func deep() {
	var frame [24 << 10]byte
	for i := range frame {
		frame[i] = byte(i)
	}
	depth = frame[len(frame)-1]
}

// depth keeps the compiler from leaving out the frame of deep.
var depth byte

// held and pointers keep the compiler from leaving out the allocations of warm.
var (
	held     []byte
	pointers []*byte
)
