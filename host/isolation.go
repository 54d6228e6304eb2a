package host

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/payhost/payhost/host/internal/wasm"
)

// Isolation says what becomes of an instance of a plugin between two calls.
type Isolation uint8

// The modes.
const (
	// IsolateEveryCall gives every call an instance in the state it had after its
	// initialization: memory and globals are put back, or the instance is replaced. A
	// module whose calls could change anything else, as its tables, is refused.
	IsolateEveryCall Isolation = iota
	// IsolateNever leaves instances as the calls before left them. One merchant's
	// call may then see what another's left.
	IsolateNever
	// isolateIfPossible is for a run whose result nobody else gets to see.
	isolateIfPossible
)

var isolationNames = []string{"every_call", "never"}

// String returns "every_call" or "never".
func (i Isolation) String() string {
	if int(i) >= len(isolationNames) {
		return "unknown"
	}
	return isolationNames[i]
}

// ParseIsolation reads "every_call" and "never"; nothing at all is every_call.
func ParseIsolation(s string) (Isolation, error) {
	if s == "" {
		return IsolateEveryCall, nil
	}
	if n := slices.Index(isolationNames, s); n >= 0 {
		return Isolation(n), nil
	}
	return 0, fmt.Errorf("isolation %q is neither every_call nor never", s)
}

// PluginStats is what the host has seen of the instances of one plugin since its
// revision was loaded.
type PluginStats struct {
	Plugin    string // the name that it is loaded under
	Digest    string
	Isolation Isolation

	Idle       int // instances that wait for a call
	Out        int // instances that serve a call or are being put back
	ImageBytes int // memory that they share; 0 with [IsolateNever]
	// Backoff is how long lies between two new instances, since calls keep failing; 0 if
	// they do not. See [Limits].
	Backoff    time.Duration
	Begun      uint64 // instances begun for calls, also those that could not be made
	Calls      uint64 // calls that ended
	Restores   uint64 // instances put back
	DirtyPages uint64 // pages of 4 KiB that were copied for that
	// Discards counts the instances that were replaced, by reason: grown, trap,
	// deadline, exit, pointer, host, canceled, memory, depth.
	Discards map[string]uint64
}

// Stats tells of the instances of every loaded plugin, by name, and of a canary behind
// the revision in use; plugins that run in-process have none.
func (h *Host) Stats() []PluginStats {
	h.mu.Lock()
	plugins := slices.SortedFunc(maps.Values(h.plugins), func(a, b *plugin) int { return cmp.Compare(a.name, b.name) })
	h.mu.Unlock()
	var list []PluginStats
	for _, p := range plugins {
		for _, rev := range h.running(p) {
			if e, ok := rev.engine.(*wasmEngine); ok {
				list = append(list, e.stats(p.name, rev.digest))
			}
		}
	}
	return list
}

func (e *wasmEngine) stats(plugin, digest string) PluginStats {
	s := e.pool.Stats()
	return PluginStats{
		Plugin: plugin, Digest: digest, Isolation: e.isolation, Idle: s.Idle, Out: s.Out, ImageBytes: s.ImageBytes,
		Begun: s.Begun, Calls: s.Calls, Restores: s.Restores, DirtyPages: s.DirtyPages, Backoff: s.Backoff, Discards: s.Discards,
	}
}

// isolation is what the operator chose for a plugin.
func (h *Host) isolation(plugin string) Isolation {
	if h.config.Isolation == nil {
		return IsolateEveryCall
	}
	return h.config.Isolation(plugin)
}

// compile makes a revision of a plugin file; nothing of it is run yet.
func (h *Host) compile(ctx context.Context, binary []byte, isolation Isolation) (*Revision, error) {
	limits := h.config.Limits
	module, err := wasm.Compile(ctx, binary, wasm.Config{
		MemoryBytes: limits.MemoryBytes, TotalBytes: limits.PluginBytes, CacheDir: h.config.CacheDir, LogBytes: limits.LogBytes,
		Workers: h.processors(), Elsewhere: h.compiler(), Here: h.compiledHere(ctx),
	})
	if err != nil {
		return nil, h.refused(err)
	}
	if isolation == isolateIfPossible {
		isolation = IsolateEveryCall
		if module.Lasting() != "" {
			isolation = IsolateNever
		}
	}
	mode := wasm.EveryCall
	if isolation == IsolateNever {
		mode = wasm.Never
	}
	pool, err := wasm.NewPool(module, wasm.PoolConfig{
		Size: limits.Instances, InitTimeout: limits.CallTimeout, Isolation: mode, Backoff: limits.Backoff,
	})
	if err != nil {
		module.Close()
		return nil, h.refused(err)
	}
	return &Revision{digest: module.Digest(), engine: &wasmEngine{
		module: module, pool: pool, log: h.config.Logger, isolation: isolation,
	}}, nil
}
