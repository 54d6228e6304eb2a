package peers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"github.com/payhost/payhost/bench/peers/hashicorp"
	"github.com/payhost/payhost/bench/peers/pb/grpcpb"
	"github.com/payhost/payhost/internal/benchwork"
)

func hashicorpCallback(ctx context.Context, build string) (Call, func(), error) {
	return hashicorpPlugin(ctx, build, true)
}

func hashicorpLocal(ctx context.Context, build string) (Call, func(), error) {
	return hashicorpPlugin(ctx, build, false)
}

// hashicorpPlugin starts a process and speaks gRPC with it.
func hashicorpPlugin(ctx context.Context, build string, callback bool) (Call, func(), error) {
	program, err := filepath.Abs(filepath.Join(build, "hashicorp"))
	if err != nil {
		return nil, nil, err
	}
	process := exec.CommandContext(ctx, program)
	process.Env = os.Environ()
	if callback {
		process.Env = append(process.Env, hashicorp.CallbackEnv+"=1")
	}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: hashicorp.Handshake(), Cmd: process, AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Plugins: plugin.PluginSet{hashicorp.Name: &hashicorp.Plugin{Callback: callback}}, Logger: hclog.NewNullLogger(),
	})
	provider, err := dispense(client)
	if err != nil {
		client.Kill()
		return nil, nil, err
	}
	request := grpcpb.FromRequest(benchwork.Sample())
	return func() (benchwork.Result, error) {
		result, err := provider.Create(ctx, request)
		if err != nil {
			return benchwork.Result{}, err
		}
		return grpcpb.ToResult(result), nil
	}, client.Kill, nil
}

func dispense(client *plugin.Client) (grpcpb.ProviderClient, error) {
	rpc, err := client.Client()
	if err != nil {
		return nil, err
	}
	raw, err := rpc.Dispense(hashicorp.Name)
	if err != nil {
		return nil, err
	}
	provider, ok := raw.(grpcpb.ProviderClient)
	if !ok {
		return nil, errors.New("the plugin is no provider")
	}
	return provider, nil
}
