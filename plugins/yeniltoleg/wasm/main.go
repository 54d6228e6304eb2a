// Command wasm is the Yenil-Toleg plugin as a WebAssembly module.
package main

import (
	"github.com/payhost/payhost/plugins/yeniltoleg"
	"github.com/payhost/payhost/sdk"
)

func init() { sdk.RegisterMethods(yeniltoleg.Methods()) } // a reactor module never runs main

func main() {}
