// Command spin is a payhost plugin whose create never ends.
package main

import (
	"github.com/payhost/payhost/internal/benchwork/plugin"
	"github.com/payhost/payhost/sdk"
	"github.com/payhost/payhost/sdk/pay"
)

func init() { sdk.Register(provider{}) } // a reactor module never runs main

func main() {}

type provider struct{ plugin.Provider }

// Create counts in odd numbers until it comes to 0.
func (provider) Create(*sdk.Host, *pay.CreateRequest) (*pay.Result, error) {
	for n := 1; n != 0; {
		n += 2
	}
	return nil, nil
}
