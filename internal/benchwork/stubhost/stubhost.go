// Package stubhost is the least host that runs the plugin of the benchmarks: it
// keeps blobs, and answers what is sent by benchwork.Stub. What is left is the cost
// of a call.
package stubhost

import (
	"errors"
	"time"

	"github.com/payhost/payhost/internal/benchwork"
	"github.com/payhost/payhost/sdk/abi"
	"github.com/payhost/payhost/sdk/pay"
)

// Host answers one call at a time.
type Host struct {
	abi.Imports // what is not here is not called

	input, config, reply []byte

	blobs   [][]byte
	heads   []byte
	request benchwork.HTTPRequest
}

// New returns a host with the connection that the plugin needs.
func New() *Host {
	return &Host{config: abi.AppendConnectionConfig(nil, &abi.ConnectionConfig{
		Connection: "bench", BaseURL: benchwork.BaseURL, Secrets: []string{"api_key"},
	})}
}

// Begin makes the host ready for a call with the request, and returns the length of
// the input message in bytes.
func (h *Host) Begin(r *pay.CreateRequest) int {
	h.blobs, h.reply = h.blobs[:0], h.reply[:0]
	h.input = abi.AppendCreate(h.input[:0], r)
	return len(h.input)
}

// Result decodes what the plugin replied.
func (h *Host) Result() (benchwork.Result, error) {
	reply, err := abi.DecodeReply(h.reply)
	switch {
	case err != nil:
		return benchwork.Result{}, err
	case reply.Err != nil:
		return benchwork.Result{}, reply.Err
	case reply.Result == nil:
		return benchwork.Result{}, errors.New("the plugin did not reply")
	}
	return benchwork.FromResult(reply.Result), nil
}

// Sent returns the body of the last call's request to the provider.
func (h *Host) Sent() []byte { return h.request.Body }

// The methods below are those of abi.Imports that the plugin needs.

func (h *Host) Input(off uint32, p []byte) int32 { return int32(copy(p, h.input[off:])) }

func (h *Host) Reply(p []byte) int32 {
	h.reply = append(h.reply[:0], p...)
	return 0
}

func (h *Host) Config(p []byte) int32 {
	copy(p, h.config)
	return int32(len(h.config))
}

func (h *Host) NowNS() int64            { return time.Now().UnixNano() }
func (h *Host) DeadlineNS() int64       { return int64(time.Second) }
func (h *Host) Log(int32, []byte) int32 { return 0 }
func (h *Host) LastError([]byte) int32  { return 0 }

func (h *Host) BlobNew(capacity int64) int32 { return h.keep(make([]byte, 0, min(capacity, 4096))) }
func (h *Host) BlobLen(b int32) int64        { return int64(len(h.blobs[b-1])) }
func (h *Host) BlobFree(int32) int32         { return 0 }

func (h *Host) BlobWrite(b int32, p []byte) int32 {
	h.blobs[b-1] = append(h.blobs[b-1], p...)
	return int32(len(p))
}

func (h *Host) BlobRead(b int32, off int64, p []byte) int32 {
	return int32(copy(p, h.blobs[b-1][off:]))
}

// HTTPSend puts the token where the plugin wants it, as a host does, and asks the
// stub provider.
func (h *Host) HTTPSend(head []byte, body int32) int32 {
	// What is decoded shares memory with head, which is the guest's.
	h.heads = append(h.heads[:0], head...)
	m, err := abi.DecodeHTTPRequest(h.heads)
	if err != nil || m.Auth == nil || m.Auth.Kind != abi.AuthBearer {
		return int32(abi.BadArgument)
	}
	r := &h.request
	r.Method, r.URL, r.Body = m.Method, m.URL, h.blobs[body-1]
	r.Header = append(r.Header[:0], benchwork.Header{Name: "Authorization", Value: "Bearer " + benchwork.Token})
	for _, f := range m.Header {
		r.Header = append(r.Header, benchwork.Header(f))
	}
	answer, err := benchwork.Stub(r)
	if err != nil {
		return int32(abi.BadArgument)
	}
	return h.keep(abi.AppendHTTPResponse(nil, &abi.HTTPResponse{
		Status: answer.Status, Header: []pay.Field{{Name: "Content-Type", Value: "application/json"}},
		Body: h.keep(answer.Body), BodyLen: int64(len(answer.Body)),
	}))
}

func (h *Host) keep(b []byte) int32 {
	h.blobs = append(h.blobs, b)
	return int32(len(h.blobs))
}
