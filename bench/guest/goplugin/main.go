//go:build wasip1

// Command goplugin is the work as a plugin of knqyf263/go-plugin.
package main

import (
	"context"

	"github.com/payhost/payhost/bench/peers/pb/vtpb"
	"github.com/payhost/payhost/internal/benchwork"
)

func init() { vtpb.RegisterProvider(provider{}) } // a reactor module never runs main

func main() {}

type provider struct{}

// Create is the plugin's one function.
func (provider) Create(ctx context.Context, m *vtpb.Request) (*vtpb.Result, error) {
	result, err := benchwork.Create(vtpb.ToRequest(m), vtpb.SendBy(ctx, vtpb.NewHost()))
	if err != nil {
		return nil, err
	}
	return vtpb.FromResult(result), nil
}
