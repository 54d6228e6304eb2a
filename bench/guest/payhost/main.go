// Command payhost is the work as a payhost plugin.
package main

import (
	"github.com/payhost/payhost/internal/benchwork/plugin"
	"github.com/payhost/payhost/sdk"
)

func init() { sdk.Register(plugin.Provider{}) } // a reactor module never runs main

func main() {}
