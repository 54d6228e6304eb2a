//go:build wasip1

package sdk

import (
	"github.com/payhost/payhost/sdk/internal/guest"
)

// registered is the one provider of the module: a module is one plugin.
var registered Provider

// Register makes p the module's provider. Call it from an init function of the
// main package: a reactor module never runs main. It panics when called twice.
func Register(p Provider) {
	if registered != nil {
		panic("sdk: a provider is already registered")
	}
	registered = p
}

//go:wasmexport payhost_abi_v1
func marker() {}

//go:wasmexport payhost_call
func call(op, inputLen int32) int32 {
	if registered == nil {
		panic("sdk: no provider is registered: call sdk.Register in an init function of package main")
	}
	return serve(registered, guest.Imports{}, op, inputLen)
}
