// Command wasm is the probe as a module.
package main

import (
	"github.com/payhost/payhost/host/testdata/probe"
	"github.com/payhost/payhost/sdk"
)

func init() { sdk.Register(probe.New()) }

func main() {}
