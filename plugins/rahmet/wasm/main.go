// Command wasm is the RahmetPay plugin as a WebAssembly module.
package main

import (
	"github.com/payhost/payhost/plugins/rahmet"
	"github.com/payhost/payhost/sdk"
)

func init() { // a reactor module never runs main
	p := rahmet.New()
	sdk.RegisterMethods(sdk.Methods{
		Manifest: p.Manifest, CheckConfig: p.CheckConfig, Ping: p.Ping, Create: p.Create, Status: p.Status,
		Refund: p.Refund, Notification: p.Notification,
	})
}

func main() {}
