package host

import (
	"context"
	"errors"
	"runtime"

	"github.com/payhost/payhost/host/internal/wasm"
	"github.com/payhost/payhost/sdk/pay"
)

// ErrCompileHere is what a [Config.Compiler] returns to have a module compiled by the host,
// as long as no call has to wait for that.
var ErrCompileHere = errors.New("host: compile it here")

// Compile puts a module's machine code into a compile cache, for hosts that read it
// there; see [Config.Compiler]. It runs none of the module's code. What is there already
// is looked over and left. Errors are *pay.Error: class plugin_fault for a module that
// breaks a rule, host_fault for a cache that can't be used.
func Compile(ctx context.Context, cacheDir string, module []byte) error {
	m, err := wasm.Compile(ctx, module, wasm.Config{MemoryBytes: 1 << 32, CacheDir: cacheDir})
	if err != nil {
		return loadError(err)
	}
	m.Close()
	return nil
}

// processors is how many of them compile a revision here: half of them beside one that
// serves calls. With all of them at it, each call would wait for the compiler at each of
// its steps.
func (h *Host) processors() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.connections) == 0 {
		return 0 // all
	}
	return max(1, runtime.GOMAXPROCS(0)/2)
}

// compiler is the configuration's.
func (h *Host) compiler() func(context.Context, []byte) error {
	if h.config.Compiler == nil {
		return nil
	}
	return func(ctx context.Context, module []byte) error {
		err := h.config.Compiler(ctx, module)
		var refused *pay.Error
		if errors.As(err, &refused) {
			return &wasm.LoadError{Reason: refused.Message, Err: err}
		}
		return err
	}
}

// compiledHere logs what kept the compiler from its work.
func (h *Host) compiledHere(ctx context.Context) func(error) {
	return func(why error) {
		if !errors.Is(why, ErrCompileHere) && ctx.Err() == nil {
			h.config.Logger.Warn("revision is compiled in this process, beside the calls", "error", why)
		}
	}
}
