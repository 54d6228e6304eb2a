// Command wasm is the plugin as a module.
package main

import (
	"github.com/payhost/payhost/examples/aurora"
	"github.com/payhost/payhost/sdk"
)

// A reactor module never runs main, so the plugin is registered here.
func init() { sdk.Register(aurora.New()) }

func main() {}
