// Package wasm runs plugins compiled to WebAssembly. It is the only importer of
// wazero, so that the engine can be replaced: the host above it knows modules,
// instances and the functions of [abi.Imports], and nothing of Wasm.
//
// Every module is rewritten at load so that its code can be stopped (package
// rewrite), runs one call at a time per instance, and is thrown away after a
// trap, an exit, a deadline or a broken rule. No text of wazero leaves the
// package: it holds the host's stack and file paths.
package wasm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/payhost/payhost/host/internal/wasm/rewrite"
	"github.com/payhost/payhost/sdk/abi"
)

// Config bounds what modules may take.
type Config struct {
	MemoryBytes int64  // most linear memory of one instance; rounded up to 64 KiB
	TotalBytes  int64  // most of all instances together, beyond the image they share; 0 for no limit of its own
	CacheDir    string // compiled code is kept here; "" for no cache
	LogBytes    int    // most bytes of a guest's stdout and stderr per call
	Memory      Memory // how the memory of instances is kept
	Workers     int    // that compile the module at once; 0 for as many as there are processors

	// Elsewhere, if not nil, has something else compile a module into CacheDir, which is
	// looked into again then. A *LoadError of it refuses the module.
	Elsewhere func(ctx context.Context, binary []byte) error
	// Here, if not nil, is told why a module is compiled in this process although there
	// is Elsewhere.
	Here func(why error)
}

// Memory is a way to keep the memory of instances.
type Memory uint8

// The ways. What the system has not falls to the next.
const (
	MemoryScanned Memory = iota // a mapping of the image; the kernel looks for the pages that were written
	MemoryListed                // the same; the kernel is asked about each page
	MemoryMapped                // a mapping of the image, all of which is copied back
	MemoryPlain                 // the engine's own, all of which is copied back
)

// LoadError says why a module can't be used. Its text is safe to show.
type LoadError struct {
	Reason string
	Err    error // the engine's own error: for a debugger, never for a caller
}

// Error returns the reason.
func (e *LoadError) Error() string { return e.Reason }

// Unwrap returns the engine's own error.
func (e *LoadError) Unwrap() error { return e.Err }

// errUnread is about machine code that something else should have put into the cache.
var errUnread = errors.New("what was compiled elsewhere is not in the cache, or is another engine's: " +
	"the same version of payhost and of its dependencies has to compile it")

func refuse(format string, args ...any) error {
	return &LoadError{Reason: fmt.Sprintf(format, args...)}
}

// Module is one compiled plugin. It has a runtime of its own, so that closing it
// takes nothing else down.
type Module struct {
	digest   string
	imports  []string       // names in payhost_v1
	globals  []string       // names of the mutable globals, as rewriting exported them
	room     int            // which of them tells the room left on the host's stack
	lasting  string         // what of an instance can't be put back; "" if everything can
	data     []rewrite.Data // what memory begins with, if the host lays it
	config   Config
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	taken    atomic.Int64 // linear memory of all instances beyond the image
	compiled wazero.CompiledModule
}

