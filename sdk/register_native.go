//go:build !wasip1

package sdk

import (
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/internal/guest"
)

// Register makes p the module's provider. Call it from an init function of the
// main package: a reactor module never runs main. Natively it does nothing, so
// that the main package of a plugin builds and vets like any other.
func Register(Provider) {}

// RegisterMethods is [Register] for a provider that is given by its methods. Such a
// module is 100 KB smaller if the plugin neither reads nor writes times by a layout,
// since the linker sees what is called. Under Wasm it panics when called twice, or
// without one of the first four methods.
func RegisterMethods(Methods) {}

// Native returns the provider as a function of the host's imports: what the Wasm
// module is, without Wasm. Hosts use it to run a plugin they trust in-process,
// and tests to hold both ways of running against each other.
func Native(p Provider) abi.Guest {
	m := MethodsOf(p)
	return func(imports abi.Imports, op, inputLen int32) int32 {
		return serve(&m, &Host{g: guest.Imports{Imports: imports}}, op, inputLen)
	}
}
