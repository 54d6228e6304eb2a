//go:build wasip1

// Command extismjson is the work as an Extism plugin in Extism's own idiom: JSON in,
// JSON out.
package main

import (
	"encoding/json"

	pdk "github.com/extism/go-pdk"

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
	var request benchwork.Request
	if err := pdk.InputJSON(&request); err != nil {
		return err
	}
	result, err := benchwork.Create(&request, send)
	if err != nil {
		return err
	}
	return pdk.OutputJSON(&result)
}

func send(request *benchwork.HTTPRequest) (benchwork.HTTPResponse, error) {
	var response benchwork.HTTPResponse
	in, err := json.Marshal(request)
	if err != nil {
		return response, err
	}
	memory := pdk.AllocateBytes(in)
	answer := pdk.FindMemory(hostSend(memory.Offset()))
	memory.Free()
	defer answer.Free()
	return response, json.Unmarshal(answer.ReadBytes(), &response)
}
