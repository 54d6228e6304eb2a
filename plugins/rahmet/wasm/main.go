// Command wasm is the RahmetPay plugin as a WebAssembly module.
package main

import (
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
)

func init() { sdk.RegisterMethods(rahmet.Methods()) } // a reactor module never runs main

func main() {}