// Compile checks, rewrites and compiles a module, or takes what became of that from the
// cache. It runs none of the module's code.
func Compile(ctx context.Context, binary []byte, config Config) (*Module, error) {
	digest, key := digests(binary)
	m := &Module{config: config, digest: digest}
	err := m.load(ctx, binary, key)
	if err == nil {
		err = m.check()
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// load has the engine read the module from the cache, or compile it. Where the cache
// can't be written, as on a full disk, it does without.
func (m *Module) load(ctx context.Context, binary []byte, key string) error {
	if m.config.CacheDir == "" {
		return m.compile(ctx, binary, nil)
	}
	cached, err := openEntry(m.config.CacheDir, key)
	if err != nil {
		return err
	}
	if m.recalled(ctx, cached) {
		return nil
	}
	if m.config.Elsewhere != nil {
		err := m.config.Elsewhere(ctx, binary)
		var refused *LoadError
		switch {
		case errors.As(err, &refused):
			return refused
		case err == nil && m.recalled(ctx, cached):
			return nil
		case err == nil:
			err = errUnread
		}
		if m.config.Here != nil {
			m.config.Here(err)
		}
	}
	if cached.begin() == nil && m.compile(ctx, binary, cached) == nil {
		cached.keep()
		return nil
	}
	cached.drop()
	m.Close()
	return m.compile(ctx, binary, nil)
}

// recalled reports whether the engine could read an entry. One that is whole and can't be
// read is marked unfit.
func (m *Module) recalled(ctx context.Context, cached *entry) bool {
	outline, ok := cached.read()
	if !ok {
		return false
	}
	cached.unfit = m.recall(ctx, outline, cached) != nil
	if cached.unfit {
		m.Close()
	}
	return !cached.unfit
}

// recall has the engine read the machine code of an entry. The context that it is given
// has ended, so that it compiles nothing where it finds none, or none for this
// processor: it would compile the outline.
func (m *Module) recall(ctx context.Context, outline []byte, cached *entry) error {
	bare, err := m.readOutline(outline, cached.key)
	if err != nil {
		return err
	}
	if err := m.open(ctx, cached.final); err != nil {
		return err
	}
	ended, end := context.WithCancel(ctx)
	end()
	const two = 2 // with fewer workers the engine would not see that its context has ended
	return m.translate(ended, bare, two)
}

// compile rewrites the module and has the engine compile it, into an entry of the cache
// if there is one.
func (m *Module) compile(ctx context.Context, binary []byte, cached *entry) error {
	prepared, err := rewrite.Prepare(binary)
	if err != nil {
		return &LoadError{Reason: err.Error(), Err: err}
	}
	bare, data, err := rewrite.Detach(prepared.Binary)
	if err != nil {
		return &LoadError{Reason: err.Error(), Err: err}
	}
	about := kept{Globals: prepared.Globals, Lasting: prepared.Lasting, Room: prepared.Room}
	m.describe(about, joined(data))
	if cached == nil {
		return m.compileIn(ctx, bare, "")
	}
	about.Of = cached.key
	outline, err := outlineOf(bare, m.data, about)
	if err != nil {
		return err
	}
	// Not beside the compiler: with some of the processors left to calls, it took those.
	if err := m.name(ctx, outline, cached); err != nil {
		return err
	}
	if err := m.compileIn(ctx, bare, cached.code()); err != nil {
		return err
	}
	return cached.write(outline)
}

// name has the engine compile an outline, which is soon done: the name under which it
// keeps that is the one under which it will look for the machine code.
func (m *Module) name(ctx context.Context, outline []byte, cached *entry) error {
	like := &Module{config: m.config}
	defer like.Close()
	bare, err := like.readOutline(outline, cached.key)
	if err != nil {
		return err
	}
	return like.compileIn(ctx, bare, cached.names())
}

func (m *Module) compileIn(ctx context.Context, bare []byte, cacheDir string) error {
	if err := m.open(ctx, cacheDir); err != nil {
		return err
	}
	return m.translate(ctx, bare, cmp.Or(m.config.Workers, runtime.GOMAXPROCS(0)))
}

// open starts a runtime of the module's own.
func (m *Module) open(ctx context.Context, cacheDir string) (err error) {
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(uint32(m.memoryBytes() / wasmPage)).WithCustomSections(false)
	if m.cache = nil; cacheDir != "" {
		if m.cache, err = wazero.NewCompilationCacheWithDir(cacheDir); err != nil {
			return &LoadError{Reason: "compile cache: folder can't be used", Err: err}
		}
		config = config.WithCompilationCache(m.cache)
	}
	m.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if err := system(ctx, m.runtime); err != nil {
		return &LoadError{Reason: "engine can't be started", Err: err}
	}
	if err := bridge(ctx, m.runtime); err != nil {
		return &LoadError{Reason: "engine can't be started", Err: err}
	}
	return nil
}

// translate makes machine code of a module in its runtime, or finds it.
func (m *Module) translate(ctx context.Context, bare []byte, workers int) (err error) {
	ctx = experimental.WithCompilationWorkers(ctx, workers)
	m.compiled, err = m.runtime.CompileModule(ctx, bare)
	switch {
	case err == nil:
	case ctx.Err() != nil: // payhost stops: the module may be as good as any
		return &LoadError{Reason: "compilation was canceled", Err: ctx.Err()}
	default:
		return &LoadError{Reason: "module is not valid WebAssembly or asks for too much memory", Err: err}
	}
	return nil
}

const wasmPage = 1 << 16

// memoryBytes is the most memory of one instance, in whole pages of WebAssembly.
func (m *Module) memoryBytes() uint64 {
	return uint64(min((m.config.MemoryBytes+wasmPage-1)/wasmPage, 1<<16)) * wasmPage
}

// Digest returns the SHA-256 of the binary, in hex.
func (m *Module) Digest() string { return m.digest }

// Imports returns the names that the module imports from payhost_v1.
func (m *Module) Imports() []string { return m.imports }

// grant takes n more bytes of linear memory from what the instances may have
// together; it reports false if so much is not left. A negative n gives back.
func (m *Module) grant(n int64) bool {
	if m.taken.Add(n) > m.config.TotalBytes && n > 0 && m.config.TotalBytes > 0 {
		m.taken.Add(-n)
		return false
	}
	return true
}

// Lasting says what in an instance can't be put back after a call; empty if
// everything can.
func (m *Module) Lasting() string { return m.lasting }

// Close gives everything back. No instance may be running.
func (m *Module) Close() {
	ctx := context.Background()
	if m.runtime != nil {
		_ = m.runtime.Close(ctx) // the runtime has nothing to lose
	}
	if m.cache != nil {
		_ = m.cache.Close(ctx)
	}
}

// check holds the module's exports and imports against the ABI, names and types.
func (m *Module) check() error {
	if err := m.checkExports(); err != nil {
		return err
	}
	table := make(map[string]abi.Signature)
	for _, sig := range abi.ImportTable() {
		table[sig.Name] = sig
	}
	wasi := m.runtime.Module(abi.WASIModule).ExportedFunctionDefinitions()
	imported := m.compiled.ImportedFunctions()
	for _, f := range imported[:len(imported)-1] { // the last is the tick that rewriting added
		module, name, _ := f.Import()
		switch {
		case module == abi.WASIModule:
			def, known := wasi[name]
			if !known || !bytes.Equal(f.ParamTypes(), def.ParamTypes()) ||
				!bytes.Equal(f.ResultTypes(), def.ResultTypes()) {
				return refuse("import %s.%s is unknown or has the wrong type", module, name)
			}
		case module == abi.Module:
			sig, known := table[name]
			if !known {
				return refuse("needs a newer payhost: this one has no import %s.%s", abi.Module, name)
			}
			if !same(f.ParamTypes(), sig.Params) || !same(f.ResultTypes(), sig.Results) {
				return refuse("import %s.%s has the wrong type", abi.Module, name)
			}
			m.imports = append(m.imports, name)
		case strings.HasPrefix(module, "payhost_v"):
			return refuse("built for ABI %s, this payhost has %s", module, abi.Module)
		default:
			return refuse("imports %s.%s: a plugin may import %s and %s only", module, name, abi.Module, abi.WASIModule)
		}
	}
	return nil
}

func (m *Module) checkExports() error {
	i32 := abi.I32
	want := []abi.Signature{
		{Name: abi.ExportMarker}, // first: without it the others are beside the point
		{Name: abi.ExportInit},
		{Name: abi.ExportCall, Params: []abi.ValueType{i32, i32}, Results: []abi.ValueType{i32}},
	}
	functions := m.compiled.ExportedFunctions()
	for _, sig := range want {
		f, ok := functions[sig.Name]
		if !ok {
			return m.noExport(sig.Name)
		}
		if !same(f.ParamTypes(), sig.Params) || !same(f.ResultTypes(), sig.Results) {
			return refuse("export %s has the wrong type", sig.Name)
		}
	}
	if _, ok := m.compiled.ExportedMemories()[abi.ExportMemory]; !ok {
		return refuse("export %s is missing", abi.ExportMemory)
	}
	return nil
}

func (m *Module) noExport(name string) error {
	if name == abi.ExportMarker {
		for other := range m.compiled.ExportedFunctions() {
			if strings.HasPrefix(other, abi.AnyMarker) {
				return refuse("built for ABI version %s, this payhost has version 1",
					strings.TrimPrefix(other, abi.AnyMarker))
			}
		}
		return refuse("export %s is missing: not a payhost plugin", name)
	}
	return refuse("export %s is missing", name)
}

func same(have []byte, want []abi.ValueType) bool {
	if len(have) != len(want) {
		return false
	}
	for i := range have {
		if have[i] != byte(want[i]) {
			return false
		}
	}
	return true
}

// Manifest returns the manifest section of a plugin file.
func Manifest(binary []byte) ([]byte, error) {
	content, count, err := rewrite.Custom(binary, abi.ManifestName)
	switch {
	case err != nil:
		return nil, &LoadError{Reason: err.Error(), Err: err}
	case count == 0:
		return nil, ErrNoManifest
	case count > 1:
		return nil, refuse("section %s stands %d times", abi.ManifestName, count)
	}
	return content, nil
}

// WithManifest returns the plugin file with a manifest section.
func WithManifest(binary, manifest []byte) ([]byte, error) {
	out, err := rewrite.WithCustom(binary, abi.ManifestName, manifest)
	if err != nil {
		return nil, &LoadError{Reason: err.Error(), Err: err}
	}
	return out, nil
}

// ErrNoManifest says that a module has no manifest section yet.
var ErrNoManifest = errors.New("no " + abi.ManifestName + " section: run payhost plugin pack on the module")
