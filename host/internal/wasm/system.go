package wasm

import (
	"context"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/payhost/payhost/sdk/abi"
)

// system gives the runtime the WASI that compilers' runtimes expect: clocks,
// chance, two streams to write to, and nothing else of the machine.
//
// The functions that would change what stands behind a file descriptor answer that
// there are none: a stream that one call has closed or renumbered would be so for
// the next one, too, and neither memory nor globals would show it.
func system(ctx context.Context, rt wazero.Runtime) error {
	builder := rt.NewHostModuleBuilder(abi.WASIModule)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(builder)
	i32 := api.ValueTypeI32
	for _, name := range []string{"fd_close", "fd_renumber", "fd_fdstat_set_flags"} {
		params := []api.ValueType{i32, i32}
		if name == "fd_close" {
			params = params[:1]
		}
		builder.NewFunctionBuilder().WithGoModuleFunction(unsupported, params, []api.ValueType{i32}).Export(name)
	}
	watched := experimental.WithFunctionListenerFactory(ctx, watch{})
	_, err := builder.Instantiate(watched)
	return err
}

// unsupported answers ENOSYS of WASI.
var unsupported = api.GoModuleFunc(func(_ context.Context, _ api.Module, stack []uint64) {
	const noSystemCall = 52
	stack[0] = noSystemCall
})
