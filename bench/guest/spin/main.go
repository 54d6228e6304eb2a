// Command spin is a payhost plugin whose create never ends.
package main

import (
	"github.com/payhost/payhost/internal/benchwork/plugin"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

func init() { sdk.Register(provider{}) } // a reactor module never runs main

func main() {}

var spins uint64

type provider struct{ plugin.Provider }

// Create counts for ever.
func (provider) Create(*sdk.Host, *pay.CreateRequest) (*pay.Result, error) {
	for {
		spins++
	}
}
