// Command hashicorp is the work as a plugin of hashicorp/go-plugin: a process that
// its host starts.
package main

import (
	"os"

	"github.com/hashicorp/go-plugin"

	"github.com/payhost/payhost/bench/peers/hashicorp"
)

func main() {
	callback := os.Getenv(hashicorp.CallbackEnv) == "1"
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: hashicorp.Handshake(), GRPCServer: plugin.DefaultGRPCServer,
		Plugins: plugin.PluginSet{hashicorp.Name: &hashicorp.Plugin{Callback: callback}},
	})
}
