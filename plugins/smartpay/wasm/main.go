// Command wasm is the SmartPay plugin as a WebAssembly module.
package main

import (
	"github.com/payhost/payhost/plugins/smartpay"
	"github.com/payhost/payhost/sdk"
)

func init() { sdk.RegisterMethods(smartpay.Methods()) } // a reactor module never runs main

func main() {}
