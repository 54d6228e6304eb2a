//go:build !wasip1

// Package guest binds the host functions of the ABI: under Wasm the imports of
// module payhost_v1, natively whatever implementation the call was given.
package guest

import "github.com/payhost/payhost/sdk/abi"

// Imports calls the host functions of the implementation it holds.
type Imports struct{ abi.Imports }
