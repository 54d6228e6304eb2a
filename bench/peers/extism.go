package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"

	"github.com/payhost/payhost/bench/peers/pb/vtpb"
	"github.com/payhost/payhost/internal/benchwork"
)

// extismJSON is Extism in its own idiom: JSON in, JSON out.
func extismJSON(ctx context.Context, build string) (Call, func(), error) {
	plugin, err := Extism(ctx, build, benchwork.Stub)
	if err != nil {
		return nil, nil, err
	}
	instance, err := plugin.Instance()
	if err != nil {
		plugin.Close()
		return nil, nil, err
	}
	request := benchwork.Sample()
	return func() (benchwork.Result, error) { return instance(request) }, plugin.Close, nil
}

// ExtismPlugin is an Extism plugin with JSON messages.
type ExtismPlugin struct {
	ctx      context.Context
	compiled *extism.CompiledPlugin
}

// Extism compiles the plugin with a host function that sends.
func Extism(ctx context.Context, build string, send benchwork.Send) (*ExtismPlugin, error) {
	compiled, err := compileExtism(ctx, build, "extismjson", func(in []byte) ([]byte, error) {
		var request benchwork.HTTPRequest
		if err := json.Unmarshal(in, &request); err != nil {
			return nil, err
		}
		response, err := send(&request)
		if err != nil {
			return nil, err
		}
		return json.Marshal(&response)
	})
	if err != nil {
		return nil, err
	}
	return &ExtismPlugin{ctx, compiled}, nil
}

// Close ends the plugin and its instances.
func (p *ExtismPlugin) Close() { _ = p.compiled.Close(p.ctx) }

// Instance makes an instance, which takes one call at a time.
func (p *ExtismPlugin) Instance() (func(*benchwork.Request) (benchwork.Result, error), error) {
	instance, err := p.compiled.Instance(p.ctx, extism.PluginInstanceConfig{})
	if err != nil {
		return nil, err
	}
	return func(request *benchwork.Request) (result benchwork.Result, err error) {
		in, err := json.Marshal(request)
		if err != nil {
			return result, err
		}
		out, err := callExtism(instance, in)
		if err != nil {
			return result, err
		}
		return result, json.Unmarshal(out, &result)
	}, nil
}

// extismBinary is Extism with protobuf messages, encoded by generated code.
func extismBinary(ctx context.Context, build string) (Call, func(), error) {
	compiled, err := compileExtism(ctx, build, "extismbinary", func(in []byte) ([]byte, error) {
		var request vtpb.HTTPRequest
		if err := request.UnmarshalVT(in); err != nil {
			return nil, err
		}
		response, err := stub{}.Send(ctx, &request)
		if err != nil {
			return nil, err
		}
		return response.MarshalVT()
	})
	if err != nil {
		return nil, nil, err
	}
	stop := func() { _ = compiled.Close(ctx) }
	instance, err := compiled.Instance(ctx, extism.PluginInstanceConfig{})
	if err != nil {
		stop()
		return nil, nil, err
	}
	request := vtpb.FromRequest(benchwork.Sample())
	return func() (benchwork.Result, error) {
		in, err := request.MarshalVT()
		if err != nil {
			return benchwork.Result{}, err
		}
		out, err := callExtism(instance, in)
		if err != nil {
			return benchwork.Result{}, err
		}
		var result vtpb.Result
		err = result.UnmarshalVT(out)
		return vtpb.ToResult(&result), err
	}, stop, nil
}

func callExtism(instance *extism.Plugin, in []byte) ([]byte, error) {
	code, out, err := instance.Call("create", in)
	if err == nil && code != 0 {
		err = fmt.Errorf("the plugin returned %d", code)
	}
	return out, err
}

// compileExtism compiles a guest whose host function send answers bytes by bytes.
func compileExtism(ctx context.Context, build, guest string, send func([]byte) ([]byte, error)) (*extism.CompiledPlugin, error) {
	binary, err := os.ReadFile(filepath.Join(build, guest+".wasm"))
	if err != nil {
		return nil, err
	}
	cache, err := compileCache(build)
	if err != nil {
		return nil, err
	}
	function := extism.NewHostFunctionWithStack("send", func(_ context.Context, p *extism.CurrentPlugin, stack []uint64) {
		in, err := p.ReadBytes(stack[0])
		if err != nil {
			panic(err) // this is how Extism wants it: the call fails
		}
		out, err := send(in)
		if err != nil {
			panic(err)
		}
		if stack[0], err = p.WriteBytes(out); err != nil {
			panic(err)
		}
	}, []extism.ValueType{extism.ValueTypePTR}, []extism.ValueType{extism.ValueTypePTR})
	return extism.NewCompiledPlugin(ctx,
		extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: binary}}},
		extism.PluginConfig{EnableWasi: true, RuntimeConfig: wazero.NewRuntimeConfigCompiler().WithCompilationCache(cache)},
		[]extism.HostFunction{function})
}
