// Package hashicorp is the work as a plugin of hashicorp/go-plugin over gRPC, both
// sides of it, in two shapes: either the plugin asks its host to send, as it must
// where the host owns secrets and evidence, or it sends by itself.
package hashicorp

import (
	"context"
	"sync"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/payhost/payhost/bench/peers/pb/grpcpb"
	"github.com/payhost/payhost/internal/benchwork"
)

// Name is the plugin's name in a set of plugins.
const Name = "pay"

// CallbackEnv is the variable that tells the plugin's process to ask its host to
// send; its value is "1".
const CallbackEnv = "BENCH_CALLBACK"

// Handshake returns what both sides must agree on.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "PAYHOST_BENCH", MagicCookieValue: "pay"}
}

// hostID is the number of the host's service at go-plugin's broker.
const hostID = 1

// Plugin is go-plugin's view of the plugin.
type Plugin struct {
	plugin.NetRPCUnsupportedPlugin

	Callback bool // the host sends
}

var _ plugin.GRPCPlugin = (*Plugin)(nil)

// GRPCServer serves in the plugin's process.
func (p *Plugin) GRPCServer(broker *plugin.GRPCBroker, s *grpc.Server) error {
	grpcpb.RegisterProviderServer(s, &provider{broker: broker, callback: p.Callback})
	return nil
}

// GRPCClient returns the plugin as a grpcpb.ProviderClient in the host's process.
func (p *Plugin) GRPCClient(_ context.Context, broker *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	if p.Callback {
		go broker.AcceptAndServe(hostID, func(options []grpc.ServerOption) *grpc.Server {
			s := grpc.NewServer(options...)
			grpcpb.RegisterHostServer(s, host{})
			return s
		})
	}
	return grpcpb.NewProviderClient(conn), nil
}

// provider is the plugin.
type provider struct {
	grpcpb.UnimplementedProviderServer

	broker   *plugin.GRPCBroker
	callback bool

	once sync.Once
	host grpcpb.HostClient
	err  error
}

func (p *provider) Create(ctx context.Context, m *grpcpb.Request) (*grpcpb.Result, error) {
	send := benchwork.Send(benchwork.Stub)
	if p.callback {
		if p.once.Do(p.dial); p.err != nil {
			return nil, p.err
		}
		send = grpcpb.SendBy(ctx, p.host)
	}
	result, err := benchwork.Create(grpcpb.ToRequest(m), send)
	if err != nil {
		return nil, err
	}
	return grpcpb.FromResult(result), nil
}

func (p *provider) dial() {
	conn, err := p.broker.Dial(hostID)
	p.host, p.err = grpcpb.NewHostClient(conn), err
}

// host is what the plugin may call.
type host struct {
	grpcpb.UnimplementedHostServer
}

func (host) Send(_ context.Context, m *grpcpb.HTTPRequest) (*grpcpb.HTTPResponse, error) {
	request := benchwork.HTTPRequest{Method: m.Method, URL: m.Url, Body: m.Body}
	for _, h := range m.Header {
		request.Header = append(request.Header, benchwork.Header{Name: h.Name, Value: h.Value})
	}
	response, err := benchwork.Stub(&request)
	return &grpcpb.HTTPResponse{Status: int64(response.Status), Body: response.Body}, err
}
