//go:build wasip1

// Command extismbinary is the work as an Extism plugin with protobuf messages, whose
// code is generated and uses no reflection.
package main

import (
	"context"

	pdk "github.com/extism/go-pdk"

	"github.com/payhost/payhost/bench/peers/pb/vtpb"
	"github.com/payhost/payhost/internal/benchwork"
)

func main() {}

//go:wasmimport extism:host/user send
func hostSend(offset uint64) uint64

//go:wasmexport create
func create() int32 {
	if err := run(); err != nil {
		pdk.SetError(err)
		return 1
	}
	return 0
}

func run() error {
	var request vtpb.Request
	if err := request.UnmarshalVT(pdk.Input()); err != nil {
		return err
	}
	result, err := benchwork.Create(vtpb.ToRequest(&request), vtpb.SendBy(context.Background(), host{}))
	if err != nil {
		return err
	}
	out, err := vtpb.FromResult(result).MarshalVT()
	if err != nil {
		return err
	}
	pdk.Output(out)
	return nil
}

// host sends by the host's function.
type host struct{}

func (host) Send(_ context.Context, request *vtpb.HTTPRequest) (*vtpb.HTTPResponse, error) {
	in, err := request.MarshalVT()
	if err != nil {
		return nil, err
	}
	memory := pdk.AllocateBytes(in)
	answer := pdk.FindMemory(hostSend(memory.Offset()))
	memory.Free()
	defer answer.Free()
	response := new(vtpb.HTTPResponse)
	return response, response.UnmarshalVT(answer.ReadBytes())
}
