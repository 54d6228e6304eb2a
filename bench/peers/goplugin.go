package peers

import (
	"context"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/payhost/payhost/bench/peers/pb/vtpb"
	"github.com/payhost/payhost/internal/benchwork"
)

// goPlugin is knqyf263/go-plugin: generated messages and host functions on wazero.
func goPlugin(ctx context.Context, build string) (Call, func(), error) {
	cache, err := compileCache(build)
	if err != nil {
		return nil, nil, err
	}
	loader, err := vtpb.NewProviderPlugin(ctx, vtpb.WazeroRuntime(func(ctx context.Context) (wazero.Runtime, error) {
		r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))
		_, err := wasi_snapshot_preview1.Instantiate(ctx, r)
		return r, err
	}))
	if err != nil {
		return nil, nil, err
	}
	plugin, err := loader.Load(ctx, filepath.Join(build, "goplugin.wasm"), stub{})
	if err != nil {
		return nil, nil, err
	}
	request := vtpb.FromRequest(benchwork.Sample())
	return func() (benchwork.Result, error) {
		result, err := plugin.Create(ctx, request)
		if err != nil {
			return benchwork.Result{}, err
		}
		return vtpb.ToResult(result), nil
	}, func() { _ = plugin.Close(ctx) }, nil
}

// stub serves the plugin's host functions.
type stub struct{}

func (stub) Send(_ context.Context, m *vtpb.HTTPRequest) (*vtpb.HTTPResponse, error) {
	request := benchwork.HTTPRequest{Method: m.Method, URL: m.Url, Body: m.Body}
	for _, h := range m.Header {
		request.Header = append(request.Header, benchwork.Header{Name: h.Name, Value: h.Value})
	}
	response, err := benchwork.Stub(&request)
	return &vtpb.HTTPResponse{Status: int64(response.Status), Body: response.Body}, err
}
